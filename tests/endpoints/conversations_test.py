"""Merging, moving, splitting, following and forwarding over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from limepkg_email.query import Equals, Order, Query
from limepkg_email.reference.access import Access, Role

from .crm import Crm, Person


def ids(crm: Crm, limetype: str, conversation: int) -> list[int]:
    where = Query(limetype, Equals("conversation", conversation), (Order("id"),))
    with crm.application.unit_of_work() as work:
        return [each.id for each in work.objects.query(where)]


def test_conversations_are_merged(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    one, other = crm.conversation(messages=1), crm.conversation(messages=2)
    answer = agent.post(f"/conversation/{one}/merge/", conversation=other)
    assert (answer.status_code, answer.json) == (200, {"conversation": one})
    assert len(ids(crm, "conversationmessage", one)) == 3
    assert len(ids(crm, "follower", one)) == 1
    assert agent.post(f"/conversation/{one}/merge/", conversation=other).status_code == 404
    itself = agent.post(f"/conversation/{one}/merge/", conversation=one)
    assert (itself.status_code, list(itself.json["errors"])) == (422, ["conversation"])


def test_a_message_is_moved(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    one, other = crm.conversation(messages=2), crm.conversation()
    message = ids(crm, "conversationmessage", one)[1]
    answer = agent.post(f"/message/{message}/move/", conversation=other)
    assert answer.status_code == 200
    assert answer.json == {"source": one, "conversation": other, "messages": [message]}
    assert ids(crm, "conversationmessage", other) == [message]


def test_messages_are_split_off(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    one = crm.conversation(messages=3)
    first, second, third = ids(crm, "conversationmessage", one)
    ticket = crm.add("helpdesk", title="Another")
    answer = agent.post(
        f"/message/{third}/split/",
        messages=[second],
        parent={"limetype": "helpdesk", "id": ticket},
        subject="Another",
    )
    assert answer.status_code == 200
    assert answer.json["messages"] == [second, third]
    assert ids(crm, "conversationmessage", one) == [first]
    with crm.application.unit_of_work() as work:
        new = work.objects.get("conversation", answer.json["conversation"])
    assert (new["helpdesk"], new["subject"]) == (ticket, "Another")
    apart = agent.post(f"/message/{first}/split/", messages=[second])
    assert (apart.status_code, list(apart.json["errors"])) == (422, ["messages"])


def test_followers_come_and_go(crm: Crm, agent: Person) -> None:
    one = crm.conversation()
    (anna,) = ids(crm, "follower", one)
    answer = agent.send("PUT", f"/follower/{anna}/", json={"active": False})
    assert (answer.status_code, answer.json) == (200, {"id": anna, "active": False})
    back = agent.post("/follower/", conversation=one, email="Anna@example.org")
    assert back.json == {"id": anna, "active": True}
    added = agent.post("/follower/", conversation=one, email="lisa@example.net", name="Lisa")
    assert ids(crm, "follower", one) == [anna, added.json["id"]]
    own = agent.post("/follower/", conversation=one, email="support@example.com")
    assert (own.status_code, list(own.json["errors"])) == (422, ["email"])


def test_a_message_is_forwarded(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    one = crm.conversation(messages=1)
    (message,) = ids(crm, "conversationmessage", one)
    bob = [{"email": "bob@supplier.example"}]
    path = f"/message/{message}/forward/"
    answer = agent.post(path, recipients=bob, html="<p>Look</p>")
    assert answer.status_code == 202
    assert answer.json["conversation"] != one
    joined = agent.post(path, recipients=bob, follow=True)
    assert joined.json["conversation"] == one
    nobody = agent.post(path, recipients=[])
    assert (nobody.status_code, list(nobody.json["errors"])) == (422, ["recipients"])


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/conversation/1/merge/", {"conversation": 2}),
    ("POST", "/message/1/move/", {"conversation": 2}),
    ("POST", "/message/1/split/", {}),
    ("POST", "/message/1/forward/", {"recipients": [{"email": "bob@supplier.example"}]}),
    ("PUT", "/follower/1/", {"active": False}),
    ("POST", "/follower/", {"conversation": 1, "email": "lisa@example.net"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_who_may_not_does_not(crm: Crm, method: str, path: str, body: dict[str, Any]) -> None:
    assert crm.conversation(messages=1) == 1
    assert crm.conversation(messages=1) == 2
    users = crm.host.application("crm").users
    users.add_role(Role("stranger", ("email.use",), Access({})))
    users.add_role(Role("outsider", (), Access({"*": "crud"})))
    for role, status in (("reader", 403), ("stranger", 404), ("outsider", 403)):
        answer = crm.person(role).send(method, path, json=body)
        assert (role, answer.status_code) == (role, status)
    assert crm.nobody().send(method, path, json=body).status_code == 401
