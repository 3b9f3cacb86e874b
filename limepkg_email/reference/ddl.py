"""The tables of limetypes as they are created: with foreign keys and indexes."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, func

from limepkg_email.limetypes import Property
from limepkg_email.models import BigId
from limepkg_email.reference import tables
from limepkg_email.reference.definitions import Definition
from limepkg_email.reference.values import column_type


def limetype_tables(definitions: Iterable[Definition]) -> MetaData:
    """Build the tables of limetypes that are created together."""
    metadata = MetaData()
    for definition in definitions:
        table = empty_table(definition.name, metadata)
        for declared in definition.limetype.properties:
            table.append_column(property_column(declared, metadata))
            property_indexes(declared, table)
    return metadata


def empty_table(limetype: str, metadata: MetaData) -> Table:
    """Build the table of a limetype that has no properties yet, or give it if it is there.

    SQLite would give the id of a deleted object to the next one, unless told not to.
    """
    known = metadata.tables.get(limetype)
    if known is not None:
        return known
    key = Column("id", BigId, primary_key=True)
    return Table(limetype, metadata, key, sqlite_autoincrement=True)


def property_column(declared: Property, metadata: MetaData) -> Column[Any]:
    """Build the column of a property; what it points at joins the metadata."""
    target = _target(declared, metadata)
    if target is None:
        return Column(declared.name, column_type(declared))
    # A file can go while objects refer to it; any other object cannot.
    ondelete = "SET NULL" if declared.type == "file" else None
    return Column(declared.name, column_type(declared), ForeignKey(target, ondelete=ondelete))


def property_indexes(declared: Property, table: Table) -> list[Index]:
    """Build the indexes of a property.

    Relations always have one. Text has a second one in lower case, for comparisons without regard
    to case.
    """
    column = table.c[declared.name]
    found = []
    if declared.indexed or column.foreign_keys:
        found.append(Index(_index_name(table.name, declared.name), column))
    if declared.indexed and declared.type in ("string", "link"):
        name = _index_name(table.name, declared.name, "_lower")
        found.append(Index(name, func.lower(column)))
    return found


def _target(declared: Property, metadata: MetaData) -> Column[Any] | None:
    if declared.type == "user":
        return tables.user.c.id
    if declared.type == "file":
        return tables.file.c.id
    if declared.type == "belongsto" and declared.related is not None:
        return empty_table(declared.related, metadata).c.id
    return None


def _index_name(table: str, column: str, suffix: str = "") -> str:
    name = f"ix_{table}_{column}{suffix}"
    # PostgreSQL cuts names after 63 bytes, and two cut names could be the same.
    return name if len(name) <= 63 else f"ix_{sha256(name.encode()).hexdigest()[:32]}"
