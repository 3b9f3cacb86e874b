"""Marking imported mails as seen in their mailboxes, many with one request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import EngineError, EngineNotFound

_SEEN = ("\\Seen",)
_INBOX = "INBOX"


@dataclass(frozen=True, slots=True)
class SeenMail:
    """Where a mail lies that was imported; `uid` is 0 where the provider has none."""

    account: str
    message: str
    uid: int = 0


def mark_seen(engine: EngineClient, mails: Iterable[SeenMail]) -> dict[str, EngineError]:
    """Mark the mails as seen; one that was moved or deleted meanwhile stays as it is.

    Gives the accounts for which it did not work, and why: none holds up the others.
    """
    failed: dict[str, EngineError] = {}
    by_account: defaultdict[str, list[SeenMail]] = defaultdict(list)
    for mail in mails:
        by_account[mail.account].append(mail)
    for account, together in by_account.items():
        try:
            _mark(engine, account, together)
        except EngineNotFound:
            continue  # the account was removed
        except EngineError as error:
            failed[account] = error
    return failed


def _mark(engine: EngineClient, account: str, mails: list[SeenMail]) -> None:
    numbered = [mail for mail in mails if mail.uid]
    alone = [mail for mail in mails if not mail.uid] if len(numbered) > 1 else mails
    if len(numbered) > 1:
        uids = ",".join(str(mail.uid) for mail in numbered)
        engine.update_flags_bulk(account, _INBOX, {"uid": uids}, _SEEN)
    for mail in alone:
        try:
            engine.add_flags(account, mail.message, _SEEN)
        except EngineNotFound:
            continue
