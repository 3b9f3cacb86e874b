"""The webhook sender: one request in flight, ten tries, every habit of the real one."""

import base64
import hashlib
import hmac
import http.client
import json
import logging
import random
import select
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.faults import Faults
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.settings import Settings

_LOGGER = logging.getLogger(__name__)
USER_AGENT = "limepkg-email-sandbox/1.0"
_REFUSED_TRIES = 5
_EMPTY_TRIES = 5
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Webhook:
    """A queued webhook."""

    id: int
    account: str
    event: str
    event_id: str
    url: str
    headers: tuple[tuple[str, str], ...]
    attempts: int
    queued: float
    due: float
    body: bytes


def sign(body: bytes, secret: str) -> str:
    """The signature of a body: HMAC-SHA256, base64url without padding."""
    digest = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class _NoAnswerError(Exception):
    """The connection ended before an answer."""


class WebhookSender:
    """A thread that empties the webhook queue."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        faults: Faults,
        options: SandboxOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._settings = settings
        self._faults = faults
        self._options = options
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._connection_key: tuple[str, str] = ("", "")
        self._thread: threading.Thread | None = None
        self.in_flight = False

    def start(self) -> None:
        """Begin to send."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; a request under way is cut off and sent again after the next start."""
        self._stopping.set()
        self._wake.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                _LOGGER.debug("connection was closed already")
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
        self._close()

    def wake(self) -> None:
        """There is something new in the queue."""
        self._wake.set()

    def waiting(self) -> int:
        """How many webhooks are not settled yet."""
        return self._database.number("SELECT count(*) FROM webhook")

    def _loop(self) -> None:
        while True:
            # Cleared before it is looked at: `stop` sets the one and then the other.
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                delay = self._step()
            except Exception:
                _LOGGER.exception("webhook sender stumbled")
                delay = _POLL
            if delay > 0:
                self._wake.wait(delay)

    def _step(self) -> float:
        """Send what is next; gives the seconds to wait before looking again."""
        if self._faults.webhooks_paused or self._settings.own("suspended", default=False):
            return _POLL
        batch = self._next()
        if not batch:
            return self._until_due()
        for webhook in batch:
            if self._stopping.is_set():
                break
            self._handle(webhook)
        return 0.0

    def _next(self) -> list[Webhook]:
        now = self._clock().timestamp()
        gather = self._faults.reorder
        rows = self._database.rows(
            "SELECT * FROM webhook WHERE due <= ? ORDER BY due, id LIMIT ?", now, max(1, gather)
        )
        if gather and len(rows) < gather:
            return []
        if gather:
            self._faults.take_reorder()
            rows.reverse()
        return [_webhook(row) for row in rows]

    def _until_due(self) -> float:
        row = self._database.row("SELECT min(due) FROM webhook")
        if row is None or row[0] is None:
            return 3600.0
        # Polling, because an injected clock may jump.
        return min(_POLL, max(0.005, float(row[0]) - self._clock().timestamp()))

    def _handle(self, webhook: Webhook) -> None:
        if self._faults.take_webhook("lose"):
            self._settle(webhook)
            return
        self.in_flight = True
        try:
            status = self._attempt(webhook)
            if status is not None and self._faults.take_webhook("duplicate"):
                self._attempt(webhook)
        finally:
            self.in_flight = False
        if self._stopping.is_set() and status is None:
            return
        if status is not None and 200 <= status < 400:
            # A redirect is neither followed nor tried again: the event is lost, as in real life.
            self._settle(webhook)
        else:
            self._retry_later(webhook)

    def _settle(self, webhook: Webhook) -> None:
        self._database.run("DELETE FROM webhook WHERE id = ?", webhook.id)

    def _retry_later(self, webhook: Webhook) -> None:
        attempts = webhook.attempts + 1
        if attempts >= self._options.webhook_attempts:
            _LOGGER.warning("webhook given up", extra={"webhook": webhook.id})
            self._settle(webhook)
            return
        delay = self._options.webhook_base_delay * 2 ** (attempts - 1)
        delay *= 1 - 0.2 * random.random()  # noqa: S311 - jitter, not a secret
        self._database.run(
            "UPDATE webhook SET attempts = ?, due = ? WHERE id = ?",
            attempts,
            self._clock().timestamp() + delay,
            webhook.id,
        )

    def _attempt(self, webhook: Webhook) -> int | None:
        """One try, with the repetitions inside it; gives the final status."""
        signature = sign(webhook.body, str(self._settings.get("serviceSecret") or ""))
        body = webhook.body
        refused = empty = 0
        while not self._stopping.is_set():
            try:
                status = self._request(webhook, body, signature)
            except ConnectionRefusedError:
                refused += 1
                if refused >= _REFUSED_TRIES:
                    return None
                self._stopping.wait(self._options.webhook_resend_delay * 2 ** (refused - 1))
                continue
            except TimeoutError:
                self._close()
                return None
            except _NoAnswerError:
                status = None
            except OSError:
                self._close()
                return None
            if status not in (None, 429):
                return status
            # As the real engine does: the same headers again, and no body at all.
            empty += 1
            if empty > _EMPTY_TRIES:
                return None
            body = b""
            self._stopping.wait(self._options.webhook_resend_delay)
        return None

    def _request(self, webhook: Webhook, body: bytes, signature: str) -> int:
        parts = urlsplit(webhook.url)
        connection = self._connect(parts.scheme, parts.netloc.rpartition("@")[2])
        queued_for = max(0.0, self._clock().timestamp() - webhook.queued)
        headers = [
            ("Host", parts.netloc.rpartition("@")[2]),
            ("Connection", "keep-alive"),
            ("Content-Type", "application/json"),
            ("User-Agent", USER_AGENT),
            ("X-EE-Wh-Id", str(webhook.id)),
            ("X-EE-Wh-Attempts-Made", str(webhook.attempts)),
            ("X-EE-Wh-Queued-Time", f"{round(queued_for)}s"),
            *webhook.headers,
            ("X-EE-Wh-Event-Id", webhook.event_id),
            ("X-EE-Wh-Signature", signature),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Content-Length", str(len(body))),
        ]
        if parts.username:
            login = f"{parts.username}:{parts.password or ''}".encode()
            headers.append(("Authorization", f"Basic {base64.b64encode(login).decode()}"))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")
        sock = connection.sock
        try:
            sock.sendall(head + body)
            if self._faults.take_webhook("drop"):
                # The receiver has it all, but its answer never arrives.
                time.sleep(0.05)
                raise _NoAnswerError
            response = http.client.HTTPResponse(sock, method="POST")
            response.begin()
            response.read()
        except TimeoutError:
            raise
        except (_NoAnswerError, OSError, http.client.HTTPException) as error:
            self._close()
            raise _NoAnswerError from error
        if response.will_close:
            self._close()
        response.close()
        return response.status

    def _connect(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if self._connection is not None and self._connection_key == (scheme, netloc):
            sock = self._connection.sock
            # Readable before we asked anything: the receiver has closed its end.
            if sock is not None and not select.select([sock], [], [], 0)[0]:
                return self._connection
        self._close()
        connection: http.client.HTTPConnection
        timeout = self._options.webhook_timeout
        if scheme == "https":
            connection = http.client.HTTPSConnection(
                netloc, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(netloc, timeout=timeout)
        connection.connect()
        self._connection, self._connection_key = connection, (scheme, netloc)
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _webhook(row: sqlite3.Row) -> Webhook:
    return Webhook(
        id=row["id"],
        account=row["account"],
        event=row["event"],
        event_id=row["event_id"],
        url=row["url"],
        headers=tuple(
            (entry["key"], entry.get("value", "")) for entry in json.loads(row["headers"])
        ),
        attempts=row["attempts"],
        queued=row["queued"],
        due=row["due"],
        body=row["body"],
    )
