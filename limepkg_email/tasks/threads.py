"""The default runner: worker threads in this process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from threading import Condition, Event, Thread

from limepkg_email.clock import Clock, utc_now
from limepkg_email.errors import EmailIntegrationError
from limepkg_email.tasks.runner import Work

log = logging.getLogger(__name__)

_PAUSE_AFTER_ERROR = 5.0
_PATIENCE = 5.0


class ThreadRunner:
    """Lets a few daemon threads work whenever they are woken, and every `poll` seconds anyway.

    The poll makes lost wake-ups harmless. With `next_due`, which tells when an application's next
    job is due, a delayed job does not wait for the poll. Stop the worker before the runner, so that
    a long queue does not hold it up.

    Applications take turns: who has waited longest is looked at first, and work that asks
    `others_wait` ends early for them and is gone on with after them.
    """

    def __init__(
        self,
        threads: int = 2,
        poll: float = 1.0,
        *,
        next_due: Callable[[str], datetime | None] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._count = threads
        self._poll = poll
        self._next_due = next_due
        self._clock = clock
        self._stopping = Event()
        self._condition = Condition()
        self._look_at: dict[str, float] = {}
        self._threads: list[Thread] = []
        self._idle = 0

    def start(self, work: Work, applications: Callable[[], list[str]]) -> None:
        """Start the threads; each application is looked at at once."""
        if self._threads:
            raise RuntimeError("the runner runs already")
        self._stopping.clear()
        self._threads = [
            Thread(
                target=self._serve,
                args=(work, applications),
                name=f"limepkg-email-worker-{number}",
                daemon=True,
            )
            for number in range(self._count)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self, application: str) -> None:
        """Let an idle thread look at the application now."""
        with self._condition:
            # Not ahead of others: an application that is woken all the time would keep them out.
            now = time.monotonic()
            self._look_at[application] = min(now, self._look_at.get(application, now))
            self._condition.notify()

    def others_wait(self, application: str) -> bool:
        """Tell whether other applications should be looked at now, and every thread is busy."""
        with self._condition:
            now = time.monotonic()
            waiting = (each for each, at in self._look_at.items() if at <= now)
            return self._idle == 0 and any(each != application for each in waiting)

    def stop(self) -> None:
        """Let the threads end after the job that each runs; waits a few seconds at most."""
        self._stopping.set()
        with self._condition:
            self._condition.notify_all()
        until = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                log.warning("%s still runs a job; its lease will end", thread.name)
        self._threads = []

    def _serve(self, work: Work, applications: Callable[[], list[str]]) -> None:
        while not self._stopping.is_set():
            application = ""
            try:
                application = self._take(applications())
                if application:
                    done = work(application)
                    self._look_no_later(application, self._wait_for_next_job(application, done))
            except EmailIntegrationError as error:
                log.warning("No work: %s", error.message, extra={"application": application})
                self._pause(application)
            except Exception:
                # The edge: whatever is wrong with one application, the thread goes on.
                log.exception("Work failed", extra={"application": application})
                self._pause(application)

    def _take(self, applications: list[str]) -> str:
        """Give an application to look at now; an empty string after a while without any."""
        with self._condition:
            if self._stopping.is_set():
                return ""
            # An application that is new is looked at now, one that is gone not any more.
            self._look_at = {each: self._look_at.get(each, 0.0) for each in applications}
            if not self._look_at:
                self._wait(self._poll)
                return ""
            first = min(self._look_at, key=self._look_at.__getitem__)
            now = time.monotonic()
            if self._look_at[first] > now:
                self._wait(self._look_at[first] - now)
                return ""
            self._look_at[first] = now + self._poll
            return first

    def _wait(self, seconds: float) -> None:
        self._idle += 1
        try:
            self._condition.wait(seconds)
        finally:
            self._idle -= 1

    def _wait_for_next_job(self, application: str, done: int) -> float:
        due = None if self._next_due is None else self._next_due(application)
        if due is None:
            return 0.0 if done and self._next_due is None else self._poll
        # If nothing was done, a job that is due by now is locked or fails to be claimed: looking
        # again without a pause would turn in a circle. Else the work has given way to others.
        return max((due - self._clock()).total_seconds(), 0.0 if done else 0.05)

    def _look_no_later(self, application: str, wait: float) -> None:
        with self._condition:
            moment = time.monotonic() + wait
            if moment < self._look_at.get(application, moment):
                self._look_at[application] = moment
                self._condition.notify()

    def _pause(self, application: str) -> None:
        if not application:
            self._stopping.wait(_PAUSE_AFTER_ERROR)
            return
        with self._condition:
            self._look_at[application] = time.monotonic() + _PAUSE_AFTER_ERROR
