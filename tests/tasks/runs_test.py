import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from limepkg_email.errors import NotFound
from limepkg_email.models import JobState, RunState
from limepkg_email.services import Services
from limepkg_email.tasks import runs
from limepkg_email.tasks.jobs import ClaimedJob
from limepkg_email.tasks.registry import FailureHook, TaskRegistry, task
from limepkg_email.tasks.retention import RETENTION
from limepkg_email.tasks.runs import RunEntry
from limepkg_email.tasks.schedule import JOB_SWEEP
from limepkg_email.tasks.worker import Worker
from limepkg_email.testing.runner_contract import MovableClock
from tests.statements import counted

from .conftest import LEASE, Ledger

DAY = timedelta(days=1)


class Runs:
    """The functions of `runs`, each in a transaction of its own."""

    def __init__(self, engine: Engine, clock: MovableClock) -> None:
        self.engine, self.clock = engine, clock

    def create(self, **options: Any) -> str:
        return self.do(runs.create, "t", {"of": "test"}, self.clock(), **options)  # type: ignore[no-any-return]

    def read(self, guid: str) -> RunEntry:
        return self.do(runs.read, guid)  # type: ignore[no-any-return]

    def listing(self, **options: Any) -> tuple[list[RunEntry], int]:
        return self.do(runs.listing, **options)  # type: ignore[no-any-return]

    def do(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.engine.begin() as connection:
            return function(connection, *arguments, **options)


@pytest.fixture
def book(engine: Engine, clock: MovableClock) -> Runs:
    return Runs(engine, clock)


def worker(
    services: Services, function: Callable[..., Any], on_failed: FailureHook | None = None
) -> Worker:
    registry = TaskRegistry()
    registry.add(task("t", on_failed=on_failed)(function))
    return Worker(lambda _: services, registry)


def giving_up(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
    with services.application.database.begin() as connection:
        runs.fail(connection, payload["run"], services.clock(), str(error))


def beginning_and(then: Callable[[], None]) -> Callable[..., None]:
    def work(services: Services, job: ClaimedJob, payload: Any) -> None:
        with services.application.database.begin() as connection:
            runs.begin(connection, payload["run"], services.clock(), total=3)
        then()

    return work


def broken() -> None:
    raise ZeroDivisionError("a bug")


def let_time_pass(worker: Worker, clock: MovableClock) -> None:
    for _ in range(6):
        worker.work("a")
        clock.advance(DAY)


def test_a_run_waits_begins_goes_on_and_ends_with_its_report(book: Runs, ledger: Ledger) -> None:
    guid = book.create(user=7, total=2)
    found = book.read(guid)
    assert (found.state, found.user, found.done, found.total) == (RunState.PENDING, 7, 0, 2)
    assert not found.ended
    assert ledger.take().read() == {"of": "test", "run": guid}
    book.do(runs.begin, guid, book.clock(), total=4)
    book.do(runs.advance, guid, 3)
    book.clock.advance(DAY)
    found = book.read(guid)
    assert (found.state, found.done, found.total) == (RunState.STARTED, 3, 4)
    book.do(runs.succeed, guid, book.clock(), {"mails": 3})
    found = book.read(guid)
    assert (found.state, found.done, found.result) == (RunState.SUCCESS, 4, {"mails": 3})
    assert found.ended
    assert found.started_at is not None
    assert found.finished_at == found.started_at + DAY


def test_a_run_is_not_there_when_its_transaction_is_rolled_back(book: Runs, ledger: Ledger) -> None:
    def interrupted(connection: Connection) -> None:
        runs.create(connection, "t", {}, book.clock())
        broken()

    with pytest.raises(ZeroDivisionError):
        book.do(interrupted)
    assert book.listing() == ([], 0)
    assert ledger.claim() is None


def test_what_has_ended_well_stays_as_it_is(book: Runs) -> None:
    guid = book.create()
    book.do(runs.succeed, guid, book.clock(), "report")
    ended = book.read(guid)
    book.clock.advance(DAY)
    book.do(runs.begin, guid, book.clock(), total=9)
    book.do(runs.advance, guid, 1)
    book.do(runs.put_off, guid, "again")
    book.do(runs.fail, guid, book.clock(), "late")
    assert book.read(guid) == ended


def test_a_run_that_was_given_up_begins_anew_when_its_job_is_tried_again(
    book: Runs, ledger: Ledger, services: Services
) -> None:
    guid = book.create()
    let_time_pass(worker(services, beginning_and(broken), giving_up), book.clock)
    assert book.read(guid).state is RunState.FAILURE
    ledger.retry_failed()
    worker(services, beginning_and(lambda: None)).work("a")
    found = book.read(guid)
    assert (found.state, found.reason, found.finished_at) == (RunState.STARTED, "", None)


def test_why_an_attempt_failed_is_told_while_another_one_is_to_follow(book: Runs) -> None:
    guid = book.create()
    book.do(runs.begin, guid, book.clock(), total=1)
    book.do(runs.put_off, guid, "The engine is away.")
    found = book.read(guid)
    assert (found.state, found.reason) == (RunState.STARTED, "The engine is away.")
    book.do(runs.succeed, guid, book.clock(), None)
    assert book.read(guid).reason == ""


def test_a_run_whose_task_raises_fails_with_the_reason(book: Runs, services: Services) -> None:
    guid = book.create()
    let_time_pass(worker(services, beginning_and(broken), giving_up), book.clock)
    found = book.read(guid)
    assert (found.state, found.reason) == (RunState.FAILURE, "a bug")


def test_a_run_whose_task_tells_nobody_that_it_was_given_up_fails_at_the_next_sweep(
    book: Runs, services: Services, ledger: Ledger
) -> None:
    guid = book.create()
    let_time_pass(worker(services, beginning_and(broken)), book.clock)
    assert ledger.entries()[0].state is JobState.FAILED
    assert book.read(guid).state is RunState.STARTED
    JOB_SWEEP.run(services)
    found = book.read(guid)
    assert (found.state, found.reason) == (RunState.FAILURE, "ZeroDivisionError: a bug")
    assert found.finished_at == book.clock()


def test_a_run_whose_workers_are_killed_again_and_again_fails(
    book: Runs, services: Services, ledger: Ledger
) -> None:
    guid = book.create()
    for _ in range(services.config.job_attempts):
        assert ledger.take().read() == {"of": "test", "run": guid}  # and is never heard of again
        book.do(runs.begin, guid, book.clock(), total=1)
        book.clock.advance(LEASE)
        JOB_SWEEP.run(services)
        assert book.read(guid).state is RunState.STARTED
    worker(services, lambda *_: None, giving_up).work("a")
    assert book.read(guid).state is RunState.FAILURE


def test_a_run_whose_job_ended_or_is_gone_without_a_word_fails_at_the_next_sweep(
    book: Runs, services: Services, ledger: Ledger
) -> None:
    silent = book.create()
    ledger.finish(ledger.take())
    open_still = book.create()
    JOB_SWEEP.run(services)
    assert (book.read(silent).state, book.read(silent).reason) == (RunState.FAILURE, runs.NO_REPORT)
    assert book.read(open_still).state is RunState.PENDING


def test_runs_that_ended_long_ago_are_removed_and_open_ones_kept(
    book: Runs, services: Services, ledger: Ledger
) -> None:
    old, waiting = book.create(), book.create()
    book.do(runs.succeed, old, book.clock(), None)
    book.clock.advance(timedelta(days=services.config.run_retention))
    RETENTION.run(services)
    assert book.listing()[1] == 2
    book.clock.advance(timedelta(seconds=1))
    RETENTION.run(services)
    assert [each.guid for each in book.listing()[0]] == [waiting]


def test_an_unknown_run_is_not_found(book: Runs) -> None:
    with pytest.raises(NotFound, match="nothing"):
        book.read("nothing")


def test_runs_are_listed_newest_first_of_one_user_or_of_all(book: Runs) -> None:
    made = []
    for user in (1, 2, 1):
        made.append(book.create(user=user))
        book.clock.advance(DAY)
    page, total = book.listing(limit=2)
    assert ([each.guid for each in page], total) == ([made[2], made[1]], 3)
    page, total = book.listing(user=1, offset=1)
    assert ([each.guid for each in page], total) == ([made[0]], 2)
    page, total = book.listing(guids=[made[0], str(uuid.uuid4()), made[1]], user=2)
    assert ([each.guid for each in page], total) == ([made[1]], 1)


def test_the_list_costs_two_statements_however_many_runs_there_are(
    book: Runs, engine: Engine
) -> None:
    for _ in range(30):
        book.create()
    with counted(engine) as statements:
        book.listing()
    assert len(statements) == 2
