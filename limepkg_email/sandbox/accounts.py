"""Accounts: mailboxes that somebody registered with the engine, and how their connection fares."""

from collections.abc import Callable
from datetime import datetime, timedelta

from limepkg_email.sandbox import account_fields, errors, ids
from limepkg_email.sandbox.account_record import (
    Account,
    account_of,
    folder_event,
    fresh_runtime,
    login,
    login_error,
    mentions,
    password,
)
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.dates import iso, parse_iso
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.events import Events
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.oauth import OAuthApps
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.settings import Settings


class Accounts:
    """All accounts of a sandbox."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        apps: OAuthApps,
        settings: Settings,
        events: Events,
        options: SandboxOptions,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._apps = apps
        self._settings = settings
        self._events = events
        self._options = options
        self._clock = clock
        # Called with an account that has just connected, to announce what it missed.
        self.on_connected: Callable[[Account], None] = lambda _missed: None

    def find(self, account_id: str) -> Account | None:
        """The account with this id."""
        row = self._database.row("SELECT * FROM account WHERE account = ?", account_id)
        return account_of(row) if row else None

    def get(self, account_id: str) -> Account:
        """The account with this id, or a 404."""
        found = self.find(account_id)
        if found is None:
            raise errors.account_not_found()
        return found

    def of_mailbox(self, mailbox_id: int) -> list[Account]:
        """The accounts under which a mailbox is registered."""
        rows = self._database.rows("SELECT * FROM account WHERE mailbox = ?", mailbox_id)
        return [account_of(row) for row in rows]

    def all(self) -> list[Account]:
        """All accounts by id."""
        rows = self._database.rows("SELECT * FROM account ORDER BY account")
        return [account_of(row) for row in rows]

    def create(self, values: Json) -> Json:
        """Register a mailbox; an id that is taken is overwritten."""
        account_id = str(values.get("account") or ids.account_id())
        record = {key: value for key, value in values.items() if key != "account"}
        record.setdefault("notifyFrom", iso(self._clock()))
        with self._database.transaction():
            before = self.find(account_id)
            mailbox = self._mailboxes.ensure(
                str(record.get("email") or login(record)), str(record.get("name", ""))
            )
            account = Account(
                account_id, mailbox.id, record, fresh_runtime(str(record["notifyFrom"]))
            )
            if before is not None:
                # It is overwritten, not new: what it has met already is not met again.
                account.runtime.update(
                    introduced=before.runtime.get("introduced", False),
                    lastRow=self._mailboxes.last_row()
                    if before.receiving
                    else before.runtime["lastRow"],
                )
            self._save(account)
            if before is None:
                self._events.emit(account_id, "accountAdded", {"account": account_id})
            if not self.suspended:
                self._connect(account)
        return {"account": account_id, "state": "existing" if before else "new"}

    def update(self, account_id: str, values: Json) -> None:
        """Change what was registered; what the connection needs counts after a reconnect."""
        with self._database.transaction():
            account = self.get(account_id)
            record = dict(account.record)
            for key, value in values.items():
                if key in ("imap", "smtp", "oauth2") and isinstance(value, dict):
                    block = {k: v for k, v in value.items() if k != "partial"}
                    old = record.get(key)
                    if value.get("partial") and isinstance(old, dict):
                        block = {**old, **block}
                    record[key] = block
                elif key != "account":
                    record[key] = value
            changed = Account(account_id, account.mailbox, record, account.runtime)
            if changed.disabled != account.disabled:
                if account.receiving:
                    account.runtime["lastRow"] = self._mailboxes.last_row()
                account.runtime["state"] = "connecting"
            elif account.runtime["state"] != "connected" and {"imap", "oauth2"} & set(values):
                account.runtime["state"] = "connecting"
            self._save(changed)

    def delete(self, account_id: str) -> None:
        """Forget an account; its mailbox stays where it is."""
        with self._database.transaction():
            self.get(account_id)
            self._events.forget(account_id)
            self._events.emit(account_id, "accountDeleted", {"account": account_id})
            for table in ("account", "outbox", "idempotency", "announced", "counter"):
                self._database.run(
                    f"DELETE FROM {table} WHERE account = ?",  # noqa: S608 - our own names
                    account_id,
                )

    def reconnect(self, account_id: str) -> None:
        """Log in anew, with what is registered now."""
        with self._database.transaction():
            account = self.get(account_id)
            if not self.suspended:
                self._connect(account)

    @property
    def suspended(self) -> bool:
        """Whether the engine has stopped its workers."""
        return bool(self._settings.own("suspended", default=False))

    def suspend(self, suspended: bool) -> None:
        """Stop the workers, or start them again; accounts then announce what they missed."""
        with self._database.transaction():
            if suspended == self.suspended:
                return
            self._settings.set_own("suspended", suspended)
            for account in self.all():
                if suspended and account.receiving:
                    account.runtime["lastRow"] = self._mailboxes.last_row()
                    self._save(account)
                elif not suspended and account.receiving:
                    self.on_connected(account)
                elif not suspended and account.runtime["state"] == "init":
                    self._connect(account)

    def require_worker(self, account_id: str, *, command: str = "list") -> Account:
        """The account when it can be worked with, else the error that tells why not."""
        account = self.get(account_id)
        if self.suspended:
            raise errors.worker_not_available()
        state = self.state(account)
        if state == "connected" and not account.disabled:
            return account
        if state == "authenticationError" and command != "mailboxes":
            raise ApiError(
                503,
                "Requested account can not be authenticated",
                state=state,
                code="AuthenticationFails",
            )
        if state == "connected":
            state = "connecting"
        raise ApiError(
            503, "Requested account is not yet initialized", state=state, code="NotYetConnected"
        )

    def require_submission(self, account_id: str) -> Account:
        """The account when it can submit; its incoming side does not matter for that."""
        account = self.get(account_id)
        if self.suspended:
            raise errors.worker_not_available()
        return account

    def state(self, account: Account) -> str:
        """The state that the API shows."""
        state = str(account.runtime["state"])
        connects = account.runtime.get("connectsAt")
        if connects and self._clock() < parse_iso(connects):
            return "connecting" if account.runtime.get("known") else "init"
        return state

    def set_state(self, account: Account, state: str, error: Json | None) -> None:
        """Force a state, as if the connection had got there."""
        if account.receiving:
            account.runtime["lastRow"] = self._mailboxes.last_row()
        account.runtime.update(state=state, lastError=error)
        self._save(account)
        if error is not None:
            event = "authenticationError" if state == "authenticationError" else "connectError"
            self._events.emit(account.id, event, error)
        elif account.receiving:
            self.on_connected(account)

    def set_smtp_status(self, account: Account, status: Json) -> None:
        """Remember how the last submission went."""
        account.runtime["smtpStatus"] = status
        self._save(account)

    def smtp_refusal(self, account: Account) -> str | None:
        """What the account's own mail server says to its login, when it says no."""
        smtp = account.record.get("smtp")
        if isinstance(smtp, dict) and password(smtp) == "wrong":
            return "535 5.7.8 Error: authentication failed: (reason unavailable)"
        return None

    def show(self, account: Account) -> Json:
        """The whole account as the API shows it."""
        state = self.state(account)
        shown: Json = {
            "account": account.id,
            "name": account.record.get("name", ""),
            "email": account.email,
            "logs": False,
            "notifyFrom": account.record["notifyFrom"],
            "syncFrom": account.record.get("syncFrom"),
            "path": account.record.get("path", "*"),
            "imapIndexer": account.record.get("imapIndexer", "full"),
        }
        for key, value in account.record.items():
            if key not in (*shown, "imap", "smtp", "oauth2"):
                shown[key] = value
        shown.update(account_fields.masked_blocks(account.record))
        shown["state"] = state
        if state != "init":
            shown["connections"] = 0 if state == "connectError" else 1
            shown["lastError"] = account.runtime["lastError"]
        shown["smtpStatus"] = account.runtime["smtpStatus"]
        shown.update(self._kind(account))
        if account.disabled:
            shown["sendOnly"] = True
        if "syncTime" in account.runtime:
            shown["syncTime"] = account.runtime["syncTime"]
        shown["counters"] = self._counters(account)
        return shown

    def list(self, *, query: str, state: str, page: int, page_size: int) -> Json:
        """A page of accounts in short form."""
        found = [
            account
            for account in self.all()
            if (not query or mentions(account, query))
            and (not state or self.state(account) == state)
        ]
        chosen = found[page * page_size : (page + 1) * page_size]
        return {
            "total": len(found),
            "pages": -(-len(found) // page_size),
            "page": page,
            "query": query or False,
            "state": state or "*",
            "accounts": [self._list_item(account) for account in chosen],
        }

    def _list_item(self, account: Account) -> Json:
        kind = self._kind(account)
        kind.pop("baseScopes", None)
        item: Json = {
            "account": account.id,
            "name": account.record.get("name", ""),
            "email": account.email,
            **kind,
            "state": self.state(account),
            "counters": self._counters(account),
        }
        if "syncTime" in account.runtime:
            item["syncTime"] = account.runtime["syncTime"]
        item["lastError"] = account.runtime["lastError"]
        return item

    def _counters(self, account: Account) -> Json:
        counters = self._events.counters(account.id)
        counters.pop("accountAdded", None)
        return {"events": counters} if counters else {}

    def _kind(self, account: Account) -> Json:
        oauth2 = account.record.get("oauth2")
        if isinstance(oauth2, dict):
            app = self._apps.find(str(oauth2.get("provider", "")))
            if app is None:
                return {"type": "oauth2"}
            return {
                "type": app["provider"],
                "app": app["id"],
                "baseScopes": app.get("baseScopes", "imap"),
            }
        return {"type": "sending" if account.disabled else "imap"}

    def _connect(self, account: Account) -> None:
        runtime = account.runtime
        was_receiving = account.receiving
        if was_receiving:
            runtime["lastRow"] = self._mailboxes.last_row()
        had_failed = runtime["lastError"] is not None
        runtime["notifyFrom"] = account.record["notifyFrom"]
        delay = self._options.connect_delay
        if delay:
            runtime["connectsAt"] = iso(self._clock() + timedelta(seconds=delay))
        error_event, error = login_error(account.record)
        if account.disabled:
            runtime.update(state="connected", lastError=None)
        elif error is not None:
            state = "connectError" if error_event == "connectError" else "authenticationError"
            if runtime["lastError"] != error:
                self._events.emit(account.id, error_event, error, delay=delay)
            runtime.update(state=state, lastError=error)
        else:
            runtime.update(state="connected", lastError=None, known=True)
            if had_failed or not runtime.get("introduced"):
                self._events.emit(
                    account.id,
                    "authenticationSuccess",
                    {"user": login(account.record)},
                    delay=delay,
                )
            if not runtime.get("introduced"):
                runtime["introduced"] = True
                self._introduce(account, delay)
        self._save(account)
        if account.receiving and not was_receiving:
            self.on_connected(account)

    def _introduce(self, account: Account, delay: float) -> None:
        for index, folder in enumerate(self._mailboxes.folders(account.mailbox)):
            reset = {
                **folder_event(folder),
                "reason": "uidValidityChange",
                "prevUidValidity": False,
            }
            for event, data in (("mailboxReset", reset), ("mailboxNew", folder_event(folder))):
                self._events.emit(
                    account.id,
                    event,
                    data,
                    path=folder.path,
                    special_use=folder.special_use,
                    delay=delay,
                )
            if index == 2:
                self._events.emit(
                    account.id, "accountInitialized", {"initialized": True}, delay=delay
                )

    def _save(self, account: Account) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO account (account, mailbox, record, runtime)"
            " VALUES (?, ?, ?, ?)",
            account.id,
            account.mailbox,
            dumps(account.record),
            dumps(account.runtime),
        )
