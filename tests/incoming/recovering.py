"""What tests of the recovery share: mails that arrive unnoticed, and runs that find them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from email.utils import format_datetime

from limepkg_email.accounts.accounts import ConnectedAccount, read_accounts
from limepkg_email.hooks import Decision, hookimpl
from limepkg_email.incoming.recovering.progress import TALLIED
from limepkg_email.incoming.recovering.reports import Report
from limepkg_email.incoming.recovery import recover
from tests.stack import SUPPORT, Stack

GRACE = 121
FOLDER = "Lime CRM Integration Failed"


class Fragile:
    """A filter that breaks on some mails, until it is mended."""

    name = "fragile"
    description = "Breaks."
    broken = True

    def decide(self, message: object) -> Decision | None:
        if self.broken and "poison" in str(getattr(message, "subject", "")):
            raise RuntimeError("no such rule")
        return None

    @hookimpl
    def message_filters(self) -> list[Fragile]:
        return [self]


def account_of(stack: Stack, name: str = "support") -> ConnectedAccount:
    with stack.installation.services.application.database.connect() as connection:
        found = read_accounts(connection).by_engine_account(name)
    assert found is not None
    return found


def run(stack: Stack, name: str = "support", *, patient: bool = False) -> Report:
    report = recover(stack.installation.services, account_of(stack, name), patient=patient)
    counts = report.counts()
    assert report.listed == sum(counts[name] for name in TALLIED if name != "listed")
    return report


def found(report: Report) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: number for name, number in report.counts().items() if number}


def mail(
    stack: Stack,
    subject: str,
    *,
    to: str = SUPPORT,
    date: datetime | None = None,
    message_id: str | None = None,
    received: datetime | None = None,
) -> str:
    """Let a mail arrive, or put one there that was `received` earlier; gives its engine id."""
    stamp = f"Received: from a by b with LMTP id c; {format_datetime(received)}" if received else ""
    lines = [stamp] if received else []
    lines += [f"From: anna@example.org\r\nTo: {to}\r\nSubject: {subject}"]
    lines.append(f"Date: {format_datetime(date or stack.installation.clock())}")
    identity = f"<{subject.replace(' ', '-')}@example.org>" if message_id is None else message_id
    if identity:
        lines.append(f"Message-ID: {identity}")
    exact = {"exact": "true"} if received else {}
    return str(stack.deliver("\r\n".join([*lines, "", "Text.", ""]).encode(), to=to, **exact)["id"])


def read(stack: Stack, id: str) -> None:
    """Let a person read a mail in the mailbox."""
    body = {"flags": {"add": ["\\Seen"]}}
    stack.engine("PUT", f"/account/support/message/{id}", json=body).raise_for_status()


def move(stack: Stack, id: str, path: str) -> str:
    answer = stack.engine("PUT", f"/account/support/message/{id}/move", json={"path": path})
    return str(answer.json()["id"])


def subjects(stack: Stack) -> Counter[str]:
    return Counter(str(each["subject"]) for each in stack.installation.all("conversationmessage"))


def folders(stack: Stack) -> dict[str, str]:
    return {each["subject"]: each["path"] for each in stack.mailbox(SUPPORT)}


def later(stack: Stack, seconds: float = GRACE) -> None:
    stack.installation.clock.advance(seconds)
