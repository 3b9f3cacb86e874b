"""What becomes of database errors in the bundled CRM."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event, text

from limepkg_email.errors import Conflict, DatabaseUnavailable, InvalidInput, SetupRequired
from limepkg_email.query import And
from limepkg_email.reference import (
    ReferenceApplication,
    ReferenceApplicationOptions,
    ReferenceHost,
)
from limepkg_email.reference.database import with_driver
from limepkg_email.testing.plugin import MakeReferenceHost


def test_bare_postgresql_address_takes_psycopg() -> None:
    assert with_driver("postgresql://host/name").drivername == "postgresql+psycopg"
    assert with_driver("postgres://host/name").drivername == "postgresql+psycopg"
    assert with_driver("sqlite:///file").drivername == "sqlite"


@pytest.mark.parametrize(
    "url",
    ["postgresql://127.0.0.1:1/nothing", "sqlite:////nosuchdirectory/file"],
    ids=["pg", "lite"],
)
def test_unreachable_database_is_unavailable(url: str, tmp_path: Path) -> None:
    options = ReferenceApplicationOptions(database_url=url, files_directory=tmp_path)
    host = ReferenceHost(None, {"demo": options})
    application = host.application("demo")
    uses: list[Callable[[], object]] = [
        lambda: application.unit_of_work().__enter__(),
        lambda: application.as_user("anna"),
        lambda: application.settings.get("name"),
        lambda: application.limetypes.describe(),
        lambda: application.database.connect(),
        host.create_databases,
    ]
    for use in uses:
        with pytest.raises(DatabaseUnavailable) as raised:
            use()
        assert raised.value.retryable
    host.close()


def test_database_without_tables_asks_for_them(database_url: str, tmp_path: Path) -> None:
    options = ReferenceApplicationOptions(database_url=database_url, files_directory=tmp_path)
    host = ReferenceHost(None, {"demo": options})
    with pytest.raises(SetupRequired):
        host.application("demo").unit_of_work().__enter__()
    host.create_databases()
    host.create_databases()
    with host.application("demo").unit_of_work():
        pass
    host.close()


def test_locked_sqlite_is_unavailable(
    make_reference_host: MakeReferenceHost, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/crm.sqlite"
    first, second = make_reference_host(url), make_reference_host(url)

    @event.listens_for(second.application("demo").database, "connect")
    def _hurry(connection: object, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")  # type: ignore[attr-defined]

    second.close()
    with first.application("demo").unit_of_work(), pytest.raises(DatabaseUnavailable):
        second.application("demo").unit_of_work().__enter__()
    with second.application("demo").unit_of_work():
        pass


def test_reading_beside_an_open_unit_of_work_does_not_wait(
    application: ReferenceApplication,
) -> None:
    with application.unit_of_work() as work:
        work.objects.add("helpdesk", {"title": "t"})
        assert application.settings.get("nothing") is None
        assert "helpdesk" in application.limetypes.describe()
        assert application.as_user("emailengine@lime").user.can("email.admin")


def test_transaction_with_a_failed_statement_is_not_committed_silently(
    application: ReferenceApplication,
) -> None:
    def swallow() -> None:
        with application.unit_of_work() as work:
            work.objects.add("helpdesk", {"title": "before"})
            with pytest.raises(InvalidInput):
                work.objects.add("helpdesk", {"title": "t", "person": 4711})

    if application.database.dialect.name == "sqlite":
        swallow()
        return
    with pytest.raises(Conflict):
        swallow()
    with application.unit_of_work() as work:
        assert work.objects.count("helpdesk", And()) == 0


@pytest.mark.postgres
def test_lost_connection_is_unavailable_and_the_next_one_works(
    postgresql_url: str, make_reference_host: MakeReferenceHost
) -> None:
    application = make_reference_host(postgresql_url).application("demo")
    application.ensure_system_user("system")
    acting = application.as_user("system")

    def lose() -> None:
        with acting.unit_of_work() as work:
            assert work.connection is not None
            own = work.connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with acting.database.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
            work.objects.add("helpdesk", {"title": "t"})

    with pytest.raises(DatabaseUnavailable):
        lose()
    with acting.unit_of_work() as work:
        assert work.objects.count("helpdesk", And()) == 0


@pytest.mark.postgres
def test_deadlock_can_be_tried_again(
    postgresql_url: str, make_reference_host: MakeReferenceHost
) -> None:
    application = make_reference_host(postgresql_url).application("demo")
    application.ensure_system_user("system")
    acting = application.as_user("system")
    with acting.unit_of_work() as work:
        one, two = work.objects.add_many("helpdesk", [{"title": "1"}, {"title": "2"}])
    together = Barrier(2, timeout=30)

    def cross(first: int, second: int) -> str:
        try:
            with acting.unit_of_work() as work:
                work.objects.update("helpdesk", first, {"title": "x"})
                together.wait()
                work.objects.update("helpdesk", second, {"title": "x"})
        except DatabaseUnavailable:
            return "again"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(cross, (one, two), (two, one)))
    assert sorted(ends) == ["again", "done"]


def test_exhausted_pool_is_unavailable(
    crm_url: str, make_reference_host: MakeReferenceHost
) -> None:
    application = make_reference_host(crm_url, pool_size=1, pool_timeout=0.05).application("demo")
    with ExitStack() as opened:
        for _ in range(11):
            opened.enter_context(application.database.connect())
        with pytest.raises(DatabaseUnavailable):
            application.settings.get("name")
