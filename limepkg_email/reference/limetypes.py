"""The data model: described from the definitions, changed by alembic's operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, insert, update

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
from limepkg_email.reference.ddl import empty_table, property_column, property_indexes
from limepkg_email.reference.definitions import (
    Definition,
    check_name,
    check_property,
    to_json,
    with_length,
    with_option,
    with_property,
)
from limepkg_email.reference.schema import Schema, SchemaCache
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
        return {name: each.limetype for name, each in schema.definitions.items()}

    def apply(self, step: Step) -> None:
        """Carry out one setup step; a step that is already done changes nothing."""
        with self._database.engine.begin() as connection:
            schema = self._cache.refresh(connection, lock=True)
            changed = _Change(connection, schema).carry_out(step)
            if changed is None:
                return
            version = tables.schema_version.c.version
            connection.execute(update(tables.schema_version).values(version=version + 1))
        self._cache.adopt(schema.changed(changed))


class _Change:
    """One step within its transaction; gives the definition that it changed, if it did."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema
        self._operations = Operations(MigrationContext.configure(connection))

    def carry_out(self, step: Step) -> Definition | None:
        match step:
            case CreateLimetype(limetype):
                return self._create(limetype)
            case AddProperty():
                return self._add_property(step)
            case AddOption(limetype=name):
                return self._stored(name, with_option(self._limetype(name), step))
            case Lengthen():
                return self._lengthen(step)
            case _:
                assert_never(step)

    def _create(self, limetype: Limetype) -> Definition | None:
        if limetype.name in self._schema.definitions:
            return None
        check_name(limetype.name)
        definition = Definition(replace(limetype, properties=()))
        empty_table(limetype.name, MetaData()).create(self._connection)
        row = {"name": limetype.name, "definition": to_json(definition)}
        self._connection.execute(insert(tables.limetype), row)
        return definition

    def _add_property(self, step: AddProperty) -> Definition | None:
        declared = step.property
        changed = with_property(self._limetype(step.limetype), step)
        if changed is None:
            return None
        check_property(declared)
        if declared.type == "belongsto" and declared.related not in self._schema.definitions:
            raise InvalidInput(f"there is no limetype {declared.related} for {declared.name}")
        # SQLite takes a foreign key together with a new column, but not afterwards.
        self._operations.add_column(
            step.limetype, property_column(declared, MetaData()), inline_references=True
        )
        table = empty_table(step.limetype, MetaData())
        table.append_column(property_column(declared, table.metadata))
        for index in property_indexes(declared, table):
            index.create(self._connection)
        return self._stored(step.limetype, changed)

    def _lengthen(self, step: Lengthen) -> Definition | None:
        changed = with_length(self._limetype(step.limetype), step)
        declared = changed.property(step.property) if changed else None
        if declared is None:
            return None
        # SQLite keeps no length in its columns, and could change them only by copying the table.
        if declared.type == "string" and self._connection.dialect.name != "sqlite":
            self._operations.alter_column(step.limetype, step.property, type_=column_type(declared))
        return self._stored(step.limetype, changed)

    def _limetype(self, name: str) -> Limetype:
        return self._schema.definition(name).limetype

    def _stored(self, name: str, changed: Limetype | None) -> Definition | None:
        if changed is None:
            return None
        definition = replace(self._schema.definition(name), limetype=changed)
        statement = update(tables.limetype).where(tables.limetype.c.name == name)
        self._connection.execute(statement.values(definition=to_json(definition)))
        return definition
