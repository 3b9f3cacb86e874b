"""Readers that take one value out of JSON nobody vouches for; a value of the wrong type is absent.

A mail is written by whoever sends it, so no field of it may stop the parsing. What a value means is
said in `types` and `webhook`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]

EMPTY: Json = {}
LARGEST_INTEGER = 2**53 - 1
"""Largest integer that JavaScript can have meant; a larger one would not fit a database either."""


def mapping(value: object) -> Json:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def items(value: object) -> list[Any]:
    """Return the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return the value if it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Return the strings of a JSON array, leaving out everything else."""
    if not isinstance(value, list):
        return ()
    return tuple([item for item in value if isinstance(item, str)])


def integer(value: object) -> int:
    """Return the value if it is an integer from 0 to `LARGEST_INTEGER`, else 0."""
    # type() and not isinstance(): true and false are no numbers here.
    if type(value) is int and 0 <= value <= LARGEST_INTEGER:
        return value
    return 0


def moment(value: object) -> datetime | None:
    """Return the instant that an ISO 8601 string names, in UTC, or None.

    A string without an offset is taken as UTC, as EmailEngine means it.
    """
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: year 1 or 9999 with an offset
        return None
