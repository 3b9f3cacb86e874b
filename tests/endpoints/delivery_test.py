"""Sending mails again and cancelling them, over HTTP."""

from __future__ import annotations

import pytest

from .crm import Crm, Person

ANNA = {"email": "anna@example.org", "name": "Anna"}


def written(crm: Crm, agent: Person) -> tuple[int, int]:
    """A message with one mail that waits; gives their ids."""
    first = {"subject": "Hello", "html": "<p>Hello</p>", "recipients": [ANNA]}
    ids = agent.post("/conversation/", account=crm.account.id, **first).json
    return ids["conversationmessage"], ids["messagefollowers"][0]


def test_a_message_is_taken_back_and_sent_after_all(crm: Crm, agent: Person) -> None:
    message, mail = written(crm, agent)
    answer = agent.post(f"/message/{message}/cancel/")
    assert answer.status_code == 200
    assert answer.json["cancelled"] == [mail]
    assert (answer.json["left"], answer.json["documents"]) == ([], [])
    assert (answer.json["subject"], answer.json["html"]) == ("Hello", "<p>Hello</p>")
    again = agent.send(
        "POST",
        f"/message-follower/{mail}/resend/",
        json={},
        headers={"Idempotency-Key": "click"},
    )
    assert (again.status_code, again.json["repeated"]) == (202, False)
    once_more = agent.post(f"/message-follower/{mail}/resend")
    assert (once_more.status_code, once_more.json["repeated"]) == (202, True)
    feed = agent.get("/feed/", limetype="conversation", id=answer.json["conversation"]).json[
        "items"
    ]
    assert [each["state"] for each in feed[0]["recipients"]] == ["queued"]


def test_one_mail_is_cancelled(crm: Crm, agent: Person) -> None:
    _, mail = written(crm, agent)
    answer = agent.post(f"/message-follower/{mail}/cancel/")
    assert (answer.status_code, answer.json) == (200, {"messagefollower": mail})


def test_a_mail_that_has_left_answers_conflict(crm: Crm, agent: Person) -> None:
    message, mail = written(crm, agent)
    with crm.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE limepkg_email_outbox SET state = 'sent'")
        connection.exec_driver_sql("UPDATE messagefollower SET state = 'sent'")
    assert agent.post(f"/message/{message}/cancel/").status_code == 409
    assert agent.post(f"/message-follower/{mail}/cancel/").status_code == 409
    assert agent.post(f"/message-follower/{mail}/resend/").status_code == 409
    assert agent.post(f"/message-follower/{mail}/resend/", sent=True).status_code == 202


@pytest.mark.parametrize(
    "path",
    ["/message/4711/cancel/", "/message-follower/4711/cancel/", "/message-follower/4711/resend/"],
)
def test_what_is_not_there_is_not_found_and_unknown_fields_are_refused(
    agent: Person, path: str
) -> None:
    assert agent.post(path).status_code == 404
    assert agent.post(path, odd=1).status_code == 422
