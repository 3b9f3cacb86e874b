"""What happens again and again: the list of schedules, and what lets them tick in this process.

Any number of processes may tick: a lease for each tick makes one of them run it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from limepkg_email.clock import utc_now
from limepkg_email.errors import EmailIntegrationError
from limepkg_email.tasks import jobs, leases, runs

if TYPE_CHECKING:
    from limepkg_email.config import Configuration
    from limepkg_email.services import Services

log = logging.getLogger(__name__)

_THREADS = 2
_SHARE_OF_INTERVAL = 0.9
"""How much of the interval a tick's lease lasts; the rest is for timers that are a bit early."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something to run `every` so often, once for each application and not once for each process.

    `at_start` lets the first run happen when the process starts and not an interval later.
    """

    name: str
    every: Callable[[Configuration], timedelta]
    run: Callable[[Services], None]
    at_start: bool = False


def sweep_jobs(services: Services) -> None:
    """Wake the workers if jobs wait whose wake-up was lost; runs that lost their job are given up.

    What is old is removed elsewhere, in `tasks.retention`.
    """
    now = services.clock()
    with services.application.database.begin() as connection:
        seen = jobs.sweep(connection, now)
        runs.give_up_lost(connection, now)
    if seen.expired:
        log.info("Job sweep: the leases of %d jobs have ended", seen.expired)
    if seen.waiting:
        services.wake()


JOB_SWEEP: Final = Schedule(
    "job_sweep", every=lambda _: timedelta(minutes=1), run=sweep_jobs, at_start=True
)
"""The sweep of the job ledger, every minute."""


def tick(schedule: Schedule, services: Services) -> bool:
    """Run the schedule unless another process did so in this interval; tells whether it ran.

    For any clockwork: the adapter below, Celery beat, cron. Errors of the run are raised.
    """
    duration = schedule.every(services.config) * _SHARE_OF_INTERVAL
    name, holder = f"schedule:{schedule.name}", str(uuid4())
    with services.application.database.begin() as connection:
        if not leases.acquire(connection, name, holder, services.clock(), duration):
            return False
    schedule.run(services)
    return True


class BackgroundSchedules:
    """Lets schedules tick in threads of this process, with APScheduler.

    The applications are those that exist when it starts. Its job store is the memory: APScheduler's
    stores cannot be shared by processes, the leases can. `services_for` may raise `SetupRequired`
    at a tick; `configuration_for` is asked before, and every `adjusted_every` seconds, so that an
    interval that an administrator changed is followed.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        services_for: Callable[[str], Services],
        applications: Callable[[], list[str]],
        configuration_for: Callable[[str], Configuration] | None = None,
        *,
        adjusted_every: float = 60,
    ) -> None:
        self._adjusted_every = adjusted_every
        self._schedules = schedules
        self._configuration_for = configuration_for or (lambda name: services_for(name).config)
        self._services_for = services_for
        self._applications = applications
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin to tick."""
        if self._scheduler is not None:
            raise RuntimeError("the schedules run already")
        self._executor = ThreadPoolExecutor(_THREADS)
        scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": self._executor},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for application in self._applications():
            for schedule in self._schedules:
                self._add(scheduler, schedule, application)
        scheduler.add_job(self._adjust, IntervalTrigger(seconds=self._adjusted_every))
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """End; a run that goes on is waited for."""
        if self._scheduler is not None:
            # APScheduler would wait with its locks held, and a thread that is waited for may need
            # them to come to its end.
            self._scheduler.shutdown(wait=False)
            self._executor.shutdown(wait=True)
            self._scheduler = None

    def _add(self, scheduler: BackgroundScheduler, schedule: Schedule, application: str) -> None:
        every = schedule.every(self._configuration_for(application))
        # The clock on the wall, not the injected one: timers know no other.
        first: dict[str, datetime] = {"next_run_time": utc_now()} if schedule.at_start else {}
        scheduler.add_job(
            self._tick,
            IntervalTrigger(seconds=every.total_seconds(), timezone="UTC"),
            args=(schedule, application),
            id=f"{application}:{schedule.name}",
            **first,
        )

    def _adjust(self) -> None:
        """Follow intervals that an administrator changed."""
        for job in self._scheduler.get_jobs() if self._scheduler is not None else ():
            if not job.args:
                continue  # this one itself
            schedule, application = job.args
            every = schedule.every(self._configuration_for(application))
            if every != job.trigger.interval:
                with suppress(JobLookupError):  # it was stopped meanwhile
                    job.reschedule(IntervalTrigger(seconds=every.total_seconds(), timezone="UTC"))

    def _tick(self, schedule: Schedule, application: str) -> None:
        context = {"schedule": schedule.name, "application": application}
        try:
            tick(schedule, self._services_for(application))
        except EmailIntegrationError as error:
            log.warning("Schedule %s waits: %s", schedule.name, error.message, extra=context)
        except Exception:
            # The edge: a failed run is logged and the next tick comes all the same.
            log.exception("Schedule %s failed", schedule.name, extra=context)
