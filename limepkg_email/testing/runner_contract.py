"""The promises of a `Runner`, as tests that any implementation can be put through.

Subclass `RunnerContract` in a test module, name the class `Test…` and give the fixture `runner`.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from pluggy import PluginManager
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine, select

from limepkg_email.clock import Clock
from limepkg_email.config import load
from limepkg_email.db import configure_sqlite
from limepkg_email.errors import EngineUnavailable
from limepkg_email.host import Application
from limepkg_email.migrate import upgrade
from limepkg_email.models import JobState
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob, JobEntry, NewJob
from limepkg_email.tasks.registry import FINISHED, Outcome, TaskRegistry, task
from limepkg_email.tasks.runner import Runner
from limepkg_email.tasks.worker import Worker

if TYPE_CHECKING:
    from limepkg_email.engine.client import EngineClient

APPLICATION = "contract"
EFFECT = Table(
    "runner_contract_effect",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""What the tasks of the contract do: one row for each time a job had its effect."""

_PATIENCE = 30.0


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the present."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move the present into the future."""
        self.now += by


@dataclass(frozen=True, slots=True)
class LedgerApplication:
    """As much of an application as the job ledger needs."""

    identifier: str
    database: Engine


def ledger_services(
    engine: Engine, clock: Clock, wake: Callable[[], None], *, lease: float = 60.0
) -> Services:
    """Give services with which jobs can be run that touch nothing but the database."""
    config = load(
        {"emailengine_url": "http://127.0.0.1:1", "job_lease": lease, "job_attempts": 4},
        {"emailengine_token": "token", "emailengine_service_secret": "service-secret"},
    )
    return Services(
        application=cast(Application, LedgerApplication(APPLICATION, engine)),
        config=config,
        engine=cast("EngineClient", None),
        hooks=PluginManager("limepkg_email").hook,
        clock=clock,
        wake=wake,
    )


def ledger_engine(database_url: str) -> Engine:
    """Give an engine for the database, with the package's tables and the table of effects."""
    engine = configure_sqlite(create_engine(database_url))
    upgrade(engine)
    EFFECT.metadata.create_all(engine)
    return engine


def effect(services: Services, job: ClaimedJob, payload: int) -> Outcome:
    """Have the effect and finish the job in one transaction."""
    with services.application.database.begin() as connection:
        connection.execute(EFFECT.insert().values(number=payload))
        jobs.finish(connection, job, services.clock())
    return FINISHED


class Workbench:
    """A ledger with a worker, a runner and a clock, and what a test asks of them."""

    def __init__(self, engine: Engine, runner: Runner) -> None:
        self.engine = engine
        self.runner = runner
        self.clock = MovableClock()
        self.failures: list[int] = []
        self.overlaps = 0
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        """Let the runner wake a new worker."""
        services = ledger_services(self.engine, self.clock, self.wake)
        self.worker = Worker(lambda _: services, self._tasks())
        self.runner.start(self.worker.work, lambda: [APPLICATION])

    def stop(self) -> None:
        """Stop worker and runner."""
        self.worker.stop()
        self.runner.stop()

    def wake(self) -> None:
        """Wake the workers."""
        self.runner.wake(APPLICATION)

    def ask(self, *wanted: NewJob) -> None:
        """Ask for jobs in one transaction; nobody is woken."""
        with self.engine.begin() as connection:
            jobs.enqueue(connection, wanted, self.clock())

    def effects(self) -> Counter[int]:
        """Give how often each number had its effect."""
        with self.engine.connect() as connection:
            return Counter(connection.scalars(select(EFFECT.c.number)))

    def entries(self) -> list[JobEntry]:
        """Give all jobs, oldest first."""
        with self.engine.connect() as connection:
            return jobs.listing(connection, limit=10_000)[::-1]

    def count(self, state: JobState) -> int:
        """Give how many jobs are in a state."""
        with self.engine.connect() as connection:
            return jobs.counts(connection)[state]

    def settle(self) -> None:
        """Sweep and wake, as the schedule does, until no job is due."""
        self.wait(lambda: not self._sweep())

    def wait(self, reached: Callable[[], bool]) -> None:
        """Wait until something is the case; fails after a while."""
        until = time.monotonic() + _PATIENCE
        while not reached():
            assert time.monotonic() < until, [entry for entry in self.entries() if entry.result]
            time.sleep(0.02)

    def _sweep(self) -> bool:
        with self.engine.begin() as connection:
            seen = jobs.sweep(connection, self.clock())
            running = jobs.counts(connection)[JobState.RUNNING]
        if seen.waiting:
            self.wake()
        return seen.waiting or running > 0

    def _tasks(self) -> TaskRegistry:
        registry = TaskRegistry()

        def note_failure(_: Services, job: ClaimedJob, _payload: object, _error: Exception) -> None:
            self.failures.append(job.id)

        @task("fail", on_failed=note_failure)
        def fail(_: Services, _job: ClaimedJob, _payload: object) -> None:
            raise EngineUnavailable

        @task("slow")
        def slow(services: Services, job: ClaimedJob, payload: int) -> Outcome:
            with self._watched(job):
                time.sleep(0.01)
                return effect(services, job, payload)

        @task("ask_again")
        def ask_again(services: Services, _: ClaimedJob, payload: int) -> None:
            self.ask(NewJob("slow", payload))
            services.wake()

        for each in (task("effect")(effect), fail, slow, ask_again):
            registry.add(each)
        return registry

    @contextmanager
    def _watched(self, job: ClaimedJob) -> Iterator[None]:
        with self._lock:
            self.overlaps += job.id in self._running
            self._running.add(job.id)
        yield
        with self._lock:
            self._running.discard(job.id)


class RunnerContract:
    """What every runner promises, together with the ledger and the worker.

    The fixture `database_url` gives an empty database; the package's pytest plugin has one.
    """

    @pytest.fixture
    def runner(self) -> Runner:
        """Give the runner, not started."""
        raise NotImplementedError

    @pytest.fixture
    def bench(self, database_url: str, runner: Runner) -> Iterator[Workbench]:
        """Give a workbench with the runner, started."""
        engine = ledger_engine(database_url)
        bench = Workbench(engine, runner)
        yield bench
        bench.stop()
        engine.dispose()

    def test_one_wake_up_does_every_job_that_is_due(self, bench: Workbench) -> None:
        bench.ask(*(NewJob("effect", number) for number in range(20)))
        bench.wake()
        bench.wait(lambda: bench.count(JobState.DONE) == 20)
        assert bench.effects() == Counter(range(20))

    def test_each_job_is_done_once_though_wake_ups_are_lost_doubled_and_late(
        self, bench: Workbench
    ) -> None:
        chance = random.Random(7)  # noqa: S311 - no secret
        late = 0
        for number in range(40):
            bench.ask(NewJob("effect", number))
            kind = chance.choice(["lost", "doubled", "late"])
            late += kind == "late"
            for _ in range(2 if kind == "doubled" else 0):
                bench.wake()
        for _ in range(late):
            bench.wake()
        bench.settle()
        assert bench.effects() == Counter(range(40))

    def test_jobs_whose_wake_up_was_lost_are_done_after_a_sweep(self, bench: Workbench) -> None:
        bench.ask(NewJob("effect", 1))
        bench.settle()
        assert bench.effects() == Counter([1])

    def test_a_job_that_a_job_asks_for_is_done(self, bench: Workbench) -> None:
        bench.ask(NewJob("ask_again", 5))
        bench.wake()
        bench.wait(lambda: bench.count(JobState.DONE) == 2)
        assert bench.effects() == Counter([5])

    def test_a_delayed_job_is_done_when_its_time_has_come(self, bench: Workbench) -> None:
        bench.ask(NewJob("effect", 1, delay=timedelta(hours=1)), NewJob("effect", 2))
        bench.wake()
        bench.settle()
        assert bench.effects() == Counter([2])
        bench.clock.advance(timedelta(hours=1))
        bench.settle()
        assert bench.effects() == Counter([2, 1])

    def test_a_failing_job_is_tried_with_growing_delays_and_then_set_aside(
        self, bench: Workbench
    ) -> None:
        bench.ask(NewJob("fail", {"kept": True}))
        bench.settle()
        delays = []
        while (entry := bench.entries()[0]).state is JobState.QUEUED:
            delays.append(entry.run_at - bench.clock())
            bench.clock.advance(delays[-1])
            bench.settle()
        assert (entry.state, entry.attempts) == (JobState.FAILED, 4)
        assert delays == sorted(set(delays))
        assert len(delays) == 3
        bench.wait(lambda: bench.failures == [entry.id])

    def test_a_failed_job_does_not_hold_up_others(self, bench: Workbench) -> None:
        bench.ask(NewJob("fail"), NewJob("effect", 1))
        bench.wake()
        bench.settle()
        assert bench.effects() == Counter([1])

    def test_the_job_of_a_crashed_worker_is_done_by_another(self, bench: Workbench) -> None:
        with bench.engine.begin() as connection:
            _ask_and_claim(connection, bench.clock())
        bench.wake()
        bench.ask(NewJob("effect", 2))
        bench.wake()
        bench.wait(lambda: bench.effects() == Counter([2]))
        bench.clock.advance(timedelta(seconds=61))
        bench.settle()
        assert bench.effects() == Counter([2, 1])

    def test_two_workers_never_run_one_job_at_the_same_time(self, bench: Workbench) -> None:
        bench.ask(*(NewJob("slow", number) for number in range(30)))
        wakers = [threading.Thread(target=bench.wake) for _ in range(8)]
        for waker in wakers:
            waker.start()
        for waker in wakers:
            waker.join()
        bench.settle()
        assert bench.effects() == Counter(range(30))
        assert bench.overlaps == 0

    def test_stop_ends_soon_and_leaves_the_rest_to_the_next_start(self, bench: Workbench) -> None:
        bench.ask(*(NewJob("slow", number) for number in range(300)))
        waker = threading.Thread(target=bench.wake)
        waker.start()
        bench.wait(lambda: bool(bench.effects()))
        began = time.monotonic()
        bench.stop()
        waker.join()
        assert time.monotonic() - began < 6
        bench.wait(lambda: bench.count(JobState.RUNNING) == 0)
        done = bench.count(JobState.DONE)
        assert done < 300
        bench.wake()
        time.sleep(0.1)
        assert bench.count(JobState.DONE) == done
        bench.start()
        bench.settle()
        assert bench.effects() == Counter(range(300))


def _ask_and_claim(connection: Connection, now: datetime) -> None:
    jobs.enqueue(connection, [NewJob("effect", 1)], now)
    assert jobs.claim(connection, now, timedelta(seconds=60)) is not None
