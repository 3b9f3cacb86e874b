"""How the values of properties are checked and stored: one column type and one check per type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, Double, String, Text
from sqlalchemy.types import TypeEngine

from limepkg_email.limetypes import Property, PropertyType
from limepkg_email.models import BigId, UtcDateTime

Check = Callable[[Any], Any]
"""Gives the value to bind; raises `ValueError` with a sentence's end, such as "is no text"."""

TEXTUAL: frozenset[PropertyType] = frozenset({"string", "text", "link", "option"})
"""Types that can be searched for a part of their text and compared without regard to case."""

REFERENCES: frozenset[PropertyType] = frozenset({"belongsto", "user", "file"})
"""Types whose column is a foreign key."""

_GREATEST = 2**63 - 1


def column_type(declared: Property) -> TypeEngine[Any]:
    """Give the type of the column that holds the property."""
    if declared.type == "string":
        return String(declared.length)
    return _COLUMN_TYPES[declared.type]


def check_written(declared: Property) -> Check:
    """Give the check for a value that is stored in the property."""
    if declared.type == "option":
        return _option(frozenset(option.key for option in declared.options))
    if declared.type in ("string", "link") and declared.length is not None:
        return _string(declared.length)
    return check_compared(declared)


def check_compared(declared: Property) -> Check:
    """Give the check for a value that the property is compared with."""
    return _CHECKS[declared.type]


def text(value: Any) -> str:
    """Check a text that both databases can store."""
    if not isinstance(value, str):
        raise ValueError("is no text")
    if "\0" in value:
        raise ValueError("contains a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("contains a lone surrogate") from None
    return value if type(value) is str else str.__str__(value)


def integer(value: Any) -> int:
    """Check an integer of at most 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("is no integer")
    if not -_GREATEST <= value <= _GREATEST:
        raise ValueError("is too large")
    return value if type(value) is int else int(value)


def _string(length: int) -> Check:
    def check(value: Any) -> str:
        checked = text(value)
        if len(checked) > length:
            raise ValueError(f"is longer than {length} characters")
        return checked

    return check


def _option(keys: frozenset[str]) -> Check:
    def check(value: Any) -> str:
        checked = text(value)
        if checked not in keys:
            raise ValueError("is none of the options")
        return checked

    return check


def _decimal(value: Any) -> float:
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise ValueError("is no number")
    try:
        checked = float(value)
    except OverflowError:
        raise ValueError("is too large") from None
    if not isfinite(checked):
        raise ValueError("is no finite number")
    return checked


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError("is no time")
    if value.tzinfo is None:
        raise ValueError("is a time without time zone")
    return value


def _date(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("is no date")
    return value


def _yesno(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


_COLUMN_TYPES: dict[PropertyType, TypeEngine[Any]] = {
    "text": Text(),
    "link": Text(),
    "option": String(64),
    "integer": BigInteger(),
    "decimal": Double(),
    "time": UtcDateTime(),
    "date": Date(),
    "yesno": Boolean(),
    "file": String(32),
    "user": BigId,
    "belongsto": BigId,
}

_CHECKS: dict[PropertyType, Check] = {
    "string": text,
    "text": text,
    "link": text,
    "option": text,
    "file": text,
    "integer": integer,
    "user": integer,
    "belongsto": integer,
    "decimal": _decimal,
    "time": _time,
    "date": _date,
    "yesno": _yesno,
}
