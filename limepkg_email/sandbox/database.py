"""The one SQLite file of a sandbox: its tables and its transactions."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL DEFAULT '',
    next_code INTEGER NOT NULL DEFAULT 1,
    object_ids INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox INTEGER NOT NULL,
    path TEXT NOT NULL,
    special_use TEXT,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL DEFAULT 1,
    code INTEGER,
    UNIQUE (mailbox, path)
);
CREATE INDEX IF NOT EXISTS folder_code ON folder (mailbox, code);
CREATE TABLE IF NOT EXISTS content (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    sent TEXT,
    summary TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS content_message_id ON content (message_id);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    content INTEGER NOT NULL,
    prelude BLOB NOT NULL,
    flags TEXT NOT NULL,
    arrived TEXT NOT NULL,
    size INTEGER NOT NULL,
    email_id TEXT,
    thread_id TEXT,
    UNIQUE (folder, uid)
);
CREATE INDEX IF NOT EXISTS message_content ON message (content);
CREATE TABLE IF NOT EXISTS account (
    account TEXT PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    record TEXT NOT NULL,
    runtime TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS account_mailbox ON account (mailbox);
CREATE TABLE IF NOT EXISTS counter (
    account TEXT NOT NULL,
    event TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (account, event)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS announced (
    account TEXT NOT NULL,
    message_id TEXT NOT NULL,
    PRIMARY KEY (account, message_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oauth_app (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS webhook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    event TEXT NOT NULL,
    event_id TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    queued REAL NOT NULL,
    due REAL NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS webhook_due ON webhook (due, id);
CREATE TABLE IF NOT EXISTS outbox (
    queue_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts_made INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL,
    due REAL NOT NULL,
    record TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (status, due);
CREATE TABLE IF NOT EXISTS transit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due REAL NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS greylist (
    key TEXT PRIMARY KEY,
    tries INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS idempotency (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    created REAL NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS form (nonce TEXT PRIMARY KEY, record TEXT NOT NULL);
"""


class Database:
    """One connection, used by one thread at a time.

    A lock round one connection is both the simplest and, because every statement takes
    microseconds, the fastest way to share a SQLite file between the threads of one process.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None, cached_statements=256
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing this way; only a power cut could.
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("PRAGMA cache_size=-65536")
        self._connection.execute("PRAGMA case_sensitive_like=OFF")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all or nothing; nested uses join the outermost one."""
        with self._lock:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                self._after_commit.clear()
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0
            callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this once the running transaction is safe (at once when there is none)."""
        with self._lock:
            if self._depth:
                if callback not in self._after_commit:
                    self._after_commit.append(callback)
                return
        callback()

    def run(self, statement: str, *values: object) -> int:
        """Execute a statement; gives the id of the inserted row, or the number of changed rows."""
        with self._lock:
            cursor = self._connection.execute(statement, values)
            if statement.startswith("INSERT"):
                return cursor.lastrowid or 0
            return cursor.rowcount

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return found

    def number(self, statement: str, *values: object) -> int:
        """The single number that a query gives (0 for null)."""
        row = self.row(statement, *values)
        return int(row[0] or 0) if row is not None else 0

    def clear(self) -> None:
        """Forget everything but the settings."""
        with self.transaction():
            for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if row["name"] not in ("sqlite_sequence", "setting"):
                    self.run(f"DELETE FROM {row['name']}")  # noqa: S608 - our own table names

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
