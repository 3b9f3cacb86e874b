"""Which accounts use a template."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from limepkg_email.db import table
from limepkg_email.models import Account
from limepkg_email.services import Services
from limepkg_email.templates.stored import require

_ACCOUNTS = table(Account)
_USES = (
    _ACCOUNTS.c.autoreply_template,
    _ACCOUNTS.c.relay_template,
    _ACCOUNTS.c.message_template,
)


def list_uses(services: Services, templates: Sequence[int]) -> dict[int, list[str]]:
    """Give for each template the accounts that use it, as `used_by`; for administrators."""
    require(services, "email.admin")
    with services.application.database.connect() as connection:
        return used_by(connection, templates)


def used_by(connection: Connection, templates: Sequence[int]) -> dict[int, list[str]]:
    """Give for each template the accounts that use it, as `Support <support@example.org>`."""
    query = select(_ACCOUNTS.c.name, _ACCOUNTS.c.email, *_USES)
    query = query.where(or_(*(each.in_(templates) for each in _USES))).order_by(_ACCOUNTS.c.id)
    found: dict[int, list[str]] = {each: [] for each in templates}
    for name, email, *uses in connection.execute(query):
        for each in {*uses} & found.keys():
            found[each].append(f"{name} <{email}>" if name else email)
    return found
