"""What a reviewer would check about the whole tree, so that nobody has to."""

from __future__ import annotations

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "limepkg_email"
MODULES = sorted(each for each in PACKAGE.rglob("*.py"))
LONGEST = 500
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}

# Products that stand beside the package: the layers are the package's own.
BESIDE = {"cli", "__main__", "reference", "sandbox", "testing"}

SIDE_EFFECTS = """
import threading, sqlite3, sys
import flask, requests, sqlalchemy

def refuse(*_, **__):
    raise AssertionError("importing did something")

flask.Flask.__init__ = refuse
threading.Thread.start = refuse
sqlite3.connect = refuse
sqlalchemy.create_engine = refuse
requests.Session.request = refuse
sys.argv = ["python"]
for name in sys.stdin.read().split():
    __import__(name)
"""


def dotted(path: Path) -> str:
    """Give the module's name; packages go by their own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def contract(name: str, option: str) -> list[str]:
    """Give the modules that a contract in setup.cfg lists under an option."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    listed = parser[f"importlinter:contract:{name}"][option].replace("|", " ").replace(":", " ")
    return [each.strip("()") for each in listed.split()]


def run_python(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=given,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_layers_hold() -> None:
    pytest.importorskip("importlinter", reason="import-linter comes with `make lint`")
    call = "from importlinter.cli import lint_imports; exit(lint_imports(no_cache=True))"
    result = run_python("-c", call)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_module_has_a_layer() -> None:
    layers = contract("layers", "layers")
    modules = [dotted(each) for each in MODULES if each.name != "__init__.py"]
    homeless = [
        name
        for name in modules
        if name.split(".")[1] not in BESIDE
        and not any(name == layer or name.startswith(f"{layer}.") for layer in layers)
    ]
    assert homeless == []


@pytest.mark.parametrize(
    ("name", "option", "left_out"),
    [
        ("products", "source_modules", BESIDE),
        ("sandbox", "forbidden_modules", {"sandbox", "cli", "__main__"}),
    ],
)
def test_no_part_of_the_package_is_left_out_of_a_contract(
    name: str, option: str, left_out: set[str]
) -> None:
    parts = {dotted(each).split(".")[1] for each in MODULES if each.parent != PACKAGE}
    parts |= {each.stem for each in PACKAGE.glob("*.py") if each.name != "__init__.py"}
    assert {f"limepkg_email.{each}" for each in parts - left_out} == set(contract(name, option))


def test_importing_has_no_side_effects() -> None:
    # The environment of alembic is run by alembic, and testing is a plugin of pytest's.
    names = [dotted(each) for each in MODULES if each.name not in ("env.py", "__main__.py")]
    importable = [name for name in names if ".versions." not in name and ".testing" not in name]
    result = run_python("-W", "error", "-c", SIDE_EFFECTS, given="\n".join(importable))
    assert result.returncode == 0, result.stderr


def test_no_module_is_longer_than_anybody_reads() -> None:
    long = {dotted(each): len(each.read_text("utf-8").splitlines()) for each in MODULES}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [dotted(each) for each in MODULES if VAGUE & set(each.stem.split("_"))] == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {each.parent for each in MODULES}
    assert [each for each in folders if not (each / "__init__.py").exists()] == []
