import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from limepkg_email.db import table
from limepkg_email.errors import EngineBusy, EngineUnavailable, ImportRefused
from limepkg_email.models import Job, JobState
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob, NewJob
from limepkg_email.tasks.registry import FINISHED, FailureHook, Outcome, TaskRegistry, task
from limepkg_email.tasks.worker import DELAYS, Worker, WorkerSilent, delay_after

from .conftest import LEASE, Ledger

Run = Callable[..., Worker]


@pytest.fixture
def worker_for(services: Services) -> Run:
    def make(function: Callable[..., Any], on_failed: FailureHook | None = None) -> Worker:
        registry = TaskRegistry()
        registry.add(task("t", on_failed=on_failed)(function))
        return Worker(lambda _: services, registry)

    return make


def failing_with(error: Exception) -> Callable[..., None]:
    def fail(services: Services, job: ClaimedJob, payload: Any) -> None:
        raise error

    return fail


def nothing(services: Services, job: ClaimedJob, payload: Any) -> None:
    pass


def test_work_does_every_due_job_and_tells_how_many(ledger: Ledger, worker_for: Run) -> None:
    seen: list[object] = []
    ledger.ask(*(NewJob("t", number) for number in range(3)), NewJob("t", delay=LEASE))
    worker = worker_for(lambda services, job, payload: seen.append(payload))
    assert (worker.work("a"), worker.work("a")) == (3, 0)
    assert seen == [0, 1, 2]


def test_work_gives_way_after_a_job_while_others_wait(ledger: Ledger, worker_for: Run) -> None:
    ledger.ask(*(NewJob("t", number) for number in range(5)))
    waiting = iter([False, True, True, False, False])
    worker = worker_for(nothing)
    worker.take_turns(lambda application: application == "a" and next(waiting))
    assert [worker.work("a") for _ in range(4)] == [2, 1, 2, 0]


def test_a_job_that_its_task_finished_is_not_finished_twice(
    ledger: Ledger, worker_for: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def finishes(services: Services, job: ClaimedJob, payload: Any) -> Outcome:
        with services.application.database.begin() as connection:
            jobs.finish(connection, job, services.clock(), "imported")
        return FINISHED

    ledger.ask(NewJob("t"))
    worker_for(finishes).work("a")
    assert ledger.entries()[0].result == "imported"
    assert not caplog.records


def test_no_transaction_is_open_while_a_task_runs(
    ledger: Ledger, worker_for: Run, engine: Engine
) -> None:
    seen: list[int] = []
    ledger.ask(NewJob("t"))
    assert isinstance(engine.pool, QueuePool)
    worker_for(lambda services, job, payload: seen.append(engine.pool.checkedout())).work("a")
    assert seen == [0]


def test_a_refused_job_is_set_aside_at_once_and_its_task_is_told(
    ledger: Ledger, worker_for: Run
) -> None:
    told: list[tuple[object, Exception]] = []
    error = ImportRefused("no sender")
    ledger.ask(NewJob("t", 5))
    worker_for(failing_with(error), lambda s, j, p, e: told.append((p, e))).work("a")
    (entry,) = ledger.entries()
    assert (entry.state, entry.attempts, entry.result) == (JobState.FAILED, 1, "no sender")
    assert told == [(5, error)]


def test_a_payload_that_is_no_json_is_set_aside(ledger: Ledger, worker_for: Run) -> None:
    told: list[object] = []
    ledger.ask(NewJob("t", raw="{"))
    worker_for(nothing, lambda s, j, p, e: told.append(p)).work("a")
    assert ledger.entries()[0].state is JobState.FAILED
    assert told == [None]


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailable(),
        ZeroDivisionError("a bug"),
        OperationalError("SELECT 1", {}, Exception("gone")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_outages_and_unexpected_errors_are_tried_again_until_the_attempts_are_used_up(
    ledger: Ledger, worker_for: Run, error: Exception
) -> None:
    told: list[int] = []
    worker = worker_for(failing_with(error), lambda s, job, p, e: told.append(job.attempts))
    ledger.ask(NewJob("t"))
    for delay in DELAYS[:3]:
        assert worker.work("a") == 1
        (entry,) = ledger.entries()
        assert (entry.state, entry.run_at) == (JobState.QUEUED, ledger.clock() + delay)
        ledger.clock.advance(delay)
    worker.work("a")
    assert ledger.entries()[0].state is JobState.FAILED
    assert told == [4]


def test_a_busy_engine_is_left_alone_for_as_long_as_it_asked() -> None:
    assert delay_after(1, EngineBusy(delay=90)) == timedelta(seconds=90)
    assert delay_after(4, EngineBusy(delay=90)) == DELAYS[3]
    assert delay_after(99, EngineUnavailable()) == DELAYS[-1]


def test_a_job_of_a_task_that_this_worker_does_not_know_is_tried_again(
    ledger: Ledger, worker_for: Run
) -> None:
    ledger.ask(NewJob("of a newer version"))
    worker_for(nothing).work("a")
    assert ledger.entries()[0].state is JobState.QUEUED


def test_a_job_that_kills_its_workers_is_set_aside_in_the_end(
    ledger: Ledger, worker_for: Run
) -> None:
    told: list[Exception] = []
    ledger.ask(NewJob("t"))
    for _ in range(4):
        ledger.take()
        ledger.clock.advance(LEASE)
    worker_for(nothing, lambda s, j, p, error: told.append(error)).work("a")
    assert ledger.entries()[0].state is JobState.FAILED
    assert isinstance(told[0], WorkerSilent)


def test_a_worker_that_lost_its_lease_leaves_the_job_to_the_other(
    ledger: Ledger, worker_for: Run
) -> None:
    def too_slow(services: Services, job: ClaimedJob, payload: Any) -> None:
        ledger.clock.advance(LEASE)
        ledger.take()

    ledger.ask(NewJob("t"))
    assert worker_for(too_slow).work("a") == 1
    (entry,) = ledger.entries()
    assert (entry.state, entry.attempts) == (JobState.RUNNING, 2)


def test_an_error_after_the_effect_was_committed_does_not_repeat_it(
    ledger: Ledger, worker_for: Run
) -> None:
    def finishes_and_fails(services: Services, job: ClaimedJob, payload: Any) -> None:
        ledger.finish(job)
        raise ZeroDivisionError

    ledger.ask(NewJob("t"))
    worker_for(finishes_and_fails).work("a")
    assert ledger.entries()[0].state is JobState.DONE


def test_a_worker_that_dies_while_it_gives_a_job_up_leaves_its_task_to_be_told_again(
    ledger: Ledger, worker_for: Run
) -> None:
    told: list[int] = []

    def killed_at_first(
        services: Services, job: ClaimedJob, payload: Any, error: Exception
    ) -> None:
        told.append(job.attempts)
        if len(told) == 1:
            raise KeyboardInterrupt

    ledger.ask(NewJob("t"))
    worker = worker_for(failing_with(ImportRefused("no sender")), killed_at_first)
    with pytest.raises(KeyboardInterrupt):
        worker.work("a")
    ledger.clock.advance(2 * LEASE)
    worker.work("a")
    assert told == [1, 2]
    assert ledger.entries()[0].state is JobState.FAILED


def test_a_task_is_not_told_of_a_job_that_another_worker_has_by_now(
    ledger: Ledger, worker_for: Run
) -> None:
    told: list[object] = []

    def too_slow(services: Services, job: ClaimedJob, payload: Any) -> None:
        ledger.clock.advance(LEASE)
        ledger.take()
        raise ImportRefused("no sender")

    ledger.ask(NewJob("t"))
    worker_for(too_slow, lambda s, j, p, error: told.append(error)).work("a")
    assert told == []
    assert ledger.entries()[0].state is JobState.RUNNING


def test_an_error_of_the_failure_hook_is_logged_only(
    ledger: Ledger, worker_for: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
        raise ZeroDivisionError

    ledger.ask(NewJob("t"), NewJob("t"))
    assert worker_for(failing_with(ImportRefused()), broken).work("a") == 2
    assert [r.exc_info is not None for r in caplog.records if r.levelno >= logging.ERROR] == [
        True,
        True,
    ]


def test_unexpected_errors_are_logged_with_ids_and_without_values_of_statements(
    ledger: Ledger, worker_for: Run, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(services: Services, job: ClaimedJob, payload: Any) -> None:
        with engine.begin() as connection:
            refused = insert(table(Job)).values(task="t", payload="private", created_at=None)
            connection.execute(refused)

    ledger.ask(NewJob("t", "private"))
    worker_for(fail).work("a")
    assert "INSERT INTO" in caplog.text
    assert "'private'" not in caplog.text
    assert "private" not in ledger.entries()[0].result
    assert caplog.records[0].__dict__["job"] == ledger.entries()[0].id


def test_a_database_that_is_gone_ends_the_work_quietly(
    services: Services, worker_for: Run, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE limepkg_email_job"))
    assert worker_for(nothing).work("a") == 0


def test_a_stopped_worker_ends_after_the_job_that_runs(ledger: Ledger, worker_for: Run) -> None:
    def stops(services: Services, job: ClaimedJob, payload: Any) -> None:
        worker.stop()

    worker = worker_for(stops)
    ledger.ask(NewJob("t"), NewJob("t"))
    assert (worker.work("a"), worker.work("a")) == (1, 0)


def test_a_job_costs_two_statements(ledger: Ledger, worker_for: Run, engine: Engine) -> None:
    seen: list[str] = []
    worker = worker_for(nothing)
    ledger.ask(*(NewJob("t") for _ in range(5)))

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_c: object, _u: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    worker.work("a")
    event.remove(engine, "before_cursor_execute", _note)
    assert len(seen) == 5 * 2 + 1


def test_the_worker_knows_when_the_next_job_is_due(ledger: Ledger, worker_for: Run) -> None:
    ledger.ask(NewJob("t", delay=LEASE))
    assert worker_for(nothing).next_due("a") == ledger.clock() + LEASE
