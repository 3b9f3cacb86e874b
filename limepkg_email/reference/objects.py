"""Limeobjects on SQLAlchemy Core: one statement for each call, built once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    CursorResult,
    Executable,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError

from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.host import LimeObject, Values
from limepkg_email.models import BigId
from limepkg_email.query import Condition, Equals, Query
from limepkg_email.reference.access import Access, Action
from limepkg_email.reference.queries import (
    Parameters,
    Shape,
    expression,
    query_shape,
    selection,
    shape,
)
from limepkg_email.reference.schema import LimetypeTable, Schema, SchemaCache

Used = TypeVar("Used")


class ReferenceObjects:
    """The objects of one unit of work, seen and changed with the access of its user."""

    __slots__ = ("_access", "_cache", "_connection", "_ordered", "_schema")

    def __init__(self, connection: Connection, cache: SchemaCache, access: Access) -> None:
        self._connection = connection
        self._cache = cache
        self._access = access
        self._schema: Schema = cache.current()
        self._ordered = connection.dialect.name != "sqlite"

    def get(self, limetype: str, id: int) -> LimeObject:
        """Give the object; raises `NotFound`."""
        found = self.query(Query(limetype, Equals("id", id)))
        if not found:
            raise _not_found(limetype, id)
        return found[0]

    def query(self, query: Query) -> list[LimeObject]:
        """Give the objects that the query describes, in its order, in one statement."""
        limetype = query.limetype
        found, values = self._use(limetype, lambda table: _select(table, query))
        if not self._access.allows("read", limetype):
            return []
        names = found.names
        return [
            LimeObject(limetype, row[0], dict(zip(names, row, strict=True)))
            for row in self._execute(found.statement, values)
        ]

    def count(self, limetype: str, where: Condition) -> int:
        """Count the objects for which the condition holds."""
        statement, values = self._use(limetype, lambda table: _count(table, where))
        if not self._access.allows("read", limetype):
            return 0
        return int(self._execute(statement, values).scalar_one())

    def add(self, limetype: str, values: Values) -> int:
        """Add one object and give its id."""
        statement, row = self._use(limetype, lambda table: (_insert(table), table.new_row(values)))
        self._require("create", limetype)
        key = self._execute(statement, row).inserted_primary_key
        assert key is not None  # noqa: S101 - the insert of one row has a key
        return int(key[0])

    def add_many(self, limetype: str, rows: Sequence[Values]) -> list[int]:
        """Add objects in one statement and give their ids in the order of `rows`."""
        if len(rows) == 1:
            # Costs half as much.
            return [self.add(limetype, rows[0])]
        statement, new = self._use(
            limetype, lambda table: (_insert_many(table, self._ordered), _new_rows(table, rows))
        )
        self._require("create", limetype)
        if not new:
            return []
        ids: list[int] = list(self._execute(statement, new).scalars())
        # SQLite numbers the rows in their order, but gives the numbers back in any order.
        return ids if self._ordered else sorted(ids)

    def update(self, limetype: str, id: int, values: Values) -> None:
        """Change the given properties; the object stays locked until the unit of work ends."""
        statement, row = self._use(limetype, lambda table: _update(table, id, values))
        self._require("update", limetype, id)
        if not self._execute(statement, row).rowcount:
            raise _not_found(limetype, id)

    def update_where(self, limetype: str, where: Condition, values: Values) -> int:
        """Change the given properties of all matching objects; gives how many they were."""
        statement, row = self._use(limetype, lambda table: _update_where(table, where, values))
        if not self._access.allows("read", limetype):
            return 0
        self._require("update", limetype)
        return int(self._execute(statement, row).rowcount)

    def delete(self, limetype: str, id: int) -> None:
        """Delete the object; raises `NotFound`, and `Conflict` while others point at it."""
        statement, values = self._use(limetype, lambda table: _delete(table, id))
        self._require("delete", limetype, id)
        try:
            result = self._connection.execute(statement, values)
        except IntegrityError as error:
            raise Conflict(f"other objects still point at {limetype} {id}") from error
        if not result.rowcount:
            raise _not_found(limetype, id)

    def _use(self, limetype: str, use: Callable[[LimetypeTable], Used]) -> Used:
        try:
            return use(self._schema.table(limetype))
        except InvalidInput:
            fresh = self._cache.refresh(self._connection)
            if fresh is self._schema:
                raise
            self._schema = fresh
        return use(fresh.table(limetype))

    def _execute(self, statement: Executable, values: Any) -> CursorResult[Any]:
        try:
            return self._connection.execute(statement, values)
        except IntegrityError as error:
            raise InvalidInput("a relation points at an object that does not exist") from error
        except DataError as error:
            raise InvalidInput("the database refuses one of the values") from error

    def _require(self, action: Action, limetype: str, id: int | None = None) -> None:
        if self._access.allows(action, limetype):
            return
        if id is not None and not self._access.allows("read", limetype):
            raise _not_found(limetype, id)
        raise Forbidden(f"you may not {action} {limetype}")


def _not_found(limetype: str, id: int) -> NotFound:
    return NotFound(f"there is no {limetype} {id}")


def _select(table: LimetypeTable, query: Query) -> tuple[Any, Mapping[str, Any]]:
    parameters = Parameters(table)
    found = query_shape(query, parameters)
    return table.statement(found, lambda table: selection(table, found)), parameters.values


def _count(table: LimetypeTable, where: Condition) -> tuple[Any, Mapping[str, Any]]:
    parameters = Parameters(table)
    found = shape(where, parameters)

    def build(table: LimetypeTable) -> Executable:
        return select(func.count()).select_from(table.table).where(expression(table, found))

    return table.statement(("count", found), build), parameters.values


def _insert(table: LimetypeTable) -> Any:
    return table.statement("insert", lambda table: insert(table.table))


def _insert_many(table: LimetypeTable, ordered: bool) -> Any:
    return table.statement(
        ("insert many", ordered),
        lambda table: insert(table.table).returning(
            table.table.c.id, sort_by_parameter_order=ordered
        ),
    )


def _new_rows(table: LimetypeTable, rows: Sequence[Values]) -> list[dict[str, Any]]:
    found = [table.new_row(values) for values in rows]
    if any(row.keys() != found[0].keys() for row in found[1:]):
        # One statement has one list of columns.
        empty = dict.fromkeys(name for row in found for name in row)
        found = [{**empty, **row} for row in found]
    return found


def _update(table: LimetypeTable, id: int, values: Values) -> tuple[Any, Mapping[str, Any]]:
    row = table.changed_row(values)
    names = tuple(row)

    def build(table: LimetypeTable) -> Executable:
        same = table.table.c.id == bindparam("id_", type_=BigId)
        return update(table.table).where(same).values(_assigned(table, names))

    parameters = {f"v_{name}": value for name, value in row.items()}
    parameters["id_"] = table.compared("id", id)
    return table.statement(("update", names), build), parameters


def _update_where(
    table: LimetypeTable, where: Condition, values: Values
) -> tuple[Any, Mapping[str, Any]]:
    row = table.changed_row(values)
    names = tuple(row)
    parameters = Parameters(table)
    found: Shape = shape(where, parameters)

    def build(table: LimetypeTable) -> Executable:
        return update(table.table).where(expression(table, found)).values(_assigned(table, names))

    assigned = {f"v_{name}": value for name, value in row.items()}
    statement = table.statement(("update where", names, found), build)
    return statement, {**parameters.values, **assigned}


def _assigned(table: LimetypeTable, names: tuple[str, ...]) -> dict[str, Any]:
    columns = table.table.c
    assigned: dict[str, Any] = {
        name: bindparam(f"v_{name}", type_=columns[name].type) for name in names
    }
    # Even no change at all locks the object and tells whether it exists.
    return assigned or {"id": columns.id}


def _delete(table: LimetypeTable, id: int) -> tuple[Any, Mapping[str, Any]]:
    def build(table: LimetypeTable) -> Executable:
        return delete(table.table).where(table.table.c.id == bindparam("id_", type_=BigId))

    return table.statement("delete", build), {"id_": table.compared("id", id)}
