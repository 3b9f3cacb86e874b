"""Requests made to break something, by people who may call the endpoints but see or send little."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from limepkg_email.reference.access import Access, Role

from .crm import SECRETS, Crm, Person

BODIES = {
    "nested without end": b"[" * 200_000,
    "objects without end": b'{"a":' * 100_000,
    "a number without end": b'{"conversation":' + b"1" * 5_000 + b"}",
}
TABLES = (
    "helpdesk", "conversation", "conversationmessage", "messagefollower", "follower", "document",
    "embeddedfile", "textsnippet", "crm_file", "limepkg_email_outbox", "limepkg_email_job",
    "limepkg_email_thread",
)  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
EVERYTHING_BUT = {
    "conversations": {"*": "crud", "conversation": ""},
    "messages": {"*": "crud", "conversationmessage": "", "messagefollower": ""},
    "anything of mail": {
        "*": "crud",
        "conversation": "",
        "conversationmessage": "",
        "messagefollower": "",
        "follower": "",
        "document": "",
        "embeddedfile": "",
        "textsnippet": "",
    },
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("path", ["/read/", "/conversation/"])
def test_json_that_no_parser_can_read_is_a_bad_request(
    agent: Person, path: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    found = agent.send("POST", path, data=body, headers=headers)
    assert (found.status_code, found.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_json_of_a_form_that_no_parser_can_read_is_a_bad_request(
    agent: Person, body: bytes
) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    given = {"message": body.decode()}
    found = agent.send("POST", "/conversation/", data=given, headers=headers)
    assert (found.status_code, found.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("name", "moment"),
    [("since", "0001-01-01T00:00:00+14:00"), ("until", "9999-12-31T23:59:59-14:00")],
)
def test_an_instant_that_is_none_in_utc_is_named(any_crm: Crm, name: str, moment: str) -> None:
    found = any_crm.person("administrator").get("/receipts/", **{name: moment})
    assert (found.status_code, list(found.json["errors"])) == (422, [name])


class Scene:
    """A conversation with a mail, a file, a picture and an answer that waits."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.conversation = crm.conversation(messages=1)
        self.other = crm.conversation(messages=1)
        with crm.application.unit_of_work() as work:
            found = work.objects.get("conversation", self.conversation)
            self.ticket = found["helpdesk"]
        agent = crm.person("agent", "writer")
        self.mail = self._first("conversationmessage")
        stored = crm.application.files.create("secret.txt", "text/plain", io.BytesIO(b"secret"))
        self.document = crm.add(
            "document", comment="secret.txt", document=stored.id, conversationmessage=self.mail
        )
        stored = crm.application.files.create("secret.png", "image/png", io.BytesIO(PNG))
        self.picture = crm.add(
            "embeddedfile", contentid="a@x", file=stored.id, conversationmessage=self.mail
        )
        sent = agent.post(
            "/message/1/", conversation=self.conversation, html="<p>Secret answer</p>"
        ).json
        self.answer = sent["conversationmessage"]
        self.waiting = sent["messagefollowers"][0]
        self.follower = self._first("follower")
        self.snippet = crm.add("textsnippet", title="Secret", text="<p>Secret snippet</p>")
        self.template = crm.person("administrator").post(
            "/template/", name="T", purpose="message", language="en",
            subject="{{ conversation.subject }}", body="<p>{{ message.body }}</p>",
        ).json["id"]  # fmt: skip

    def _first(self, limetype: str) -> int:
        with self.crm.engine.connect() as connection:
            statement = f"SELECT min(id) FROM {limetype}"
            return int(connection.exec_driver_sql(statement).scalar_one())

    def dump(self, tables: Iterable[str] = TABLES) -> str:
        """Everything in the database that belongs to mail, but for drafts."""
        with self.crm.engine.connect() as connection:
            return json.dumps(
                [
                    [list(map(str, row)) for row in rows]
                    for each in tables
                    if (rows := connection.exec_driver_sql(f"SELECT * FROM {each} ORDER BY 1"))
                ]
            )

    def reads(self) -> Iterator[tuple[str, dict[str, Any]]]:
        c, m = self.conversation, self.mail
        yield "/feed/", {"limetype": "helpdesk", "id": self.ticket}
        yield "/feed/", {"limetype": "conversation", "id": c}
        yield "/unread/", {"limetype": "helpdesk", "ids": self.ticket}
        yield "/composer/", {"conversation": c}
        yield "/recipients/", {"conversation": c}
        yield "/recipients/", {"conversation": c, "q": "anna"}
        yield "/recipients/", {"limetype": "helpdesk", "id": self.ticket}
        yield "/draft/", {"conversation": c}
        yield "/messages/documents", {"ids": f"{m},{self.answer}"}
        yield f"/message/{m}/body", {}
        yield f"/message/{m}/body", {"part": "complete"}
        yield f"/message/{self.answer}/body", {}
        yield f"/message/{m}/trace/", {}
        yield f"/message/{self.answer}/trace/", {}
        yield f"/embedded-file/{self.picture}", {}
        yield "/snippet/", {}
        yield f"/snippet/{self.snippet}/", {}
        yield f"/template/{self.template}/render/", {"conversation": c}

    def writes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        c, m, anna = self.conversation, self.mail, [{"email": "eve@example.org"}]
        yield "POST", "/conversation/", {
            "account": 1, "subject": "x", "html": "x", "recipients": anna,
            "documents": [self.document],
        }  # fmt: skip
        yield "POST", "/message/1/", {"conversation": c, "html": "x"}
        yield "POST", "/message/1/", {"conversation": c, "html": "x", "newest_message": 0}
        yield "POST", "/message/1/", {"conversation": c, "html": "x", "recipients": anna}
        yield "POST", f"/message/{m}/forward/", {"recipients": anna}
        yield "POST", f"/message/{m}/forward/", {"recipients": anna, "account": 1, "follow": True}
        yield "POST", f"/message-follower/{self.waiting}/resend/", {"sent": True}
        yield "POST", f"/message-follower/{self.waiting}/cancel/", {}
        yield "POST", f"/message/{self.answer}/cancel/", {}

    def changes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        c, m, other = self.conversation, self.mail, self.other
        parent = {"limetype": "helpdesk", "id": self.ticket}
        yield "POST", f"/message/{m}/move/", {"conversation": other}
        yield "POST", f"/message/{m}/split/", {}
        yield "POST", f"/message/{m}/split/", {"parent": parent, "subject": "x"}
        yield "POST", f"/conversation/{c}/merge/", {"conversation": other}
        yield "POST", f"/conversation/{other}/merge/", {"conversation": c}
        yield "POST", "/follower/", {"conversation": c, "email": "eve@example.org"}
        yield "PUT", f"/follower/{self.follower}/", {"active": False}
        yield "POST", "/read/", {"conversation": c, "read": False}
        yield "POST", "/read/", {"conversation": c, "messages": [m]}
        yield "POST", f"/force-reload-message/{m}/", {}
        yield "PUT", f"/snippet/{self.snippet}/", {"title": "x", "text": "x"}
        yield "DELETE", f"/snippet/{self.snippet}/", {}


def as_role(crm: Crm, access: dict[str, str], *permissions: str) -> Person:
    role = Role("narrow", ("email.use", *permissions), Access(access))
    crm.host.application("crm").users.add_role(role)
    return crm.person("narrow")


def test_who_sees_nothing_of_mail_learns_and_changes_nothing_of_it(crm: Crm) -> None:
    scene = Scene(crm)
    narrow = as_role(crm, EVERYTHING_BUT["anything of mail"], "email.send_as:*")
    before = scene.dump()
    for path, query in scene.reads():
        found = narrow.get(path, **query)
        assert found.status_code in (200, 403, 404), path
        for each in ("anna", "Broken", "Mail 0", "secret", "Secret"):
            assert each.lower() not in found.text.lower(), (path, query, found.text)
    for method, path, body in [*scene.writes(), *scene.changes()]:
        found = narrow.send(method, path, json=body)
        assert found.status_code in (403, 404, 422), (path, found.status_code)
        for each in ("anna", "Broken", "Mail 0", "Secret"):
            assert each not in found.text, (path, found.text)
    assert scene.dump() == before


@pytest.mark.parametrize("hidden", ["conversations", "messages"])
def test_who_sees_a_part_of_mail_changes_nothing_of_the_other_part(crm: Crm, hidden: str) -> None:
    scene = Scene(crm)
    access = EVERYTHING_BUT[hidden]
    narrow = as_role(crm, access, "email.send_as:*")
    tables = [each for each in access if each != "*"]
    before = scene.dump(tables)
    for path, query in scene.reads():
        assert narrow.get(path, **query).status_code in (200, 403, 404), path
    for method, path, body in [*scene.writes(), *scene.changes()]:
        if path != "/conversation/":  # that has nothing to do with what is hidden
            found = narrow.send(method, path, json=body)
            assert found.status_code < 500, (path, found.text)
            assert scene.dump(tables) == before, (path, found.text)


def test_who_may_only_read_changes_nothing(crm: Crm) -> None:
    scene = Scene(crm)
    narrow = as_role(crm, {"*": "r"}, "email.send_as:*")
    before = scene.dump()
    for method, path, body in [*scene.writes(), *scene.changes()]:
        found = narrow.send(method, path, json=body)
        refused = found.status_code in (403, 409) or found.json.get("repeated")
        assert refused, (path, found.status_code, found.text)
    assert scene.dump() == before


@pytest.mark.parametrize("permissions", [(), ("email.send_as:another",)])
def test_who_may_send_from_no_account_here_sends_and_cancels_nothing(
    crm: Crm, permissions: tuple[str, ...]
) -> None:
    scene = Scene(crm)
    narrow = as_role(crm, {"*": "crud"}, *permissions)
    before = scene.dump()
    for method, path, body in scene.writes():
        found = narrow.send(method, path, json=body)
        allowed = (403, 409) if body.get("newest_message") == 0 else (403,)
        assert found.status_code in allowed, (path, found.status_code, found.text)
    rendered = narrow.get(f"/template/{scene.template}/render/", account=1)
    assert rendered.status_code == 403
    assert scene.dump() == before


def test_nothing_is_sent_from_a_disabled_account_whatever_the_way(crm: Crm) -> None:
    scene = Scene(crm)
    agent = crm.person("agent")
    with crm.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE limepkg_email_account SET enabled = false")
        connection.exec_driver_sql("UPDATE limepkg_email_outbox SET state = 'failed'")
        connection.exec_driver_sql(
            f"UPDATE messagefollower SET state = 'failed' WHERE id = {scene.waiting}"
        )
    before = scene.dump()
    for method, path, body in scene.writes():
        found = agent.send(method, path, json=body)
        assert found.status_code in (409, 422), (path, found.status_code, found.text)
    assert scene.dump() == before


def test_the_trace_withholds_addresses_of_followers_whom_the_user_may_not_see(crm: Crm) -> None:
    scene = Scene(crm)
    narrow = as_role(crm, {"*": "r", "follower": ""})
    found = narrow.get(f"/message/{scene.answer}/trace/")
    assert found.status_code == 200
    assert "anna@example.org" not in found.text
    assert [each["code"] for each in found.json["entries"]].count("withheld") == 1
    seen = crm.person("reader").get(f"/message/{scene.answer}/trace/")
    assert "anna@example.org" in seen.text


@pytest.mark.parametrize("application", ['"><script>alert(1)<', "'onload=x", "\\evil.example"])
def test_the_page_of_the_api_takes_nothing_over_from_its_address(
    crm: Crm, application: str
) -> None:
    client = crm.app.test_client()
    found = client.get(f"/{application}/limepkg-email/documentation/")
    assert "<script>alert" not in found.text
    assert "\\evil" not in found.text


def test_secrets_are_not_in_what_a_debugger_or_a_log_writes_of_the_services(crm: Crm) -> None:
    services = crm.integration.anonymous_services("crm")
    for secret in SECRETS.values():
        assert secret not in repr(services.config)
        assert secret not in repr(services)
