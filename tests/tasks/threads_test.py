import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from limepkg_email.tasks import threads
from limepkg_email.tasks.threads import ThreadRunner


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
