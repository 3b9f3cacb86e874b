"""The file store: content on disk under names of its own, what is known of it in the database."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO
from unicodedata import category
from uuid import uuid4

from sqlalchemy import Column, delete, insert, select

from limepkg_email.clock import Clock
from limepkg_email.errors import NotFound
from limepkg_email.host import StoredFile
from limepkg_email.reference import tables
from limepkg_email.reference.database import Database
from limepkg_email.reference.schema import Schema, SchemaCache

_ID = re.compile(r"[0-9a-f]{32}\Z")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")
_UNKNOWN_TYPE = "application/octet-stream"
_LONGEST_NAME = 255
_BLOCK = 1 << 20
_IDS_PER_STATEMENT = 10_000


class ReferenceFiles:
    """Files in a directory, named by random ids; names that people gave are only shown."""

    __slots__ = ("_cache", "_clock", "_database", "_directory")

    def __init__(
        self, database: Database, cache: SchemaCache, directory: Path, clock: Clock
    ) -> None:
        self._database = database
        self._cache = cache
        self._directory = directory
        self._clock = clock

    def create(self, filename: str, content_type: str, stream: IO[bytes]) -> StoredFile:
        """Store the stream's content; the filename is a name to show, never a path.

        Commits by itself: call it before the unit of work whose objects refer to the file.
        """
        id_ = uuid4().hex
        path = self._path(id_)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _written(path) as target:
            shutil.copyfileobj(stream, target, _BLOCK)
            size = target.tell()
        found = StoredFile(id_, shown_name(filename), known_type(content_type), size)
        with self._database.engine.begin() as connection:
            connection.execute(insert(tables.file), self._row(found))
        return found

    def describe(self, id: str) -> StoredFile:
        """Give name, type and size; raises `NotFound`."""
        columns = tables.file.c
        statement = select(columns.id, columns.filename, columns.content_type, columns.size)
        with self._database.reader.connect() as connection:
            found = connection.execute(statement.where(columns.id == _known(id))).one_or_none()
        if found is None:
            raise _not_found(id)
        return StoredFile(*found)

    def describe_many(self, ids: Sequence[str]) -> dict[str, StoredFile]:
        """Give the same of many files by id, those that are missing left out."""
        columns = tables.file.c
        statement = select(columns.id, columns.filename, columns.content_type, columns.size)
        found: dict[str, StoredFile] = {}
        with self._database.reader.connect() as connection:
            for first in range(0, len(ids), _IDS_PER_STATEMENT):
                page = columns.id.in_(ids[first : first + _IDS_PER_STATEMENT])
                for row in connection.execute(statement.where(page)):
                    found[row.id] = StoredFile(*row)
        return found

    def open(self, id: str) -> BinaryIO:
        """Open the content for reading; raises `NotFound`."""
        try:
            return self._path(_known(id)).open("rb")
        except FileNotFoundError:
            raise _not_found(id) from None

    def delete(self, id: str) -> None:
        """Remove the content; properties that refer to the file become empty."""
        if _ID.match(id) is None:
            return
        with self._database.engine.begin() as connection:
            connection.execute(delete(tables.file).where(tables.file.c.id == id))
        self._path(id).unlink(missing_ok=True)

    def sweep(self, before: datetime) -> int:
        """Delete files that are older and that no object refers to; give how many they were.

        Such files are left when the transaction that should have referred to them was rolled back.
        No object refers to the files of unsent messages either: see `host.Files`.
        """
        with self._database.engine.begin() as connection:
            statement = delete(tables.file).where(tables.file.c.created_at < before)
            for column in _file_columns(self._cache.refresh(connection)):
                used = select(column).where(column == tables.file.c.id).exists()
                statement = statement.where(~used)
            found = list(connection.execute(statement.returning(tables.file.c.id)).scalars())
        for id_ in found:
            self._path(id_).unlink(missing_ok=True)
        return len(found)

    def _path(self, id_: str) -> Path:
        return self._directory / id_[:2] / id_

    def _row(self, found: StoredFile) -> dict[str, Any]:
        return {
            "id": found.id,
            "filename": found.filename,
            "content_type": found.content_type,
            "size": found.size,
            "created_at": self._clock(),
        }


def shown_name(filename: str) -> str:
    """Give the name as it is shown: no path, no control characters, at most 255 characters."""
    last = re.split(r"[/\\]", filename)[-1]
    shown = "".join(each for each in last if not _is_hidden(each)).strip(" .")
    if len(shown) <= _LONGEST_NAME:
        return shown or "file"
    stem, dot, suffix = shown.rpartition(".")
    if not dot or len(suffix) > 16:
        return shown[:_LONGEST_NAME]
    return stem[: _LONGEST_NAME - len(suffix) - 1] + dot + suffix


def known_type(content_type: str) -> str:
    """Give the type without parameters, or the unknown type if it is none."""
    found = content_type.partition(";")[0].strip().lower()
    return found if _CONTENT_TYPE.match(found) else _UNKNOWN_TYPE


def _is_hidden(character: str) -> bool:
    # Controls, surrogates, unassigned, line breaks, and marks that turn the direction of reading,
    # with which `exe.gpj` could be made to look like `jpg.exe`.
    return category(character) in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp") or character in _DIRECTIONS


_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that stands under its name only when it is complete and on disk."""
    partial = path.with_suffix(".part")
    try:
        with partial.open("xb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _file_columns(schema: Schema) -> Iterator[Column[Any]]:
    for definition in schema.definitions.values():
        for each in definition.limetype.properties:
            if each.type == "file":
                yield schema.table(definition.name).table.c[each.name]


def _known(id_: str) -> str:
    if not isinstance(id_, str) or _ID.match(id_) is None:
        raise _not_found(id_)
    return id_


def _not_found(id_: str) -> NotFound:
    return NotFound(f"there is no file {str(id_)[:40]!r}")
