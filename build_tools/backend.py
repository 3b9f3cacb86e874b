"""The build backend: setuptools', which builds the front end first where that is to be packed.

Installing a wheel or a source distribution needs no Node, because both carry the built front end.
Editable installations never build it; `make frontend` does.
"""

from __future__ import annotations

import shutil
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - a backend is all of these functions

import frontend

Settings = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Ask for Node where it is needed and the system has none."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_node()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """Ask for Node where it is needed and the system has none."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_node()]


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel, with the front end in it."""
    frontend.ensure()
    # Setuptools packs whatever lies there, files of earlier builds included.
    shutil.rmtree(frontend.ROOT / "build" / "lib", ignore_errors=True)
    return str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Build the source distribution, with the built front end in it."""
    frontend.ensure()
    return str(build_meta.build_sdist(sdist_directory, config_settings))


def _node() -> list[str]:
    wanted = frontend.is_needed() and frontend.system_node() is None
    return [frontend.NODE_PACKAGE] if wanted else []
