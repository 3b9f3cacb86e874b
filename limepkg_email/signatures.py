"""What stands below every message: one signature per account, one per user."""

from __future__ import annotations

from sqlalchemy import select, update

from limepkg_email.db import table
from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.mail_html import mail_safe
from limepkg_email.markup import shows_anything
from limepkg_email.models import Account
from limepkg_email.services import Services

MAX_SIGNATURE = 100_000
"""Longest signature in characters of HTML, images within it included."""

_ACCOUNTS = table(Account)


def account_signature(services: Services, account: int) -> str:
    """Give the signature of the account as sanitised HTML; raises `NotFound`."""
    _require(services, "email.use", "email.admin")
    return _of_account(services, account)


def set_account_signature(services: Services, account: int, html: str) -> str:
    """Store the signature of the account, sanitised; gives what is stored."""
    _require(services, "email.admin")
    clean = checked(html)
    statement = update(_ACCOUNTS).where(_ACCOUNTS.c.id == account).values(signature=clean)
    with services.application.database.begin() as connection:
        if connection.execute(statement).rowcount == 0:
            raise NotFound(f"There is no account {account}.")
    return clean


def user_signature(services: Services, user: int) -> str:
    """Give the signature of the user: one's own, or as an administrator anybody's."""
    _require_self(services, user)
    return _of_user(services, user)


def set_user_signature(services: Services, user: int, html: str) -> str:
    """Store the signature of the user, sanitised; an empty one removes it."""
    _require_self(services, user)
    clean = checked(html)
    services.application.settings.set(_setting(user), clean or None)
    return clean


def signature_for(services: Services, account: int, user: int | None) -> str:
    """Give the signature of a message: the user's, or the account's if the user has none.

    Needs no permission: it is for sending. `user` is `None` for what nobody wrote.
    """
    own = "" if user is None else _of_user(services, user)
    return own or _of_account(services, account)


def checked(html: str) -> str:
    """Give the signature as it is stored, sanitised and empty if it shows nothing.

    Raises `InvalidInput` for one that is too long.
    """
    clean = mail_safe(html).strip()
    if max(len(html), len(clean)) > MAX_SIGNATURE:
        sentence = f"A signature has at most {MAX_SIGNATURE:,} characters, images included."
        raise InvalidInput(sentence, errors={"signature": [sentence]})
    return clean if shows_anything(clean) else ""


def _of_account(services: Services, account: int) -> str:
    query = select(_ACCOUNTS.c.signature).where(_ACCOUNTS.c.id == account)
    with services.application.database.connect() as connection:
        found: str | None = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no account {account}.")
    return found


def _of_user(services: Services, user: int) -> str:
    found = services.application.settings.get(_setting(user))
    return found if isinstance(found, str) else ""


def _setting(user: int) -> str:
    return f"limepkg_email.signature.{user}"


def _require_self(services: Services, user: int) -> None:
    if user == services.application.user.id:
        _require(services, "email.use", "email.admin")
    else:
        _require(services, "email.admin")


def _require(services: Services, *permissions: str) -> None:
    if not any(services.application.user.can(each) for each in permissions):
        raise Forbidden(f"This needs the permission {' or '.join(permissions)}.")
