"""A throw-away PostgreSQL server for tests, or databases of their own on one that runs already."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

SERVER_VARIABLE = "LIMEPKG_EMAIL_TEST_POSTGRES"
"""Environment variable with the address of a running server, to use instead of starting one."""

_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    # No test waits that long; one that waits for ever shall fail and say for what.
    "lock_timeout=120s",
    "max_connections=200",
    "shared_buffers=64MB",
    "log_min_messages=fatal",
)
_START_SECONDS = 30.0
_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory
_ROOM = 2 * 1024**3
"""Bytes that must be free there; the databases of a thousand tests come and go in far less."""


class PostgresUnavailable(Exception):
    """There is no PostgreSQL server to test with; the message says why."""


@dataclass(slots=True)
class Server:
    """A PostgreSQL server on which databases can be created."""

    url: URL

    def create_database(self, template: str | None = None, name: str | None = None) -> URL:
        """Create a database, empty or as a copy, and give its address."""
        name = name or f"limepkg_email_{uuid4().hex}"
        copied = f' TEMPLATE "{template}"' if template else ""
        self._execute(f'CREATE DATABASE "{name}"{copied}')
        return self.url.set(database=name)

    def drop_database(self, url: URL) -> None:
        """Drop the database, whoever is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with _connected(self.url) as connection:
            connection.exec_driver_sql(statement)


@dataclass(slots=True)
class Cluster:
    """A server of our own in a temporary directory, which goes with it."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.server = Server(make_url(f"postgresql://postgres@127.0.0.1:{self.port}/postgres"))

    def stop(self) -> None:
        """End the server at once and remove its directory; more than once changes nothing."""
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            # Immediate shutdown: nothing here is worth a checkpoint.
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=_START_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)


def running_server(environment: Mapping[str, str] = os.environ) -> Server | None:
    """Give the server that the environment names, if it names one."""
    address = environment.get(SERVER_VARIABLE)
    return Server(make_url(address)) if address else None


def start_cluster() -> Cluster:
    """Start a server on a free port; raises `PostgresUnavailable` with the reason."""
    programs = _programs()
    directory = Path(tempfile.mkdtemp(prefix="limepkg-pg-", dir=_place()))
    try:
        account = _account()
        if account is not None:
            shutil.chown(directory, *account)
        _initialise(programs, directory, account)
        cluster = _launch(programs, directory, account)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    atexit.register(cluster.stop)
    return cluster


def _place() -> Path | None:
    """Give a file system in memory if there is room; each database is some 7 MB of files."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        return _MEMORY
    return None


def _programs() -> Path:
    on_path = shutil.which("initdb")
    if on_path and shutil.which("postgres"):
        return Path(on_path).parent
    versions = sorted(
        (each for each in Path("/usr/lib/postgresql").glob("*/bin") if (each / "initdb").exists()),
        key=lambda each: float(each.parent.name),
    )
    if not versions:
        raise PostgresUnavailable("initdb is neither on PATH nor in /usr/lib/postgresql/*/bin")
    return versions[-1]


def _account() -> tuple[int, int] | None:
    """Give the account to run as where PostgreSQL would refuse ours, which is root."""
    if os.geteuid() != 0:
        return None
    from pwd import getpwnam  # only where there is a root

    for name in ("postgres", "nobody"):
        try:
            found = getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise PostgresUnavailable("PostgreSQL does not run as root, and there is no other account")


def _initialise(programs: Path, directory: Path, account: tuple[int, int] | None) -> None:
    command = [
        str(programs / "initdb"),
        f"--pgdata={directory / 'data'}",
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
    ]
    done = subprocess.run(  # noqa: S603 - the program was found above
        command,
        cwd=directory,
        capture_output=True,
        check=False,
        user=account and account[0],
        group=account and account[1],
        extra_groups=account and [],
    )
    if done.returncode:
        raise PostgresUnavailable(f"initdb failed: {done.stderr.decode(errors='replace')[-500:]}")


def _launch(programs: Path, directory: Path, account: tuple[int, int] | None) -> Cluster:
    port = _free_port()
    command = [
        str(programs / "postgres"),
        *("-D", str(directory / "data"), "-k", str(directory)),
        *("-h", "127.0.0.1", "-p", str(port)),
        *(part for setting in _SETTINGS for part in ("-c", setting)),
    ]
    log = directory / "log"
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C reaches us first and tests can still clean up.
        process = subprocess.Popen(  # noqa: S603 - the program was found above
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account and account[0],
            group=account and account[1],
            extra_groups=account and [],
        )
    cluster = Cluster(directory, port, process)
    try:
        _wait(cluster, log)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(cluster: Cluster, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            with _connected(cluster.server.url):
                return
        except OperationalError as error:
            if cluster.process.poll() is not None or time.monotonic() > end:
                reason = log.read_text(errors="replace")[-500:] or str(error)
                raise PostgresUnavailable(f"postgres did not start: {reason}") from error
        time.sleep(0.02)


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 5},
    )
    with engine.connect() as connection:
        yield connection
