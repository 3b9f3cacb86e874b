"""Events: counted, put into their envelope and queued for the webhook sender."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime

from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import after, iso
from limepkg_email.sandbox.json_types import Json, dumps, to_bytes
from limepkg_email.sandbox.settings import Settings


class Events:
    """The way of everything that happens to the webhook queue."""

    def __init__(
        self, database: Database, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self.on_queued: Callable[[], None] = lambda: None

    def emit(
        self,
        account: str,
        event: str,
        data: Json,
        *,
        path: str | None = None,
        special_use: str | None = None,
        delay: float = 0.0,
    ) -> None:
        """Count an event and, when somebody listens to it, queue its webhook."""
        with self._database.transaction():
            self._database.run(
                "INSERT INTO counter VALUES (?, ?, 1)"
                " ON CONFLICT (account, event) DO UPDATE SET number = number + 1",
                account,
                event,
            )
            target = self._target(account, event)
            if target is None:
                return
            url, custom_headers = target
            now = self._clock()
            due = after(now, delay)
            envelope: Json = {
                "serviceUrl": self._settings.service_url,
                "account": account,
                "date": iso(due),
            }
            if path is not None:
                envelope["path"] = path
                if special_use:
                    envelope["specialUse"] = special_use
            envelope["event"] = event
            envelope["data"] = data
            due_at = due.timestamp()
            self._database.run(
                "INSERT INTO webhook (account, event, event_id, url, headers, queued, due, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                account,
                event,
                str(uuid.uuid4()),
                url,
                dumps(custom_headers),
                due_at,
                due_at,
                to_bytes(envelope),
            )
            self._database.after_commit(self.on_queued)

    def counters(self, account: str) -> dict[str, int]:
        """How often each event happened to the account."""
        rows = self._database.rows("SELECT event, number FROM counter WHERE account = ?", account)
        return {row["event"]: row["number"] for row in rows}

    def totals(self) -> dict[str, int]:
        """How often each event happened to any account."""
        rows = self._database.rows("SELECT event, sum(number) AS n FROM counter GROUP BY event")
        return {row["event"]: row["n"] for row in rows}

    def forget(self, account: str) -> None:
        """Drop what is queued for an account, and its counters."""
        self._database.run("DELETE FROM webhook WHERE account = ?", account)
        self._database.run("DELETE FROM counter WHERE account = ?", account)

    def _target(self, account: str, event: str) -> tuple[str, list[Json]] | None:
        if not self._settings.get("webhooksEnabled"):
            return None
        wanted = self._settings.get("webhookEvents") or []
        if "*" not in wanted and event not in wanted:
            return None
        row = self._database.row("SELECT record FROM account WHERE account = ?", account)
        record: Json = json.loads(row["record"]) if row else {}
        url = record.get("webhooks") or self._settings.get("webhooks")
        if not url:
            return None
        headers = list(self._settings.get("webhooksCustomHeaders") or [])
        return url, headers + list(record.get("webhooksCustomHeaders") or [])
