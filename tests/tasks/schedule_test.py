import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from limepkg_email.clock import utc_now
from limepkg_email.config import Configuration
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import NewJob
from limepkg_email.tasks.schedule import JOB_SWEEP, BackgroundSchedules, Schedule, tick
from limepkg_email.testing.runner_contract import MovableClock, ledger_services

from .conftest import Ledger


def every(interval: timedelta, run: Callable[[], None], *, at_start: bool = False) -> Schedule:
    return Schedule("example", lambda _: interval, lambda _: run(), at_start)


def test_a_tick_runs_once_an_interval(services: Services, clock: MovableClock) -> None:
    runs: list[int] = []
    schedule = every(timedelta(minutes=20), lambda: runs.append(1))
    assert [tick(schedule, services) for _ in range(3)] == [True, False, False]
    clock.advance(timedelta(minutes=20))
    assert tick(schedule, services)
    assert len(runs) == 2


def test_several_processes_make_one_run_a_tick(engine: Engine) -> None:
    services = ledger_services(engine, utc_now, lambda: None)
    runs: list[int] = []
    schedule = every(timedelta(seconds=1), lambda: runs.append(1))
    running = [BackgroundSchedules([schedule], lambda _: services, lambda: ["a"]) for _ in range(3)]
    for each in running:
        each.start()
    time.sleep(3.5)
    for each in running:
        each.stop()
    assert 2 <= len(runs) <= 3


def test_a_schedule_that_begins_at_the_start_does_not_wait(engine: Engine) -> None:
    services = ledger_services(engine, utc_now, lambda: None)
    ran = threading.Event()
    schedule = every(timedelta(hours=1), ran.set, at_start=True)
    running = BackgroundSchedules([schedule], lambda _: services, lambda: ["a"])
    running.start()
    assert ran.wait(5)
    with pytest.raises(RuntimeError):
        running.start()
    running.stop()


def test_an_error_of_a_run_is_logged_and_the_next_tick_comes(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    services = ledger_services(engine, utc_now, lambda: None)
    runs: list[int] = []

    def fail() -> None:
        runs.append(1)
        raise ZeroDivisionError

    schedule = every(timedelta(seconds=1), fail, at_start=True)
    running = BackgroundSchedules([schedule], lambda _: services, lambda: ["a"])
    running.start()
    until = time.monotonic() + 10
    while len(runs) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    running.stop()
    assert len(runs) >= 2
    assert "Schedule example failed" in caplog.text


def test_the_job_sweep_wakes_the_workers_when_jobs_wait(services: Services, ledger: Ledger) -> None:
    woken: list[int] = []
    sweeping = replace(services, wake=lambda: woken.append(1))
    JOB_SWEEP.run(sweeping)
    assert not woken
    ledger.ask(NewJob("a"))
    JOB_SWEEP.run(sweeping)
    assert len(woken) == 1
    assert JOB_SWEEP.every(services.config) == timedelta(minutes=1)


def test_a_changed_interval_is_followed_while_it_runs(engine: Engine) -> None:
    services = ledger_services(engine, utc_now, lambda: None)
    ran, interval = threading.Event(), [timedelta(hours=1)]
    schedule = Schedule("example", lambda _: interval[0], lambda _: ran.set())
    running = BackgroundSchedules(
        [schedule], lambda _: services, lambda: ["a"], adjusted_every=0.05
    )
    running.start()
    interval[0] = timedelta(seconds=0.2)
    assert ran.wait(10)
    running.stop()


def test_stop_ends_while_intervals_are_adjusted(engine: Engine) -> None:
    services = ledger_services(engine, utc_now, lambda: None)
    adjusting, stopping = threading.Event(), threading.Event()

    def interval(_: Configuration) -> timedelta:
        if threading.current_thread() is threading.main_thread():
            return timedelta(hours=1)
        adjusting.set()
        assert stopping.wait(10)
        time.sleep(0.2)  # `stop` waits by now for the thread that asks
        return timedelta(hours=2)

    schedule = Schedule("example", interval, lambda _: None)
    running = BackgroundSchedules(
        [schedule], lambda _: services, lambda: ["a"], adjusted_every=0.05
    )
    running.start()
    assert adjusting.wait(10)
    ending = threading.Thread(target=running.stop, daemon=True)
    stopping.set()
    ending.start()
    ending.join(10)
    assert not ending.is_alive(), "it waits for ever"
