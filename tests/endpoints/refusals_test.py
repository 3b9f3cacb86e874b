"""Messages that must not be sent: each is refused with its reason, and nothing of it is written."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from limepkg_email.endpoints.permissions import SMALL

from .crm import PREFIX, Crm, Person

ANNA = {"email": "anna@example.org", "name": "Anna"}
TABLES = (
    "helpdesk", "conversation", "conversationmessage", "messagefollower", "follower", "document",
    "embeddedfile", "crm_file", "limepkg_email_outbox", "limepkg_email_job",
    "limepkg_email_thread",
)  # fmt: skip


def rows(crm: Crm) -> dict[str, int]:
    """How many rows each table has in which a message leaves something."""
    with crm.engine.connect() as connection:
        return {
            each: int(connection.exec_driver_sql(f"SELECT count(*) FROM {each}").scalar_one())
            for each in TABLES
        }


def first(**values: object) -> dict[str, Any]:
    given = {"account": 1, "subject": "Hello", "html": "<p>Hello</p>", "recipients": [ANNA]}
    return {**given, **values}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"subject": "two\r\nBcc: eve@example.org"}, "subject"),
        ({"subject": "nothing\x00here"}, "subject"),
        ({"subject": "x" * 513}, "subject"),
        ({"recipients": [{**ANNA, "name": "Anna\r\nBcc: eve@example.org"}]}, "recipients"),
        ({"recipients": [{**ANNA, "name": "Anna\x00"}]}, "recipients"),
        ({"recipients": [{"email": "anna@example.org\r\nBcc: eve@example.org"}]}, "recipients"),
        ({"recipients": [{"email": "anna"}]}, "recipients"),
        ({"recipients": [{"email": "anna@"}]}, "recipients"),
        ({"recipients": [{"email": "@example.org"}]}, "recipients"),
        ({"recipients": [{"email": "a@b@c@"}]}, "recipients"),
        ({"recipients": [{"email": ""}]}, "recipients"),
        ({"recipients": [{"email": f"p{n}@example.org"} for n in range(5_000)]}, "recipients"),
        ({"html": ""}, "html"),
        ({"html": "<p> </p><br>"}, "html"),
        ({"html": '<img src="data:image/png;base64,bm8gaW1hZ2U=">'}, "html"),
        ({"html": '<img src="cid:of-another-mail@x">'}, "html"),
    ],
)
def test_what_cannot_be_sent_is_refused_whole(
    any_crm: Crm, wrong: dict[str, Any], field: str
) -> None:
    agent = any_crm.person()
    conversation = any_crm.conversation(messages=1)
    before = rows(any_crm)
    begun = agent.post("/conversation/", **first(**wrong))
    assert (begun.status_code, list(begun.json["errors"])) == (422, [field])
    reply = {key: value for key, value in first(**wrong).items() if key != "account"}
    answered = agent.post("/message/1/", conversation=conversation, **reply)
    assert (answered.status_code, list(answered.json["errors"])) == (422, [field])
    assert all(len(each) < 600 for each in answered.json["errors"][field])
    assert rows(any_crm) == before


def test_an_account_that_one_may_not_send_from_is_forbidden(any_crm: Crm) -> None:
    conversation = any_crm.conversation(messages=1)
    with any_crm.engine.begin() as connection:
        connection.exec_driver_sql(
            """UPDATE crm_role SET permissions = '["email.use"]' WHERE name = 'agent'"""
        )
    agent = any_crm.person()
    before = rows(any_crm)
    assert agent.post("/conversation/", **first()).status_code == 403
    assert agent.post("/message/1/", conversation=conversation, text="x").status_code == 403
    assert rows(any_crm) == before


def test_a_conversation_that_one_may_not_see_is_not_found(any_crm: Crm) -> None:
    agent = any_crm.person()
    before = rows(any_crm)
    answer = agent.post("/message/1/", conversation=4711, text="x")
    assert (answer.status_code, rows(any_crm)) == (404, before)


def test_half_a_gigabyte_is_refused_without_being_read(crm: Crm, agent: Person) -> None:
    class Endless:
        """A body of which nothing should be asked for."""

        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += 1
            return b"x" * max(size, 1)

    before = rows(crm)
    for path in ("/conversation/", "/message/1/"):
        body = Endless()
        answer = agent.send(
            "POST",
            path,
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "500000000"},
        )
        assert (answer.status_code, body.asked) == (413, 0)
        assert answer.json["code"]
    assert rows(crm) == before


def test_a_picture_comes_with_the_message_and_is_seen_in_the_feed(any_crm: Crm) -> None:
    agent, picture = any_crm.person(), b"\x89PNG\r\n\x1a\n" + b"x" * SMALL
    conversation = any_crm.conversation(messages=1)
    html = f'<p>See</p><img src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
    answer = agent.post("/message/1/", conversation=conversation, html=html)
    assert answer.status_code == 202
    page = agent.get(f"/message/{answer.json['conversationmessage']}/body").text
    address = page.partition('src="')[2].partition('"')[0]
    shown = any_crm.nobody().get(address.removeprefix(PREFIX))
    assert (shown.status_code, shown.mimetype, shown.data) == (200, "image/png", picture)


def test_messages_are_signed_unless_asked_not_to_be(any_crm: Crm) -> None:
    agent = any_crm.person()
    with any_crm.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE limepkg_email_account SET signature = '<p>Your support</p>'"
        )
    signed = agent.post("/conversation/", **first()).json["conversationmessage"]
    bare = agent.post("/conversation/", **first(signature=False)).json["conversationmessage"]
    forward = {"recipients": [{"email": "bo@example.org"}], "html": "<p>Look</p>"}
    sent_on = agent.post(f"/message/{bare}/forward/", **forward).json["conversationmessage"]
    shown = [agent.get(f"/message/{each}/body").text for each in (signed, bare, sent_on)]
    assert [each.count("Your support") for each in shown] == [1, 0, 1]


def test_a_message_that_is_taken_back_and_sent_anew_is_signed_once(any_crm: Crm) -> None:
    agent = any_crm.person()
    with any_crm.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE limepkg_email_account SET signature = '<p>Your support</p>'"
        )
    first_try = agent.post("/conversation/", **first(undo=True)).json["conversationmessage"]
    back = agent.post(f"/message/{first_try}/cancel/").json
    again = agent.post("/conversation/", **first(html=back["html"])).json["conversationmessage"]
    assert agent.get(f"/message/{again}/body").text.count("Your support") == 1
