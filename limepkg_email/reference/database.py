"""One database of the CRM: its engines, and database errors as the package's own errors."""

from __future__ import annotations

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from limepkg_email.db import configure_sqlite
from limepkg_email.errors import DatabaseUnavailable
from limepkg_email.reference.letters import teach_letters

_AWAY = ("08", "40", "53", "55", "57P")
"""Classes of SQLSTATE after which the same work can succeed later: no connection, deadlock,
too few resources, a lock that was not to be had, a server that shuts down."""

_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")


class Database:
    """The engines of one database.

    `engine` is for transactions. `reader` shares its connections, but reads outside of any
    transaction: on SQLite it takes no lock, so it can be used while a unit of work is open.
    """

    def __init__(self, url: str, *, pool_size: int = 10, pool_timeout: float = 30.0) -> None:
        engine = _create(with_driver(url), pool_size, pool_timeout)
        self.engine = translate_errors(teach_letters(configure_sqlite(engine)))
        self.reader = _reader(self.engine)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def with_driver(url: str | URL) -> URL:
    """Give the address with psycopg 3 as the driver of a bare `postgresql://`.

    SQLAlchemy 2.0 would take psycopg2 and 2.1 takes psycopg 3; the CRM runs on both.
    """
    parsed = make_url(url)
    return parsed.set(
        drivername={
            "postgresql": "postgresql+psycopg",
            "postgres": "postgresql+psycopg",
        }.get(parsed.drivername, parsed.drivername)
    )


def translate_errors(engine: Engine) -> Engine:
    """Let everything that runs on the engine raise `DatabaseUnavailable` when it is away."""

    @event.listens_for(engine, "handle_error", retval=True)
    def _translate(context: ExceptionContext) -> DatabaseUnavailable | None:
        if not isinstance(context.original_exception, Exception):
            return None  # the process is told to end; SQLAlchemy calls that a disconnect too
        away = context.is_disconnect or _is_away(context.sqlalchemy_exception)
        return DatabaseUnavailable() if away else None

    return engine


class _Pool(QueuePool):
    """A pool for which having no connection left is a reason to try again later."""

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except PoolTimeout as error:
            raise DatabaseUnavailable("every connection to the database is in use") from error


def _create(url: URL, pool_size: int, pool_timeout: float) -> Engine:
    # A session in UTC, so that every instant comes back in UTC whatever the server's zone is.
    in_utc = url.get_backend_name() == "postgresql" and "options" not in url.query
    return create_engine(
        url,
        poolclass=_Pool,
        pool_size=pool_size,
        pool_timeout=pool_timeout,
        connect_args={"options": "-c timezone=UTC"} if in_utc else {},
    )


def _reader(engine: Engine) -> Engine:
    if engine.dialect.name != "sqlite":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    # A second engine on the same pool, because the first one begins by taking the write lock.
    return translate_errors(Engine(engine.pool, engine.dialect, engine.url))


def _is_away(error: object) -> bool:
    if not isinstance(error, OperationalError):
        return False
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(_SQLITE_AWAY)
    # psycopg gives no state at all when it cannot connect.
    state = getattr(error.orig, "sqlstate", None)
    return state is None or str(state).startswith(_AWAY)
