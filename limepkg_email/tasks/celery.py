"""Celery as the runner: messages wake workers in other processes, and beat ticks the schedules.

Needs the extra `celery`. The job ledger stays the queue of record. A message says nothing but
"application X has work", so a broker that loses, doubles or repeats messages does no harm, and jobs
are committed together with the data they are about, which no broker can do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from celery import Celery, bootsteps
from kombu.exceptions import OperationalError

from limepkg_email.clock import Clock, utc_now
from limepkg_email.errors import EmailIntegrationError
from limepkg_email.tasks.runner import Work
from limepkg_email.tasks.schedule import Schedule, tick

if TYPE_CHECKING:
    from limepkg_email.services import Services

log = logging.getLogger(__name__)

WORK: Final = "limepkg_email.work"
"""The Celery task that does an application's due jobs."""

TICK: Final = "limepkg_email.tick"
"""The Celery task that lets a schedule tick in every application."""

TICK_EVERY: Final = 60.0
"""Seconds between ticks of beat; leases decide which of them run the schedule."""

_SOON: Final = 60.0
"""Seconds within which the next job gets a message of its own; later ones wait for the sweep."""


def create_app(broker_url: str, **options: Any) -> Celery:
    """Make a Celery app with the settings that suit wake-ups; `options` override them.

    A message is acknowledged after the work and results are not kept. Celery leaves the logging of
    the process alone.
    """
    app = Celery("limepkg_email", broker=broker_url)
    app.conf.update(
        {
            "task_acks_late": True,
            "task_ignore_result": True,
            "task_default_queue": "limepkg_email",
            "worker_prefetch_multiplier": 1,
            "worker_hijack_root_logger": False,
            "broker_connection_retry_on_startup": True,
            "broker_transport_options": {"socket_connect_timeout": 3, "socket_timeout": 3},
            "timezone": "UTC",
            **options,
        }
    )
    return app


class CeleryRunner:
    """Wakes workers through a Celery app.

    A process that only asks for work needs nothing but `wake`. In a worker `start` says what work
    is. With `next_due` a job that is delayed for less than a minute is not left to the sweep.
    """

    def __init__(
        self,
        app: Celery,
        *,
        next_due: Callable[[str], datetime | None] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.app = app
        self._next_due = next_due
        self._clock = clock
        self._planned: dict[str, datetime] = {}
        self._lock = Lock()
        self._work: Work | None = None
        app.task(self._do_work, name=WORK, shared=False)

    def answer_with(self, work: Work) -> None:
        """Let this process work when a message comes to it."""
        self._work = work

    def start(self, work: Work, applications: Callable[[], list[str]]) -> None:
        """Let this process work when a message comes, and look at every application now."""
        self.answer_with(work)
        for application in applications():
            self.wake(application)

    def wake(self, application: str) -> None:
        """Send a message; a broker that is away is only logged, as the sweep comes anyway."""
        self._send(application)

    def stop(self) -> None:
        """Do nothing from now on with messages that come to this process."""
        self._work = None

    def _send(self, application: str, **options: Any) -> None:
        try:
            self.app.send_task(WORK, (application,), retry=False, **options)
        except (OperationalError, OSError) as error:
            log.warning("Workers were not woken: %s", error, extra={"application": application})

    def _do_work(self, application: str) -> None:
        work = self._work
        if work is None:
            return
        try:
            work(application)
        except EmailIntegrationError as error:
            log.warning("No work: %s", error.message, extra={"application": application})
        else:
            self._come_back(application)

    def _come_back(self, application: str) -> None:
        """Plan a message for the next delayed job, unless one is planned that comes no later."""
        due = None if self._next_due is None else self._next_due(application)
        now = self._clock()
        if due is None or (due - now).total_seconds() > _SOON:
            return
        with self._lock:
            planned = self._planned.get(application)
            if planned is not None and now < planned <= due:
                return
            self._planned[application] = due
        self._send(application, countdown=max((due - now).total_seconds(), 0.05))


def look_when_connected(
    app: Celery, runner: CeleryRunner, applications: Callable[[], list[str]]
) -> None:
    """Let a worker look for work each time it reaches the broker.

    What was asked for while the broker was away reached nobody; without this it waits for a sweep.
    """

    class Look(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
            try:
                for application in applications():
                    runner.wake(application)
            except Exception:
                # The edge: a host that is not there yet must not end the worker; the sweep comes.
                log.exception("Workers could not look for work")

    app.steps["consumer"].add(Look)


def add_schedules(
    app: Celery,
    schedules: Sequence[Schedule],
    services_for: Callable[[str], Services],
    applications: Callable[[], list[str]],
) -> None:
    """Let `celery beat` tick the schedules; any number of beats and other clockworks may run."""
    by_name = {each.name: each for each in schedules}

    def tick_everywhere(name: str) -> None:
        for application in applications():
            try:
                tick(by_name[name], services_for(application))
            except EmailIntegrationError as error:
                log.warning("Schedule %s waits: %s", name, error.message)

    app.task(tick_everywhere, name=TICK, shared=False)
    app.conf.beat_schedule = {
        f"limepkg_email.{name}": {
            "task": TICK,
            "schedule": TICK_EVERY,
            "args": (name,),
            "options": {"expires": TICK_EVERY},
        }
        for name in by_name
    }
