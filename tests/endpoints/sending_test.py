"""Messages from a client: new conversations and replies."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.test import encode_multipart

from limepkg_email.host import LimeObject
from limepkg_email.query import And, Equals, Order, Query

from .crm import Crm, Person, statements

ANNA = {"email": "anna@example.org", "name": "Anna"}


def first(**values: object) -> dict[str, object]:
    given = {"account": 1, "subject": "Hello", "html": "<p>Hello</p>", "recipients": [ANNA]}
    return {**given, **values}


def found(crm: Crm, limetype: str, **values: object) -> list[LimeObject]:
    where = And(tuple(Equals(name, value) for name, value in values.items()))
    with crm.application.unit_of_work() as work:
        return work.objects.query(Query(limetype, where, (Order("id"),)))


def stored_files(crm: Crm) -> int:
    with crm.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM crm_file").scalar_one())


def form(message: dict[str, object], *files: tuple[str, bytes]) -> dict[str, Any]:
    parts = [(io.BytesIO(content), name) for name, content in files]
    return {"data": {"message": json.dumps(message), "files": parts}}


def test_a_new_conversation_is_accepted_and_nothing_is_sent_in_the_request(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person("agent", "maria")
    answer = agent.post("/conversation/", **first())
    assert answer.status_code == 202
    ids = answer.json
    [message] = found(crm, "conversationmessage", conversation=ids["conversation"])
    assert message.id == ids["conversationmessage"]
    assert (message["source"], message["authorname"]) == ("lime", "Maria")
    [follower] = found(crm, "messagefollower", conversationmessage=message.id)
    assert [follower.id] == ids["messagefollowers"]
    assert follower["state"] == "queued"
    assert [each.task for each in crm.jobs()] == ["limepkg_email.tasks.tasks.submit_message"]
    assert ids["repeated"] is False


def test_a_conversation_can_hang_on_an_object_that_exists(crm: Crm, agent: Person) -> None:
    ticket = crm.add("helpdesk", title="Printer")
    parent = {"limetype": "helpdesk", "id": ticket}
    ids = agent.post("/conversation/", **first(parent=parent)).json
    [conversation] = found(crm, "conversation", id=ids["conversation"])
    assert conversation["helpdesk"] == ticket
    assert agent.post("/conversation/", **first(parent={**parent, "id": 4711})).status_code == 404


def test_a_reply_goes_to_the_followers_and_to_who_joins(any_crm: Crm) -> None:
    crm, agent = any_crm, any_crm.person()
    conversation = crm.conversation(messages=1)
    reply = {
        "conversation": conversation,
        "text": "On our way.",
        "recipients": [{"email": "bo@example.org"}],
    }
    answer = agent.post(f"/message/{crm.account.id}/", **reply)
    assert answer.status_code == 202
    assert len(answer.json["messagefollowers"]) == 2
    feed = agent.get("/feed/", limetype="conversation", id=conversation).json["items"]
    assert {each["email"] for each in feed[0]["recipients"]} == {
        "anna@example.org",
        "bo@example.org",
    }
    assert feed[0]["ui"] == "standard"


def test_a_reply_can_go_to_some_of_the_followers(crm: Crm, agent: Person) -> None:
    conversation = crm.conversation(messages=1)
    bo = crm.add("follower", conversation=conversation, email="bo@example.org", active=True)
    reply = {"conversation": conversation, "text": "Only you", "followers": [bo]}
    answer = agent.post("/message/1/", **reply)
    assert (answer.status_code, len(answer.json["messagefollowers"])) == (202, 1)
    none = agent.post("/message/1/", **{**reply, "followers": []})
    assert (none.status_code, list(none.json["errors"])) == (422, ["recipients"])


def test_the_same_key_sends_once(any_crm: Crm) -> None:
    agent = any_crm.person()
    key = {"Idempotency-Key": "0b4d"}
    answers = [agent.send("POST", "/conversation/", json=first(), headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    one, other = (each.json for each in answers)
    assert (one.pop("repeated"), other.pop("repeated")) == (False, True)
    assert one == other
    assert len(found(any_crm, "conversation")) == 1


def test_files_come_with_a_form(any_crm: Crm) -> None:
    agent = any_crm.person()
    files = [("a.txt", b"one"), ("../b.pdf", b"two")]
    answer = agent.send("POST", "/conversation/", **form(first(), *files))
    assert answer.status_code == 202
    documents = found(any_crm, "document", conversationmessage=answer.json["conversationmessage"])
    assert [each["comment"] for each in documents] == ["a.txt", "b.pdf"]
    with any_crm.application.files.open(str(documents[1]["document"])) as content:
        assert content.read() == b"two"


def test_a_form_without_files_is_a_message_too(agent: Person) -> None:
    answer = agent.send(
        "POST", "/conversation/", data={"message": json.dumps(first())},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 202


def test_files_of_a_refused_message_are_not_kept(crm: Crm, agent: Person) -> None:
    answer = agent.send("POST", "/conversation/", **form(first(account=9), ("a.txt", b"one")))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["account"])
    assert stored_files(crm) == 0


def test_files_of_a_repeated_message_are_not_kept_twice(crm: Crm, agent: Person) -> None:
    key = {"Idempotency-Key": "0b4d"}
    for _ in range(2):
        sent = form(first(), ("a.txt", b"one"))
        assert agent.send("POST", "/conversation/", headers=key, **sent).status_code == 202
    assert stored_files(crm) == 1


def test_a_file_above_the_limit_is_named_and_not_stored(make_crm: Any) -> None:
    crm = make_crm(max_attachment_size=10)
    answer = crm.person().send(
        "POST", "/conversation/", **form(first(), ("fine", b"x"), ("large.bin", b"x" * 11))
    )
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["files"])
    assert "large.bin" in answer.json["message"]
    assert stored_files(crm) == 0


def test_an_unknown_part_with_a_file_is_refused(agent: Person) -> None:
    data = {"message": json.dumps(first()), "file": (io.BytesIO(b"x"), "a.txt")}
    answer = agent.send("POST", "/conversation/", data=data)
    assert (answer.status_code, answer.json["errors"]) == (422, {"file": ["Unknown field."]})


def test_documents_of_the_crm_can_go_along(crm: Crm, agent: Person) -> None:
    file = crm.application.files.create("offer.pdf", "application/pdf", io.BytesIO(b"pdf"))
    document, empty = crm.add("document", document=file.id), crm.add("document")
    answer = agent.post("/conversation/", **first(documents=[document, document]))
    sent = found(crm, "document", conversationmessage=answer.json["conversationmessage"])
    assert [(each["comment"], each["document"]) for each in sent] == [("offer.pdf", file.id)]
    refused = agent.post("/conversation/", **first(documents=[document, empty, 4711]))
    assert (refused.status_code, len(refused.json["errors"]["documents"])) == (422, 2)


def test_a_document_out_of_sight_cannot_be_sent(crm: Crm) -> None:
    file = crm.application.files.create("secret.pdf", "application/pdf", io.BytesIO(b"pdf"))
    document = crm.add("document", document=file.id)
    with crm.engine.begin() as connection:
        connection.exec_driver_sql(
            """UPDATE crm_role SET access = '{"*": "crud", "document": ""}' WHERE name = 'agent'"""
        )
    answer = crm.person().post("/conversation/", **first(documents=[document]))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["documents"])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account": "x"}, "account"),
        ({"account": 99}, "account"),
        ({"recipients": [{"email": "no address"}]}, "recipients"),
        ({"recipients": [{"name": "nobody"}]}, "recipients.0.email"),
        ({"recipients": [{**ANNA, "role": "bcc"}]}, "recipients.0.role"),
        ({"recipients": []}, "recipients"),
        ({"subject": ""}, "subject"),
        ({"subject": "two\r\nBcc: eve@example.org"}, "subject"),
        ({"html": "", "text": ""}, "html"),
        ({"parent": {"limetype": "company", "id": 1}}, "parent"),
        ({"parent": {"limetype": "helpdesk"}}, "parent.id"),
        ({"conversation": 1}, "conversation"),
        ({"documents": ["x"]}, "documents.0"),
        ({"files": ["x"]}, "files"),
    ],
)
def test_what_is_wrong_is_named(crm: Crm, agent: Person, wrong: dict[str, Any], field: str) -> None:
    answer = agent.post("/conversation/", **first(**wrong))
    assert answer.status_code == 422
    assert field in answer.json["errors"]
    assert found(crm, "conversation") == []
    assert crm.jobs() == []


def test_a_form_is_checked_like_json(agent: Person) -> None:
    broken = agent.send(
        "POST", "/conversation/", data={"message": "{", "files": (io.BytesIO(b"x"), "a")}
    )
    assert (broken.status_code, broken.json["code"]) == (400, "bad_request")
    missing = agent.send("POST", "/conversation/", data={"files": (io.BytesIO(b"x"), "a")})
    assert (missing.status_code, "account" in missing.json["errors"]) == (422, True)


def test_a_key_that_is_too_long_is_refused(agent: Person) -> None:
    key = {"Idempotency-Key": "x" * 201}
    answer = agent.send("POST", "/conversation/", json=first(), headers=key)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["Idempotency-Key"])


def test_sending_needs_the_permission_for_the_account(crm: Crm) -> None:
    reader = crm.person("reader")
    assert reader.post("/conversation/", **first()).status_code == 403
    assert reader.post("/message/1/", conversation=1, text="x").status_code == 403
    assert crm.jobs() == []


def test_a_conversation_out_of_sight_cannot_be_answered(agent: Person) -> None:
    assert agent.post("/message/1/", conversation=4711, text="x").status_code == 404


def test_a_long_message_comes_in_as_json_and_as_a_form(agent: Person) -> None:
    long = first(html="<p>" + "x" * 1_900_000 + "</p>")
    assert agent.post("/conversation/", **long).status_code == 202
    # As bytes, because the test client leaves the file open into which it puts a long form.
    boundary, body = encode_multipart({"message": json.dumps(long)})
    kind = f"multipart/form-data; boundary={boundary}"
    sent = agent.send("POST", "/conversation/", data=body, content_type=kind)
    assert sent.status_code == 202


def test_the_number_of_statements_does_not_grow_with_the_recipients(crm: Crm) -> None:
    agent, costs = crm.person(), []
    assert agent.post("/conversation/", **first()).status_code == 202
    for number in (2, 40):
        people = [{"email": f"p{number}-{each}@example.org"} for each in range(number)]
        with statements(crm.engine) as executed:
            assert agent.post("/conversation/", **first(recipients=people)).status_code == 202
        costs.append(len(executed))
    assert costs[0] == costs[1]


def test_a_message_can_be_sent_later_or_leave_time_to_take_it_back(crm: Crm, agent: Person) -> None:
    later = agent.post("/conversation/", **first(send_at="2027-01-01T08:00:00+01:00")).json
    undone = agent.post("/conversation/", **first(undo=True)).json
    for ids in (later, undone):
        [waiting] = found(crm, "messagefollower", id=ids["messagefollowers"][0])
        assert waiting["state"] == "queued"
        assert str(waiting["reason"]).startswith("To be sent at")


def test_a_time_without_its_zone_or_in_the_past_is_refused(crm: Crm, agent: Person) -> None:
    for when in ("2027-01-01T08:00:00", "2001-01-01T08:00:00+00:00", "tomorrow"):
        answer = agent.post("/conversation/", **first(send_at=when))
        assert answer.status_code == 422
        assert "send_at" in answer.json["errors"]
    assert found(crm, "conversationmessage") == []
