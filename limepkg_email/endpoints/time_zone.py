"""The time zones that an account can have."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import marshmallow as ma
from marshmallow import fields

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource

_MOST = 1000
_NO_PLACES = frozenset({"Factory", "localtime"})

blueprint = Resource(
    "time_zone", __name__, tag="Time Zone", description="The time zones that an account can have."
)


class TimeZonesQuery(ma.Schema):
    """Which page; all of them fit on one."""

    limit = limit(_MOST, _MOST)
    offset = offset()


class TimeZoneSchema(ma.Schema):
    """A time zone of the IANA database."""

    name = fields.String(metadata={"description": "What an account's `time_zone` takes."})
    offset = fields.Integer(metadata={"description": "Minutes ahead of UTC at this moment."})
    label = fields.String(metadata={"description": "For people: offset and place."})


class TimeZonesSchema(ma.Schema):
    """Time zones by their present offset, then by name."""

    items = fields.List(fields.Nested(TimeZoneSchema))
    total = fields.Integer()


@blueprint.route("/time-zone/")
@requires("email.use", "email.admin")
@blueprint.arguments(TimeZonesQuery, location="query")
@blueprint.response(200, TimeZonesSchema)
def get_time_zones(query: dict[str, int]) -> dict[str, Any]:
    """Give all time zones with their offset at this moment."""
    found = sorted((_minutes(each, services().clock()), each.key) for each in _zones())
    page = found[query["offset"] : query["offset"] + query["limit"]]
    return {"items": [_shown(minutes, name) for minutes, name in page], "total": len(found)}


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    # Each is a file to read, and the names are a walk through directories.
    return tuple(ZoneInfo(name) for name in sorted(available_timezones() - _NO_PLACES))


def _minutes(zone: ZoneInfo, now: datetime) -> int:
    ahead = now.astimezone(zone).utcoffset() or timedelta(0)
    return round(ahead / timedelta(minutes=1))


def _shown(minutes: int, name: str) -> dict[str, object]:
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    label = f"(UTC{sign}{hours:02}:{rest:02}) {name.replace('_', ' ')}"
    return {"name": name, "offset": minutes, "label": label}
