"""What administrators choose for an account, checked before it is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy import Connection, select

from limepkg_email import signatures
from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.addresses import MAX_ADDRESS, display_name, is_valid, normalise
from limepkg_email.db import table
from limepkg_email.errors import InvalidInput
from limepkg_email.models import Template
from limepkg_email.services import Services
from limepkg_email.templates.defaults import Purpose

SETTINGS: Final = (
    "name",
    "aliases",
    "users",
    "parent_limetype",
    "time_zone",
    "language",
    "message_template",
    "autoreply_template",
    "relay_template",
    "relay",
    "create_persons",
    "import_unread",
    "signature",
)
"""The names of the settings; `users` are ids of the host's users, the templates ids or `None`."""
MOST_ALIASES: Final = 50
MOST_USERS: Final = 1000

_TEMPLATES = table(Template)
_PURPOSES: Mapping[str, Purpose] = {
    "message_template": Purpose.MESSAGE,
    "autoreply_template": Purpose.AUTOREPLY,
    "relay_template": Purpose.RELAY,
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_MAX_LANGUAGE = 16


def checked(
    services: Services, connection: Connection, values: Mapping[str, Any], account: int | None
) -> dict[str, Any]:
    """Give the settings as they are stored; those that are left out stay out.

    `account` is the one that they are for, if it exists. Raises `InvalidInput` with sentences per
    setting. Takes at most two statements, and the host's list of users if there are any.
    """
    clean, errors = dict(values), dict[str, list[str]]()

    def check(name: str, by: Callable[[Any], Any]) -> None:
        if name not in values:
            return
        try:
            clean[name] = by(values[name])
        except InvalidInput as error:
            errors[name] = [error.message]

    check("name", display_name)
    check("aliases", lambda given: _aliases(connection, given, account))
    check("users", lambda given: _users(services, given))
    check("parent_limetype", lambda given: _parent(services, given))
    check("time_zone", _time_zone)
    check("language", _language)
    check("signature", signatures.checked)
    errors.update(_wrong_templates(connection, values))
    if errors:
        raise InvalidInput("Some settings cannot be used.", errors=errors)
    return clean


def _aliases(connection: Connection, given: Sequence[str], account: int | None) -> list[str]:
    clean = list(dict.fromkeys(normalise(each) for each in given))
    if len(clean) > MOST_ALIASES:
        raise InvalidInput(f"An account has at most {MOST_ALIASES} further addresses.")
    for each in clean:
        if len(each) > MAX_ADDRESS or not is_valid(each):
            raise InvalidInput(f"“{each[:MAX_ADDRESS]}” is no e-mail address.")
    taken = {
        address: each
        for each in read_accounts(connection).accounts
        if each.id != account
        for address in each.addresses
    }
    for each in clean:
        if each in taken:
            raise InvalidInput(f"{each} belongs to the account {taken[each].email}.")
    return clean


def _users(services: Services, given: Sequence[int]) -> list[int]:
    wanted = sorted(set(given))
    if not wanted:
        return []
    unknown = set(wanted) - {each.id for each in services.application.people()}
    if unknown:
        raise InvalidInput(f"There is no user {min(unknown)}.")
    return wanted


def _parent(services: Services, given: str) -> str:
    known = [each.limetype for each in services.config.conversation_parents]
    if given and given not in known:
        raise InvalidInput(f"Conversations hang on {', '.join(known)} only.")
    return given


def _time_zone(given: str) -> str:
    if given not in _time_zones():
        raise InvalidInput("This is no time zone of the IANA database, such as Europe/Stockholm.")
    return given


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _language(given: str) -> str:
    if len(given) > _MAX_LANGUAGE or not _LANGUAGE.fullmatch(given):
        raise InvalidInput("This is no language code, such as en or sv.")
    return given


def _wrong_templates(connection: Connection, values: Mapping[str, Any]) -> dict[str, list[str]]:
    wanted = {name: values[name] for name in _PURPOSES if values.get(name) is not None}
    if not wanted:
        return {}
    chosen = select(_TEMPLATES.c.id, _TEMPLATES.c.purpose)
    chosen = chosen.where(_TEMPLATES.c.id.in_(list(wanted.values())))
    known = {row.id: row.purpose for row in connection.execute(chosen)}
    errors = {}
    for name, id in wanted.items():
        if id not in known:
            errors[name] = [f"There is no template {id}."]
        elif known[id] != _PURPOSES[name]:
            errors[name] = [f"The template {id} is one for another purpose, {known[id]}."]
    return errors
