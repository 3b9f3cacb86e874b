"""Small things about databases: SQLite's settings, inserts that ignore conflicts, plugin tables in
a host's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from limepkg_email.host import Application, UnitOfWork
from limepkg_email.models import Base


def table(model: type[Base]) -> Table:
    """Give the Core table of a model."""
    found = model.__table__
    assert isinstance(found, Table)  # noqa: S101 - narrows the declared FromClause
    return found


def configure_sqlite(engine: Engine) -> Engine:
    """Let an SQLite engine be used by several threads and processes at once, and give it back.

    Write-ahead logging lets readers go on while one writes; `BEGIN IMMEDIATE` takes the write lock
    at once, because a lock that is upgraded later can fail without waiting for the busy time-out.
    Other databases are left as they are.
    """
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def upsert(connection: Connection, target: Table) -> PostgresqlInsert | SqliteInsert:
    """Give an INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert_of(connection.dialect.name, target)


def upsert_of(dialect: str, target: Table) -> PostgresqlInsert | SqliteInsert:
    """Give the same INSERT for a dialect by name, for statements that are kept."""
    return postgresql.insert(target) if dialect == "postgresql" else sqlite.insert(target)


def insert_new(connection: Connection, target: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert the rows that violate no unique key, in their order; gives how many they were.

    The rows must name the same columns.
    """
    if not rows:
        return 0
    statement = _inserting_new(connection.dialect.name, target)
    # A statement with the values written into it would be compiled anew for each number of rows.
    return connection.execute(statement, [dict(row) for row in rows]).rowcount


@cache
def _inserting_new(dialect: str, target: Table) -> PostgresqlInsert | SqliteInsert:
    # `inline`: nobody asks for the new keys. Without the option the number of rows is not kept.
    statement = upsert_of(dialect, target).on_conflict_do_nothing().inline()
    return statement.execution_options(preserve_rowcount=True)


@contextmanager
def plugin_connection(application: Application, work: UnitOfWork) -> Iterator[Connection]:
    """Give the connection for plugin-owned tables that belongs to a unit of work.

    It is the unit's own connection where the host shares it. Otherwise a transaction of its own,
    committed after the block and so *before* the objects: a crash between the two leaves a key
    without objects, which the import recognises and completes.
    """
    if work.connection is not None:
        yield work.connection
        return
    with application.database.begin() as connection:
        yield connection


def locking(connection: Connection) -> bool:
    """Tell whether rows can and must be locked one by one (PostgreSQL), not the whole database."""
    return connection.dialect.name != "sqlite"
