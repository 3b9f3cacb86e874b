"""Writing a mail by hand, as the owner of a mailbox, and sending it through the sandbox."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import getaddresses

from werkzeug.datastructures import FileStorage

from limepkg_email.sandbox.compose import Draft, File, person, write
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.stored import Content, Mailbox, StoredMessage
from limepkg_email.sandbox.threads import references
from limepkg_email.sandbox.validation import is_email

_REPLY = re.compile(r"(?i)\s*(re|sv|fwd?|vs|aw)\s*:")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail that somebody wrote."""

    row_id: int = 0
    notice: str = ""
    problem: str = ""


class Writing:
    """Drafts for the form, and mails from it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def draft(
        self, mailbox: Mailbox, original: StoredMessage | None, given: Mapping[str, str]
    ) -> Json:
        """What the form begins with."""
        if original is not None:
            draft = self.reply_draft(mailbox, original, everybody=given.get("all") == "1")
        else:
            draft = {
                "name": mailbox.name,
                "to": "",
                "cc": "",
                "subject": "",
                "text": "",
                "reply": 0,
            }
        for key in ("name", "to", "cc", "subject", "text"):
            if key in given:
                draft[key] = given[key]
        return draft

    def reply_draft(
        self, mailbox: Mailbox, original: StoredMessage, *, everybody: bool = False
    ) -> Json:
        """The beginning of an answer."""
        own = mailbox.address.lower()
        people = original.summary.get("replyTo", [])
        if any(entry["address"].lower() == own for entry in people):
            # An answer to oneself goes on with the people one wrote to.
            people = original.summary.get("to", [])
        known = {own} | {entry["address"].lower() for entry in people}
        others = original.summary.get("to", []) + original.summary.get("cc", [])
        copies = [entry for entry in others if entry["address"].lower() not in known]
        subject = str(original.summary.get("subject", ""))
        return {
            "name": mailbox.name,
            "to": _line(people),
            "cc": _line(copies) if everybody else "",
            "subject": subject if _REPLY.match(subject) else f"Re: {subject}",
            "text": "",
            "reply": original.row_id,
        }

    def send(
        self,
        mailbox: Mailbox,
        original: StoredMessage | None,
        given: Mapping[str, str],
        files: Sequence[FileStorage],
    ) -> Outcome:
        """Send what was written: deliver it, and keep a copy in Sent."""
        to, cc = _people(given.get("to", "")), _people(given.get("cc", ""))
        wrong = [entry["address"] for entry in to + cc if not is_email(entry["address"])]
        if wrong or not to + cc:
            return Outcome(problem=f"Check the recipients: {', '.join(wrong) or 'there are none'}.")
        raw = self._write(mailbox, original, given, to, cc, files)
        queue_id = self._services.delivery.new_queue_id()
        recipients = list(dict.fromkeys(entry["address"] for entry in to + cc))
        routing = self._services.routing
        verdicts = [routing.judge(one, f"page|{mailbox.address}") for one in recipients]
        accepted = [verdict for verdict in verdicts if verdict.refusal is None]
        refused = [verdict for verdict in verdicts if verdict.refusal is not None]
        if not accepted:
            return Outcome(problem="; ".join(str(verdict.refusal) for verdict in refused))
        self._services.delivery.deliver(
            raw, sender=mailbox.address, verdicts=accepted, queue_id=queue_id
        )
        notice = f"Sent to {', '.join(verdict.recipient for verdict in accepted)}."
        if refused:
            notice += f" Refused: {'; '.join(str(verdict.refusal) for verdict in refused)}"
        return Outcome(row_id=self._keep(mailbox, original, raw), notice=notice)

    def _write(
        self,
        mailbox: Mailbox,
        original: StoredMessage | None,
        given: Mapping[str, str],
        to: list[Json],
        cc: list[Json],
        files: Sequence[FileStorage],
    ) -> bytes:
        now = self._services.clock()
        domain = mailbox.address.partition("@")[2]
        name = given.get("name", mailbox.name).strip()
        headers = [("From", person({"name": name, "address": mailbox.address}))]
        headers += [
            (header, ", ".join(person(entry) for entry in people))
            for header, people in (("To", to), ("Cc", cc))
            if people
        ]
        headers.append(("Subject", given.get("subject", "").strip()))
        headers.append(("Message-ID", f"<{uuid.uuid4()}@{domain}>"))
        own_id = str(original.summary.get("messageId", "")) if original is not None else ""
        if original is not None and own_id:
            detail = self._services.mailboxes.detail(original)
            chain = [*references(original, detail), own_id]
            headers.append(("In-Reply-To", own_id))
            headers.append(("References", " ".join(dict.fromkeys(chain))))
        headers.append(("Date", f"{now:%a, %d %b %Y %H:%M:%S} +0000"))
        attached = [
            File(
                file.filename or "file",
                file.read(),
                file.mimetype or "application/octet-stream",
            )
            for file in files
            if file.filename
        ]
        text = given.get("text", "").replace("\r\n", "\n")
        if original is not None and given.get("quote"):
            text += self._quoted(original)
        return write(Draft(headers, text=text, files=attached))

    def _quoted(self, original: StoredMessage) -> str:
        detail = self._services.mailboxes.detail(original)
        sender = original.summary.get("from", {})
        who = sender.get("name") or sender.get("address", "somebody")
        lines = "\n".join(f"> {line}" for line in str(detail.get("plain", "")).splitlines())
        return f"\n\nOn {original.date:%d %b %Y at %H:%M}, {who} wrote:\n{lines}\n"

    def _keep(self, mailbox: Mailbox, original: StoredMessage | None, raw: bytes) -> int:
        services = self._services
        content = Content.of(raw)
        with services.database.transaction():
            if original is not None:
                services.mail.set_flags(original, {*original.flags, "\\Answered"})
            folder = services.mailboxes.folder(mailbox.id, "\\Sent")
            if folder is None:
                raise LookupError("no folder for sent mail")
            stored = services.mailboxes.store(content)
            return services.mail.add(folder, stored, content, flags=["\\Seen"]).row_id


def _people(text: str) -> list[Json]:
    pairs = getaddresses([text.replace(";", ",").replace("\n", " ").replace("\r", " ")])
    return [{"name": name, "address": address} for name, address in pairs if name or address]


def _line(people: Sequence[Json]) -> str:
    return ", ".join(
        f"{entry['name'].replace(',', ' ')} <{entry['address']}>"
        if entry["name"]
        else entry["address"]
        for entry in people
        if entry["address"]
    )
