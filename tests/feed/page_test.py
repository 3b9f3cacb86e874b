"""The feed over HTTP: which messages, in which order, at which cost, for whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.endpoints.crm import PREFIX, Crm, Person, statements

MOST_STATEMENTS = 11
"""User, object, conversations (two for a person), count, messages, two for the parties, documents,
errors, accounts, and what leaves later."""


def parent_of(crm: Crm, conversation: int) -> int:
    with crm.application.unit_of_work() as work:
        parent = work.objects.get("conversation", conversation)["helpdesk"]
        assert isinstance(parent, int)
        return parent


def previews(person: Person, **query: object) -> list[str]:
    return [each["value"] for each in person.get("/feed/", **query).json["items"]]


def test_a_conversation_shows_its_messages_newest_first(any_crm: Crm) -> None:
    conversation, agent = any_crm.conversation(messages=3), any_crm.person()
    answer = agent.get("/feed/", limetype="conversation", id=conversation)
    assert [each["value"] for each in answer.json["items"]] == ["Mail 2", "Mail 1", "Mail 0"]
    assert answer.json["total"] == 3
    ascending = previews(agent, limetype="conversation", id=conversation, ascending=True)
    assert ascending == ["Mail 0", "Mail 1", "Mail 2"]


def test_an_item_has_every_field_that_a_feed_knows(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation()
    person = crm.add("person", firstname="Anna", lastname="Berg")
    anna = crm.add(
        "follower", conversation=conversation, email="anna@example.org", name="Anna", person=person
    )
    message = crm.mail(conversation, anna)
    bo = crm.add("follower", conversation=conversation, email="bo@example.org", name="Bo Ek")
    copy = crm.add(
        "messagefollower",
        conversationmessage=message,
        follower=bo,
        role="cc",
        state="received",
    )
    file = crm.add("document", comment="manual.pdf", conversationmessage=message)
    [item] = agent.get("/feed/", limetype="conversation", id=conversation).json["items"]
    assert item == {
        "id": message,
        "timestamp": "2026-03-01T12:00:00+00:00",
        "author": {
            "id": f"person/{person}",
            "name": "Anna",
            "href": f"/crm/person/{person}/",
            "picture": "",
        },
        "heading": "Anna wrote to Support, Bo Ek",
        "value": "Mail 0",
        "icon": "email",
        "color": "",
        "relations": [],
        "promotedActions": [{"id": "reply", "text": "Reply", "icon": "reply"}],
        "unpromotedActions": [
            {"id": "forward", "text": "Forward", "icon": "forward"},
            {"id": "mark-read", "text": "Mark as read", "icon": "read"},
            {"separator": True},
            {"id": "move", "text": "Move to another conversation", "icon": "move"},
            {"id": "trace", "text": "Show why it is here", "icon": "trace"},
        ],
        "ui": "emphasized",
        "helperText": "",
        "hasError": False,
        "thumbnails": [{"filename": "manual.pdf", "image": "", "href": f"/crm/document/{file}/"}],
        "hasDefaultTableStyles": True,
        "unread": True,
        "bodyUrl": f"{PREFIX}/message/{message}/body",
        "conversation": conversation,
        "machine": "no",
        "recipients": [
            {
                "id": copy,
                "name": "Bo Ek",
                "email": "bo@example.org",
                "role": "cc",
                "state": "received",
                "reason": "",
            }
        ],
    }
    assert agent.send("GET", item["bodyUrl"].removeprefix(PREFIX)).status_code == 200


def test_who_has_a_page_already_is_told_in_a_few_bytes(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=2)
    asked = f"/feed/?limetype=conversation&id={conversation}"
    known = {"If-None-Match": agent.send("GET", asked).headers["ETag"]}
    again = agent.send("GET", asked, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    follower = crm.add("follower", conversation=conversation)
    crm.mail(conversation, follower, 2)
    assert agent.send("GET", asked, headers=known).json["total"] == 3


def test_pages_join_without_a_gap(any_crm: Crm) -> None:
    conversation, agent = any_crm.conversation(), any_crm.person()
    follower = any_crm.add("follower", conversation=conversation)
    for number in range(7):  # all at one moment, so that only the id tells them apart
        any_crm.mail(conversation, follower, number, date=any_crm.now)
    query = {"limetype": "conversation", "id": conversation, "limit": 3}
    pages = [previews(agent, **query, offset=each) for each in (0, 3, 6, 9)]
    assert [len(each) for each in pages] == [3, 3, 1, 0]
    assert [each for page in pages for each in page] == [f"Mail {n}" for n in range(6, -1, -1)]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"id": "x"}])
def test_pages_that_cannot_be_are_refused(agent: Person, query: dict[str, object]) -> None:
    answer = agent.get("/feed/", **{"limetype": "conversation", "id": 1, **query})
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(query))


@pytest.mark.parametrize("limetype", ["conversation", "helpdesk", "person"])
def test_a_page_costs_the_same_however_much_is_on_it(any_crm: Crm, limetype: str) -> None:
    crm, agent = any_crm, any_crm.person()
    person = crm.add("person", firstname="Anna")
    costs = []
    for size in (5, 500):
        conversation = filled(crm, size, person)
        ids = {"conversation": conversation, "person": person}
        id_ = ids.get(limetype) or parent_of(crm, conversation)
        agent.get("/feed/", limetype=limetype, id=id_)
        with statements(crm.engine) as executed:
            answer = agent.get("/feed/", limetype=limetype, id=id_)
        assert len(answer.json["items"]) == min(size, 50)
        assert answer.json["items"][0]["recipients"]
        costs.append(len(executed))
    assert costs[0] == costs[1] <= MOST_STATEMENTS


def filled(crm: Crm, size: int, person: int) -> int:
    """A conversation of that many messages, each with two parties, a document and an error."""
    conversation = crm.conversation()
    with crm.application.unit_of_work() as work:
        followers = work.objects.add_many(
            "follower",
            [
                {"conversation": conversation, "email": f"{n}@example.org", "person": person}
                for n in range(2)
            ],
        )
        messages = work.objects.add_many(
            "conversationmessage",
            [
                {
                    "conversation": conversation,
                    "date": crm.now + timedelta(seconds=n),
                    "body": "x" * 10_000,
                    "preview": f"Mail {n}",
                    "source": "email",
                }
                for n in range(size)
            ],
        )
        work.objects.add_many(
            "messagefollower",
            [
                {"conversationmessage": each, "follower": follower, "role": role}
                for each in messages
                for follower, role in zip(followers, ("from", "to"), strict=True)
            ],
        )
        for limetype in ("document", "conversationmessageerror"):
            work.objects.add_many(limetype, [{"conversationmessage": each} for each in messages])
    return conversation


def test_bodies_are_not_read(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=1)
    with statements(crm.engine) as executed:
        agent.get("/feed/", limetype="conversation", id=conversation)
    reading = [each for each in executed if "FROM conversationmessage" in each]
    assert reading
    assert not any("body" in each for each in reading)


def test_a_ticket_shows_the_messages_of_all_its_conversations(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation(messages=2)
    ticket = parent_of(crm, conversation)
    second = crm.conversation(helpdesk=ticket, subject="Another")
    crm.mail(second, crm.add("follower", conversation=second), 9)
    crm.conversation(messages=1)
    answer = agent.get("/feed/", limetype="helpdesk", id=ticket).json
    assert answer["total"] == 3
    assert [each["value"] for each in answer["items"]] == ["Mail 9", "Mail 1", "Mail 0"]
    assert {each["ui"] for each in answer["items"]} == {"thread-message"}
    assert answer["items"][0]["relations"] == [
        {
            "id": f"conversation/{second}",
            "text": "Another",
            "icon": "conversation",
            "image": "",
            "href": f"/crm/conversation/{second}/",
        }
    ]


def test_a_person_sees_the_conversations_that_they_follow(crm: Crm, agent: Person) -> None:
    conversation, person = crm.conversation(messages=1), crm.add("person", firstname="Anna")
    crm.conversation(messages=1)
    assert agent.get("/feed/", limetype="person", id=person).json == {"items": [], "total": 0}
    crm.add("follower", conversation=conversation, person=person)
    answer = agent.get("/feed/", limetype="person", id=person).json
    assert [each["conversation"] for each in answer["items"]] == [conversation]


def test_who_follows_more_conversations_than_a_statement_can_name_has_a_feed(
    crm: Crm, agent: Person
) -> None:
    person = crm.add("person", firstname="Anna", lastname="Berg")
    old = crm.conversation(messages=1)
    latest = crm.conversation(messages=2)
    rows = [{"conversation": old, "person": person, "email": "a@example.org"}] * 31_000
    with crm.application.unit_of_work() as work:
        work.objects.add_many("follower", [*rows, {**rows[0], "conversation": latest}])
    answer = agent.get("/feed/", limetype="person", id=person)
    assert answer.status_code == 200
    assert answer.json["total"] == 3


@pytest.mark.parametrize("limetype", ["company", "document", "conversationmessage"])
def test_an_object_that_cannot_have_conversations_has_no_feed(
    crm: Crm, agent: Person, limetype: str
) -> None:
    answer = agent.get("/feed/", limetype=limetype, id=crm.add(limetype, **required(limetype)))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limetype"])


def required(limetype: str) -> dict[str, object]:
    return {"name": "Acme"} if limetype == "company" else {}


def test_who_may_not_see_the_object_gets_no_feed(crm: Crm) -> None:
    conversation, reader = crm.conversation(messages=1), crm.person("reader")
    ticket = parent_of(crm, conversation)
    assert reader.get("/feed/", limetype="helpdesk", id=ticket).json["total"] == 1
    for hidden, status in (("helpdesk", 404), ("conversation", 200), ("conversationmessage", 200)):
        with crm.engine.begin() as connection:
            connection.exec_driver_sql(
                f"""UPDATE crm_role SET access = '{{"*": "r", "{hidden}": ""}}'"""
                " WHERE name = 'reader'"
            )
        answer = reader.get("/feed/", limetype="helpdesk", id=ticket)
        assert answer.status_code == status
        assert answer.json.get("items", []) == []


def test_an_object_that_does_not_exist_has_no_feed(agent: Person) -> None:
    assert agent.get("/feed/", limetype="conversation", id=4711).status_code == 404
    assert agent.get("/feed/", limetype="nonsense", id=1).status_code == 422


def test_a_message_that_leaves_later_says_when_until_it_is_time(any_crm: Crm) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation(messages=1)
    at = any_crm.now + timedelta(days=1)
    reply = {"conversation": conversation, "text": "Good morning", "send_at": at.isoformat()}
    assert agent.post(f"/message/{any_crm.account.id}/", **reply).status_code == 202

    def item() -> Any:
        found = agent.get("/feed/", limetype="conversation", id=conversation).json["items"]
        return next(each for each in found if each["value"] == "Good morning")

    assert item()["helperText"] == f"To be sent {at:%Y-%m-%d %H:%M} UTC."
    assert {each["state"] for each in item()["recipients"]} == {"scheduled"}
    assert "(scheduled)" in item()["heading"]
    assert [each["id"] for each in item()["promotedActions"]] == ["cancel", "edit", "reply"]
    any_crm.now = at
    assert item()["helperText"] == ""
    assert {each["state"] for each in item()["recipients"]} == {"queued"}
    any_crm.now = at - timedelta(hours=1)
    assert agent.post(f"/message/{item()['id']}/cancel/").status_code == 200
    assert [each["id"] for each in item()["promotedActions"]] == ["reply"]
    assert {each["state"] for each in item()["recipients"]} == {"cancelled"}
