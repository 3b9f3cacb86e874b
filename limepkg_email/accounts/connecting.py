"""The way back from the hosted form: the account is read from the engine, then believed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from limepkg_email import audit
from limepkg_email.accounts.access import assign
from limepkg_email.accounts.accounts import ACCOUNTS, read_accounts
from limepkg_email.accounts.events import note_change
from limepkg_email.accounts.form import PendingForm, pending_form, use_up, used_up
from limepkg_email.accounts.listing import AccountEntry, read_entry
from limepkg_email.accounts.recovery_start import start_recovery
from limepkg_email.accounts.standing import ORPHAN
from limepkg_email.addresses import display_name, normalise
from limepkg_email.engine.types import EngineAccount
from limepkg_email.errors import Conflict, EngineNotFound, InvalidInput
from limepkg_email.services import Services
from limepkg_email.text import one_line

CLOCKS_APART: Final = timedelta(minutes=1)
"""How far the engine's clock may be behind ours: a state that was read is dated so much earlier,
lest the event that follows it count as old news."""

# It becomes a part of an address, and came from a browser.
_ENGINE_ACCOUNT = re.compile(r"[^\s/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")


class ConnectedTwice(Conflict):
    """The address that was typed into the form belongs to another account here.

    Nothing was stored, and the engine's new account is removed. One that signed in again is left as
    it is, with an address that is not its own.
    """


def connect(services: Services, token: str, engine_account: str) -> tuple[AccountEntry, str]:
    """Take over the account that the form made, or signed in again; gives the way back as well.

    The state serves once, and in the same transaction the account is stored with its choices and a
    recovery is started, which brings the mail that came before. A wrong password is no hindrance:
    the account says what is wrong with it. Raises what `pending_form` raises, `InvalidInput` for an
    account that the engine does not have or that is not the one of the form, `ConnectedTwice`, and
    while the engine is away its error; then the state can still be used.
    """
    database = services.application.database
    with database.connect() as connection:
        form = pending_form(services, connection, token)
    if form.engine_account not in ("", engine_account):
        raise _refused("This is not the account that was to sign in again.")
    known = _ask_engine(services, engine_account)
    now = services.clock()
    try:
        with database.begin() as connection:
            if not use_up(connection, form, now):
                raise used_up()
            refuse_twice(connection, known, "Sign in with another address.")
            account = _store(services, connection, form, known)
            entry = read_entry(connection, account)
            if entry.enabled:
                start_recovery(services, connection, [account], catching_up=True)
    except IntegrityError as error:
        raise Conflict("Somebody else stored the account just now; try again.") from error
    except ConnectedTwice:
        if _made_by(form, known):
            services.engine.delete_account(known.account)
        raise
    services.wake()
    return entry, str(form.choices.get("back") or "")


def told(known: EngineAccount, now: datetime) -> dict[str, Any]:
    """Give the columns that say what the engine says of an account that was read just now.

    Type `sending` is an account whose receiving we paused. Of an orphan the engine does not tell
    the application any more, so that column is left as it is.
    """
    paused = known.type == "sending" and known.has_imap
    columns = {
        "type": "imap" if paused else known.type[:32],
        "state": one_line(known.state, 64) or "init",
        "last_error": one_line(known.last_error, 2000),
        "state_at": now - CLOCKS_APART,
    }
    return columns if known.type == ORPHAN else {**columns, "oauth_app": known.app[:64]}


def _ask_engine(services: Services, engine_account: str) -> EngineAccount:
    if not _ENGINE_ACCOUNT.fullmatch(engine_account) or not engine_account.strip("."):
        raise _refused("This is no account of the mail engine; begin the sign-in anew.")
    try:
        known = services.engine.account(engine_account)
    except EngineNotFound as error:
        raise _refused("The mail engine has no such account; begin the sign-in anew.") from error
    if known.account != engine_account or not known.email:
        raise _refused("The mail engine did not tell the account's address; try again.")
    return known


def refuse_twice(connection: Connection, known: EngineAccount, advice: str) -> None:
    """Raise `ConnectedTwice` for an address of another account: each mail would come twice.

    `advice` says what to do about it.
    """
    address = normalise(known.email)
    for each in read_accounts(connection).accounts:
        if address in each.addresses and each.engine_account != known.account:
            whose = "" if address == normalise(each.email) else f", as an alias of {each.email}"
            sentence = f"{address} is connected already{whose}. {advice}"
            raise ConnectedTwice(sentence, errors={"account": [sentence]})


def _made_by(form: PendingForm, known: EngineAccount) -> bool:
    """Tell whether the engine's account was made by this form, whatever the browser says.

    Its mail is announced from the instant on at which the link was made.
    """
    begun = form.begun_at.replace(microsecond=form.begun_at.microsecond // 1000 * 1000)
    return not form.engine_account and known.notify_from == begun


def _store(
    services: Services, connection: Connection, form: PendingForm, known: EngineAccount
) -> int:
    row = _row(connection, known.account)
    if row is None:
        _add(services, connection, form, known)
        row = _row(connection, known.account)
        assert row is not None  # noqa: S101 - added above
    else:
        after = {"email": row.email, "state": known.state}
        # Noted even if nothing differs: that somebody signed in again is worth knowing.
        audit.record(connection, services, "account.sign_in", "account", row.id, after=after)
    seen = told(known, services.clock())
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(**seen))
    if row.enabled:
        note_change(connection, services, row, seen)
    return int(row.id)


def _row(connection: Connection, engine_account: str) -> Row[Any] | None:
    chosen = select(ACCOUNTS).where(ACCOUNTS.c.engine_account == engine_account)
    return connection.execute(chosen.with_for_update()).one_or_none()


def _add(
    services: Services, connection: Connection, form: PendingForm, known: EngineAccount
) -> None:
    choices = {name: value for name, value in form.choices.items() if name != "back"}
    users = choices.pop("users", [])
    values = {
        "engine_account": known.account,
        "email": normalise(known.email),
        "name": display_name(known.name),
        "aliases": [],
        # Mail that came while the person filled in the form is new mail.
        "activated_at": form.begun_at,
        **choices,
    }
    added = insert(ACCOUNTS).values(**values).returning(ACCOUNTS.c.id)
    account = int(connection.execute(added).scalar_one())
    assign(connection, account, users)
    shown = {"email": values["email"], "type": known.type, **choices, "users": users}
    audit.record(connection, services, "account.connect", "account", account, after=shown)


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors={"account": [sentence]})
