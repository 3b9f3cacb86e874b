"""Files that are attached to a message while it is being written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from limepkg_email import draft_files
from limepkg_email.endpoints.drafting import MOST_FILES

from .crm import Crm, Person
from .sending_test import first, found, stored_files


def attach(
    person: Person, name: str = "a.txt", content: bytes = b"one", key: str = "", **draft: object
) -> Any:
    data = {"message": json.dumps(draft), "files": [(io.BytesIO(content), name)]}
    headers = {"Idempotency-Key": key} if key else {}
    return person.send("POST", "/draft/file/", data=data, headers=headers)


def uploads(person: Person, conversation: int = 0) -> list[str]:
    draft = person.get("/draft/", conversation=conversation).json
    return [each["filename"] for each in draft["uploads"]]


def detach(person: Person, id: int) -> Any:
    return person.send("DELETE", f"/draft/file/{id}/", content_type="application/json")


def discard(person: Person, conversation: int = 0) -> None:
    path = f"/draft/?conversation={conversation}"
    assert person.send("DELETE", path, content_type="application/json").status_code == 204


def test_files_belong_to_the_draft_before_and_after_it_is_stored(any_crm: Crm) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation(messages=1)
    answer = attach(agent, "ä.txt", b"one", conversation=conversation)
    assert answer.status_code == 201
    assert answer.json == {
        "id": answer.json["id"],
        "filename": "ä.txt",
        "content_type": "text/plain",
        "size": 3,
    }
    assert uploads(agent, conversation) == ["ä.txt"]
    body = {"conversation": conversation, "version": 0, "content": {"html": "x"}}
    saved = agent.send("PUT", "/draft/", json=body).json
    assert saved["uploads"] == [answer.json]
    assert agent.get("/draft/", conversation=conversation).json == saved
    assert uploads(agent) == []


def test_what_is_taken_away_or_discarded_leaves_the_store(any_crm: Crm) -> None:
    agent = any_crm.person()
    first_file, _ = attach(agent, "a.txt"), attach(agent, "b.txt")
    assert detach(agent, first_file.json["id"]).status_code == 204
    assert detach(agent, first_file.json["id"]).status_code == 404
    assert (uploads(agent), stored_files(any_crm)) == (["b.txt"], 1)
    discard(agent)
    assert (uploads(agent), stored_files(any_crm)) == ([], 0)


def test_a_message_takes_the_files_over(any_crm: Crm) -> None:
    agent = any_crm.person()
    ids = [attach(agent, name, name.encode()).json["id"] for name in ("a.txt", "b.txt")]
    answer = agent.post("/conversation/", **first(draft_files=ids))
    assert answer.status_code == 202, answer.json
    documents = found(any_crm, "document", conversationmessage=answer.json["conversationmessage"])
    assert [each["comment"] for each in documents] == ["a.txt", "b.txt"]
    with any_crm.application.files.open(str(documents[1]["document"])) as content:
        assert content.read() == b"b.txt"
    assert uploads(agent) == []
    discard(agent)
    assert stored_files(any_crm) == 2, "they are the message's now"


@pytest.mark.postgres
def test_what_a_message_takes_over_meanwhile_is_not_thrown_away_with_the_draft(
    postgresql_url: str, tmp_path: Path
) -> None:
    crm = Crm(postgresql_url, tmp_path)
    crm.install()
    agent = crm.person()
    id, user = attach(agent).json["id"], crm.host.application("crm").users.find("agent").id
    with crm.engine.connect() as sending:
        taken = draft_files.take(sending, user, [id])

        def finish_sending(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("DELETE FROM limepkg_email_draft_file"):
                sending.commit()

        event.listen(crm.engine, "before_cursor_execute", finish_sending)
        discard(agent)
        event.remove(crm.engine, "before_cursor_execute", finish_sending)
    assert [crm.application.files.describe(each.id) for each in taken] == taken
    crm.host.close()


def test_a_refused_message_leaves_its_files_with_the_draft(any_crm: Crm) -> None:
    agent = any_crm.person()
    id = attach(agent).json["id"]
    refused = agent.post("/conversation/", **first(subject="", draft_files=[id]))
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["subject"])
    assert (uploads(agent), stored_files(any_crm)) == (["a.txt"], 1)
    assert agent.post("/conversation/", **first(draft_files=[id])).status_code == 202


def test_the_same_message_once_more_is_the_same_although_its_files_are_gone(any_crm: Crm) -> None:
    agent = any_crm.person()
    body = first(draft_files=[attach(agent).json["id"]])
    key = {"Idempotency-Key": "0b4d"}
    one, other = (
        agent.send("POST", "/conversation/", json=body, headers=key).json for _ in range(2)
    )
    assert (one.pop("repeated"), other.pop("repeated")) == (False, True)
    assert one == other
    gone = agent.post("/conversation/", **body)
    assert (gone.status_code, list(gone.json["errors"])) == (422, ["draft_files"])


def test_a_file_that_is_sent_again_is_one_file(any_crm: Crm) -> None:
    agent = any_crm.person()
    one, other = (attach(agent, key="k" * 200) for _ in range(2))
    assert one.json == other.json
    assert stored_files(any_crm) == 1
    assert attach(agent, key="another").json["id"] != one.json["id"]
    assert attach(any_crm.person("agent", "paul"), key="k" * 200).json["id"] != one.json["id"]


def test_files_are_the_users_own(crm: Crm, agent: Person) -> None:
    id = attach(agent).json["id"]
    paul = crm.person("agent", "paul")
    assert uploads(paul) == []
    assert detach(paul, id).status_code == 404
    taken = paul.post("/conversation/", **first(draft_files=[id]))
    assert (taken.status_code, list(taken.json["errors"])) == (422, ["draft_files"])
    assert attach(crm.nobody()).status_code == 401
    assert attach(agent, conversation=999).status_code == 404
    assert uploads(agent) == ["a.txt"]


def test_a_reply_that_was_the_draft_leaves_no_file_for_the_next_one(
    crm: Crm, agent: Person
) -> None:
    conversation = crm.conversation(messages=1)
    sent, _ = (attach(agent, name, conversation=conversation) for name in ("a.txt", "b.txt"))
    body = {"conversation": conversation, "version": 0, "content": {"html": "x"}}
    agent.send("PUT", "/draft/", json=body)
    reply = {
        "conversation": conversation,
        "text": "x",
        "draft": 1,
        "draft_files": [sent.json["id"]],
    }
    assert agent.post("/message/1/", **reply).status_code == 202
    assert (uploads(agent, conversation), stored_files(crm)) == ([], 1)


def test_there_is_room_for_what_a_message_may_have(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(max_attachment_size=10)
    agent = crm.person()

    def refusal(answer: Any) -> str:
        assert answer.status_code == 422
        assert list(answer.json["errors"]) == ["files"]
        return str(answer.json["message"])

    assert "10 is the limit" in refusal(attach(agent, content=b"x" * 11))
    assert "is empty" in refusal(attach(agent, content=b""))
    assert attach(agent, content=b"x" * 10).status_code == 201
    data = {"message": "{}", "files": [(io.BytesIO(b"1"), "1"), (io.BytesIO(b"2"), "2")]}
    assert "one file" in refusal(agent.send("POST", "/draft/file/", data=data))
    assert "one file" in refusal(agent.post("/draft/file/"))
    for number in range(1, MOST_FILES):
        assert attach(agent, content=b"x", name=f"{number}").status_code == 201
    assert "at most 50 files" in refusal(attach(agent))
    assert stored_files(crm) == MOST_FILES


def test_a_reply_that_is_handed_in_again_leaves_the_next_draft_and_its_files_alone(
    any_crm: Crm,
) -> None:
    agent, conversation = any_crm.person(), any_crm.conversation(messages=1)
    body = {"conversation": conversation, "version": 0, "content": {"html": "one"}}
    reply = {"conversation": conversation, "text": "x", "draft": 1}
    key = {"Idempotency-Key": "0b4d"}
    agent.send("PUT", "/draft/", json=body)
    assert agent.send("POST", "/message/1/", json=reply, headers=key).status_code == 202
    assert agent.get("/draft/", conversation=conversation).json["version"] == 0
    any_crm.now += timedelta(seconds=5)
    attach(agent, conversation=conversation)
    following = agent.send("PUT", "/draft/", json=body).json
    assert following["version"] == 1
    assert agent.send("POST", "/message/1/", json=reply, headers=key).json["repeated"]
    assert agent.get("/draft/", conversation=conversation).json == following
    assert [each["filename"] for each in following["uploads"]] == ["a.txt"]


@pytest.mark.parametrize("limit", ["max_draft_files_size", "max_attachment_size"])
def test_files_that_come_at_the_same_time_have_no_more_room(
    make_crm: Callable[..., Crm], limit: str
) -> None:
    crm = make_crm(**{limit: 10})
    agent, user = crm.person(), crm.host.application("crm").users.find("agent").id
    chosen = draft_files.FILES
    row = {"user": user, "conversation": 0, "file": "f", "filename": "f", "content_type": "x/y"}
    others = [
        {**row, "key": f"{number}", "size": 9, "created_at": crm.now}
        for number in range(MOST_FILES)
    ]

    def come(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # What there was has been counted.
        if statement.startswith("INSERT INTO crm_file") and others:
            connection.execute(insert(chosen), [others.pop() for _ in range(MOST_FILES)])

    event.listen(crm.engine, "before_cursor_execute", come)
    refused = attach(agent, content=b"x" * 9)
    event.remove(crm.engine, "before_cursor_execute", come)
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["files"])
    assert stored_files(crm) == 0
    assert len(uploads(agent)) == MOST_FILES


def test_what_one_user_keeps_in_drafts_has_a_limit(make_crm: Callable[..., Crm]) -> None:
    crm = make_crm(max_draft_files_size=10)
    agent = crm.person()
    one, other = crm.add("conversation", subject="One"), crm.conversation(messages=1)
    assert attach(agent, content=b"x" * 8, conversation=one).status_code == 201
    full = attach(agent, content=b"x" * 3, conversation=other)
    assert (full.status_code, list(full.json["errors"])) == (422, ["files"])
    assert "discard a draft" in full.json["message"]
    assert attach(crm.person("agent", "paul"), content=b"x" * 8).status_code == 201
    with crm.application.unit_of_work() as work:
        work.objects.delete("conversation", one)
    assert attach(agent, content=b"x" * 3, conversation=other).status_code == 201
    assert stored_files(crm) == 2, "nobody could have discarded the draft any more"
