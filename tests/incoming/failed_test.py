"""Failed mails in the hands of an administrator: tried again, read, discarded, on a real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from limepkg_email import audit, event_log
from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import Conflict, NotFound
from limepkg_email.hooks import Decision, hookimpl
from limepkg_email.incoming import failed, failures
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.incoming.recovery import recover
from limepkg_email.models import Job
from limepkg_email.tasks import jobs
from tests.stack import SUPPORT, Stack, running
from tests.statements import counted

FOLDER = "Lime CRM Integration Failed"


@dataclass
class Gate:
    """An extension whose filter breaks until it is repaired."""

    name: str = "gate"
    description: str = "Breaks while it is broken."
    broken: str = "no gate"
    skip: bool = False
    asked: list[str] = field(default_factory=list)

    @hookimpl
    def message_filters(self) -> list[Gate]:
        return [self]

    def decide(self, message: Any) -> Decision | None:
        if self.broken:
            raise RuntimeError(self.broken)
        return Decision.skip("not wanted") if self.skip else None


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def stack(database_url: str, tmp_path: Path, gate: Gate) -> Iterator[Stack]:
    with running(tmp_path, database_url, extensions=[gate]) as found:
        yield found


def mail(subject: str = "Broken gate", message_id: str = "<one@example.org>") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "anna@example.org", SUPPORT, subject
    made["Date"] = format_datetime(datetime.now(UTC))
    if message_id:
        made["Message-ID"] = message_id
    made.set_content("It does not open.")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="gate.pdf")
    return made.as_bytes()


def arrived(stack: Stack, **options: Any) -> int:
    """Let a mail arrive that fails; gives its receipt."""
    stack.deliver(mail(**options))
    stack.settle()
    return int(rows(stack)[-1].id)


def rows(stack: Stack) -> list[Any]:
    with stack.installation.services.application.database.connect() as connection:
        return list(connection.execute(select(RECEIPTS).order_by(RECEIPTS.c.id)))


def place(stack: Stack) -> list[tuple[str, bool]]:
    """Where the mails lie, and whether they count as read."""
    return [(each["path"], "\\Seen" in each["flags"]) for each in stack.mailbox(SUPPORT)]


def outcomes(found: list[failed.ItemOutcome]) -> list[str]:
    return [each.outcome for each in found]


@pytest.mark.parametrize("message_id", ["<one@example.org>", ""])
def test_a_mail_is_imported_once_its_reason_is_repaired_and_returns_to_the_inbox(
    stack: Stack, gate: Gate, message_id: str
) -> None:
    receipt, services = arrived(stack, message_id=message_id), stack.installation.services
    assert place(stack) == [(FOLDER, False)]
    gate.broken = ""
    assert outcomes(failed.retry(services, [receipt])) == ["queued"]
    stack.settle()
    (row,) = rows(stack)
    assert (row.disposition, row.id, row.attempts) == ("imported", receipt, 2)
    assert place(stack) == [("INBOX", True)]
    assert [each["subject"] for each in stack.installation.all("conversationmessage")] == [
        "Broken gate"
    ]
    assert len(stack.installation.all("document")) == 1
    again = failed.retry(services, [receipt])
    assert outcomes(again) == ["imported"]
    assert "already" in again[0].message
    stack.settle()
    assert len(stack.installation.all("conversationmessage")) == 1


def test_a_mail_that_fails_again_has_one_more_attempt_and_the_new_reason(
    stack: Stack, gate: Gate
) -> None:
    receipt, services = arrived(stack), stack.installation.services
    gate.broken = "still no gate"
    failed.retry(services, [receipt])
    stack.settle()
    (row,) = rows(stack)
    assert (row.disposition, row.attempts) == ("failed", 2)
    assert "still no gate" in row.reason
    assert place(stack) == [(FOLDER, False)]


def test_a_mail_that_somebody_deleted_says_so(stack: Stack, gate: Gate) -> None:
    receipt, services = arrived(stack), stack.installation.services
    gate.broken = ""
    stack.installation.services.engine.delete_message(
        "support", rows(stack)[0].engine_id, force=True
    )
    failed.retry(services, [receipt])
    stack.settle()
    (row,) = rows(stack)
    assert (row.disposition, row.attempts) == ("failed", 2)
    assert "neither in the inbox nor in the failed folder" in row.reason
    with pytest.raises(NotFound):
        failed.raw(services, receipt)


def test_a_try_that_ended_between_import_and_move_is_finished_by_the_next_one(
    stack: Stack, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt, services = arrived(stack), stack.installation.services
    gate.broken = ""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(failed, "bring_back", die)
        with pytest.raises(Killed):
            failed.try_again(services, receipt)
    assert rows(stack)[0].disposition == "imported"
    assert place(stack) == [(FOLDER, False)]
    failed.try_again(services, receipt)
    assert place(stack) == [("INBOX", True)]
    assert len(stack.installation.all("conversationmessage")) == 1


def test_an_engine_that_is_away_leaves_the_receipt_and_is_asked_again(
    stack: Stack, gate: Gate
) -> None:
    receipt, services = arrived(stack), stack.installation.services
    gate.broken = ""
    fault = {"action": "refuse", "path": "/v1/account/*", "times": 3, "status": 503}
    stack.sandbox.control("POST", "/faults", fault)
    failed.retry(services, [receipt])
    stack.settle(90)
    (row,) = rows(stack)
    assert (row.disposition, row.attempts) == ("imported", 2)


def test_a_discarded_mail_says_by_whom_and_is_never_imported(stack: Stack, gate: Gate) -> None:
    receipt, services = arrived(stack), stack.installation.services
    failed.retry(services, [receipt])  # a try that waits must not win
    assert outcomes(failed.discard(services, [receipt, 4711])) == ["discarded", "not_found"]
    gate.broken = ""
    stack.settle()
    (row,) = rows(stack)
    who = services.application.user.name
    assert row.disposition == "filtered"
    assert row.reason.startswith(f"Discarded by {who}. It had failed: ")
    assert "no gate" in row.reason
    assert outcomes(failed.discard(services, [receipt])) == ["filtered"]
    assert outcomes(failed.retry(services, [receipt])) == ["filtered"]
    with services.application.database.begin() as connection:
        jobs.retry_failed(connection, None, services.clock())
    stack.settle()
    assert stack.installation.all("conversationmessage") == []


def test_what_an_administrator_does_is_audited_once(stack: Stack) -> None:
    receipt, services = arrived(stack), stack.installation.services
    failed.raw(services, receipt)
    for _ in range(2):
        failed.retry(services, [receipt])
    for _ in range(2):
        failed.discard(services, [receipt])
    entries, total = audit.listing(services, subject="receipt")
    assert total == 3
    assert [each.action for each in reversed(entries)] == [
        "failed_message.read",
        "failed_message.retry",
        "failed_message.discard",
    ]


def test_the_raw_mail_is_what_arrived(stack: Stack, gate: Gate) -> None:
    receipt, services = arrived(stack), stack.installation.services
    assert b"It does not open." in failed.raw(services, receipt)
    with services.application.database.begin() as connection:
        connection.execute(update(RECEIPTS).values(engine_id="AAAAAQAAAAA"))  # it was moved
    assert b"Subject: Broken gate" in failed.raw(services, receipt)
    gate.broken = ""
    failed.retry(services, [receipt])
    stack.settle()
    with pytest.raises(Conflict, match="did not fail"):
        failed.raw(services, receipt)


def test_the_first_failure_of_a_mail_stands_in_the_log_with_the_extension(stack: Stack) -> None:
    receipt, services = arrived(stack), stack.installation.services
    failed.retry(services, [receipt])
    stack.settle()
    entries, total = event_log.listing(services, account="support")
    assert (total, entries[0].code, entries[0].level) == (1, "hook_error", "error")
    assert "'gate' failed" in entries[0].text


def test_many_at_once_cost_the_same_number_of_statements(stack: Stack) -> None:
    stack.settle()  # else webhooks of the new account would be counted
    services = stack.installation.services
    row = {
        "account": "support",
        "content_key": "c",
        "disposition": "failed",
        "seen_at": services.clock(),
    }
    with services.application.database.begin() as connection:
        values = [{**row, "mail_key": str(each)} for each in range(501)]
        connection.execute(RECEIPTS.insert(), values)
    ids = [each.id for each in rows(stack)]
    counts = []
    for act in (failed.retry, failed.discard):
        for some in (ids[:1], ids[1:]):
            with counted(services.application.database) as statements:
                found = act(services, some)
            assert len(set(outcomes(found))) == 1
            counts.append(len(statements))
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]


def states(stack: Stack) -> list[tuple[str, str, bool]]:
    """State and result of the webhook jobs, and whether their payload is kept."""
    job = table(Job)
    chosen = select(job.c.state, job.c.result, job.c.payload).where(
        job.c.task.endswith("message_to_limeobjects")
    )
    with stack.installation.services.application.database.connect() as connection:
        rows = connection.execute(chosen.order_by(job.c.id)).all()
    return [(row.state, row.result or "", row.payload is not None) for row in rows]


FINISHED = ("done", jobs.SUPERSEDED, False)


@pytest.mark.parametrize("by", ["a retry", "the recovery"])
def test_the_job_that_failed_is_finished_once_the_mail_came_in_another_way(
    stack: Stack, gate: Gate, by: str
) -> None:
    receipt, services = arrived(stack), stack.installation.services
    gate.broken = "still no gate"
    failed.retry(services, [receipt])
    stack.settle()
    (first,) = [each for each in states(stack) if each[0] == "failed"]
    assert first[2], "its payload may be all that is left of the mail"
    gate.broken = ""
    if by == "a retry":
        failed.retry(services, [receipt])
        stack.settle()
    else:
        stack.installation.clock.advance(600)
        recover(services, stack.installation.accounts["support"])
    assert rows(stack)[0].disposition == "imported"
    assert "failed" not in [each[0] for each in states(stack)]
    assert FINISHED in states(stack)


def test_the_job_of_a_discarded_mail_is_finished_and_no_other(stack: Stack, gate: Gate) -> None:
    receipt, services = arrived(stack), stack.installation.services
    arrived(stack, subject="Another", message_id="<two@example.org>")
    failed.discard(services, [receipt])
    found = states(stack)
    assert FINISHED in found
    assert [each[0] for each in found].count("failed") == 1


def test_an_import_that_fails_again_leaves_its_job_failed(stack: Stack, gate: Gate) -> None:
    receipt, services = arrived(stack), stack.installation.services
    before = states(stack)
    failed.try_again(services, receipt)
    assert states(stack) == before


def test_moves_name_the_folder_that_the_mail_leaves(stack: Stack, gate: Gate) -> None:
    said: list[dict[str, Any]] = []

    def note(answer: requests.Response, *_: object, **__: object) -> None:
        if answer.request.path_url.endswith("/move"):
            said.append(json.loads(answer.request.body or b""))

    def session() -> requests.Session:
        made = requests.Session()
        made.hooks["response"].append(note)
        return made

    receipt = arrived(stack)
    (lying,) = stack.mailbox(SUPPORT)
    engine = EngineClient(stack.sandbox.url, stack.sandbox.token, session_factory=session)
    services = replace(stack.installation.services, engine=engine)
    gate.broken = ""
    failed.try_again(services, receipt)
    assert said == [{"path": "INBOX", "source": FOLDER}]
    (lying,) = stack.mailbox(SUPPORT)
    failures.park(services, "support", lying["id"])
    assert said[1:] == [{"path": FOLDER, "source": "INBOX"}]
    assert place(stack) == [(FOLDER, True)]
