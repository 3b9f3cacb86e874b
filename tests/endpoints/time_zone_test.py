from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from .crm import Crm, Person


def offsets(person: Person) -> dict[str, int]:
    items = person.get("/time-zone/").json["items"]
    return {each["name"]: each["offset"] for each in items}


def test_all_time_zones_are_given_by_offset_and_then_by_name(agent: Person) -> None:
    answer = agent.get("/time-zone/")
    assert answer.status_code == 200
    items = answer.json["items"]
    assert len(items) == answer.json["total"] > 400
    order = [(each["offset"], each["name"]) for each in items]
    assert order == sorted(order)
    names = {each["name"] for each in items}
    assert {"UTC", "Europe/Stockholm", "America/New_York", "Asia/Kolkata"} <= names
    assert not names & {"localtime", "Factory", "posixrules"}


def test_every_one_of_them_can_be_used(agent: Person) -> None:
    for name in offsets(agent):
        assert ZoneInfo(name).key == name


def test_a_label_has_offset_and_place(agent: Person) -> None:
    labels = {each["name"]: each["label"] for each in agent.get("/time-zone/").json["items"]}
    assert labels["Europe/Stockholm"] == "(UTC+01:00) Europe/Stockholm"
    assert labels["America/New_York"] == "(UTC-05:00) America/New York"
    assert labels["Asia/Kolkata"] == "(UTC+05:30) Asia/Kolkata"
    assert labels["UTC"] == "(UTC+00:00) UTC"


def test_the_offset_is_the_present_one(crm: Crm, agent: Person) -> None:
    assert offsets(agent)["Europe/Stockholm"] == 60
    crm.now = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    summer = offsets(agent)
    assert (summer["Europe/Stockholm"], summer["Asia/Kolkata"]) == (120, 330)


def test_the_list_can_be_paged(agent: Person) -> None:
    everything = agent.get("/time-zone/").json
    page = agent.get("/time-zone", limit=3, offset=10).json
    assert page == {"items": everything["items"][10:13], "total": everything["total"]}


@pytest.mark.parametrize("query", [{"limit": 0}, {"offset": -1}, {"zone": "UTC"}])
def test_bad_queries_are_refused(agent: Person, query: dict[str, object]) -> None:
    answer = agent.get("/time-zone/", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(query))


def test_nobody_gets_in_without_signing_in(crm: Crm) -> None:
    assert crm.nobody().get("/time-zone/").status_code == 401
