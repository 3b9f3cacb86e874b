"""Celery wakes workers and ticks schedules; what it loses, the ledger keeps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging

from limepkg_email.plugin import EmailIntegration
from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost
from limepkg_email.schema.setup import run_setup
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.celery import TICK, CeleryRunner, create_app, look_when_connected
from limepkg_email.tasks.jobs import NewJob

NO_TASK = "no.such.task"
FAST: dict[str, Any] = {"broker_transport_options": {"polling_interval": 0.01}}


@pytest.fixture(autouse=True)
def logging_as_it_is() -> Iterator[None]:
    """A Celery worker in this process must not set the logging that other tests look at."""

    def leave_alone(**_: object) -> None: ...

    setup_logging.connect(leave_alone, weak=False)
    yield
    setup_logging.disconnect(leave_alone)


@pytest.fixture
def integration(tmp_path: Path) -> Iterator[EmailIntegration]:
    options = ReferenceApplicationOptions(
        database_url=f"sqlite:///{tmp_path / 'crm.sqlite'}",
        files_directory=tmp_path / "files",
        config={"emailengine_url": "http://127.0.0.1:9"},
        secrets={"emailengine_token": "t" * 20, "emailengine_service_secret": "s" * 20},
        password_method="pbkdf2:sha256:1",
    )
    host = ReferenceHost(None, {"demo": options})
    host.create_databases()
    found = EmailIntegration(host, load_entry_points=False)
    run_setup(found.anonymous_services("demo"))
    yield found
    host.close()


def ask(services: Services) -> None:
    """Ask for a job that no worker knows, so that an attempt of it can be seen."""
    with services.application.database.begin() as connection:
        jobs.enqueue(connection, [NewJob(NO_TASK)], services.clock())
    services.wake()


def tried(services: Services) -> bool:
    with services.application.database.connect() as connection:
        return any(each.attempts for each in jobs.listing(connection))


def wait(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)


def working(app: Celery) -> Any:
    return start_worker(app, pool="threads", concurrency=2, perform_ping_check=False)


def test_a_job_is_done_by_a_celery_worker_that_its_commit_woke(
    integration: EmailIntegration,
) -> None:
    app = integration.celery("memory://", **FAST)
    services = integration.services("demo")
    with working(app):
        ask(services)
        wait(lambda: tried(services))


def test_a_lost_message_is_made_up_for_by_the_sweep_that_beat_ticks(
    integration: EmailIntegration,
) -> None:
    app = integration.celery("memory://", **FAST)
    services = integration.services("demo")
    with services.application.database.begin() as connection:
        jobs.enqueue(connection, [NewJob(NO_TASK)], services.clock())
    entry = app.conf.beat_schedule["limepkg_email.job_sweep"]
    with working(app):
        app.send_task(entry["task"], entry["args"])
        wait(lambda: tried(services))


def test_beat_ticks_every_schedule(integration: EmailIntegration) -> None:
    app = integration.celery("memory://")
    ticked = {each["args"][0]: each["task"] for each in app.conf.beat_schedule.values()}
    assert ticked == dict.fromkeys(
        (each.name for each in integration.register_scheduled_tasks()), TICK
    )


def test_a_broker_that_is_away_does_not_keep_a_mail_from_being_written_down(
    integration: EmailIntegration, caplog: pytest.LogCaptureFixture
) -> None:
    integration.celery("redis://127.0.0.1:9/0")
    services = integration.services("demo")
    with caplog.at_level(logging.WARNING):
        ask(services)
    assert "Workers were not woken" in caplog.text
    with services.application.database.connect() as connection:
        assert len(jobs.listing(connection)) == 1


def test_a_job_that_is_delayed_for_seconds_does_not_wait_for_the_sweep() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    due = now + timedelta(seconds=1)
    worked = []
    app = create_app("memory://", **FAST)
    runner = CeleryRunner(
        app, next_due=lambda _: due if len(worked) == 1 else None, clock=lambda: now
    )
    runner.answer_with(lambda application: worked.append(application) or 0)
    with working(app):
        runner.wake("demo")
        wait(lambda: len(worked) == 2)


def test_a_host_that_is_not_there_yet_does_not_end_a_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def applications() -> list[str]:
        raise ConnectionError("no host")

    worked: list[str] = []
    app = create_app("memory://", **FAST)
    runner = CeleryRunner(app)
    runner.answer_with(lambda application: worked.append(application) or 0)
    look_when_connected(app, runner, applications)
    with working(app):
        runner.wake("demo")
        wait(lambda: worked == ["demo"])
    assert "Workers could not look for work" in caplog.text


def test_an_integration_has_one_runner(integration: EmailIntegration) -> None:
    integration.celery("memory://")
    with pytest.raises(ValueError, match="runner"):
        integration.celery("memory://")
