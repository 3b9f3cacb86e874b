"""What is installed brings its front end along: no Node, no build, on any machine."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from limepkg_email.web_components import STATIC, Manifest

ROOT = Path(__file__).parents[2]

MOST_TOGETHER = 60_000
MOST_ONE_BY_ONE = 65_000
"""Bytes of our own JavaScript, gzipped as one, largest first, and file by file.

`frontend/README.md` names them, too.
"""

SERVE = """
import sys
from flask import Flask
import limepkg_email
from limepkg_email import EmailIntegration
from limepkg_email.translations import catalogue
from limepkg_email.web_components import manifest, static_blueprint, static_content

assert limepkg_email.__file__.startswith(sys.prefix), limepkg_email.__file__
app = Flask("host")
app.register_blueprint(static_blueprint(host_page=True))
client = app.test_client()
found = manifest()
for path in (found.components, found.elements, *found.styles, "host/"):
    assert client.get(f"/static/limepkg-email/{path}", buffered=True).status_code == 200, path
(route, folder), = static_content()
assert catalogue("sv")
print(route)
"""


def without_node(folder: Path) -> dict[str, str]:
    """An environment in which no program is found but those that Python itself needs."""
    folder.mkdir(exist_ok=True)
    for name in ("sh", "env", "uname", "gcc", "ld"):
        found = shutil.which(name)
        if found and not (folder / name).exists():
            (folder / name).symlink_to(found)
    return {**os.environ, "PATH": str(folder), "LIMEPKG_EMAIL_SKIP_FRONTEND": ""}


def run(*command: str | Path, environment: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    result = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def fresh_environment(path: Path) -> Path:
    """A virtual environment with the dependencies of this one, but not with the package itself."""
    run(sys.executable, "-m", "venv", "--without-pip", path)
    site = Path(
        run(path / "bin" / "python", "-c", "import site; print(site.getsitepackages()[0])").strip()
    )
    (site / "outer.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return path / "bin" / "python"


def pip(*arguments: str | Path, environment: dict[str, str]) -> str:
    options: Sequence[str] = ("--disable-pip-version-check", "--no-deps", "--quiet")
    return run(sys.executable, "-m", "pip", *arguments, *options, environment=environment)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def sdist(directory: Path) -> Path:
    """The source distribution of this checkout, made by its own backend."""
    pytest.importorskip("build", reason="comes with `make test`")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", directory, ROOT)
    (found,) = directory.glob("*.tar.gz")
    return found


@pytest.fixture(scope="module")
def wheel(directory: Path, sdist: Path) -> Path:
    """The wheel that an installer makes of the source distribution, where there is no Node."""
    environment = without_node(directory / "path")
    assert shutil.which("node", path=environment["PATH"]) is None
    pip("wheel", "--wheel-dir", directory, sdist, environment=environment)
    (found,) = directory.glob("*.whl")
    return found


def test_what_is_installed_serves_its_front_end_without_node(
    built: Manifest, directory: Path, wheel: Path
) -> None:
    environment = without_node(directory / "path")
    python = fresh_environment(directory / "fresh")
    pip("--python", python, "install", wheel, environment=environment)
    route = run(python, "-c", SERVE, environment=environment, cwd=directory).strip()
    assert route.startswith("lwc-components-")


def test_the_wheel_of_the_checkout_has_the_same_files_as_that_of_the_source_distribution(
    built: Manifest, directory: Path, wheel: Path
) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", directory / "direct", ROOT)
    (direct,) = (directory / "direct").glob("*.whl")

    def names(path: Path) -> set[str]:
        return set(ZipFile(path).namelist())

    assert names(direct) == names(wheel)
    assert not [name for name in names(direct) if "node_modules" in name or "/src/" in name]


def test_our_own_javascript_stays_as_small_as_promised(built: Manifest) -> None:
    files = (STATIC / built.components).parent.glob("*.js")
    contents = sorted((each.read_bytes() for each in files), key=len, reverse=True)
    assert contents
    assert len(gzip.compress(b"".join(contents), 9)) <= MOST_TOGETHER
    assert sum(len(gzip.compress(each, 9)) for each in contents) <= MOST_ONE_BY_ONE
