"""In which order the list shows its tickets: where something happened last comes first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from limepkg_email.host import LimeObject, Objects
from limepkg_email.query import And, Condition, In, Order, Query
from limepkg_email.reference.mail import TICKET

WINDOW = 2000
"""How many of the newest tickets, and of the latest messages, are sorted together."""

_NEWEST = (Order("created", descending=True), Order("id", descending=True))


def read_page(
    objects: Objects, where: Condition, latest: Mapping[int, datetime], limit: int, offset: int
) -> list[LimeObject]:
    """Give the tickets of one page in three statements, however many there are.

    A ticket is as recent as its latest message, or as its beginning if it has none, and the list
    shows that: a message that was split off begins a new ticket, which is as old as it. Beyond the
    `WINDOW` tickets come in the order in which they began.
    """
    query = Query(TICKET, where, _NEWEST, WINDOW, properties=("created",))
    known = {each.id: cast(datetime, each["created"]) for each in objects.query(query)}
    for each in _with_mail(objects, where, latest):
        known[each.id] = latest[each.id]
    ordered = sorted(known, key=lambda id: (known[id], id), reverse=True)
    if offset >= len(ordered):
        return objects.query(Query(TICKET, where, _NEWEST, limit, offset))
    page = ordered[offset : offset + limit]
    found = {each.id: each for each in objects.query(Query(TICKET, In("id", page)))}
    return [found[id] for id in page if id in found]


def _with_mail(
    objects: Objects, where: Condition, latest: Mapping[int, datetime]
) -> list[LimeObject]:
    if not latest:
        return []
    named = And((In("id", list(latest)), where))
    return objects.query(Query(TICKET, named, properties=()))
