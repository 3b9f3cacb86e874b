"""The tables of the limetypes as statements see them: built when needed, then only looked up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.exc import DatabaseError

from limepkg_email.clock import Clock
from limepkg_email.errors import DatabaseUnavailable, InvalidInput, SetupRequired
from limepkg_email.host import Values
from limepkg_email.models import BigId
from limepkg_email.reference import tables
from limepkg_email.reference.database import Database
from limepkg_email.reference.definitions import NOW, Definition, from_json
from limepkg_email.reference.values import (
    TEXTUAL,
    Check,
    check_compared,
    check_written,
    column_type,
    integer,
)

Built = TypeVar("Built")

_STATEMENTS = 500
"""Statements that are kept for a limetype; more shapes than this do not occur in earnest."""


@dataclass(frozen=True, slots=True)
class PropertyColumn:
    """A property with its column and the checks of its values."""

    name: str
    column: Column[Any]
    written: Check
    compared: Check
    textual: bool


class LimetypeTable:
    """The table of one limetype, with everything about it that a statement needs."""

    __slots__ = ("_defaults", "_required", "_statements", "columns", "definition", "name", "table")

    def __init__(self, definition: Definition, clock: Clock) -> None:
        self.definition = definition
        self.name = definition.name
        self.table = _table(definition)
        self.columns = _columns(definition, self.table)
        self._required = frozenset(
            each.name for each in definition.limetype.properties if each.required
        )
        self._defaults = {
            name: clock if value == NOW else _constant(value)
            for name, value in definition.defaults.items()
        }
        self._statements: dict[Hashable, Any] = {}

    def statement(self, key: Hashable, build: Callable[[LimetypeTable], Built]) -> Built:
        """Give what was built for the key before, or build it.

        Statements are kept because SQLAlchemy remembers on the statement itself how it is found
        among the compiled ones; building one costs several times as much as carrying it out.
        """
        found = self._statements.get(key)
        if found is None:
            found = build(self)
            if len(self._statements) >= _STATEMENTS:
                self._statements.clear()
            self._statements[key] = found
        return cast("Built", found)

    def column(self, name: str) -> PropertyColumn:
        """Give the column of a property; raises `InvalidInput` with its name."""
        found = self.columns.get(name)
        if found is None:
            raise InvalidInput(
                f"there is no property {self.name}.{name}",
                errors={name: ["There is no such property."]},
            )
        return found

    def new_row(self, values: Values) -> dict[str, Any]:
        """Check the values of a new object and give them as they are stored."""
        row = self.changed_row(values)
        for name, default in self._defaults.items():
            if name not in row:
                row[name] = default()
        for name in self._required:
            if name not in row:
                raise self._invalid(name, "is required")
        return row

    def changed_row(self, values: Values) -> dict[str, Any]:
        """Check the values of a changed object and give them as they are stored."""
        row: dict[str, Any] = {}
        columns = self.columns
        for name, value in values.items():
            column = columns.get(name) or self.column(name)
            if value is None and name not in self._required:
                row[name] = None
                continue
            try:
                row[name] = column.written(value)
            except ValueError as error:
                raise self._invalid(name, str(error)) from None
        return row

    def compared(self, name: str, value: object) -> Any:
        """Check a value that a property is compared with."""
        try:
            return self.column(name).compared(value)
        except ValueError as error:
            raise self._invalid(name, str(error)) from None

    def _invalid(self, name: str, sentence: str) -> InvalidInput:
        return InvalidInput(
            f"{self.name}.{name} {sentence}", errors={name: [f"The value {sentence}."]}
        )


class Schema:
    """All limetypes at one version; `definitions` are in the order in which they were made."""

    __slots__ = ("_clock", "_tables", "definitions", "version")

    def __init__(self, version: int, definitions: Iterable[Definition], clock: Clock) -> None:
        self.version = version
        self.definitions: Mapping[str, Definition] = {each.name: each for each in definitions}
        self._clock = clock
        self._tables: dict[str, LimetypeTable] = {}

    def table(self, limetype: str) -> LimetypeTable:
        """Give the table of a limetype; raises `InvalidInput` with its name."""
        found = self._tables.get(limetype)
        if found is None:
            found = self._tables[limetype] = LimetypeTable(self.definition(limetype), self._clock)
        return found

    def definition(self, limetype: str) -> Definition:
        """Give the definition of a limetype; raises `InvalidInput` with its name."""
        found = self.definitions.get(limetype)
        if found is None:
            raise InvalidInput(
                f"there is no limetype {limetype}", errors={limetype: ["No such limetype."]}
            )
        return found

    def changed(self, definition: Definition) -> Schema:
        """Give the next version, with this limetype new or changed; keeps what was built."""
        definitions = {**self.definitions, definition.name: definition}
        following = Schema(self.version + 1, definitions.values(), self._clock)
        following._tables = {
            name: table for name, table in self._tables.items() if name != definition.name
        }
        return following


class SchemaCache:
    """The schema that this process knows.

    It is read when it is first asked for, and again when something is asked for that it does not
    know: another process may have changed the limetypes, and no statement per unit of work should
    be spent to find out.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._schema: Schema | None = None

    def current(self) -> Schema:
        """Give the schema without asking the database, but for the first time."""
        known = self._schema
        if known is None:
            with self._database.reader.connect() as connection:
                known = self.refresh(connection)
        return known

    def refresh(self, connection: Connection, *, lock: bool = False) -> Schema:
        """Give the schema as the database has it now.

        With `lock` nobody else changes it until the transaction ends.
        """
        known, version = self._schema, _version(connection, lock=lock)
        if known is None or version != known.version:
            known = self._schema = self._read(connection, version)
        return known

    def adopt(self, schema: Schema) -> None:
        """Take the schema that was just committed."""
        self._schema = schema

    def _read(self, connection: Connection, version: int) -> Schema:
        statement = select(tables.limetype.c.definition).order_by(tables.limetype.c.id)
        definitions = [from_json(each) for each in connection.execute(statement).scalars()]
        return Schema(version, definitions, self._clock)


def _table(definition: Definition) -> Table:
    # Without keys and indexes, which statements do not need; `ddl` knows them.
    columns = [Column(each.name, column_type(each)) for each in definition.limetype.properties]
    return Table(definition.name, MetaData(), Column("id", BigId, primary_key=True), *columns)


def _columns(definition: Definition, table: Table) -> dict[str, PropertyColumn]:
    found = {
        each.name: PropertyColumn(
            each.name,
            table.c[each.name],
            check_written(each),
            check_compared(each),
            each.type in TEXTUAL,
        )
        for each in definition.limetype.properties
    }
    found["id"] = PropertyColumn("id", table.c.id, _not_written, integer, False)
    return found


def _constant(value: str) -> Callable[[], str | datetime]:
    return lambda: value


def _not_written(_: object) -> Any:
    raise ValueError("cannot be changed")


def _version(connection: Connection, *, lock: bool = False) -> int:
    statement = select(tables.schema_version.c.version)
    try:
        found = connection.execute(statement.with_for_update() if lock else statement).scalar()
    except DatabaseUnavailable:
        raise
    except DatabaseError as error:
        raise SetupRequired("the CRM's database has not been created yet") from error
    if found is None:
        raise SetupRequired("the CRM's database has not been created yet")
    return int(found)
