"""The runner that works in the thread that wakes it: for tests and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from limepkg_email.tasks.runner import Work


class InlineRunner:
    """Does due jobs before `wake` comes back, so that a test sees their effect on the next line.

    A wake during work is noted and followed by the work that goes on, not nested in it. While
    `paused` is true, wakes are noted only; `drain` does the work.
    """

    def __init__(self, *, paused: bool = False) -> None:
        self.paused = paused
        self._work: Work | None = None
        self._applications: Callable[[], list[str]] = list
        self._noted: list[str] = []
        self._working = False
        self._lock = Lock()

    def start(self, work: Work, applications: Callable[[], list[str]]) -> None:
        """Begin to call `work` when woken; follows wakes that came before."""
        self._work = work
        self._applications = applications
        if not self.paused:
            self._follow()

    def wake(self, application: str) -> None:
        """Do the application's due jobs now, or note that there are some."""
        with self._lock:
            if application not in self._noted:
                self._noted.append(application)
        if not self.paused:
            self._follow()

    def drain(self) -> int:
        """Do the due jobs of all applications, woken or not, even if paused; gives how many."""
        for application in self._applications():
            with self._lock:
                if application not in self._noted:
                    self._noted.append(application)
        return self._follow()

    def stop(self) -> None:
        """Do nothing from now on, until `start` is called again."""
        self._work = None

    def _follow(self) -> int:
        done = 0
        while (application := self._take()) is not None:
            try:
                done += self._work(application) if self._work is not None else 0
            finally:
                self._working = False
        return done

    def _take(self) -> str | None:
        with self._lock:
            if self._working or self._work is None or not self._noted:
                return None
            self._working = True
            return self._noted.pop(0)
