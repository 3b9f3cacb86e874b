from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from limepkg_email.config import Configuration
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob, JobEntry, NewJob
from limepkg_email.testing.runner_contract import MovableClock, ledger_engine, ledger_services

LEASE = timedelta(seconds=60)


class Ledger:
    """The functions of `jobs`, each in a transaction of its own."""

    def __init__(self, engine: Engine, clock: MovableClock) -> None:
        self.engine = engine
        self.clock = clock

    def ask(self, *wanted: NewJob) -> int:
        with self.engine.begin() as connection:
            return jobs.enqueue(connection, wanted, self.clock())

    def claim(self) -> ClaimedJob | None:
        with self.engine.begin() as connection:
            return jobs.claim(connection, self.clock(), LEASE)

    def take(self) -> ClaimedJob:
        job = self.claim()
        assert job is not None
        return job

    def finish(self, job: ClaimedJob, result: str = "") -> None:
        with self.engine.begin() as connection:
            jobs.finish(connection, job, self.clock(), result)

    def retry(self, job: ClaimedJob, delay: timedelta = timedelta(0), reason: str = "") -> None:
        with self.engine.begin() as connection:
            jobs.retry(connection, job, self.clock(), delay, reason)

    def set_aside(self, job: ClaimedJob, reason: str = "") -> None:
        with self.engine.begin() as connection:
            jobs.set_aside(connection, job, self.clock(), reason)

    def retry_failed(self, ids: list[int] | None = None) -> int:
        with self.engine.begin() as connection:
            return jobs.retry_failed(connection, ids, self.clock())

    def sweep(self) -> jobs.Sweep:
        with self.engine.begin() as connection:
            return jobs.sweep(connection, self.clock())

    def prune(self, retention: timedelta = timedelta(days=7), limit: int = 1000) -> int:
        with self.engine.begin() as connection:
            return jobs.prune(connection, self.clock() - retention, limit)

    def entries(self) -> list[JobEntry]:
        with self.engine.connect() as connection:
            return jobs.listing(connection, limit=100_000)[::-1]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = ledger_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine, clock: MovableClock) -> Ledger:
    return Ledger(engine, clock)


@pytest.fixture
def services(engine: Engine, clock: MovableClock) -> Services:
    return ledger_services(engine, clock, lambda: None)


@pytest.fixture
def config(services: Services) -> Configuration:
    return services.config
