"""What is kept of an account, and what can be read from it without asking anybody."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from limepkg_email.sandbox.dates import parse_iso
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.stored import Folder

_WRONG_PASSWORD = {
    "response": "2 NO [AUTHENTICATIONFAILED] Authentication failed.",
    "serverResponseCode": "AUTHENTICATIONFAILED",
}


@dataclass(frozen=True, slots=True)
class Account:
    """A registered mailbox: what was registered, and what has become of it."""

    id: str
    mailbox: int
    record: Json
    runtime: Json

    @property
    def email(self) -> str:
        """The address of the account."""
        return str(self.record.get("email") or login(self.record))

    @property
    def receiving(self) -> bool:
        """Whether new mail in the mailbox is noticed."""
        return self.runtime["state"] == "connected" and not self.disabled

    @property
    def disabled(self) -> bool:
        """Whether the account only sends."""
        imap = self.record.get("imap")
        if isinstance(imap, dict):
            return bool(imap.get("disabled"))
        return "oauth2" not in self.record

    @property
    def notify_from(self) -> datetime:
        """Mail from before this moment is never announced; to the second, as mail is dated."""
        return parse_iso(self.runtime["notifyFrom"]).replace(microsecond=0)


def folder_event(folder: Folder) -> Json:
    """What folder events say of a folder."""
    return {
        "path": folder.path,
        "name": folder.name,
        "specialUse": folder.special_use or False,
        "uidValidity": str(folder.uid_validity),
    }


def fresh_runtime(notify_from: str) -> Json:
    """What becomes of an account starts with this."""
    return {
        "state": "init",
        "lastError": None,
        "smtpStatus": None,
        "notifyFrom": notify_from,
        "lastRow": 0,
    }


def account_of(row: sqlite3.Row) -> Account:
    """The account in a row of the database."""
    return Account(
        row["account"], row["mailbox"], json.loads(row["record"]), json.loads(row["runtime"])
    )


def mentions(account: Account, query: str) -> bool:
    """Whether a query finds the account by its id, name or address."""
    wanted = query.lower()
    names = (account.id, account.record.get("name", ""), account.email)
    return any(wanted in str(name).lower() for name in names)


def login(record: Json) -> str:
    """The user name with which an account logs in."""
    for key in ("imap", "oauth2", "smtp"):
        block = record.get(key)
        if isinstance(block, dict) and isinstance(block.get("auth"), dict):
            user = block["auth"].get("user")
            if user:
                return str(user)
    return str(record.get("email") or "unknown@example.com")


def password(block: Json) -> str:
    """The password in a connection block."""
    auth = block.get("auth")
    return str(auth.get("pass", "")) if isinstance(auth, dict) else ""


def login_error(record: Json) -> tuple[str, Json | None]:
    """The event and the error that a login ends with; no error when it succeeds."""
    imap = record.get("imap")
    if isinstance(imap, dict):
        if password(imap) == "wrong":
            return "authenticationError", dict(_WRONG_PASSWORD)
        host, port = str(imap.get("host", "")), imap.get("port", 143)
        if host.endswith(".invalid"):
            response = f"getaddrinfo ENOTFOUND {host}"
            return "connectError", {"response": response, "serverResponseCode": "ENOTFOUND"}
        if host.startswith("unreachable"):
            response = f"connect ECONNREFUSED {host}:{port}"
            return "connectError", {"response": response, "serverResponseCode": "ECONNREFUSED"}
    oauth2 = record.get("oauth2")
    if isinstance(oauth2, dict) and oauth2.get("refreshToken") == "wrong":
        return "authenticationError", {
            "response": "Token request failed",
            "serverResponseCode": "OauthRenewError",
        }
    return "", None
