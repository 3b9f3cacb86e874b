import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from limepkg_email.clock import utc_now
from limepkg_email.services import Services
from limepkg_email.tasks import jobs, threads
from limepkg_email.tasks.jobs import NewJob
from limepkg_email.tasks.registry import TaskRegistry, task
from limepkg_email.tasks.threads import ThreadRunner
from limepkg_email.tasks.worker import Worker
from limepkg_email.testing.runner_contract import ledger_engine, ledger_services


def wait(reached: Callable[[], bool], seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.005)


class Calls:
    """Work that notes when it was called, and for which application."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def work(self, application: str) -> int:
        self.seen.append(application)
        return 0


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def start() -> Iterator[Callable[..., ThreadRunner]]:
    started: list[ThreadRunner] = []

    def begin(runner: ThreadRunner, work: Callable[[str], int], *names: str) -> ThreadRunner:
        started.append(runner)
        runner.start(work, lambda: list(names or ("a",)))
        return runner

    yield begin
    for each in started:
        each.stop()


Start = Callable[..., ThreadRunner]


def test_every_application_is_looked_at_when_the_runner_starts(start: Start, calls: Calls) -> None:
    start(ThreadRunner(poll=60), calls.work, "a", "b")
    wait(lambda: sorted(calls.seen) == ["a", "b"])


def test_a_wake_up_is_followed_at_once(start: Start, calls: Calls) -> None:
    runner = start(ThreadRunner(poll=60), calls.work, "a", "b")
    wait(lambda: len(calls.seen) == 2)
    began = time.monotonic()
    runner.wake("b")
    wait(lambda: calls.seen[2:] == ["b"])
    assert time.monotonic() - began < 0.5


def test_the_poll_makes_up_for_lost_wake_ups(start: Start, calls: Calls) -> None:
    start(ThreadRunner(threads=1, poll=0.02), calls.work)
    wait(lambda: len(calls.seen) > 5)


def test_a_delayed_job_does_not_wait_for_the_poll(start: Start, calls: Calls) -> None:
    due = datetime.now(UTC) + timedelta(seconds=0.3)
    pending = [due]

    def next_due(_: str) -> datetime | None:
        return pending[0] if datetime.now(UTC) < due else None

    start(ThreadRunner(threads=1, poll=60, next_due=next_due), calls.work)
    wait(lambda: len(calls.seen) == 2)
    assert datetime.now(UTC) >= due


def test_a_wake_up_during_work_brings_a_second_thread(start: Start) -> None:
    second_came = threading.Event()
    met: list[bool] = []
    calls = itertools.count()

    def work(_: str) -> int:
        if next(calls) == 0:
            runner.wake("a")
            met.append(second_came.wait(5))
        second_came.set()
        return 0

    runner = ThreadRunner(threads=2, poll=60)
    start(runner, work)
    wait(lambda: met == [True])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_application_that_never_ends_leaves_the_others_their_turn(
    start: Start, count: int
) -> None:
    """Its work goes on until others wait, as that of the worker does; it is woken all the time."""
    turns: list[str] = []
    over = threading.Event()

    def work(application: str) -> int:
        turns.append(application)
        while application == "busy" and not over.is_set():
            runner.wake("busy")
            if runner.others_wait("busy"):
                return 1
            over.wait(0.001)
        return 0

    runner = ThreadRunner(threads=count, poll=60)
    start(runner, work, "busy", "quiet", "silent")
    for _ in range(5):
        before = turns.count("quiet")
        runner.wake("quiet")
        wait(lambda before=before: turns.count("quiet") > before)  # type: ignore[misc]
    wait(lambda: "silent" in turns)
    busy = turns.count("busy")
    runner.wake("quiet")
    wait(lambda: turns.count("busy") > busy)  # and it comes back to its own
    over.set()


def test_nobody_gives_way_while_a_thread_is_idle_or_nobody_waits(start: Start) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(application: str) -> int:
        if application == "busy":
            begun.set()
            go_on.wait(5)
        return 0

    runner = ThreadRunner(threads=1, poll=60)
    start(runner, work, "busy")
    assert begun.wait(5)
    assert not runner.others_wait("busy")
    runner.wake("other")
    assert runner.others_wait("busy")
    assert not runner.others_wait("other")
    go_on.set()


def application_with(count: int, path: Path) -> Services:
    """The services of an application in whose ledger so many jobs are due."""
    engine = ledger_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        jobs.enqueue(connection, [NewJob("note", each) for each in range(count)], utc_now())
    return ledger_services(engine, utc_now, lambda: None)


def test_a_job_of_a_quiet_application_does_not_wait_for_a_long_queue(
    start: Start, tmp_path: Path
) -> None:
    done: list[str] = []
    busy, quiet = application_with(200, tmp_path / "busy"), application_with(1, tmp_path / "quiet")

    def note(services: Services, _: object, __: object) -> None:
        done.append("busy" if services is busy else "quiet")

    registry = TaskRegistry()
    registry.add(task("note")(note))
    worker = Worker({"busy": busy, "quiet": quiet}.__getitem__, registry)
    runner = ThreadRunner(threads=1, poll=60, next_due=worker.next_due)
    worker.take_turns(runner.others_wait)
    start(runner, worker.work, "busy", "quiet")
    wait(lambda: len(done) == 201, 30)
    assert done.index("quiet") < 5


def test_an_error_of_the_work_does_not_end_the_thread(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_PAUSE_AFTER_ERROR", 0.01)
    seen: list[int] = []

    def work(_: str) -> int:
        seen.append(1)
        raise ZeroDivisionError

    start(ThreadRunner(threads=1, poll=60), work)
    wait(lambda: len(seen) > 3)


def test_an_idle_runner_does_next_to_nothing(start: Start, calls: Calls) -> None:
    start(ThreadRunner(threads=4, poll=0.2), calls.work)
    time.sleep(1.0)
    assert len(calls.seen) <= 8


def test_stop_ends_the_threads_and_start_begins_again(start: Start, calls: Calls) -> None:
    runner = start(ThreadRunner(threads=3, poll=60), calls.work)
    wait(lambda: len(calls.seen) == 1)
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 1
    assert not [each for each in threading.enumerate() if each.name.startswith("limepkg-email")]
    runner.wake("a")
    start(runner, calls.work)
    wait(lambda: len(calls.seen) == 2)


def test_a_runner_is_started_once(start: Start, calls: Calls) -> None:
    runner = start(ThreadRunner(), calls.work)
    with pytest.raises(RuntimeError):
        runner.start(calls.work, list)
