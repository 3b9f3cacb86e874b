"""Links to the engine's hosted form, and the one-time state that proves the way back.

The form ends in a browser that is sent to an address of ours, unsigned. What makes that
trustworthy is a random state in the address, of which only the digest is kept: it serves once,
within an hour, for the administrator who made the link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from sqlalchemy import Connection, delete, func, insert, select, update

from limepkg_email.accounts.accounts import ACCOUNTS, ConnectedAccount, read_accounts
from limepkg_email.accounts.settings import checked
from limepkg_email.accounts.standing import ORPHAN
from limepkg_email.addresses import MAX_ADDRESS, display_name, is_valid, normalise
from limepkg_email.db import table
from limepkg_email.errors import Conflict, EngineRejected, Forbidden, InvalidInput
from limepkg_email.models import FormState, OAuthApp, Receipt
from limepkg_email.services import Services

LIFETIME: Final = timedelta(hours=1)
"""How long a link can be used for an account of ours; the engine's form itself lives longer."""
TOKEN: Final = "token"  # noqa: S105 - the name of a parameter
"""The state's parameter in the redirect address; the engine adds `account` and `state` itself."""
IMAP: Final = "imap"
"""The type of a mailbox with server, login and password; every other type is an application."""

_STATES, _APPS, _RECEIPTS = table(FormState), table(OAuthApp), table(Receipt)
_Refusal = TypeVar("_Refusal", InvalidInput, Forbidden, Conflict)
_BYTES = 32
_KEPT = timedelta(days=1)
# What was lost while an account could not sign in was sent a little before it was missed.
_MISSED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FormLink:
    """The address of the hosted form, and until when what it makes is taken over."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PendingForm:
    """What a state was made for; `engine_account` is empty for a new account."""

    digest: str
    engine_account: str
    choices: Mapping[str, Any]
    begun_at: datetime


def create_link(
    services: Services,
    *,
    redirect_url: str,
    email: str = "",
    name: str = "",
    kind: str = IMAP,
    choices: Mapping[str, Any] | None = None,
    account: int | None = None,
) -> FormLink:
    """Make a link to the form for a new account, or for `account` to sign in again.

    `kind` is `imap` or the id of one of our OAuth2 applications, and for `account` its own if left
    empty. `choices` are the settings with which a new account begins, `enabled` among them, and
    `back`, the path to which the person returns. Raises `InvalidInput`, `NotFound` for an unknown
    account, and what the engine raises; then nothing is kept.
    """
    now = services.clock()
    with services.application.database.connect() as connection:
        wanted = _wanted(connection, email, name, kind, account, now)
        kept = dict(choices or {})
        enabled, back = kept.pop("enabled", True), kept.pop("back", "")
        kept = checked(services, connection, kept, account)
    token = token_urlsafe(_BYTES)
    separator = "&" if "?" in redirect_url else "?"
    address = f"{redirect_url}{separator}{urlencode({TOKEN: token})}"
    try:
        url = services.engine.authentication_form({**wanted, "redirectUrl": address})
    except EngineRejected as error:
        raise InvalidInput(error.message, errors=error.errors) from error
    row = {
        "digest": digest_of(token),
        "user": services.application.user.id,
        "engine_account": wanted.get("account", ""),
        "choices": {**kept, "enabled": enabled, "back": back},
        "expires_at": now + LIFETIME,
    }
    with services.application.database.begin() as connection:
        connection.execute(delete(_STATES).where(_STATES.c.expires_at < now - _KEPT))
        connection.execute(insert(_STATES).values(**row))
    return FormLink(url, now + LIFETIME)


def digest_of(token: str) -> str:
    """Give what is kept of a state."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def pending_form(services: Services, connection: Connection, token: str) -> PendingForm:
    """Read what the state was made for.

    Raises `InvalidInput` for an unknown one, `Forbidden` for another administrator's, and
    `Conflict` for one that was used or has expired; `errors` names the field `token`.
    """
    columns = ("digest", "user", "engine_account", "choices", "expires_at", "used_at")
    chosen = select(*(_STATES.c[each] for each in columns))
    row = connection.execute(chosen.where(_STATES.c.digest == digest_of(token))).one_or_none()
    if row is None:
        raise _refused(InvalidInput, "This is no sign-in that was begun here; begin a new one.")
    if row.user != services.application.user.id:
        raise _refused(Forbidden, "Another administrator began this sign-in, and has to end it.")
    if row.used_at is not None:
        raise used_up()
    if row.expires_at <= services.clock():
        raise _refused(Conflict, "The sign-in took more than an hour; begin a new one.")
    begun_at = row.expires_at - LIFETIME
    return PendingForm(row.digest, row.engine_account, row.choices, begun_at)


def use_up(connection: Connection, form: PendingForm, now: datetime) -> bool:
    """Use the state up in the transaction at hand; tells whether this was the one time."""
    unused = update(_STATES).where(
        _STATES.c.digest == form.digest, _STATES.c.used_at.is_(None), _STATES.c.expires_at > now
    )
    return connection.execute(unused.values(used_at=now)).rowcount == 1


def used_up() -> Conflict:
    """Make the error for a state that has served."""
    return _refused(Conflict, "This sign-in was used before; look at the list of accounts.")


def _refused(kind: type[_Refusal], sentence: str) -> _Refusal:
    return kind(sentence, errors={TOKEN: [sentence]})


def _wanted(
    connection: Connection,
    email: str,
    name: str,
    kind: str,
    account: int | None,
    now: datetime,
) -> dict[str, Any]:
    """Give the engine's settings for the account, as its form takes them.

    Only the inbox is watched: mail elsewhere is none of our business, and each webhook keeps the
    others waiting. Mail is announced from the instant on from which it is to be imported.
    """
    accounts, email = read_accounts(connection), normalise(email)
    common = {"path": ["INBOX"], "type": _engine_type(connection, kind or IMAP)}
    if account is not None:
        known = accounts.by_id(account)
        since = _missed_since(connection, known)
        if not kind:
            common["type"] = _own_type(connection, known)
        return {
            **common,
            "account": known.engine_account,
            "email": known.email,
            "name": known.name,
            "notifyFrom": _iso(since),
        }
    if len(email) > MAX_ADDRESS or not is_valid(email):
        sentence = "Give the e-mail address of the mailbox."
        raise InvalidInput(sentence, errors={"email": [sentence]})
    if email in accounts.own_addresses:
        sentence = f"{email} is connected already; sign in to it again, or take the alias away."
        raise InvalidInput(sentence, errors={"email": [sentence]})
    return {
        **common,
        "email": email,
        "name": display_name(name) or email,
        "notifyFrom": _iso(now),
    }


def _engine_type(connection: Connection, kind: str) -> str:
    """Give the engine's word for the type; an unknown one would be dropped there silently."""
    if kind == IMAP:
        return IMAP
    chosen = select(_APPS.c.engine_app, _APPS.c.enabled, _APPS.c.missing)
    number = int(kind) if kind.isascii() and kind.isdigit() and len(kind) < 16 else 0
    app = connection.execute(chosen.where(_APPS.c.id == number)).one_or_none()
    if app is not None and app.enabled and not app.missing:
        return str(app.engine_app)
    sentence = f"Give `{IMAP}` or the id of an enabled OAuth2 application."
    raise InvalidInput(sentence, errors={"type": [sentence]})


def _own_type(connection: Connection, known: ConnectedAccount) -> str:
    chosen = select(ACCOUNTS.c.type, ACCOUNTS.c.oauth_app).where(ACCOUNTS.c.id == known.id)
    kind, app = connection.execute(chosen).one()
    if kind == ORPHAN:
        sentence = "The OAuth2 application of the account was deleted; choose another one."
        raise InvalidInput(sentence, errors={"type": [sentence]})
    return app or IMAP


def _missed_since(connection: Connection, known: ConnectedAccount) -> datetime:
    """Give the instant from which mail of an account that was away may not have been announced."""
    of_account = _RECEIPTS.c.account == known.engine_account
    last = connection.scalar(select(func.max(_RECEIPTS.c.seen_at)).where(of_account))
    return known.activated_at if last is None else max(known.activated_at, last - _MISSED)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
