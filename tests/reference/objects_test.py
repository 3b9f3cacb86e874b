"""What the bundled CRM promises of objects beyond the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from sqlalchemy import event

from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    CreateLimetype,
    Lengthen,
    Limetype,
    Option,
    Property,
)
from limepkg_email.query import And, Contains, Equals, In, LessThan, Order, Query
from limepkg_email.reference import ReferenceApplication, ReferenceHost
from limepkg_email.reference.work import ReferenceUnitOfWork
from limepkg_email.testing.host_contract import ITEM, install
from limepkg_email.testing.plugin import MakeReferenceHost


class Status(StrEnum):
    OPEN = "open"


class Number(IntEnum):
    SEVEN = 7


@contextmanager
def statements(application: ReferenceApplication) -> Iterator[list[str]]:
    found: list[str] = []

    def remember(*arguments: object) -> None:
        found.append(str(arguments[2]))

    event.listen(application.database, "before_cursor_execute", remember)
    yield found
    event.remove(application.database, "before_cursor_execute", remember)


@pytest.mark.parametrize(
    "use",
    [
        lambda objects, id_: objects.get("helpdesk", id_),
        lambda objects, id_: objects.query(Query("helpdesk", Contains("title", "x"), limit=3)),
        lambda objects, id_: objects.count("helpdesk", And()),
        lambda objects, id_: objects.add("helpdesk", {"title": "t"}),
        lambda objects, id_: objects.add_many("helpdesk", [{"title": "t"}]),
        lambda objects, id_: objects.add_many("helpdesk", [{"title": "t"}] * 50),
        lambda objects, id_: objects.update("helpdesk", id_, {"title": "u"}),
        lambda objects, id_: objects.update_where("helpdesk", And(), {"title": "u"}),
        lambda objects, id_: objects.delete("helpdesk", id_),
    ],
    ids=["get", "query", "count", "add", "one", "many", "update", "update_where", "delete"],
)
def test_each_call_is_one_statement(
    application: ReferenceApplication, use: Callable[..., object]
) -> None:
    with application.unit_of_work() as work:
        known = work.objects.add("helpdesk", {"title": "t"})
    with statements(application) as found, application.unit_of_work() as work:
        found.clear()
        use(work.objects, known)
        assert len(found) == 1


def test_unit_of_work_costs_no_statement_to_know_the_schema(
    application: ReferenceApplication,
) -> None:
    with application.unit_of_work():
        pass
    with statements(application) as found, application.unit_of_work():
        pass
    assert [each for each in found if not each.startswith("BEGIN")] == []


def test_missing_values_take_their_defaults(
    crm_url: str, make_reference_host: MakeReferenceHost
) -> None:
    now = datetime(2026, 5, 1, 8, 30, 0, 17, tzinfo=UTC)
    host = make_reference_host(crm_url, clock=lambda: now)
    with host.application("demo").as_user("emailengine@lime").unit_of_work() as work:
        ticket = work.objects.get("helpdesk", work.objects.add("helpdesk", {"title": "t"}))
    assert (ticket["status"], ticket["created"], ticket["id"]) == ("new", now, ticket.id)


@pytest.mark.parametrize("values", [{}, {"title": None}], ids=str)
def test_required_property_is_named(
    application: ReferenceApplication, values: dict[str, object]
) -> None:
    with application.unit_of_work() as work, pytest.raises(InvalidInput, match="title"):
        work.objects.add("helpdesk", values)


def test_required_property_cannot_be_emptied(application: ReferenceApplication) -> None:
    with application.unit_of_work() as work:
        known = work.objects.add("helpdesk", {"title": "t"})
        with pytest.raises(InvalidInput, match="title"):
            work.objects.update("helpdesk", known, {"title": None})


def test_ids_of_deleted_objects_are_not_given_again(application: ReferenceApplication) -> None:
    with application.unit_of_work() as work:
        first = work.objects.add("helpdesk", {"title": "t"})
        work.objects.delete("helpdesk", first)
        assert work.objects.add("helpdesk", {"title": "t"}) > first


def test_object_that_others_point_at_cannot_be_deleted(application: ReferenceApplication) -> None:
    with application.unit_of_work() as work:
        person = work.objects.add("person", {"firstname": "Anna"})
        work.objects.add("helpdesk", {"title": "t", "person": person})

    def delete() -> None:
        with application.unit_of_work() as work:
            work.objects.delete("person", person)

    with pytest.raises(Conflict):
        delete()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "7"),
        ("number", True),
        ("number", 2**63),
        ("share", "1.5"),
        ("share", float("nan")),
        ("share", 10**400),
        ("moment", "2026-01-01"),
        ("day", datetime(2026, 1, 1, tzinfo=UTC)),
        ("done", 1),
        ("name", b"bytes"),
        ("state", 3),
        ("box", "1"),
        ("file", 5),
        ("id", 5),
    ],
    ids=str,
)
def test_value_of_the_wrong_type_is_named(
    application: ReferenceApplication, name: str, value: object
) -> None:
    install(application)
    with application.unit_of_work() as work, pytest.raises(InvalidInput, match=name):
        work.objects.add(ITEM, {name: value})


def test_enumerations_and_decimals_are_stored_as_plain_values(
    application: ReferenceApplication,
) -> None:
    install(application)
    with application.unit_of_work() as work:
        values = {"name": Status.OPEN, "number": Number.SEVEN, "share": Decimal("1.5")}
        found = work.objects.get(ITEM, work.objects.add(ITEM, values))
        assert work.objects.count(ITEM, Equals("name", Status.OPEN)) == 1
    assert (found["name"], found["number"], found["share"]) == ("open", 7, 1.5)


def test_comparison_with_the_wrong_type_is_named(application: ReferenceApplication) -> None:
    install(application)
    with application.unit_of_work() as work:
        with pytest.raises(InvalidInput, match="number"):
            work.objects.query(Query(ITEM, LessThan("number", "x")))
        with pytest.raises(InvalidInput, match="number"):
            work.objects.query(Query(ITEM, Contains("number", "1")))
        with pytest.raises(InvalidInput, match="number"):
            work.objects.query(Query(ITEM, In("number", range(40_000))))


def test_empty_values_sort_first_on_every_database(application: ReferenceApplication) -> None:
    install(application)
    with application.unit_of_work() as work:
        one, none, two = work.objects.add_many(ITEM, [{"number": 1}, {}, {"number": 2}])
        up = work.objects.query(Query(ITEM, order_by=(Order("number"),)))
        down = work.objects.query(Query(ITEM, order_by=(Order("number", descending=True),)))
    assert [each.id for each in up] == [none, one, two]
    assert [each.id for each in down] == [two, one, none]


def test_search_without_regard_to_case_uses_an_index(application: ReferenceApplication) -> None:
    query = Query("person", In("email", ["Anna@Example.com"], ignore_case=True))
    with statements(application) as found, application.unit_of_work() as work:
        work.objects.query(query)
    assert _plan(application.unit_of_work(), found[-1]).find("ix_person_email_lower") >= 0


def _plan(begun: ReferenceUnitOfWork, statement: str) -> str:
    with begun as work:
        assert work.connection is not None
        if work.connection.dialect.name == "sqlite":
            rows = work.connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, ("a",))
        else:
            work.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            rows = work.connection.exec_driver_sql("EXPLAIN " + statement, {"b0": "a"})
        return "\n".join(str(row) for row in rows)


def test_another_process_notices_changed_limetypes(
    host: ReferenceHost, crm_url: str, make_reference_host: MakeReferenceHost
) -> None:
    here = host.application("demo").as_user("emailengine@lime")
    there = make_reference_host(crm_url).application("demo").as_user("emailengine@lime")
    for each in (here, there):
        with each.unit_of_work() as work:
            work.objects.add("helpdesk", {"title": "t"})
    thing = Property("thing", "string", length=5)
    for step in (
        CreateLimetype(Limetype("gadget", "Gadget", "Gadgets")),
        AddProperty("gadget", thing),
        AddOption("helpdesk", "status", Option("lost", "Lost")),
        AddProperty("helpdesk", thing),
    ):
        there.limetypes.apply(step)
    with here.unit_of_work() as work:
        work.objects.add("gadget", {"thing": "x"})
        work.objects.add("helpdesk", {"title": "t", "status": "lost", "thing": "y"})
        assert work.objects.count("helpdesk", Equals("thing", "y")) == 1
    there.limetypes.apply(Lengthen("gadget", "thing", 9))
    with here.unit_of_work() as work:
        work.objects.add("gadget", {"thing": "x" * 9})
    assert here.limetypes.describe() == there.limetypes.describe()
