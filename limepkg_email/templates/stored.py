"""A template as it is stored: what reading and changing it, and choosing one, have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, select, update

from limepkg_email import audit
from limepkg_email.db import table
from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.models import Template
from limepkg_email.services import Services
from limepkg_email.templates.defaults import Purpose
from limepkg_email.templates.rendering import TemplateSource

TEMPLATES = table(Template)
TWO_DEFAULTS = "Another template became the default just now; try again."


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template as it is stored; `version` grows with every change."""

    id: int
    name: str
    purpose: Purpose
    language: str
    subject: str
    body: str
    is_default: bool
    version: int

    @property
    def source(self) -> TemplateSource:
        """What `render` takes."""
        return TemplateSource(self.subject, self.body, self.language)


class StaleTemplate(Conflict):
    """The template was changed meanwhile; `newer` is what it is now."""

    def __init__(self, newer: StoredTemplate) -> None:
        super().__init__(
            f"“{newer.name}” was changed meanwhile; it has version {newer.version} now."
        )
        self.newer = newer


def require(services: Services, *permissions: str) -> None:
    """Raise `Forbidden` unless the user has one of the permissions."""
    if not any(services.application.user.can(each) for each in permissions):
        raise Forbidden(f"This needs the permission {_either(permissions)}.")


def purpose_of(purpose: str) -> Purpose:
    """Give the purpose of that name; raises `InvalidInput`."""
    try:
        return Purpose(purpose)
    except ValueError as error:
        sentence = bad_purpose(purpose)
        raise InvalidInput(sentence, errors={"purpose": [sentence]}) from error


def bad_purpose(purpose: str) -> str:
    """Say that there is no such purpose."""
    return f"There is no purpose `{purpose[:50]}`; there are {', '.join(Purpose)}."


def read_template(connection: Connection, id: int) -> StoredTemplate:
    """Give the template; raises `NotFound`."""
    row = connection.execute(select(TEMPLATES).where(TEMPLATES.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no template {id}.")
    return stored(row)


def stored(row: Row[Any]) -> StoredTemplate:
    """Make a template of its row."""
    return StoredTemplate(
        id=row.id,
        name=row.name,
        purpose=Purpose(row.purpose),
        language=row.language,
        subject=row.subject,
        body=row.body,
        is_default=row.is_default,
        version=row.version,
    )


def change(
    services: Services,
    connection: Connection,
    before: StoredTemplate,
    version: int,
    values: dict[str, Any],
) -> None:
    """Change the row if it still has this version; raises `StaleTemplate`."""
    statement = (
        update(TEMPLATES)
        .where(TEMPLATES.c.id == before.id, TEMPLATES.c.version == version)
        .values(**values, version=version + 1, changed_at=services.clock())
    )
    if connection.execute(statement).rowcount == 0:
        raise StaleTemplate(read_template(connection, before.id))


def make_room(
    services: Services, connection: Connection, purpose: str, language: str, besides: int = 0
) -> None:
    """Let no other template be the default."""
    same = and_(TEMPLATES.c.purpose == purpose, TEMPLATES.c.language == language)
    # Locked in the order of ids, so that two people who choose at once wait for one another.
    connection.execute(
        select(TEMPLATES.c.id).where(same).order_by(TEMPLATES.c.id).with_for_update()
    )
    connection.execute(
        update(TEMPLATES)
        .where(same, TEMPLATES.c.is_default, TEMPLATES.c.id != besides)
        .values(is_default=False, version=TEMPLATES.c.version + 1, changed_at=services.clock())
    )


def note(
    services: Services,
    connection: Connection,
    action: str,
    before: StoredTemplate,
    after: dict[str, Any] | None,
) -> None:
    """Enter what an administrator did to the template."""
    values = asdict(before)
    audit.record(connection, services, action, "template", before.id, before=values, after=after)


def _either(permissions: Iterable[str]) -> str:
    return " or ".join(permissions)
