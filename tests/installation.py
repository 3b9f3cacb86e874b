"""An installed application on the bundled CRM, as most tests need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from limepkg_email.accounts.accounts import ConnectedAccount, add_account
from limepkg_email.host import LimeObject
from limepkg_email.plugin import EmailIntegration
from limepkg_email.query import And, Condition, Order, Query
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.options import ReferenceApplicationOptions
from limepkg_email.schema.setup import run_setup
from limepkg_email.services import Services
from limepkg_email.tasks.inline import InlineRunner
from tests.prepared_database import fill_if_empty

SERVICE_SECRET = "shared-webhook-secret"
EVERY = And()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class MovableClock(Protocol):
    """A clock that tests can move."""

    def __call__(self) -> datetime: ...

    def advance(self, seconds: float) -> None: ...


@dataclass
class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Installation:
    """The CRM with the integration set up, its clock, and a runner that waits to be drained."""

    host: ReferenceHost
    integration: EmailIntegration
    runner: InlineRunner
    clock: MovableClock
    accounts: dict[str, ConnectedAccount] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        return self.integration.services("demo")

    def connect(self, engine_account: str, email: str, name: str = "Support") -> ConnectedAccount:
        with self.services.application.database.begin() as connection:
            account = add_account(
                connection,
                engine_account=engine_account,
                email=email,
                name=name,
                activated_at=self.clock() - timedelta(days=1),
            )
        self.accounts[engine_account] = account
        return account

    def all(
        self, limetype: str, where: Condition = EVERY, order: str = "id"
    ) -> Sequence[LimeObject]:
        with self.services.application.unit_of_work() as work:
            return work.objects.query(Query(limetype, where, order_by=(Order(order),)))

    def one(self, limetype: str, where: Condition = EVERY) -> LimeObject:
        (found,) = self.all(limetype, where)
        return found

    def add(self, limetype: str, **values: object) -> int:
        with self.services.application.unit_of_work() as work:
            return work.objects.add(limetype, values)


@contextmanager
def installed(
    directory: Path,
    database_url: str,
    *,
    config: Mapping[str, object] | None = None,
    engine_url: str = "http://127.0.0.1:9",
    engine_token: str = "token",
    extensions: Sequence[object] = (),
    separate_plugin_database: str | None = None,
    clock: MovableClock | None = None,
    copied: bool = True,
) -> Iterator[Installation]:
    """Install the integration in a new application called `demo`.

    Most of that is done already in the database that is `copied` into an empty one.
    """
    clock, runner = clock or TestClock(), InlineRunner(paused=True)
    if copied and separate_plugin_database is None:
        fill_if_empty(database_url, _install)
    options = ReferenceApplicationOptions(
        database_url=database_url,
        files_directory=directory / "files",
        config={"emailengine_url": engine_url, **(config or {})},
        secrets={"emailengine_token": engine_token, "emailengine_service_secret": SERVICE_SECRET},
        separate_plugin_database=separate_plugin_database,
        password_method="pbkdf2:sha256:1",
    )
    host = ReferenceHost(None, {"demo": options}, clock=clock)
    host.create_databases()
    integration = EmailIntegration(
        host, runner=runner, clock=clock, extensions=extensions, load_entry_points=False
    )
    run_setup(integration.anonymous_services("demo"))
    try:
        yield Installation(host, integration, runner, clock)
    finally:
        host.close()


def _install(directory: Path, database_url: str) -> None:
    with installed(directory, database_url, copied=False):
        pass
