"""The seam between the job ledger and whatever makes workers run: a `Protocol`, nothing else.

A runner only wakes workers up. A worker must claim a job in the ledger before it does it, so lost,
doubled or reordered wake-ups are harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Work = Callable[[str], int]
"""Does the due jobs of the named application until none is left; gives how many it did."""


class Runner(Protocol):
    """Wakes workers; proved by `limepkg_email.testing.RunnerContract`."""

    def start(self, work: Work, applications: Callable[[], list[str]]) -> None:
        """Begin to call `work` for an application whenever it is woken."""

    def wake(self, application: str) -> None:
        """Say that the application has a due job; returns at once (but for the inline runner)."""

    def stop(self) -> None:
        """End within a few seconds; a job that runs is finished or its lease expires."""
