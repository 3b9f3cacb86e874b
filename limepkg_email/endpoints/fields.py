"""Fields that schemas of several endpoints share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import fields, validate
from webargs.fields import DelimitedList

GREATEST_ID = 2**53 - 1
"""The greatest id: a browser can hold no larger integer exactly, and every database can."""

_LIMETYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")


class Flag(fields.Boolean):
    """True or false in JSON, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, *_: object, **__: object) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.AwareDateTime):
    """A moment with a time zone, in UTC: there the first and the last hours of all do not exist."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> datetime:
        try:
            return super()._deserialize(value, *arguments, **options).astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


def identity(**options: Any) -> fields.Integer:
    """Make a field for the id of an object."""
    return fields.Integer(validate=validate.Range(1, GREATEST_ID), **options)


def limetype(**options: Any) -> fields.String:
    """Make a field for the name of a limetype."""
    return fields.String(
        validate=validate.Regexp(_LIMETYPE, error="Not the name of a limetype."), **options
    )


def identities(most: int, **options: Any) -> DelimitedList:
    """Make a field for ids in a query string, separated by commas."""
    return DelimitedList(identity(), validate=validate.Length(1, most), **options)


def limit(default: int, most: int) -> fields.Integer:
    """Make a field for the greatest number of entries on a page."""
    return fields.Integer(load_default=default, validate=validate.Range(1, most))


def offset() -> fields.Integer:
    """Make a field for the number of entries before a page."""
    return fields.Integer(load_default=0, validate=validate.Range(0, GREATEST_ID))
