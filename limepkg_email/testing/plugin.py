"""Fixtures for pytest: databases of their own for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, make_url

from limepkg_email.clock import utc_now
from limepkg_email.testing.postgres import (
    PostgresUnavailable,
    Server,
    running_server,
    start_cluster,
)

if TYPE_CHECKING:
    from limepkg_email.reference import ReferenceApplication, ReferenceHost

    MakeReferenceHost = Callable[..., ReferenceHost]
else:
    MakeReferenceHost = Callable[..., Any]

CopiedDatabase = Callable[[str, Callable[[str], None]], str]

pytest.register_assert_rewrite(
    "limepkg_email.testing.host",
    "limepkg_email.testing.host_contract",
    "limepkg_email.testing.runner_contract",
    "limepkg_email.testing.engine_contract",
)


@pytest.fixture(scope="session")
def limepkg_email_postgres() -> Iterator[Server]:
    """A PostgreSQL server: the one that the environment names, or one that ends with the session.

    Where there is none, tests that need it are skipped, and fail under `CI=true`.
    """
    running = running_server()
    if running is not None:
        yield running
        return
    try:
        cluster = start_cluster()
    except PostgresUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs PostgreSQL: {error}", pytrace=False)
        pytest.skip(f"no PostgreSQL: {error}")
    yield cluster.server
    cluster.stop()


@pytest.fixture
def postgresql_url(limepkg_email_postgres: Server) -> Iterator[str]:
    """The address of an empty PostgreSQL database that lives as long as the test."""
    url = limepkg_email_postgres.create_database()
    yield url.render_as_string(hide_password=False)
    limepkg_email_postgres.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database.sqlite'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def copied_database(
    request: pytest.FixtureRequest, tmp_path: Path, limepkg_email_templates: dict[str, str]
) -> Iterator[CopiedDatabase]:
    """Gives a copy of a database that is prepared only once in the session, on each database.

    Takes a key and the function that prepares an empty database by its address; the function must
    close its connections.
    """
    server: Server | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("limepkg_email_postgres")
    made: list[URL] = []

    def empty() -> str:
        if server is None:
            return f"sqlite:///{tmp_path / uuid4().hex}.sqlite"
        return server.create_database().render_as_string(hide_password=False)

    def copy(key: str, prepare: Callable[[str], None]) -> str:
        template = limepkg_email_templates.get(f"{request.param} {key}")
        if template is None:
            template = limepkg_email_templates[f"{request.param} {key}"] = empty()
            prepare(template)
        source = make_url(template)
        if server is None:
            target = tmp_path / f"{uuid4().hex}.sqlite"
            shutil.copyfile(str(source.database), target)
            return f"sqlite:///{target}"
        made.append(server.create_database(source.database))
        return made[-1].render_as_string(hide_password=False)

    yield copy
    for url in made:
        if server is not None:
            server.drop_database(url)


@pytest.fixture(scope="session")
def limepkg_email_templates() -> Iterator[dict[str, str]]:
    """The addresses of the databases that `copied_database` copies, by kind and key."""
    found: dict[str, str] = {}
    yield found
    # A server of our own goes with everything in it.
    running = running_server()
    for kind, url in found.items():
        if running is not None and kind.startswith("postgresql"):
            running.drop_database(make_url(url))


@pytest.fixture
def make_reference_host(tmp_path: Path) -> Iterator[MakeReferenceHost]:
    """Makes the bundled CRM with one application, `demo`, on a database, which it creates.

    Takes the address of the database, `app` for a Flask application, `clock`, and anything that
    `ReferenceApplicationOptions` knows. Connections are closed when the test ends.
    """
    from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost

    made: list[ReferenceHost] = []

    def make(database_url: str, *, app: Any = None, clock: Any = utc_now, **options: Any) -> Any:
        chosen = ReferenceApplicationOptions(
            **{
                "database_url": database_url,
                "files_directory": tmp_path / "files",
                # Passwords in tests need no protection, and hashing them well takes its time.
                "password_method": "pbkdf2:sha256:1",
                **options,
            }
        )
        host = ReferenceHost(app, {"demo": chosen}, clock=clock)
        made.append(host)
        host.create_databases()
        return host

    yield make
    for host in made:
        host.close()


@pytest.fixture
def reference_host(make_reference_host: MakeReferenceHost, tmp_path: Path) -> ReferenceHost:
    """The bundled CRM on an SQLite database of its own."""
    return make_reference_host(f"sqlite:///{tmp_path / 'crm.sqlite'}")


@pytest.fixture
def reference_application(reference_host: ReferenceHost) -> ReferenceApplication:
    """The bundled CRM's application, acting as the system user `emailengine@lime`."""
    application = reference_host.application("demo")
    application.ensure_system_user("emailengine@lime")
    return application.as_user("emailengine@lime")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark of tests that need a PostgreSQL server."""
    config.addinivalue_line("markers", "postgres: needs a PostgreSQL server")
