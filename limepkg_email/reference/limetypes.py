"""The data model: described from the definitions, changed by alembic's operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, insert, update

from limepkg_email.errors import InvalidInput
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    CreateLimetype,
    Lengthen,
    Limetype,
    Step,
)
from limepkg_email.reference import tables
from limepkg_email.reference.database import Database
from limepkg_email.reference.definitions import (
    Definition,
    check_name,
    check_property,
    to_json,
    with_length,
    with_option,
    with_property,
)
from limepkg_email.reference.schema import (
    LimetypeTable,
    Schema,
    SchemaCache,
    empty_table,
    property_column,
    property_indexes,
)
from limepkg_email.reference.values import column_type


class ReferenceLimetypes:
    """The limetypes of one database; every change is a transaction of its own."""

    __slots__ = ("_cache", "_database")

    def __init__(self, database: Database, cache: SchemaCache) -> None:
        self._database = database
        self._cache = cache

    def describe(self) -> Mapping[str, Limetype]:
        """Give every limetype by name, as the database has them now."""
        with self._database.reader.connect() as connection:
            schema = self._cache.refresh(connection)
        return {name: each.definition.limetype for name, each in schema.tables.items()}

    def apply(self, step: Step) -> None:
        """Carry out one setup step; a step that is already done changes nothing."""
        with self._database.engine.begin() as connection:
            _Change(connection, self._cache.read(connection, lock=True)).carry_out(step)
        with self._database.reader.connect() as connection:
            self._cache.refresh(connection)


class _Change:
    """One step within its transaction, with the schema as it was before."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema
        self._operations = Operations(MigrationContext.configure(connection))

    def carry_out(self, step: Step) -> None:
        match step:
            case CreateLimetype(limetype):
                self._create(limetype)
            case AddProperty():
                self._add_property(step)
            case AddOption(limetype=name):
                table = self._schema.table(name)
                self._store(table, with_option(table.definition.limetype, step))
            case Lengthen():
                self._lengthen(step)
            case _:
                assert_never(step)

    def _create(self, limetype: Limetype) -> None:
        if limetype.name in self._schema.tables:
            return
        check_name(limetype.name)
        definition = Definition(replace(limetype, properties=()))
        empty_table(limetype.name, self._schema.metadata).create(self._connection)
        row = {"name": limetype.name, "definition": to_json(definition)}
        self._connection.execute(insert(tables.limetype), row)
        self._raise_version()

    def _add_property(self, step: AddProperty) -> None:
        declared = step.property
        table = self._schema.table(step.limetype)
        changed = with_property(table.definition.limetype, step)
        if changed is None:
            return
        check_property(declared)
        if declared.type == "belongsto" and declared.related not in self._schema.tables:
            raise InvalidInput(f"there is no limetype {declared.related} for {declared.name}")
        metadata = self._schema.metadata
        # SQLite takes a foreign key together with a new column, but not afterwards.
        self._operations.add_column(
            step.limetype, property_column(declared, metadata), inline_references=True
        )
        table.table.append_column(property_column(declared, metadata))
        for index in property_indexes(declared, table.table):
            index.create(self._connection)
        self._store(table, changed)

    def _lengthen(self, step: Lengthen) -> None:
        table = self._schema.table(step.limetype)
        changed = with_length(table.definition.limetype, step)
        declared = changed.property(step.property) if changed else None
        if declared is None:
            return
        # SQLite keeps no length in its columns, and could change them only by copying the table.
        if declared.type == "string" and self._connection.dialect.name != "sqlite":
            self._operations.alter_column(step.limetype, step.property, type_=column_type(declared))
        self._store(table, changed)

    def _store(self, table: LimetypeTable, changed: Limetype | None) -> None:
        if changed is None:
            return
        definition = replace(table.definition, limetype=changed)
        statement = update(tables.limetype).where(tables.limetype.c.name == table.name)
        self._connection.execute(statement.values(definition=to_json(definition)))
        self._raise_version()

    def _raise_version(self) -> None:
        column = tables.schema_version.c.version
        self._connection.execute(update(tables.schema_version).values(version=column + 1))
