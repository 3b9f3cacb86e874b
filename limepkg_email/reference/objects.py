"""Limeobjects on SQLAlchemy Core: one statement for each call, built once and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Executable, delete, func, select, update
from sqlalchemy.exc import DataError, IntegrityError

from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.host import LimeObject, Values
from limepkg_email.query import And, Condition, Equals, Query
from limepkg_email.reference.access import Access, Action
from limepkg_email.reference.queries import Parameters, Prepared, Shape, expression, selection, shape
from limepkg_email.reference.schema import LimetypeTable, Schema, SchemaCache

Result = TypeVar("Result")


class ReferenceObjects:
    """The objects of one unit of work, seen and changed with the access of its user."""

    __slots__ = ("_access", "_cache", "_connection", "_schema")

    def __init__(self, connection: Connection, cache: SchemaCache, access: Access) -> None:
        self._connection = connection
        self._cache = cache
        self._access = access
        self._schema: Schema = cache.current()

    def get(self, limetype: str, id: int) -> LimeObject:  # noqa: A002 - the protocol's name
        """Give the object; raises `NotFound`."""
        found = self.query(Query(limetype, Equals("id", id)))
        if not found:
            raise _not_found(limetype, id)
        return found[0]

    def query(self, query: Query) -> list[LimeObject]:
        """Give the objects that the query describes, in one statement."""
        limetype = query.limetype
        prepared, parameters = self._known(limetype, lambda table: self._prepared(table, query))
        if not self._access.allows("read", limetype):
            return []
        names = prepared.names
        return [
            LimeObject(limetype, row[0], dict(zip(names, row, strict=True)))
            for row in self._execute(prepared.statement, parameters).all()
        ]

    def count(self, limetype: str, where: Condition) -> int:
        """Count the objects for which the condition holds."""
        statement, parameters = self._known(
            limetype, lambda table: self._conditional(table, where, "count", _count)
        )
        if not self._access.allows("read", limetype):
            return 0
        return int(self._execute(statement, parameters).scalar_one())

    def add(self, limetype: str, values: Values) -> int:
        """Add one object and give its id."""
        table, row = self._known(limetype, lambda table: (table, table.new_row(values)))
        self._require("create", limetype)
        key = self._execute(table.insert, row).inserted_primary_key
        assert key is not None  # noqa: S101 - an insert of one row has a key
        return int(key[0])

    def add_many(self, limetype: str, rows: Sequence[Values]) -> list[int]:
        """Add objects in one statement and give their ids in the order of `rows`."""
        table, new = self._known(
            limetype, lambda table: (table, [table.new_row(values) for values in rows])
        )
        self._require("create", limetype)
        if not new:
            return []
        return table.ids(self._execute(table.insert_many, _filled(new)))

    def update(self, limetype: str, id: int, values: Values) -> None:  # noqa: A002
        """Change the given properties; the object stays locked until the unit of work ends."""
        table, row = self._known(limetype, lambda table: (table, table.changed_row(values)))
        self._require("update", limetype, id)
        parameters = {f"v_{name}": value for name, value in row.items()}
        parameters["id_"] = table.compared("id", id)
        if not self._execute(table.update(tuple(row)), parameters).rowcount:
            raise _not_found(limetype, id)

    def update_where(self, limetype: str, where: Condition, values: Values) -> int:
        """Change the given properties of all matching objects; gives how many they were."""
        if not values:
            return self.count(limetype, where)
        table, row = self._known(limetype, lambda table: (table, table.changed_row(values)))
        if not self._access.allows("read", limetype):
            return 0
        self._require("update", limetype)
        names = tuple(row)
        statement, parameters = self._conditional(
            table, where, ("update", names), lambda table: table.update_all(names)
        )
        parameters.update({f"v_{name}": value for name, value in row.items()})
        return int(self._execute(statement, parameters).rowcount)

    def delete(self, limetype: str, id: int) -> None:  # noqa: A002 - the protocol's name
        """Delete the object; raises `NotFound`, and `Conflict` while others point at it."""
        table = self._known(limetype, lambda table: table)
        self._require("delete", limetype, id)
        statement, parameters = self._conditional(table, Equals("id", id), "delete", _delete)
        try:
            result = self._connection.execute(statement, parameters)
        except IntegrityError as error:
            raise Conflict(f"other objects still point at {limetype} {id}") from error
        if not result.rowcount:
            raise _not_found(limetype, id)
