from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from limepkg_email import EmailIntegration
from limepkg_email.db import table
from limepkg_email.endpoints.webhook import BODY_LIMIT, IGNORED, TASKS
from limepkg_email.engine.webhook import signature
from limepkg_email.models import Account, Counter, Job, JobState
from limepkg_email.query import Equals
from limepkg_email.schema.webhook import MAX_TEXT
from limepkg_email.tasks.registry import TaskRegistry
from limepkg_email.tasks.threads import ThreadRunner
from limepkg_email.tasks.worker import Worker

from .crm import PREFIX, SECRET, Capture, Crm, capture, captures, statements

MAIL = "limepkg_email.tasks.tasks.message_to_limeobjects"


def deliver(crm: Crm, given: Capture, path: str = "/webhook/", **headers: str) -> int:
    client = crm.app.test_client()
    return client.post(
        PREFIX + path, data=given.body, headers={**given.headers, **headers}
    ).status_code


def signed(crm: Crm, body: bytes, **headers: str) -> int:
    given = {"X-EE-Wh-Signature": signature(SECRET, body), "X-EE-Wh-Event-Id": "an-id", **headers}
    return deliver(crm, Capture("made", given, body))


def counted(crm: Crm) -> dict[str, int]:
    counter = table(Counter)
    with crm.engine.connect() as connection:
        rows = connection.execute(select(counter.c.name, counter.c.value))
        return {row.name: row.value for row in rows}


@pytest.mark.parametrize("given", captures(), ids=lambda each: each.name)
def test_every_captured_webhook_is_acknowledged(crm: Crm, given: Capture) -> None:
    event = json.loads(given.body)["event"]
    assert deliver(crm, given) == (204 if event in IGNORED else 202)
    assert [each.task for each in crm.jobs()] == ([TASKS[event]] if event in TASKS else [])


def test_a_mail_becomes_one_job_with_the_body_as_it_came(any_crm: Crm) -> None:
    given = capture("webhook-messageNew-weird")
    assert deliver(any_crm, given) == 202
    with any_crm.engine.connect() as connection:
        row = connection.execute(select(table(Job))).one()
    assert (row.task, row.created_at) == (MAIL, any_crm.now)
    assert row.payload.encode() == given.body


@pytest.mark.parametrize("name", ["webhook-messageNew-full", "webhook-messageSent"])
def test_a_webhook_costs_exactly_one_statement(any_crm: Crm, name: str) -> None:
    with statements(any_crm.engine) as executed:
        assert deliver(any_crm, capture(name)) == 202
    assert len(executed) == 1
    assert executed[0].startswith("INSERT INTO limepkg_email_job")


def test_a_webhook_that_nobody_handles_costs_no_statement(crm: Crm) -> None:
    with statements(crm.engine) as executed:
        assert deliver(crm, capture("webhook-mailboxNew")) == 204
    assert executed == []


def test_the_same_event_once_more_does_nothing(any_crm: Crm) -> None:
    given = capture("webhook-messageNew-full")
    assert [deliver(any_crm, given) for _ in range(3)] == [202, 202, 202]
    assert len(any_crm.jobs()) == 1


@pytest.mark.parametrize("name", ["messageNew-full", "messageSent", "authenticationError"])
def test_who_recorded_a_webhook_gains_nothing_by_another_event_id(any_crm: Crm, name: str) -> None:
    """The signature covers the body alone, so the id in the header proves nothing."""
    given = capture(f"webhook-{name}")
    ids = ["", "x" * 65, *(f"forged-{number}" for number in range(20))]
    assert deliver(any_crm, given) == 202
    assert {deliver(any_crm, given, **{"X-EE-Wh-Event-Id": each}) for each in ids} == {202}
    assert len(any_crm.jobs()) == 1


def test_a_webhook_sent_again_when_its_job_is_forgotten_doubles_no_mail(any_crm: Crm) -> None:
    """Finished jobs are removed after a while; the receipt of the mail stays."""
    crm = any_crm
    mail = {
        "id": "AAAAAQAAAAE",
        "uid": 1,
        "path": "INBOX",
        "date": crm.now.isoformat(),
        "subject": "Once",
        "from": {"name": "", "address": "anna@example.org"},
        "messageId": "<once@example.org>",
        "headers": {"from": ["anna@example.org"]},
        "text": {"plain": "Hello"},
    }
    event = {"event": "messageNew", "account": "support", "path": "INBOX", "data": mail}
    worker = Worker(crm.integration.services, TaskRegistry(crm.integration.get_task_modules()))
    for number in range(3):
        body = json.dumps(event).encode()
        assert signed(crm, body, **{"X-EE-Wh-Event-Id": f"id-{number}"}) == 202
        assert worker.work("crm") == 1
        with crm.engine.begin() as connection:
            connection.execute(delete(table(Job)))
    with crm.application.unit_of_work() as work:
        assert work.objects.count("conversationmessage", Equals("subject", "Once")) == 1


def test_different_events_under_one_event_id_are_all_taken_in(crm: Crm) -> None:
    for number in range(3):
        body = json.dumps({"event": "messageNew", "account": "support", "data": number}).encode()
        assert signed(crm, body) == 202
    assert len(crm.jobs()) == 3


class Unread:
    """The body of a request that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("somebody reads it")

    readline = read


@pytest.mark.parametrize(
    ("given", "length", "status"),
    [
        (None, 100, 401),
        ("", 100, 401),
        ("short", 100, 401),
        ("A" * 44, 100, 401),
        ("A" * 42 + "=", 100, 401),
        ("A" * 43, BODY_LIMIT + 1, 413),
        ("A" * 43, 10**12, 413),
    ],
)
def test_what_is_refused_by_its_headers_is_not_read(
    crm: Crm, given: str | None, length: int, status: int
) -> None:
    response = crm.app.test_client().open(
        PREFIX + "/webhook/",
        method="POST",
        headers={} if given is None else {"X-EE-Wh-Signature": given},
        environ_overrides={"CONTENT_LENGTH": str(length), "wsgi.input": Unread()},
    )
    assert response.status_code == status
    assert crm.jobs() == []


def test_an_empty_body_is_never_acknowledged(crm: Crm) -> None:
    """EmailEngine sends one, under the headers of the true request, after a lost connection."""
    given = capture("webhook-empty-body-resend")
    assert deliver(crm, Capture("resend", given.headers, b"")) == 401
    assert deliver(crm, Capture("unsigned", {}, b"")) == 401
    assert signed(crm, b"") == 400
    assert crm.jobs() == []


@pytest.mark.parametrize("wrong", ["", "nonsense", "ÿ", signature("another-secret", b"{}")])
def test_a_wrong_signature_is_refused_before_the_body_is_read(crm: Crm, wrong: str) -> None:
    given = capture("webhook-messageNew-full")
    with statements(crm.engine) as executed:
        assert deliver(crm, given, **{"X-EE-Wh-Signature": wrong}) == 401
        assert deliver(crm, Capture("no json", {"X-EE-Wh-Signature": wrong}, b"[")) == 401
    assert executed == []


def test_a_changed_body_is_refused(crm: Crm) -> None:
    given = capture("webhook-messageNew-full")
    assert deliver(crm, Capture("changed", given.headers, given.body + b" ")) == 401


@pytest.mark.parametrize(
    "body", [b"[", b"[]", b"{}", b'{"event":1}', b'{"event":""}', b"[" * 99999]
)
def test_what_names_no_event_is_a_bad_request(crm: Crm, body: bytes) -> None:
    assert signed(crm, body) == 400


@pytest.mark.parametrize(
    "subject",
    [
        b"half \xed\xa0\xbd an emoji",
        b"a \x00 and a \x1b",
        b'a \\u0000 \\ud83d "'.replace(b'"', b""),
    ],
)
def test_a_strange_character_does_not_keep_the_mail_out(any_crm: Crm, subject: bytes) -> None:
    body = b'{"event":"messageNew","account":"a","data":{"subject":"' + subject + b'"}}'
    assert signed(any_crm, body) == 202
    with any_crm.engine.connect() as connection:
        payload = connection.execute(select(table(Job).c.payload)).scalar_one()
    assert json.loads(payload)["event"] == "messageNew"


def test_unknown_events_are_acknowledged_and_counted(any_crm: Crm) -> None:
    for event in ("brandNew", "brandNew", "x" * 500, "odd\x07\u00e9"):
        body = json.dumps({"event": event, "account": "a"}).encode()
        assert signed(any_crm, body) == 202
    assert counted(any_crm) == {
        "webhook.unknown:brandNew": 2,
        "webhook.unknown:" + "x" * 64: 1,
        "webhook.unknown:odd__": 1,
    }
    assert any_crm.jobs() == []


def test_a_body_above_the_limit_is_refused(crm: Crm) -> None:
    headers, body = {"X-EE-Wh-Signature": "A" * 43}, b"x" * (BODY_LIMIT + 1)
    response = crm.nobody().send("POST", "/webhook/", data=body, headers=headers)
    assert (response.status_code, response.json["code"]) == (413, "request_entity_too_large")


def test_the_largest_mail_that_the_engine_is_told_to_send_fits() -> None:
    worst = "\x00" * MAX_TEXT
    texts = {"plain": worst, "html": worst}
    body = {"event": "messageNew", "account": "a", "data": {"text": texts}}
    assert len(json.dumps(body).encode()) < BODY_LIMIT - 1024 * 1024


def test_a_mail_larger_than_the_hosts_own_limit_comes_in(crm: Crm) -> None:
    crm.app.config["MAX_CONTENT_LENGTH"] = 1000
    body = json.dumps({"event": "messageNew", "data": "x" * 5000}).encode()
    assert signed(crm, body) == 202


def test_without_a_job_table_the_engine_is_asked_to_try_again(tmp_path: Path) -> None:
    crm = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path)
    given = capture("webhook-messageNew-full")
    response = crm.nobody().send("POST", "/webhook/", data=given.body, headers=given.headers)
    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    crm.host.close()


def test_a_database_that_is_away_is_never_an_acknowledgement(tmp_path: Path) -> None:
    crm = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path)
    crm.host.close()
    (tmp_path / "crm.sqlite").unlink()
    (tmp_path / "crm.sqlite").mkdir()
    assert deliver(crm, capture("webhook-messageNew-full")) == 503


def test_an_application_that_the_host_does_not_know_is_not_found(crm: Crm) -> None:
    given = capture("webhook-messageNew-full")
    response = crm.app.test_client().post(
        "/other/limepkg-email/webhook/", data=given.body, headers=given.headers
    )
    assert (response.status_code, '"not_found"' in response.text) == (404, True)


def test_only_posts_are_webhooks(crm: Crm) -> None:
    response = crm.app.test_client().get(PREFIX + "/webhook/")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_the_workers_are_woken_and_do_nothing_in_the_request(crm: Crm) -> None:
    woken: list[str] = []

    def work(application: str) -> int:
        woken.append(application)
        return 0

    crm.runner.start(work, lambda: ["crm"])
    assert deliver(crm, capture("webhook-messageNew-full")) == 202
    assert woken == []
    crm.runner.paused = False
    crm.runner.wake("crm")
    assert woken == ["crm"]


def test_both_forms_of_the_path_work(crm: Crm) -> None:
    assert deliver(crm, capture("webhook-messageNew-full"), "/webhook") == 202
    assert len(crm.jobs()) == 1


def test_the_answer_does_not_wait_for_the_workers(crm: Crm) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(application: str) -> int:
        begun.set()
        go_on.wait(10)
        return 0

    runner = ThreadRunner(1)
    integration = EmailIntegration(crm.host, runner=runner, load_entry_points=False)
    app = Flask("threads")
    integration.register_blueprint(app)
    runner.start(work, lambda: ["crm"])
    assert begun.wait(10)
    given = capture("webhook-messageNew-full")
    client = app.test_client()
    response = client.post(PREFIX + "/webhook/", data=given.body, headers=given.headers)
    assert (response.status_code, go_on.is_set()) == (202, False)
    go_on.set()
    runner.stop()


def test_a_started_integration_does_what_the_webhook_asks_for(crm: Crm) -> None:
    integration = EmailIntegration(crm.host, load_entry_points=False)
    integration.start()
    body = json.dumps(
        {"event": "connectError", "account": "support", "data": {"response": "refused"}}
    ).encode()
    assert signed(crm, body) == 202
    integration.services("crm").wake()
    deadline = time.monotonic() + 10
    while crm.jobs()[0].state is not JobState.DONE and time.monotonic() < deadline:
        time.sleep(0.02)
    integration.stop()
    with crm.engine.connect() as connection:
        [error] = connection.execute(select(table(Account).c.last_error)).scalars()
    assert error == "refused"
