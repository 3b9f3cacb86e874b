"""Creates and changes the package's own tables, in a database that may belong to somebody else."""

from __future__ import annotations

from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

VERSION_TABLE: Final = "limepkg_email_alembic"
"""Where the version stands; the host's own `alembic_version` is never touched."""

HEAD: Final = "0005"
"""The version that this code needs. Versions are numbers of four digits and count up."""

_LOCK = 0x6C696D65  # any number that nobody else uses for an advisory lock


def upgrade(engine: Engine) -> None:
    """Bring the tables to the version that this code needs; changes nothing if they are there.

    Runs in one transaction. Processes that start at the same time do it one after another. Tables
    that a newer version of the package made are left as they are.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _version(connection) < HEAD:
            command.upgrade(configuration(connection), "head")


def is_current(engine: Engine) -> bool:
    """Tell whether the tables have (at least) the version that this code needs; two statements."""
    with engine.connect() as connection:
        return _version(connection) >= HEAD


def configuration(connection: Connection) -> Config:
    """Give the alembic configuration that works on the connection, in its transaction."""
    config = Config()
    config.set_main_option("script_location", "limepkg_email:migrations")
    config.attributes["connection"] = connection
    return config


def _version(connection: Connection) -> str:
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    found = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return str(found or "")
