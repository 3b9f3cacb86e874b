"""Whatever goes wrong on the way out: a mail arrives once, or it is shown why it did not."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import select

from limepkg_email.errors import Conflict, EmailIntegrationError
from limepkg_email.host import LimeObject
from limepkg_email.outgoing.compose import Draft, Recipient, submit
from limepkg_email.outgoing.resend import resend
from limepkg_email.outgoing.scheduled import cancel
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.outgoing.unsettled import settle_sends
from limepkg_email.query import Equals
from tests.property.exactly_once_test import JOBS, ExactlyOnce

PEOPLE = ("anna@example.org", "bo@example.net", "refused@example.net")
MOST_MESSAGES = 4


class Sending(ExactlyOnce):
    """The same world, in which only we write mails; events and jobs get lost in it too."""

    mail_arrives = None  # type: ignore[assignment]
    reply_arrives = None  # type: ignore[assignment]
    mail_to_both_accounts_arrives = None  # type: ignore[assignment]
    agent_answers = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    @rule(people=st.sets(st.sampled_from(PEOPLE), min_size=1), undo=st.sampled_from([0, 0, 3600]))
    def agent_writes(self, people: set[str], undo: int) -> None:
        if len(self.messages) >= MOST_MESSAGES:
            return
        self.number += 1
        token = f"message{self.number}"
        draft = Draft(
            account=1,  # support is connected first
            subject=token,
            text="Text.",
            recipients=tuple(Recipient(each) for each in sorted(people)),
            idempotency_key=token,
            undo=timedelta(seconds=undo),
        )
        self.messages.append(token)
        for _ in range(2):  # the browser asks again when the answer was lost
            self.alive(lambda: submit(self.installation.services, draft))

    @rule(choice=st.integers(0, 999), key=st.sampled_from(["", "a", "b"]))
    def agent_sends_again(self, choice: int, key: str) -> None:
        self.of_a_mail(choice, lambda id: resend(self.installation.services, id, key=key))

    @rule(choice=st.integers(0, 999))
    def agent_cancels(self, choice: int) -> None:
        self.of_a_mail(choice, lambda id: cancel(self.installation.services, id))

    def of_a_mail(self, choice: int, action: Any) -> None:
        mails = self.installation.all("messagefollower")
        if not mails:
            return
        chosen = mails[choice % len(mails)].id
        with suppress(Conflict):
            self.alive(lambda: action(chosen))

    @rule(refused=st.booleans())
    def address_is_refused(self, refused: bool) -> None:
        outcome = "reject" if refused else "accept"
        order = {"pattern": "refused@example.net", "outcome": outcome}
        self.sandbox.control("POST", "/addresses", order)

    @rule(times=st.integers(1, 3))
    def engine_is_busy(self, times: int) -> None:
        fault = {"action": "refuse", "times": times, "status": 429, "path": "/v1/account/*"}
        self.sandbox.control("POST", "/faults", fault)

    @rule(choice=st.integers(0, 999))
    def webhook_is_lost(self, choice: int) -> None:
        self.sandbox.wait_until_idle(20)
        if self.collector.pending:
            del self.collector.pending[choice % len(self.collector.pending)]

    @rule()
    def schedule_runs(self) -> None:
        self.alive(lambda: settle_sends(self.installation.services))

    # What must be true in the end.

    def come_to_rest(self) -> None:
        super().come_to_rest()
        # What leaves in an hour of the engine's own time would keep everybody waiting.
        for each in self.waiting():
            with suppress(EmailIntegrationError):
                cancel(self.installation.services, each)
        for minutes in (16, 16, 25 * 60, 16):
            self.clock.advance(minutes * 60)
            settle_sends(self.installation.services)
            super().come_to_rest()

    def waiting(self) -> list[int]:
        with self.installation.services.application.database.connect() as connection:
            later = OUTBOX.c.send_at.is_not(None) & (OUTBOX.c.state == "queued")
            return list(connection.scalars(select(OUTBOX.c.messagefollower).where(later)))

    def open_jobs(self) -> list[Any]:
        """Jobs that go on; those that were set aside have been shown as failed."""
        with self.installation.services.application.database.connect() as connection:
            going_on = JOBS.c.state.in_(("queued", "running"))
            return list(connection.execute(select(JOBS.c.task, JOBS.c.key).where(going_on)))

    def check(self) -> None:
        assert self.open_jobs() == []
        for each in self.installation.all("messagefollower"):
            self.check_mail(each)

    def arrived(self, address: str, subject: str) -> int:
        """How often the mail arrived; an address that nothing was sent to has no mailbox yet."""
        boxes = self.sandbox.control("GET", "/mailboxes")["mailboxes"]
        known = address in {each["address"] for each in boxes}
        return super().arrived(address, subject) if known else 0

    def check_mail(self, mail: LimeObject) -> None:
        message = self.installation.one(
            "conversationmessage", Equals("id", mail["conversationmessage"])
        )
        follower = self.installation.one("follower", Equals("id", mail["follower"]))
        times = self.arrived(str(follower["email"]), str(message["subject"]))
        shown = (follower["email"], message["subject"], mail["state"], mail["reason"], times)
        assert mail["state"] in ("sent", "failed", "cancelled"), shown
        assert times == (mail["state"] == "sent"), shown
        assert mail["reason"] or mail["state"] != "failed", shown


TestSending = Sending.TestCase
TestSending.settings = settings(
    max_examples=int(os.environ.get("LIMEPKG_EMAIL_TEST_EXAMPLES", "10")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
