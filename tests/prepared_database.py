"""Databases with everything installed, to be copied: installing takes half a second each time."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url
from sqlalchemy.pool import NullPool

from limepkg_email.testing.postgres import Server

Install = Callable[[Path, str], None]
"""Installs everything into an empty database by its address, and closes its connections."""


def fill_if_empty(database_url: str, install: Install) -> None:
    """Make an empty database a copy of one into which everything was installed."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        target = Path(str(url.database))
        if not target.exists():
            shutil.copyfile(_sqlite_template(install), target)
    elif url.get_backend_name() == "postgresql" and _is_empty(url):
        # Copied while it is created, so it is created once more.
        server = _server_of(url)
        template = _postgresql_template(server.url, install)
        server.drop_database(url)
        server.create_database(template, name=url.database)


@cache
def _sqlite_template(install: Install) -> Path:
    directory = _directory()
    install(directory, f"sqlite:///{directory / 'template.sqlite'}")
    return directory / "template.sqlite"


@cache
def _postgresql_template(address: URL, install: Install) -> str:
    server = Server(address)
    url = server.create_database()
    install(_directory(), url.render_as_string(hide_password=False))
    return str(url.database)


def _directory() -> Path:
    found = Path(tempfile.mkdtemp(prefix="limepkg-installed-"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found


def _server_of(url: URL) -> Server:
    return Server(url.set(drivername="postgresql", database="postgres"))


def _is_empty(url: URL) -> bool:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool)
    return not inspect(engine).get_table_names()
