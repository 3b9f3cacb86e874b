"""Letters without regard to case, in every alphabet and on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, String, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

_FUNCTION = "crm_lower"


class lowered(GenericFunction[str]):  # noqa: N801 - a function of SQL
    """A text in small letters. SQLite's own `lower` leaves `Ö` as it is."""

    type = String()
    inherit_cache = True
    name = _FUNCTION


@compiles(lowered)
def _of_the_database(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(lowered, "sqlite")
def _of_ours(element: lowered, compiler: SQLCompiler, **options: Any) -> str:
    return f"{_FUNCTION}({compiler.process(element.clauses, **options)})"


def teach_letters(engine: Engine) -> Engine:
    """Let connections to SQLite know `lowered`, and give the engine back.

    Under a name of its own: indexes are made with SQLite's `lower` and must stay valid.
    """
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection: Any, _: object) -> None:
            connection.create_function(_FUNCTION, 1, _lower, deterministic=True)

    return engine


def _lower(text: object) -> str | None:
    return None if text is None else str(text).lower()
