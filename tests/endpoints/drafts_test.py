"""Drafts over HTTP, and sending into a conversation in which something has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .crm import Crm, Person

CONTENT = {
    "subject": "Re: Broken printer",
    "html": "<p>Try again</p>",
    "recipients": [{"email": "lisa@example.net", "name": "Lisa", "limetype": "", "id": None}],
    "followers": [1],
    "files": [3],
    "account": 1,
    "parent": {"limetype": "helpdesk", "id": 1},
}


def put(person: Person, **draft: Any) -> Any:
    return person.send("PUT", "/draft/", json=draft)


def test_a_draft_comes_back_as_it_was_sent(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation(messages=2)
    empty = agent.get("/draft/", conversation=conversation).json
    assert (empty["version"], empty["content"]["html"], empty["changed_at"]) == (0, "", None)
    saved = put(agent, conversation=conversation, version=0, content=CONTENT)
    assert saved.status_code == 200
    assert saved.json["version"] == 1
    assert saved.json["content"] == CONTENT
    assert saved.json["newest_message"] > 0
    assert agent.get("/draft/", conversation=conversation).json == saved.json
    assert agent.get("/draft/").json["version"] == 0
    gone = agent.send(
        "DELETE", f"/draft/?conversation={conversation}", content_type="application/json"
    )
    assert (gone.status_code, gone.data) == (204, b"")
    assert agent.get("/draft/", conversation=conversation).json["version"] == 0


def test_another_window_gets_the_newer_draft_instead_of_overwriting_it(
    crm: Crm, agent: Person
) -> None:
    put(agent, version=0, content={"html": "one"})
    newer = put(agent, version=1, content={"html": "two"}).json
    refused = put(agent, version=1, content={"html": "three"})
    assert refused.status_code == 409
    assert set(refused.json) == {"code", "message", "errors", "request_id", "newer"}
    assert (refused.json["code"], refused.json["newer"]) == ("conflict", newer)
    agent.send("DELETE", "/draft/", content_type="application/json")
    assert put(agent, version=2, content={"html": "four"}).json["newer"] is None


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"content": {}}, "version"),
        ({"version": 0}, "content"),
        ({"version": -1, "content": {}}, "version"),
        ({"version": 0, "content": {}, "conversation": "1"}, "conversation"),
        ({"version": 0, "content": {"followers": [0]}}, "content.followers.0"),
        ({"version": 0, "content": {"surprise": 1}}, "content.surprise"),
    ],
)
def test_what_cannot_be_is_refused(agent: Person, draft: dict[str, Any], field: str) -> None:
    answer = put(agent, **draft)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]


def test_drafts_are_the_users_own(crm: Crm, agent: Person) -> None:
    put(agent, version=0, content={"html": "mine"})
    assert crm.person("agent", "paul").get("/draft/").json["version"] == 0
    assert crm.nobody().get("/draft/").status_code == 401
    assert agent.get("/draft/", conversation=999).status_code == 404


def reply(crm: Crm, agent: Person, conversation: int, **values: object) -> Any:
    given = {"conversation": conversation, "html": "<p>Answer</p>", **values}
    return agent.post(f"/message/{crm.account.id}/", **given)


def newest(agent: Person, conversation: int) -> int:
    put(agent, conversation=conversation, version=0, content={})
    found: int = agent.get("/draft/", conversation=conversation).json["newest_message"]
    return found


def test_a_message_is_not_sent_past_one_that_nobody_has_read(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation(messages=1)
    seen = newest(agent, conversation)
    follower = crm.add("follower", email="b@example.org", active=True, conversation=conversation)
    later = crm.mail(conversation, follower, 7)
    refused = reply(crm, agent, conversation, newest_message=seen)
    assert refused.status_code == 409
    (arrived,) = refused.json["arrived"]
    assert (arrived["id"], arrived["author"], arrived["preview"]) == (later, "Anna", "Mail 7")
    assert crm.jobs() == []
    assert reply(crm, agent, conversation, newest_message=seen, anyway=True).status_code == 202


def test_without_anything_new_it_is_sent_and_a_repetition_is_no_conflict(
    crm: Crm, agent: Person
) -> None:
    conversation = crm.conversation(messages=1)
    seen = newest(agent, conversation)
    message = {"conversation": conversation, "html": "<p>x</p>", "newest_message": seen}
    path, headers = f"/message/{crm.account.id}/", {"Idempotency-Key": "once"}
    first, second = (agent.send("POST", path, json=message, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert (first.json["repeated"], second.json["repeated"]) == (False, True)


def test_the_draft_that_was_sent_is_removed(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=1)
    put(agent, conversation=conversation, version=0, content={"html": "one"})
    put(agent, conversation=conversation, version=1, content={"html": "two"})
    assert reply(crm, agent, conversation, draft=1).status_code == 202
    assert agent.get("/draft/", conversation=conversation).json["version"] == 2
    assert reply(crm, agent, conversation, draft=2, html="").status_code == 422
    assert agent.get("/draft/", conversation=conversation).json["version"] == 2
    assert reply(crm, agent, conversation, draft=2).status_code == 202
    assert agent.get("/draft/", conversation=conversation).json["version"] == 0


def put_as_browsers_do(person: Person, html: str) -> Any:
    """Store a draft with letters as they are, which Python would write as numbers."""
    body = json.dumps({"version": 0, "content": {"html": html}}, ensure_ascii=False)
    return person.send("PUT", "/draft/", data=body.encode(), content_type="application/json")


def test_a_draft_takes_pasted_pictures_of_some_megabytes(any_crm: Crm) -> None:
    agent = any_crm.person()
    picture = '<img src="data:image/png;base64,' + "A" * 7_900_000 + '">'
    saved = put(agent, version=0, content={"html": picture})
    assert saved.status_code == 200
    assert agent.get("/draft/").json["content"]["html"] == picture


@pytest.mark.parametrize("letter", ["x", "å"])
def test_a_draft_that_is_too_large_is_refused_with_a_sentence(agent: Person, letter: str) -> None:
    refused = put_as_browsers_do(agent, letter * (8_100_000 // len(letter.encode())))
    assert refused.status_code == 422
    assert "8 MB" in refused.json["errors"]["html"][0]
    assert "attach" in refused.json["message"]
    assert put(agent, version=0, content={"html": "x" * 17_000_000}).status_code == 413
    assert agent.get("/draft/").json["version"] == 0


def test_letters_count_as_they_are_sent(agent: Person) -> None:
    assert put_as_browsers_do(agent, "å" * 3_900_000).status_code == 200
