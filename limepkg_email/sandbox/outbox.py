"""The outbox: mail on its way out, its tries, and the events that tell how they went."""

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from limepkg_email.sandbox.account_record import Account
from limepkg_email.sandbox.accounts import Accounts
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import after, from_timestamp, iso
from limepkg_email.sandbox.delivery import Delivery
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.events import Events
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.mail import Mail
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.messages import normalize
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.routing import Routing
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.stored import Content
from limepkg_email.sandbox.validation import PAGING, check

_LOGGER = logging.getLogger(__name__)
_KEPT_FAILED = 500
_POLL = 0.1


class Outbox:
    """A queue on disk and the thread that empties it."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        accounts: Accounts,
        mail: Mail,
        routing: Routing,
        delivery: Delivery,
        settings: Settings,
        events: Events,
        options: SandboxOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._accounts = accounts
        self._mail = mail
        self._routing = routing
        self._delivery = delivery
        self._settings = settings
        self._events = events
        self._options = options
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        delivery.on_transit = self._wake.set

    def start(self) -> None:
        """Begin to send."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="sandbox-outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the mail under way."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def add(
        self,
        account: Account,
        raw: bytes,
        *,
        queue_id: str,
        message_id: str,
        subject: str,
        sender: str,
        recipients: list[str],
        send_at: datetime,
        attempts: int | None,
        copy: bool | None,
        sent_path: str | None,
    ) -> None:
        """Queue a mail."""
        attempts = (
            attempts or self._settings.get("deliveryAttempts") or self._options.delivery_attempts
        )
        record: Json = {
            "source": "api",
            "useStructuredFormat": False,
            "account": account.id,
            "queueId": queue_id,
            "gateway": None,
            "messageId": message_id,
            "envelope": {"from": sender, "to": recipients},
            "subject": subject,
            "created": iso(self._clock()),
            "progress": {"status": "queued"},
            "copy": copy is not False,
            "sentPath": sent_path,
            "scheduled": iso(send_at),
        }
        self._database.run(
            "INSERT INTO outbox (queue_id, account, status, attempts, due, record, raw)"
            " VALUES (?, ?, 'queued', ?, ?, ?, ?)",
            queue_id,
            account.id,
            attempts,
            send_at.timestamp(),
            dumps(record),
            raw,
        )
        self._database.after_commit(self._wake.set)

    def list(self, query: Mapping[str, str]) -> Json:
        """A page of what is queued or finally failed, all accounts together, newest first."""
        values = check(dict(query), PAGING)
        page, size = values["page"], values["pageSize"]
        total = self._database.number("SELECT count(*) FROM outbox")
        rows = self._database.rows(
            "SELECT * FROM outbox ORDER BY queue_id LIMIT ? OFFSET ?", size, page * size
        )
        return {
            "total": total,
            "page": page,
            "pages": max(1, -(-total // size)),
            "messages": [_shown(row) for row in rows],
        }

    def get(self, queue_id: str) -> Json:
        """An entry that is not finished; failed ones are in the list only."""
        row = self._database.row(
            "SELECT * FROM outbox WHERE queue_id = ? AND status = 'queued'", queue_id
        )
        if row is None:
            raise ApiError(404, "Requested queue entry was not found")
        return _shown(row)

    def delete(self, queue_id: str) -> bool:
        """Take an entry out of the queue."""
        return self._database.run("DELETE FROM outbox WHERE queue_id = ?", queue_id) > 0

    def waiting(self) -> int:
        """How many mails will still move without anybody's doing (not those to be sent later)."""
        now = self._clock().timestamp()
        return self._database.number(
            "SELECT count(*) FROM outbox WHERE status = 'queued'"
            " AND (attempts_made > 0 OR due <= ?)",
            now,
        ) + self._database.number("SELECT count(*) FROM transit")

    def _loop(self) -> None:
        while True:
            # Cleared before it is looked at: `stop` sets the one and then the other.
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                delay = self._step()
            except Exception:
                _LOGGER.exception("outbox stumbled")
                delay = _POLL
            if delay > 0:
                self._wake.wait(delay)

    def _step(self) -> float:
        if self._accounts.suspended:
            return _POLL
        now = self._clock().timestamp()
        row = self._database.row(
            "SELECT * FROM outbox WHERE status = 'queued' AND due <= ? ORDER BY due LIMIT 1", now
        )
        if row is not None:
            self._try(row)
            return 0.0
        next_transit = self._delivery.deliver_transit()
        following = self._database.row("SELECT min(due) AS due FROM outbox WHERE status = 'queued'")
        dues = [
            due
            for due in (next_transit, following["due"] if following is not None else None)
            if due is not None
        ]
        if not dues:
            return 3600.0
        return min(_POLL, max(0.005, min(dues) - self._clock().timestamp()))

    def _try(self, row: sqlite3.Row) -> None:
        record: Json = json.loads(row["record"])
        queue_id = str(row["queue_id"])
        with self._database.transaction():
            account = self._accounts.find(row["account"])
            still_there = self._database.row("SELECT 1 FROM outbox WHERE queue_id = ?", queue_id)
            if account is None or still_there is None:
                self.delete(queue_id)
                return
            refusal = self._accounts.smtp_refusal(account)
            if refusal is not None:
                login = {
                    "error": f"Invalid login: {refusal}",
                    "errorCode": "EAUTH",
                    "smtpCommand": "AUTH PLAIN",
                }
                status = {"status": "error", "code": "EAUTH", "response": refusal}
                self._accounts.set_smtp_status(account, {"created": iso(self._clock()), **status})
                self._failed(row, record, refusal, login)
                return
            recipients = record["envelope"]["to"]
            if not recipients:
                problem = {"error": "No recipients defined", "errorCode": "EENVELOPE"}
                self._failed(row, record, "", problem)
                return
            verdicts = [self._routing.judge(recipient, queue_id) for recipient in recipients]
            accepted = [verdict for verdict in verdicts if verdict.refusal is None]
            if accepted:
                mail_queue_id = self._delivery.new_queue_id()
                self._delivery.deliver(
                    row["raw"],
                    sender=record["envelope"]["from"],
                    verdicts=accepted,
                    queue_id=mail_queue_id,
                    client="127.0.0.1",
                )
                self._sent(account, row, record, f"250 2.0.0 Ok: queued as {mail_queue_id}")
                return
            worst = max(verdicts, key=lambda verdict: verdict.code)
            prefix = "Can't send mail - all recipients were rejected: "
            problem = {
                "error": f"{prefix}{worst.refusal}",
                "errorCode": "EENVELOPE",
                "smtpCommand": "RCPT TO",
            }
            self._failed(row, record, worst.refusal or "", problem)

    def _sent(self, account: Account, row: sqlite3.Row, record: Json, response: str) -> None:
        self._database.run("DELETE FROM outbox WHERE queue_id = ?", row["queue_id"])
        status = {"created": iso(self._clock()), "status": "ok", "response": response}
        self._accounts.set_smtp_status(account, status)
        self._events.emit(
            account.id,
            "messageSent",
            {
                "messageId": record["messageId"],
                "response": response,
                "queueId": row["queue_id"],
                "envelope": record["envelope"],
                "networkRouting": None,
            },
        )
        self._mail.remember(account.id, record["messageId"])
        if not record["copy"]:
            return
        folder = self._mailboxes.folder(account.mailbox, record["sentPath"] or "\\Sent")
        if folder is not None:
            content = Content.of(normalize(row["raw"]))
            self._mail.add(
                folder,
                self._mailboxes.store(content),
                content,
                flags=["\\Seen"],
                delay=self._options.sent_copy_delay,
            )

    def _failed(
        self, row: sqlite3.Row, record: Json, refusal: str, problem: dict[str, str]
    ) -> None:
        now = self._clock()
        made = int(row["attempts_made"])
        code = int(refusal[:3]) if refusal[:3].isdigit() else None
        next_attempt = after(now, self._options.delivery_base_delay * 2**made)
        data: Json = {
            "queueId": row["queue_id"],
            "envelope": record["envelope"],
            "messageId": record["messageId"],
            "error": problem["error"],
            "errorCode": problem["errorCode"],
        }
        error: Json = {"message": problem["error"], "code": problem["errorCode"]}
        if code is not None:
            data["smtpResponse"] = refusal
            data["smtpResponseCode"] = code
            data["smtpCommand"] = problem["smtpCommand"]
            error["statusCode"] = code
        data["networkRouting"] = None
        data["job"] = {
            "id": row["queue_id"],
            "attemptsMade": made,
            "attempts": row["attempts"],
            "nextAttempt": iso(next_attempt),
        }
        self._events.emit(row["account"], "messageDeliveryError", data)
        permanent = code is None or (code >= 500 and code != 503)
        final = permanent or made + 1 >= int(row["attempts"])
        record["progress"] = {"status": "error", "error": error, "networkRouting": None}
        self._database.run(
            "UPDATE outbox SET status = ?, attempts_made = ?, due = ?, record = ?"
            " WHERE queue_id = ?",
            "failed" if final else "queued",
            made + 1,
            next_attempt.timestamp(),
            dumps(record),
            row["queue_id"],
        )
        if final:
            self._events.emit(
                row["account"],
                "messageFailed",
                {
                    "messageId": record["messageId"],
                    "queueId": row["queue_id"],
                    "error": f"Error: {problem['error']}",
                    "networkRouting": None,
                },
            )
            self._database.run(
                "DELETE FROM outbox WHERE status = 'failed' AND queue_id NOT IN (SELECT queue_id"
                " FROM outbox WHERE status = 'failed' ORDER BY due DESC LIMIT ?)",
                _KEPT_FAILED,
            )


def _shown(row: sqlite3.Row) -> Json:
    record: Json = json.loads(row["record"])
    record.pop("copy", None)
    record.pop("sentPath", None)
    scheduled = record.pop("scheduled")
    return {
        **record,
        "attemptsMade": row["attempts_made"],
        "attempts": row["attempts"],
        "scheduled": scheduled,
        "nextAttempt": iso(from_timestamp(row["due"])),
    }
