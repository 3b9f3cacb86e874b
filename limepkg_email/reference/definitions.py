"""Definitions of limetypes: how they are stored as JSON, and those that a new database has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.limetypes import AddOption, AddProperty, Lengthen, Limetype, Option, Property

NOW = "now"
"""The default of a time property that takes the moment in which an object is added."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_RESERVED = ("crm_", "limepkg_", "alembic_", "sqlite_", "pg_")


@dataclass(frozen=True, slots=True)
class Definition:
    """A limetype and what the CRM puts into properties that are not given."""

    limetype: Limetype
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the limetype, which is the name of its table too."""
        return self.limetype.name


def to_json(definition: Definition) -> str:
    """Give the definition as it is stored."""
    return json.dumps(
        {"limetype": asdict(definition.limetype), "defaults": dict(definition.defaults)}
    )


def from_json(stored: str) -> Definition:
    """Give the definition that was stored."""
    values = json.loads(stored)
    declared = values["limetype"]
    properties = tuple(_property(each) for each in declared["properties"])
    return Definition(Limetype(**{**declared, "properties": properties}), values["defaults"])


def _property(values: dict[str, Any]) -> Property:
    options = tuple(Option(**each) for each in values["options"])
    return Property(**{**values, "options": options})


def check_name(name: str) -> None:
    """Refuse names that cannot be the name of a table or column."""
    if _NAME.match(name) is None or name.startswith(_RESERVED) or name == "id":
        raise InvalidInput(f"{name!r} cannot be the name of a limetype or property")


def check_property(declared: Property) -> None:
    """Refuse properties that no column can hold."""
    check_name(declared.name)
    if declared.type == "belongsto" and not declared.related:
        raise InvalidInput(f"{declared.name}: a belongsto needs a related limetype")
    if any(len(option.key) > 64 for option in declared.options):
        raise InvalidInput(f"{declared.name}: the key of an option is longer than 64 characters")


def with_property(limetype: Limetype, step: AddProperty) -> Limetype | None:
    """Give the limetype with the property, or `None` if it has it already."""
    present = limetype.property(step.property.name)
    if present is None:
        return replace(limetype, properties=(*limetype.properties, step.property))
    if (present.type, present.related) != (step.property.type, step.property.related):
        raise Conflict(f"{limetype.name}.{present.name} exists already with another type")
    return None


def with_option(limetype: Limetype, step: AddOption) -> Limetype | None:
    """Give the limetype with the option, or `None` if it has it already."""
    present = existing(limetype, step.property)
    if present.type != "option":
        raise InvalidInput(f"{limetype.name}.{present.name} has no options")
    if any(option.key == step.option.key for option in present.options):
        return None
    changed = replace(present, options=(*present.options, step.option))
    check_property(changed)
    return _replaced(limetype, changed)


def with_length(limetype: Limetype, step: Lengthen) -> Limetype | None:
    """Give the limetype with the longer property, or `None` if it is long enough already."""
    present = existing(limetype, step.property)
    if present.type not in ("string", "link"):
        raise InvalidInput(f"{limetype.name}.{present.name} has no length")
    if present.length is None or present.length >= step.length:
        return None
    return _replaced(limetype, replace(present, length=step.length))


def existing(limetype: Limetype, name: str) -> Property:
    """Give the property; raises `InvalidInput` with its name if there is none."""
    present = limetype.property(name)
    if present is None:
        raise InvalidInput(f"there is no property {limetype.name}.{name}", errors={name: ["?"]})
    return present


def _replaced(limetype: Limetype, changed: Property) -> Limetype:
    return replace(
        limetype,
        properties=tuple(
            changed if each.name == changed.name else each for each in limetype.properties
        ),
    )


def _belongs_to(limetype: str, backref: str, label: str) -> Property:
    return Property(limetype, "belongsto", label, related=limetype, backref=backref)


def builtin() -> tuple[Definition, ...]:
    """Give the limetypes of a new database, each after the ones it points at."""
    return (
        Definition(
            Limetype(
                "company",
                "Company",
                "Companies",
                (
                    Property("name", "string", "Name", length=255, required=True, indexed=True),
                    Property("domain", "string", "Email domain", length=255, indexed=True),
                    Property("phone", "string", "Phone", length=64),
                ),
            )
        ),
        Definition(
            Limetype(
                "coworker",
                "Coworker",
                "Coworkers",
                (
                    Property("firstname", "string", "First name", length=255),
                    Property("lastname", "string", "Last name", length=255),
                    Property("email", "string", "Email", length=320, indexed=True),
                    Property("user", "user", "User"),
                ),
            )
        ),
        Definition(
            Limetype(
                "person",
                "Person",
                "People",
                (
                    Property("firstname", "string", "First name", length=255),
                    Property("lastname", "string", "Last name", length=255),
                    Property("email", "string", "Email", length=320, indexed=True),
                    Property("phone", "string", "Phone", length=64),
                    _belongs_to("company", "persons", "Company"),
                ),
            )
        ),
        Definition(_HELPDESK, {"status": "new", "created": NOW}),
        Definition(_DOCUMENT, {"type": "document", "created": NOW}),
    )


_HELPDESK = Limetype(
    "helpdesk",
    "Ticket",
    "Tickets",
    (
        Property("title", "string", "Title", length=255, required=True),
        Property("description", "text", "Description"),
        Property(
            "status",
            "option",
            "Status",
            options=(
                Option("new", "New"),
                Option("open", "Open"),
                Option("waiting", "Waiting"),
                Option("closed", "Closed"),
            ),
            indexed=True,
        ),
        Property("created", "time", "Created", indexed=True),
        _belongs_to("person", "helpdesks", "Requester"),
        _belongs_to("company", "helpdesks", "Company"),
        _belongs_to("coworker", "helpdesks", "Responsible"),
    ),
)

_DOCUMENT = Limetype(
    "document",
    "Document",
    "Documents",
    (
        Property("comment", "string", "Comment", length=256),
        Property(
            "type",
            "option",
            "Type",
            options=(
                Option("document", "Document"),
                Option("email", "Email"),
                Option("picture", "Picture"),
                Option("other", "Other"),
            ),
        ),
        Property("document", "file", "File"),
        Property("created", "time", "Created"),
        _belongs_to("company", "documents", "Company"),
        _belongs_to("person", "documents", "Person"),
        _belongs_to("coworker", "documents", "Coworker"),
        _belongs_to("helpdesk", "documents", "Ticket"),
    ),
)
