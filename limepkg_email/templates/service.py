"""The stored templates: reading and changing them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from limepkg_email import audit
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.services import Services
from limepkg_email.templates.defaults import Purpose
from limepkg_email.templates.language import BAD_LANGUAGE, is_language, written
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import MAX_SUBJECT, TemplateSource, check
from limepkg_email.templates.stored import (
    TEMPLATES,
    TWO_DEFAULTS,
    StaleTemplate,
    StoredTemplate,
    bad_purpose,
    change,
    make_room,
    note,
    purpose_of,
    read_template,
    require,
    stored,
)
from limepkg_email.templates.usage import used_by
from limepkg_email.text import one_line, storable

_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class TemplateInput:
    """What somebody wants a template to be; `is_default` may be left as it is with `None`."""

    name: str
    purpose: str
    language: str
    subject: str
    body: str
    is_default: bool | None = None


def list_templates(
    services: Services,
    purpose: str | None = None,
    language: str | None = None,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[StoredTemplate]:
    """Give the templates by name: of one purpose or all, in one language or all."""
    require(services, "email.use", "email.admin")
    query = _chosen(select(TEMPLATES), purpose, language)
    query = query.order_by(TEMPLATES.c.name, TEMPLATES.c.id).limit(limit).offset(offset)
    with services.application.database.connect() as connection:
        return [stored(row) for row in connection.execute(query)]


def count_templates(
    services: Services, purpose: str | None = None, language: str | None = None
) -> int:
    """Tell how many templates `list_templates` would give without a limit."""
    require(services, "email.use", "email.admin")
    query = _chosen(select(func.count()).select_from(TEMPLATES), purpose, language)
    with services.application.database.connect() as connection:
        found: int = connection.execute(query).scalar_one()
    return found


def get_template(services: Services, id: int) -> StoredTemplate:
    """Give the template; raises `NotFound`."""
    require(services, "email.use", "email.admin")
    with services.application.database.connect() as connection:
        return read_template(connection, id)


def create_template(services: Services, wanted: TemplateInput) -> StoredTemplate:
    """Store a new template; raises `TemplateError`, `InvalidInput` or `Conflict` (name taken)."""
    require(services, "email.admin")
    values = {**_checked(wanted), "is_default": bool(wanted.is_default)}
    with _unique(services, wanted) as connection:
        if wanted.is_default:
            make_room(services, connection, wanted.purpose, values["language"])
        statement = insert(TEMPLATES).values(**values, version=1, changed_at=services.clock())
        id = connection.execute(statement.returning(TEMPLATES.c.id)).scalar_one()
        audit.record(connection, services, "template.create", "template", id, after=values)
        return read_template(connection, id)


def update_template(
    services: Services, id: int, version: int, wanted: TemplateInput
) -> StoredTemplate:
    """Change the template if it still has this version; raises `StaleTemplate` if it has another.

    A default template whose purpose or language changes is no default any more, unless it is to be.
    """
    require(services, "email.admin")
    values = _checked(wanted)
    with _unique(services, wanted, id) as connection:
        before = read_template(connection, id)
        if before.version != version:
            raise StaleTemplate(before)
        if before.purpose != values["purpose"]:
            _refuse_if_used(connection, before, "be given another purpose")
        stays = (before.purpose, before.language) == (values["purpose"], values["language"])
        values["is_default"] = before.is_default and stays
        if wanted.is_default is not None:
            values["is_default"] = wanted.is_default
        if wanted.is_default:
            make_room(services, connection, values["purpose"], values["language"], besides=id)
        change(services, connection, before, version, values)
        note(services, connection, "template.update", before, values)
        return read_template(connection, id)


def delete_template(services: Services, id: int, version: int | None = None) -> None:
    """Delete the template; raises `Conflict` naming the accounts that use it."""
    require(services, "email.admin")
    with services.application.database.begin() as connection:
        found = read_template(connection, id)
        if version is not None and version != found.version:
            raise StaleTemplate(found)
        _refuse_if_used(connection, found, "be deleted")
        connection.execute(delete(TEMPLATES).where(TEMPLATES.c.id == id))
        note(services, connection, "template.delete", found, None)


def _chosen(query: Select[Any], purpose: str | None, language: str | None) -> Select[Any]:
    if purpose is not None:
        query = query.where(TEMPLATES.c.purpose == purpose_of(purpose))
    if language is not None:
        query = query.where(TEMPLATES.c.language == written(language))
    return query


@contextmanager
def _unique(
    services: Services, wanted: TemplateInput, besides: int | None = None
) -> Iterator[Connection]:
    """Begin a transaction; say which of the two unique keys stood in its way."""
    try:
        with services.application.database.begin() as connection:
            yield connection
    except IntegrityError as error:
        same = select(TEMPLATES.c.id).where(TEMPLATES.c.name == one_line(wanted.name))
        with services.application.database.connect() as connection:
            holder = connection.execute(same).scalar()
        if holder is None or holder == besides:
            raise Conflict(TWO_DEFAULTS) from error
        raise _name_taken(wanted) from error


def _refuse_if_used(connection: Connection, template: StoredTemplate, what: str) -> None:
    users = used_by(connection, [template.id])[template.id]
    if users:
        raise Conflict(
            f"“{template.name}” cannot {what}: it is used by {', '.join(users)}."
            " Choose another template there first."
        )


def _checked(wanted: TemplateInput) -> dict[str, Any]:
    name = one_line(wanted.name)
    errors: dict[str, list[str]] = {}
    if not name or len(name) > _MAX_NAME:
        errors["name"] = [f"A template needs a name of at most {_MAX_NAME} characters."]
    if wanted.purpose not in list(Purpose):
        errors["purpose"] = [bad_purpose(wanted.purpose)]
    language = written(wanted.language)
    if not is_language(language):
        errors["language"] = [BAD_LANGUAGE]
    subject, body = one_line(wanted.subject), storable(wanted.body)
    if len(subject) > MAX_SUBJECT:
        errors["subject"] = [f"A subject has at most {MAX_SUBJECT} characters."]
    if not body.strip():
        errors["body"] = ["A template needs a text."]
    if errors:
        raise InvalidInput(_sentence(errors), errors=errors)
    check(TemplateSource(subject, body, language), MOCKED)
    return {
        "name": name,
        "purpose": wanted.purpose,
        "language": language,
        "subject": subject,
        "body": body,
    }


def _sentence(errors: dict[str, list[str]]) -> str:
    return " ".join(sentence for sentences in errors.values() for sentence in sentences)


def _name_taken(wanted: TemplateInput) -> Conflict:
    sentence = f"There is a template named “{one_line(wanted.name)}” already."
    return Conflict(sentence, errors={"name": [sentence]})
