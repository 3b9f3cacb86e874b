"""The log, the audit log and the jobs, as administrators read them."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest
from sqlalchemy import select

from limepkg_email import event_log
from limepkg_email.engine.webhook import MessageComplaint
from limepkg_email.event_log import Level
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.outgoing.status import apply_delivery_event, mark_failed
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import NewJob
from tests.incoming.arriving import arriving

from .crm import NOW, Crm, Person

TASK = "limepkg_email.tasks.tasks.touch_inbox"


@pytest.fixture
def admin(crm: Crm) -> Person:
    return crm.person("administrator")


def failed_jobs(crm: Crm, count: int) -> list[int]:
    with crm.engine.begin() as connection:
        jobs.enqueue(connection, [NewJob(TASK, {"account": "x"}) for _ in range(count)], NOW)
        ids = []
        while job := jobs.claim(connection, NOW, timedelta(seconds=60)):
            jobs.set_aside(connection, job, NOW, "The engine does not know the account.")
            ids.append(job.id)
    return ids


def test_the_log_is_read_by_level_and_account(crm: Crm, admin: Person) -> None:
    with crm.engine.begin() as connection:
        event_log.note(
            connection, NOW, Level.ERROR, "import_failed", "It broke.", account="support"
        )
        event_log.note(connection, NOW, Level.WARNING, "complaint", "Unwanted.", messagefollower=3)
    everything = admin.get("/log/").json
    assert [each["code"] for each in everything["items"]] == ["complaint", "import_failed"]
    assert everything["total"] == 2
    assert everything["items"][0]["details"] == {"messagefollower": 3}
    assert [each["code"] for each in admin.get("/log/", level="error").json["items"]] == [
        "import_failed"
    ]
    of_account = admin.get("/log/", account=crm.account.id).json
    assert [each["text"] for each in of_account["items"]] == ["It broke."]
    assert admin.get("/log/", limit=1, offset=1).json["items"][0]["code"] == "import_failed"


def test_failed_jobs_are_counted_listed_and_tried_again(crm: Crm, admin: Person) -> None:
    one, two = failed_jobs(crm, 2)
    listed = admin.get("/jobs/").json
    assert (listed["counts"]["failed"], listed["total"]) == (2, 2)
    assert [each["id"] for each in listed["items"]] == [two, one]
    assert listed["items"][0]["reason"] == "The engine does not know the account."
    answer = admin.post("/jobs/retry/", ids=[one])
    assert (answer.status_code, answer.json) == (202, {"retried": 1})
    assert admin.post("/jobs/retry/", ids=[one]).json == {"retried": 0}
    assert admin.post("/jobs/retry/").json == {"retried": 1}
    assert admin.get("/jobs/").json["counts"]["queued"] == 2


def test_who_retried_jobs_stands_in_the_audit_log_once(crm: Crm, admin: Person) -> None:
    (one,) = failed_jobs(crm, 1)
    for _ in range(2):
        admin.post("/jobs/retry/", ids=[one])
    audited = admin.get("/audit/", subject="job").json
    assert audited["total"] == 1
    assert audited["items"][0]["user_name"] == "Administrator"
    assert audited["items"][0]["after"] == {"ids": [one]}
    assert admin.get("/audit/", subject="job", subject_id="7").json["total"] == 0


@pytest.mark.parametrize("path", ["/log/", "/audit/", "/jobs/", "/receipts/", "/health/engine"])
def test_only_administrators_look_there(crm: Crm, path: str) -> None:
    assert crm.nobody().get(path).status_code == 401
    assert crm.person("agent").get(path).status_code == 403


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/log/", {"level": "loud"}, "level"),
        ("/log/", {"account": "-1"}, "account"),
        ("/log/", {"limit": "201"}, "limit"),
        ("/log/", {"offset": str(2**60)}, "offset"),
        ("/audit/", {"subject": ""}, "subject"),
        ("/audit/", {"odd": "1"}, "odd"),
        ("/jobs/", {"limit": "0"}, "limit"),
    ],
)
def test_odd_filters_are_refused_by_name(
    admin: Person, path: str, query: dict[str, str], field: str
) -> None:
    answer = admin.get(path, **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.parametrize("ids", ["all", [0], ["1"], [1] * 501, 7])
def test_odd_ids_of_jobs_are_refused(admin: Person, ids: object) -> None:
    assert admin.post("/jobs/retry/", ids=ids).status_code == 422


def test_the_log_of_an_account_that_is_not_there_is_not_found(admin: Person) -> None:
    assert admin.get("/log/", account=4711).status_code == 404


def logged(crm: Crm) -> list[tuple[str, str]]:
    services = crm.integration.services("crm")
    entries, _ = event_log.listing(services)
    return [(each.code, each.account) for each in entries]


def test_a_delivery_report_about_nothing_of_ours_is_logged_once(crm: Crm) -> None:
    headers = {"content-type": "multipart/report; report-type=delivery-status"}
    report = arriving("Undelivered", sender="mailer-daemon@example.org", headers=headers)
    for _ in range(2):
        import_message(crm.integration.services("crm"), "support", report)
    assert logged(crm) == [("bounce_unlinked", "support")]


def test_mails_that_are_given_up_and_complaints_are_logged_once(crm: Crm) -> None:
    agent, services = crm.person(), crm.integration.services("crm")
    to = [{"email": f"{each}@example.org", "name": ""} for each in ("anna", "bo")]
    first = {"subject": "Hello", "html": "<p>Hello</p>", "recipients": to}
    assert agent.post("/conversation/", account=crm.account.id, **first).status_code == 202
    with crm.engine.connect() as connection:
        one, two = connection.execute(select(OUTBOX.c.guid, OUTBOX.c.message_id)).all()
    for _ in range(2):
        mark_failed(services, one.guid, "550 no such user")
    complaint = MessageComplaint(
        **{each.name: "" for each in fields(MessageComplaint)}
        | {"account": "support", "message_id": two.message_id, "recipients": (), "date": NOW}
    )
    for _ in range(2):
        apply_delivery_event(services, complaint)
    assert logged(crm) == [("complaint", "support"), ("send_failed", "support")]
