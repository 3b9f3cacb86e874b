"""One transaction of limeobjects, and what happens after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, RootTransaction

from limepkg_email.errors import Conflict, DatabaseUnavailable
from limepkg_email.reference.access import Access
from limepkg_email.reference.database import Database
from limepkg_email.reference.objects import ReferenceObjects
from limepkg_email.reference.schema import SchemaCache

logger = logging.getLogger(__name__)


class ReferenceUnitOfWork:
    """A transaction that begins with the block and commits when the block ends without an error."""

    __slots__ = (
        "_access",
        "_actions",
        "_cache",
        "_connection",
        "_database",
        "_objects",
        "_shared",
        "_transaction",
    )

    _connection: Connection
    _transaction: RootTransaction
    _objects: ReferenceObjects

    def __init__(
        self, database: Database, cache: SchemaCache, access: Access, *, shared: bool
    ) -> None:
        self._database = database
        self._cache = cache
        self._access = access
        self._shared = shared
        self._actions: list[Callable[[], None]] = []

    @property
    def objects(self) -> ReferenceObjects:
        """The objects seen through this transaction."""
        return self._objects

    @property
    def connection(self) -> Connection | None:
        """The connection of this transaction; `None` if the package's tables live elsewhere."""
        return self._connection if self._shared else None

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run the action once the transaction is committed; never if it is rolled back."""
        self._actions.append(action)

    def __enter__(self) -> Self:
        self._cache.current()
        self._connection = self._database.engine.connect()
        try:
            self._transaction = self._connection.begin()
        except BaseException:
            self._connection.close()
            raise
        self._objects = ReferenceObjects(self._connection, self._cache, self._access)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
            else:
                self._transaction.rollback()
        finally:
            self._connection.close()
        if kind is None:
            self._run_actions()

    def _commit(self) -> None:
        if self._connection.invalidated:
            raise DatabaseUnavailable()
        if _is_aborted(self._connection):
            # PostgreSQL would answer COMMIT by rolling back, and say nothing.
            self._transaction.rollback()
            raise Conflict("the transaction was given up after one of its statements failed")
        self._transaction.commit()

    def _run_actions(self) -> None:
        for action in self._actions:
            try:
                action()
            except Exception:
                logger.exception("an action after the commit failed")


def _is_aborted(connection: Connection) -> bool:
    info = getattr(connection.connection.driver_connection, "info", None)
    status = getattr(info, "transaction_status", None)
    return status is not None and getattr(status, "name", "") == "INERROR"
