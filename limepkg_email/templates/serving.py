"""Which template serves for a purpose and language where none is chosen."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from limepkg_email import audit
from limepkg_email.db import insert_new
from limepkg_email.errors import Conflict
from limepkg_email.services import Services
from limepkg_email.templates.defaults import (
    FALLBACK_LANGUAGE,
    LANGUAGES,
    Purpose,
    built_in,
    built_in_name,
    known_language,
)
from limepkg_email.templates.language import check_language, short, written
from limepkg_email.templates.rendering import TemplateSource
from limepkg_email.templates.stored import (
    TEMPLATES,
    TWO_DEFAULTS,
    StoredTemplate,
    change,
    make_room,
    note,
    purpose_of,
    read_template,
    require,
    stored,
)


def default_for(services: Services, purpose: str, language: str) -> TemplateSource:
    """Give the text that serves for a purpose; needs no permission: it is for sending.

    The default template of the language serves, then of the language without its region, then of
    the configured `default_language`, then of English, then the built-in text.
    """
    wanted = purpose_of(purpose)
    found = _default(services, wanted, language)
    return built_in(wanted, _spoken(services, language)) if found is None else found.source


def source_for(services: Services, id: int | None, purpose: str, language: str) -> TemplateSource:
    """Give the text of the template that an account names, or the default if it names none.

    A template that is gone is as good as none. Needs no permission: it is for sending.
    """
    if id is not None:
        query = select(TEMPLATES).where(
            TEMPLATES.c.id == id, TEMPLATES.c.purpose == purpose_of(purpose)
        )
        with services.application.database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None:
            return stored(row).source
    return default_for(services, purpose, language)


def default_template(services: Services, purpose: str, language: str) -> StoredTemplate:
    """Give the template that serves for a purpose; one that is not stored has id and version 0.

    The latter is what `create_defaults` would store.
    """
    require(services, "email.use", "email.admin")
    wanted = purpose_of(purpose)
    check_language(language)
    found = _default(services, wanted, language)
    if found is not None:
        return found
    spoken = _spoken(services, language)
    source, name = built_in(wanted, spoken), built_in_name(wanted, spoken)
    return StoredTemplate(
        0, name, wanted, source.language, source.subject, source.body, is_default=True, version=0
    )


def set_default(services: Services, id: int, version: int | None = None) -> StoredTemplate:
    """Make the template the default of its purpose and language, instead of any other."""
    require(services, "email.admin")
    try:
        with services.application.database.begin() as connection:
            found = read_template(connection, id)
            make_room(services, connection, found.purpose, found.language, besides=id)
            found = read_template(connection, id)
            expected = found.version if version is None else version
            change(services, connection, found, expected, {"is_default": True})
            note(services, connection, "template.update", found, {"is_default": True})
            return read_template(connection, id)
    except IntegrityError as error:
        raise Conflict(TWO_DEFAULTS) from error


def create_defaults(services: Services, language: str | None = None) -> list[StoredTemplate]:
    """Store the built-in text of each purpose and make it the default where there is none.

    In the language of the user, unless another is named. Doing it again changes nothing. Gives
    the default template of each purpose.
    """
    require(services, "email.admin")
    if language:
        check_language(language)
    spoken = known_language(_spoken(services, language or services.application.language))
    with services.application.database.begin() as connection:
        return [_default_of(services, connection, purpose, spoken) for purpose in Purpose]


def _default(services: Services, purpose: Purpose, language: str) -> StoredTemplate | None:
    configured = services.config.default_language
    languages = dict.fromkeys(
        (written(language), short(language), written(configured), FALLBACK_LANGUAGE)
    )
    query = select(TEMPLATES).where(
        TEMPLATES.c.purpose == purpose,
        TEMPLATES.c.language.in_(languages),
        TEMPLATES.c.is_default,
    )
    with services.application.database.connect() as connection:
        found = {row.language: stored(row) for row in connection.execute(query)}
    return next((found[each] for each in languages if each in found), None)


def _spoken(services: Services, language: str) -> str:
    return language if short(language) in LANGUAGES else services.config.default_language


def _default_of(
    services: Services, connection: Connection, purpose: Purpose, language: str
) -> StoredTemplate:
    query = select(TEMPLATES).where(
        TEMPLATES.c.purpose == purpose, TEMPLATES.c.language == language, TEMPLATES.c.is_default
    )
    found = connection.execute(query).one_or_none()
    if found is not None:
        return stored(found)
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
        inserted = insert_new(connection, TEMPLATES, [{**row, "name": each}])
        found = connection.execute(query).one_or_none()
        if found is not None:
            if inserted:
                after = {"name": each, "purpose": purpose.value, "language": language}
                audit.record(
                    connection, services, "template.create", "template", found.id, after=after
                )
            return stored(found)
    raise Conflict(f"There are too many templates named “{name}”.")
