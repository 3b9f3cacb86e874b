"""The injected clock: what gives the present instant, so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present as an aware UTC datetime."""


def utc_now() -> datetime:
    """Give the present as an aware UTC datetime."""
    return datetime.now(UTC)
