"""Local delivery: from an envelope and a raw mail to messages in mailboxes."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from limepkg_email.sandbox import bounces
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import after
from limepkg_email.sandbox.mail import Mail
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.messages import complete, normalize
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.routing import Routing, Verdict
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.stored import Content, StoredMessage


class Delivery:
    """What a mail transfer agent does with a mail that it has accepted."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        mail: Mail,
        routing: Routing,
        settings: Settings,
        options: SandboxOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._mail = mail
        self._routing = routing
        self._settings = settings
        self._options = options
        self._clock = clock
        self.on_transit: Callable[[], None] = lambda: None

    @property
    def completes_headers(self) -> bool:
        """Whether a missing `Message-ID` or `Date` is added."""
        return bool(self._settings.own("completeHeaders", default=True))

    def new_queue_id(self) -> str:
        """The number under which a mail server speaks of a mail: 11 hexadecimal digits."""
        return uuid.uuid4().hex[:11].upper()

    def deliver(
        self,
        raw: bytes,
        *,
        sender: str,
        verdicts: Sequence[Verdict],
        queue_id: str,
        client: str = "client.example.org",
    ) -> list[StoredMessage]:
        """Put an accepted mail into the mailboxes of its recipients; it is read only once."""
        now = self._clock()
        raw = normalize(raw)
        if self.completes_headers:
            own_id = f"<{now:%Y%m%d%H%M%S}.{queue_id}@{self._options.mail_host}>"
            raw = complete(raw, own_id, f"{now:%a, %d %b %Y %H:%M:%S} +0000 (UTC)")
        local = [verdict.recipient for verdict in verdicts if not verdict.bounces]
        bouncing = [verdict.recipient for verdict in verdicts if verdict.bounces]
        delivered: list[StoredMessage] = []
        content = Content.of(raw) if local else None
        with self._database.transaction():
            if content is not None:
                content_id = self._mailboxes.store(content)
                for recipient in local:
                    prelude = self._prelude(sender, recipient, queue_id, client, now)
                    delivered.append(self._put(recipient, content_id, content, prelude=prelude))
            for recipient in bouncing:
                self._report(raw, sender, recipient, queue_id, now)
        return delivered

    def deliver_exactly(self, raw: bytes, mailbox: str) -> StoredMessage:
        """Put a mail into one inbox with nothing added to it; line ends become CRLF."""
        content = Content.of(normalize(raw))
        with self._database.transaction():
            return self._put(mailbox, self._mailboxes.store(content), content, prelude=b"")

    def deliver_transit(self) -> float | None:
        """Deliver the reports that are due; gives when the next one is."""
        now = self._clock()
        rows = self._database.rows(
            "SELECT * FROM transit WHERE due <= ? ORDER BY due", now.timestamp()
        )
        for row in rows:
            with self._database.transaction():
                self._database.run("DELETE FROM transit WHERE id = ?", row["id"])
                verdict = self._routing.judge(row["recipient"], f"transit{row['id']}")
                # A report about a report would go round for ever.
                if not verdict.bounces and verdict.refusal is None:
                    self.deliver(
                        row["raw"],
                        sender=row["sender"],
                        verdicts=[verdict],
                        queue_id=self.new_queue_id(),
                        client=self._options.mail_host,
                    )
        following = self._database.row("SELECT min(due) AS due FROM transit")
        if following is None or following["due"] is None:
            return None
        return float(following["due"])

    def _put(
        self, recipient: str, content_id: int, content: Content, *, prelude: bytes
    ) -> StoredMessage:
        mailbox = self._routing.mailbox(recipient)
        if mailbox is None:
            raise LookupError(f"no mailbox for {recipient}")
        folder = self._mailboxes.folder(mailbox.id, "INBOX")
        if folder is None:
            raise LookupError(f"no inbox for {recipient}")
        return self._mail.add(folder, content_id, content, prelude=prelude)

    def _prelude(
        self, sender: str, recipient: str, queue_id: str, client: str, now: datetime
    ) -> bytes:
        lines = [
            f"Return-Path: <{sender}>",
            f"Delivered-To: {recipient}",
            f"Received: from {client} ([127.0.0.1])",
            f"\tby {self._options.mail_host} (sandbox) with ESMTP id {queue_id}",
            f"\tfor <{recipient}>; {now:%a, %d %b %Y %H:%M:%S} +0000",
            "",
        ]
        return "\r\n".join(lines).encode("utf-8", "replace")

    def _report(
        self, raw: bytes, sender: str, recipient: str, queue_id: str, now: datetime
    ) -> None:
        if not sender:
            return
        report = bounces.write_report(
            original=raw,
            sender=sender,
            recipient=recipient,
            mail_host=self._options.mail_host,
            mail_queue_id=queue_id,
            now=now,
        )
        self._database.run(
            "INSERT INTO transit (due, sender, recipient, raw) VALUES (?, '', ?, ?)",
            after(now, self._options.bounce_delay).timestamp(),
            sender,
            report,
        )
        self._database.after_commit(self.on_transit)
