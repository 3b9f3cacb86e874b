"""The stored templates: reading and changing them, the default of each purpose and language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from limepkg_email.db import insert_new, table
from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.models import Account, Template
from limepkg_email.services import Services
from limepkg_email.templates.defaults import (
    FALLBACK_LANGUAGE,
    Purpose,
    built_in,
    built_in_name,
    known_language,
)
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import MAX_SUBJECT, TemplateSource, check
from limepkg_email.text import one_line, storable

_TEMPLATES = table(Template)
_ACCOUNTS = table(Account)
_MAX_NAME = 128
_MAX_LANGUAGE = 16


@dataclass(frozen=True, slots=True)
class TemplateInput:
    """What somebody wants a template to be."""

    name: str
    purpose: str
    language: str
    subject: str
    body: str


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


def list_templates(services: Services, purpose: str | None = None) -> list[StoredTemplate]:
    """Give the templates, of one purpose or all, by name."""
    _require(services, "email.use", "email.admin")
    query = select(_TEMPLATES).order_by(_TEMPLATES.c.name, _TEMPLATES.c.id)
    if purpose is not None:
        query = query.where(_TEMPLATES.c.purpose == _purpose(purpose))
    with services.application.database.connect() as connection:
        return [_stored(row) for row in connection.execute(query)]


def get_template(services: Services, id: int) -> StoredTemplate:
    """Give the template; raises `NotFound`."""
    _require(services, "email.use", "email.admin")
    with services.application.database.connect() as connection:
        return _read(connection, id)


def create_template(services: Services, wanted: TemplateInput) -> StoredTemplate:
    """Store a new template; raises `TemplateError`, `InvalidInput` or `Conflict` (name taken)."""
    _require(services, "email.admin")
    values = _checked(wanted)
    try:
        with services.application.database.begin() as connection:
            statement = insert(_TEMPLATES).values(
                **values, is_default=False, version=1, changed_at=services.clock()
            )
            id = connection.execute(statement.returning(_TEMPLATES.c.id)).scalar_one()
            return _read(connection, id)
    except IntegrityError as error:
        raise _name_taken(wanted) from error


def update_template(
    services: Services, id: int, version: int, wanted: TemplateInput
) -> StoredTemplate:
    """Change the template if it still has this version; raises `Conflict` if it has another.

    A default template whose purpose or language changes is no default any more.
    """
    _require(services, "email.admin")
    values = _checked(wanted)
    try:
        with services.application.database.begin() as connection:
            before = _read(connection, id)
            stays = (before.purpose, before.language) == (values["purpose"], values["language"])
            if before.purpose != values["purpose"]:
                _refuse_if_used(connection, before, "be given another purpose")
            values["is_default"] = before.is_default and stays
            _change(services, connection, before, version, values)
            return _read(connection, id)
    except IntegrityError as error:
        raise _name_taken(wanted) from error


def delete_template(services: Services, id: int, version: int | None = None) -> None:
    """Delete the template; raises `Conflict` naming the accounts that use it."""
    _require(services, "email.admin")
    with services.application.database.begin() as connection:
        found = _read(connection, id)
        if version is not None and version != found.version:
            raise _changed_meanwhile(found)
        _refuse_if_used(connection, found, "be deleted")
        connection.execute(delete(_TEMPLATES).where(_TEMPLATES.c.id == id))


def set_default(services: Services, id: int, version: int | None = None) -> StoredTemplate:
    """Make the template the default of its purpose and language, instead of any other."""
    _require(services, "email.admin")
    try:
        with services.application.database.begin() as connection:
            return _chosen(services, connection, id, version)
    except IntegrityError as error:
        raise Conflict("Another template became the default just now; try again.") from error


def default_for(services: Services, purpose: str, language: str) -> TemplateSource:
    """Give the text that serves for a purpose; needs no permission: it is for sending.

    The default template of the language serves, then of the language without its region, then of
    English, then the built-in text.
    """
    wanted = _purpose(purpose)
    languages = dict.fromkeys((_language(language), _short(language), FALLBACK_LANGUAGE))
    query = select(_TEMPLATES).where(
        _TEMPLATES.c.purpose == wanted,
        _TEMPLATES.c.language.in_(languages),
        _TEMPLATES.c.is_default,
    )
    with services.application.database.connect() as connection:
        found = {row.language: _stored(row).source for row in connection.execute(query)}
    for each in languages:
        if each in found:
            return found[each]
    return built_in(wanted, language)


def source_for(services: Services, id: int | None, purpose: str, language: str) -> TemplateSource:
    """Give the text of the template that an account names, or the default if it names none.

    A template that is gone is as good as none. Needs no permission: it is for sending.
    """
    if id is not None:
        query = select(_TEMPLATES).where(
            _TEMPLATES.c.id == id, _TEMPLATES.c.purpose == _purpose(purpose)
        )
        with services.application.database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None:
            return _stored(row).source
    return default_for(services, purpose, language)


def create_defaults(services: Services, language: str | None = None) -> list[StoredTemplate]:
    """Store the built-in text of each purpose and make it the default where there is none.

    In the language of the user, unless another is named. Doing it again changes nothing. Gives
    the default template of each purpose.
    """
    _require(services, "email.admin")
    spoken = known_language(language or services.application.language)
    with services.application.database.begin() as connection:
        return [_default_of(services, connection, purpose, spoken) for purpose in Purpose]


def _chosen(
    services: Services, connection: Connection, id: int, version: int | None
) -> StoredTemplate:
    found = _read(connection, id)
    same = and_(_TEMPLATES.c.purpose == found.purpose, _TEMPLATES.c.language == found.language)
    # Locked in the order of ids, so that two people who choose at once wait for one another.
    connection.execute(
        select(_TEMPLATES.c.id).where(same).order_by(_TEMPLATES.c.id).with_for_update()
    )
    connection.execute(
        update(_TEMPLATES)
        .where(same, _TEMPLATES.c.is_default, _TEMPLATES.c.id != id)
        .values(is_default=False, version=_TEMPLATES.c.version + 1, changed_at=services.clock())
    )
    found = _read(connection, id)
    expected = found.version if version is None else version
    _change(services, connection, found, expected, {"is_default": True})
    return _read(connection, id)


def _default_of(
    services: Services, connection: Connection, purpose: Purpose, language: str
) -> StoredTemplate:
    query = select(_TEMPLATES).where(
        _TEMPLATES.c.purpose == purpose, _TEMPLATES.c.language == language, _TEMPLATES.c.is_default
    )
    found = connection.execute(query).one_or_none()
    if found is not None:
        return _stored(found)
    source, name = built_in(purpose, language), built_in_name(purpose, language)
    row: dict[str, object] = {
        "purpose": purpose.value,
        "language": language,
        "subject": source.subject,
        "body": source.body,
        "is_default": True,
        "version": 1,
        "changed_at": services.clock(),
    }
    for each in (name, *(f"{name} {number}" for number in range(2, 100))):
        # Nothing is inserted if the name is taken, or if somebody else made a default just now.
        insert_new(connection, _TEMPLATES, [{**row, "name": each}])
        found = connection.execute(query).one_or_none()
        if found is not None:
            return _stored(found)
    raise Conflict(f"There are too many templates named “{name}”.")


def _change(
    services: Services,
    connection: Connection,
    before: StoredTemplate,
    version: int,
    values: dict[str, Any],
) -> None:
    statement = (
        update(_TEMPLATES)
        .where(_TEMPLATES.c.id == before.id, _TEMPLATES.c.version == version)
        .values(**values, version=version + 1, changed_at=services.clock())
    )
    if connection.execute(statement).rowcount == 0:
        raise _changed_meanwhile(before)


def _refuse_if_used(connection: Connection, template: StoredTemplate, what: str) -> None:
    query = (
        select(_ACCOUNTS.c.name, _ACCOUNTS.c.email)
        .where(
            or_(
                _ACCOUNTS.c.autoreply_template == template.id,
                _ACCOUNTS.c.relay_template == template.id,
            )
        )
        .order_by(_ACCOUNTS.c.id)
    )
    users = [_account_name(row.name, row.email) for row in connection.execute(query)]
    if users:
        raise Conflict(
            f"“{template.name}” cannot {what}: it is used by {', '.join(users)}."
            " Choose another template there first."
        )


def _account_name(name: str, email: str) -> str:
    return f"{name} <{email}>" if name else email


def _checked(wanted: TemplateInput) -> dict[str, Any]:
    name = one_line(wanted.name)
    errors: dict[str, list[str]] = {}
    if not name or len(name) > _MAX_NAME:
        errors["name"] = [f"A template needs a name of at most {_MAX_NAME} characters."]
    if wanted.purpose not in list(Purpose):
        errors["purpose"] = [_bad_purpose(wanted.purpose)]
    language = _language(wanted.language)
    if not _is_language(language):
        errors["language"] = ["A language is written as in `en` or `sv-FI`."]
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


def _is_language(language: str) -> bool:
    parts = language.split("-")
    plain = language.isascii() and all(each.isalnum() for each in parts)
    return (
        plain and parts[0].isalpha() and len(parts[0]) in (2, 3) and len(language) <= _MAX_LANGUAGE
    )


def _language(language: str) -> str:
    first, *rest = language.strip().replace("_", "-").split("-")
    return "-".join((first.lower(), *(each.upper() if len(each) == 2 else each for each in rest)))


def _short(language: str) -> str:
    return _language(language).partition("-")[0]


def _purpose(purpose: str) -> Purpose:
    try:
        return Purpose(purpose)
    except ValueError as error:
        sentence = _bad_purpose(purpose)
        raise InvalidInput(sentence, errors={"purpose": [sentence]}) from error


def _bad_purpose(purpose: str) -> str:
    return f"There is no purpose `{purpose[:50]}`; there are {', '.join(Purpose)}."


def _read(connection: Connection, id: int) -> StoredTemplate:
    row = connection.execute(select(_TEMPLATES).where(_TEMPLATES.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no template {id}.")
    return _stored(row)


def _stored(row: Row[Any]) -> StoredTemplate:
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


def _name_taken(wanted: TemplateInput) -> Conflict:
    sentence = f"There is a template named “{one_line(wanted.name)}” already."
    return Conflict(sentence, errors={"name": [sentence]})


def _changed_meanwhile(template: StoredTemplate) -> Conflict:
    return Conflict(f"“{template.name}” was changed meanwhile; it has version {template.version}.")


def _require(services: Services, *permissions: str) -> None:
    if not any(services.application.user.can(each) for each in permissions):
        raise Forbidden(f"This needs the permission {_either(permissions)}.")


def _either(permissions: Iterable[str]) -> str:
    return " or ".join(permissions)
