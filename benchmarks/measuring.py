"""Processor time, wall time and memory of a piece of work."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Cost:
    """What a piece of work took, in seconds; processor time is user and system together."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def cost() -> Iterator[Cost]:
    """Measure the block."""
    found = Cost()
    cpu, wall = _cpu(), time.perf_counter()
    yield found
    found.cpu, found.wall = _cpu() - cpu, time.perf_counter() - wall


def peak_memory() -> float:
    """Give the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
