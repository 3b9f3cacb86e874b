"""What all parts of the contract use: limetypes of its own, values, and short ways to look."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select

from limepkg_email.host import Application, Objects, UnitOfWork
from limepkg_email.limetypes import (
    AddProperty,
    CreateLimetype,
    Limetype,
    Option,
    Property,
    Step,
)
from limepkg_email.query import (
    Condition,
    Order,
    Query,
)

BOX = "contractbox"
ITEM = "contractitem"

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

PROPERTIES = (
    Property("name", "string", "Name", length=20, indexed=True),
    Property("body", "text", "Body"),
    Property("number", "integer", "Number"),
    Property("share", "decimal", "Share"),
    Property("moment", "time", "Moment", indexed=True),
    Property("day", "date", "Day"),
    Property("done", "yesno", "Done"),
    Property("state", "option", "State", options=(Option("new", "New"), Option("old", "Old"))),
    Property("address", "link", "Address"),
    Property("file", "file", "File"),
    Property("box", "belongsto", "Box", related=BOX, backref="items", indexed=True),
)

STEPS: tuple[Step, ...] = (
    CreateLimetype(Limetype(BOX, "Box", "Boxes")),
    AddProperty(BOX, Property("name", "string", "Name", length=64)),
    CreateLimetype(Limetype(ITEM, "Item", "Items")),
    *(AddProperty(ITEM, each) for each in PROPERTIES),
)

FULL: dict[str, object] = {
    "name": "Grüße 👋 日本",
    "body": "Line\r\nline\ttab “quoted” e\u0301 " + "x" * 100_000,
    "number": 2**40,
    "share": 12.5,
    "moment": NOON,
    "day": date(2026, 2, 28),
    "done": True,
    "state": "old",
    "address": "https://crm.example/ä?q=1",
}
"""A value for every property that needs no other object."""

RANDOM = random.Random(4)  # noqa: S311 - the same in every run, and no secret
PLUGIN_TABLE = Table("contract_plugin", MetaData(), Column("id", Integer, primary_key=True))


def install(application: Application) -> None:
    """Install the limetypes of the contract, unless the host was made with them."""
    if application.limetypes.describe().keys() >= {BOX, ITEM}:
        return
    for step in STEPS:
        application.limetypes.apply(step)


class Interrupted(Exception):
    """Ends a unit of work in a test."""


def short(value: object) -> str:
    """Name a parameter in a test's id without the length that it may have."""
    return ascii(value)[:50]


def found_by(objects: Objects, condition: Condition) -> list[int]:
    """Give the ids of the items for which the condition holds."""
    return [each.id for each in objects.query(Query(ITEM, condition, (Order("id"),)))]


def names(application: Application) -> list[object]:
    """Give the names of all items, as another unit of work sees them."""
    with application.unit_of_work() as work:
        found = work.objects.query(Query(ITEM, order_by=(Order("id"),)))
    return [each["name"] for each in found]


def interrupt(application: Application, use: Callable[[UnitOfWork], object]) -> None:
    """Use a unit of work whose block ends with an error."""

    def run() -> None:
        with application.unit_of_work() as work:
            use(work)
            raise Interrupted

    with pytest.raises(Interrupted):
        run()


def removed(objects: Objects) -> int:
    """Give the id of an item that is not there any more."""
    added = objects.add(ITEM, {})
    objects.delete(ITEM, added)
    return added


def plugin_rows(application: Application) -> list[int]:
    """Give what is in the package's table."""
    with application.database.begin() as connection:
        return list(connection.execute(select(PLUGIN_TABLE.c.id)).scalars())
