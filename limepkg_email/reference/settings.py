"""Values that an administrator edits, in a table of the CRM's database."""

from __future__ import annotations

import json

from sqlalchemy import delete, select

from limepkg_email.db import upsert
from limepkg_email.errors import InvalidInput
from limepkg_email.reference import tables
from limepkg_email.reference.database import Database


class ReferenceSettings:
    """Settings as JSON, each with a version that grows when it changes."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> object | None:
        """Give the stored value, or `None`."""
        table = tables.setting
        with self._database.reader.connect() as connection:
            found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
        value: object | None = None if found is None else json.loads(found)
        return value

    def version(self, name: str) -> int:
        """Tell how often the value was set since it exists; 0 if it does not."""
        table = tables.setting
        with self._database.reader.connect() as connection:
            found = connection.execute(select(table.c.version).where(table.c.name == name)).scalar()
        return found or 0

    def set(self, name: str, value: object) -> None:
        """Store the value; `None` removes it."""
        table = tables.setting
        if value is None:
            with self._database.engine.begin() as connection:
                connection.execute(delete(table).where(table.c.name == name))
            return
        try:
            # Escaped to ASCII, so that every text can be stored on both databases.
            stored = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"{name}: the value is no JSON") from error
        with self._database.engine.begin() as connection:
            statement = upsert(connection, table).values(name=name, value=stored, version=1)
            changed = {"value": stored, "version": table.c.version + 1}
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=changed)
            )
