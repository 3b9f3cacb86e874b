"""What runs jobs: claims them, calls their tasks, and decides what becomes of those that fail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError, StatementError

from limepkg_email.errors import DatabaseUnavailable, EmailIntegrationError, EngineBusy
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob, LeaseLost, PayloadUnreadable
from limepkg_email.tasks.registry import FINISHED, TaskRegistry, UnknownTask

if TYPE_CHECKING:
    from limepkg_email.services import Services

log = logging.getLogger(__name__)

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
)
"""The wait after the first, second … failed attempt; the last one holds for all that follow."""

_REASON_LENGTH = 1000


class WorkerSilent(EmailIntegrationError):
    """The workers that had the job went silent too often."""

    code = "worker_silent"


def delay_after(attempts: int, error: Exception) -> timedelta:
    """Give how long to wait after a failed attempt: never less than the engine asked for.

    The engine's own wish alone would not do: ten tries half a minute apart give up on an engine
    that is busy for an hour.
    """
    delay = DELAYS[min(attempts, len(DELAYS)) - 1]
    if isinstance(error, EngineBusy):
        return max(delay, timedelta(seconds=error.delay))
    return delay


class Worker:
    """Does the due jobs of applications; `work` is what a runner calls, from any thread.

    `services_for` gives the services of an application, acting as the system user. `stopping` is
    looked at between jobs.
    """

    def __init__(
        self,
        services_for: Callable[[str], Services],
        registry: TaskRegistry,
        stopping: Event | None = None,
    ) -> None:
        self._services_for = services_for
        self._registry = registry
        self._stopping = stopping or Event()
        self._gives_way: Callable[[str], bool] = lambda _: False

    def stop(self) -> None:
        """Let `work` end after the job that runs."""
        self._stopping.set()

    def take_turns(self, others_wait: Callable[[str], bool]) -> None:
        """Let `work` end after a job whenever other applications wait for this thread.

        Else one with a long queue would keep every thread to itself. The runner has to come back.
        """
        self._gives_way = others_wait

    def work(self, application: str) -> int:
        """Do due jobs until none is left; gives how many were taken on.

        A database that cannot be reached ends it early, and so do other applications that wait:
        whatever wakes workers tries again.
        """
        services = self._services_for(application)
        done = 0
        while not self._stopping.is_set():
            try:
                job = _claim(services)
            except SQLAlchemyError as error:
                log.warning("Jobs cannot be claimed: %s", reason_of(error))
                break
            if job is None:
                break
            self._run(services, job)
            done += 1
            if self._gives_way(application):
                break
        return done

    def next_due(self, application: str) -> datetime | None:
        """Give when the next open job is due, so that a runner can sleep till then."""
        with self._services_for(application).application.database.connect() as connection:
            return jobs.next_due(connection)

    def _run(self, services: Services, job: ClaimedJob) -> None:
        context = {"job": job.id, "task": job.task, "attempt": job.attempts}
        try:
            self._attempt(services, job)
        except LeaseLost:
            log.warning("The lease of job %s was lost", job.id, extra=context)
        except Exception as error:  # noqa: BLE001 - the edge: no job may end its worker
            _log_failure(error, job, context)
            self._settle_failure(services, job, error, context)
        else:
            log.debug("Job %s is done", job.id, extra=context)

    def _attempt(self, services: Services, job: ClaimedJob) -> None:
        if job.attempts > services.config.job_attempts:
            raise WorkerSilent
        run = self._registry.find(job.task).run
        if run(services, job, job.read()) is FINISHED:
            return
        with services.application.database.begin() as connection:
            jobs.finish(connection, job, services.clock())

    def _settle_failure(
        self, services: Services, job: ClaimedJob, error: Exception, context: dict[str, object]
    ) -> None:
        try:
            if _is_retryable(error) and job.attempts < services.config.job_attempts:
                _retry(services, job, error)
            else:
                self._set_aside(services, job, error, context)
        except LeaseLost:
            log.info("Job %s was finished or taken before it failed", job.id, extra=context)
        except (SQLAlchemyError, DatabaseUnavailable) as second:
            # The lease will end and the job is tried again.
            log.warning("Job %s is left: %s", job.id, reason_of(second), extra=context)

    def _set_aside(
        self, services: Services, job: ClaimedJob, error: Exception, context: dict[str, object]
    ) -> None:
        """Tell the task first: should this process end in between, it is told once more."""
        with services.application.database.begin() as connection:
            jobs.extend(connection, job, services.clock() + services.config.lease)
        self._tell_task(services, job, error, context)
        with services.application.database.begin() as connection:
            jobs.set_aside(connection, job, services.clock(), reason_of(error))

    def _tell_task(
        self, services: Services, job: ClaimedJob, error: Exception, context: dict[str, object]
    ) -> None:
        try:
            on_failed = self._registry.find(job.task).on_failed
            if on_failed is not None:
                on_failed(services, job, _payload_if_readable(job), error)
        except UnknownTask:
            return
        except (SQLAlchemyError, DatabaseUnavailable):
            raise
        except Exception as second:  # noqa: BLE001 - the edge: the job is set aside all the same
            _log_failure(second, job, context)


def reason_of(error: Exception) -> str:
    """Give a short sentence for administrators, without the values of a failed statement."""
    if isinstance(error, EmailIntegrationError):
        return error.message[:_REASON_LENGTH]
    cause = error.orig if isinstance(error, DBAPIError) else error
    first_line = str(cause).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"[:_REASON_LENGTH]


def _claim(services: Services) -> ClaimedJob | None:
    with services.application.database.begin() as connection:
        return jobs.claim(connection, services.clock(), services.config.lease)


def _retry(services: Services, job: ClaimedJob, error: Exception) -> None:
    delay, reason = delay_after(job.attempts, error), reason_of(error)
    with services.application.database.begin() as connection:
        jobs.retry(connection, job, services.clock(), delay, reason)


def _is_retryable(error: Exception) -> bool:
    # An unexpected error is a mistake of ours or a state of the world; only trying again tells.
    return error.retryable if isinstance(error, EmailIntegrationError) else True


def _log_failure(error: Exception, job: ClaimedJob, context: dict[str, object]) -> None:
    if isinstance(error, EmailIntegrationError):
        log.warning("Job %s failed: %s", job.id, error.code, extra=context)
    elif isinstance(error, OperationalError):
        log.warning("Job %s failed: %s", job.id, reason_of(error), extra=context)
    else:
        if isinstance(error, StatementError):
            error.hide_parameters = True  # they may hold message bodies and addresses
        log.error("Job %s failed unexpectedly", job.id, exc_info=error, extra=context)


def _payload_if_readable(job: ClaimedJob) -> object:
    try:
        return job.read()
    except PayloadUnreadable:
        return None
