"""Whom people may write to, and what they have to know before they begin."""

from __future__ import annotations

from typing import Any

import pytest

from .crm import Crm, Person, statements


def person(crm: Crm, first: str, last: str, email: str) -> int:
    return crm.add("person", firstname=first, lastname=last, email=email)


def found(agent: Person, **query: object) -> list[tuple[str, str]]:
    answer = agent.get("/recipients/", **query)
    assert answer.status_code == 200, answer.json
    return [(each["name"], each["email"]) for each in answer.json["items"]]


def test_followers_come_first_and_every_address_once(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation()
    person(crm, "Anders", "Ann", "anders@example.org")
    anna = person(crm, "Anna", "Andersson", "Anna@example.org")
    items = agent.get("/recipients/", q="ann", conversation=conversation).json["items"]
    assert [each["email"] for each in items] == ["anna@example.org", "anders@example.org"]
    assert items[0]["follower"] > 0
    assert items[1]["follower"] == 0
    assert (items[1]["limetype"], items[1]["id"]) == ("person", anna - 1)


def test_every_word_must_be_in_name_or_address(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    person(crm, "Lisa", "Lind", "lisa@example.net")
    person(crm, "Lisa", "Öst", "lo@example.org")
    assert found(agent, q="lisa NET") == [("Lisa Lind", "lisa@example.net")]
    assert found(agent, q="lind lisa") == [("Lisa Lind", "lisa@example.net")]
    assert found(agent, q="100%") == []
    assert found(agent) == []


def test_without_words_those_of_the_conversation_or_of_the_object_are_proposed(
    crm: Crm, agent: Person
) -> None:
    conversation = crm.conversation()
    with crm.application.unit_of_work() as work:
        ticket = work.objects.get("conversation", conversation)["helpdesk"]
    anna = [("Anna", "anna@example.org")]
    assert found(agent, conversation=conversation) == anna
    assert found(agent, limetype="helpdesk", id=ticket) == anna
    proposed = agent.get("/recipients/", limetype="helpdesk", id=ticket).json["items"][0]
    assert proposed["follower"] == 0


def test_whom_the_object_points_to_is_proposed_but_no_colleague(crm: Crm, agent: Person) -> None:
    lisa = person(crm, "Lisa", "Lind", "lisa@example.net")
    colleague = crm.add("coworker", firstname="Age", lastname="Nt", email="agent@example.com")
    ticket = crm.add("helpdesk", title="Call Lisa", person=lisa, coworker=colleague)
    items = agent.get("/recipients/", limetype="helpdesk", id=ticket).json["items"]
    assert [(each["email"], each["limetype"], each["id"]) for each in items] == [
        ("lisa@example.net", "person", lisa)
    ]


def test_own_accounts_and_what_is_no_address_are_left_out(crm: Crm, agent: Person) -> None:
    person(crm, "Sam", "Support", "support@example.com")
    person(crm, "Sam", "Broken", "not an address")
    person(crm, "Sam", "Empty", "")
    assert found(agent, q="sam") == []


def test_a_search_costs_the_same_however_much_it_finds(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation()
    counts = []
    for _ in range(2):
        agent.get("/recipients/", q="lisa", conversation=conversation)
        with statements(crm.engine) as executed:
            assert len(found(agent, q="lisa", conversation=conversation)) <= 10
        counts.append(len(executed))
        for number in range(20):
            person(crm, "Lisa", str(number), f"lisa{number}@example.org")
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "status", "fields"),
    [
        ({"conversation": 999}, 404, []),
        ({"limetype": "helpdesk", "id": 999}, 404, []),
        ({"limetype": "company", "id": 1}, 422, ["limetype"]),
        ({"limetype": "helpdesk"}, 422, ["id"]),
        ({"conversation": "x"}, 422, ["conversation"]),
        ({"q": "x" * 201}, 422, ["q"]),
        ({"limit": 51}, 422, ["limit"]),
    ],
)
def test_what_cannot_be_searched_is_refused(
    agent: Person, query: dict[str, Any], status: int, fields: list[str]
) -> None:
    answer = agent.get("/recipients/", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (status, fields)


def test_who_begins_to_write_learns_about_the_conversation(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation(messages=2)
    opening = agent.get("/composer/", conversation=conversation).json
    assert opening["subject"] == "Broken printer"
    assert opening["account"] == crm.account.id
    assert opening["newest_message"] > 0
    assert [(each["email"], each["active"]) for each in opening["followers"]] == [
        ("anna@example.org", True)
    ]
    assert opening["own_addresses"] == ["support@example.com"]
    assert opening["undo_seconds"] == 10
    assert opening["limits"] == {
        "file_size": 3_900_000,
        "files_together": 18_000_000,
        "files": 50,
        "recipients": crm.integration.anonymous_services("crm").config.max_recipients,
    }


def test_a_new_conversation_has_no_followers(crm: Crm, agent: Person) -> None:
    opening = agent.get("/composer/").json
    assert (opening["conversation"], opening["followers"], opening["account"]) == (0, [], None)
    assert agent.get("/composer/", conversation=999).status_code == 404
    assert crm.nobody().get("/composer/").status_code == 401
    assert crm.nobody().get("/recipients/", q="a").status_code == 401
