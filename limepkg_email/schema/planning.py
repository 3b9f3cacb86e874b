"""What has to be done to a host's data model: declared minus described, as ordered steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from limepkg_email.config import Configuration
from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    CreateLimetype,
    Lengthen,
    Limetype,
    Property,
    Step,
)
from limepkg_email.schema.limetypes import kind

Described = Mapping[str, Limetype]

_ORDER = (CreateLimetype, AddProperty, AddOption, Lengthen)
_RENAME = "Rename it in the CRM and run the setup again; nothing was changed."
_DOCUMENT = (
    ("comment", ("string", "text"), ()),
    ("type", ("option", "string"), ("email",)),
    ("document", ("file",), ()),
)
"""What is written into a document: property, types that take it, options."""
_CONFIGURED_BY = {"conversation": "conversation_parents", "follower": "follower_parents"}


def plan(declared: Iterable[Limetype], described: Described) -> tuple[Step, ...]:
    """Give the steps after which the host has everything that is declared.

    Nothing is ever dropped, narrowed or renamed. Raises `Conflict` when the host has another thing
    under a declared name and `InvalidInput` when it lacks a limetype that must exist beforehand.
    """
    wanted = tuple(declared)
    found = [step for limetype in wanted for step in _limetype_steps(limetype, described)]
    to_come = {step.limetype.name for step in found if isinstance(step, CreateLimetype)}
    for step in found:
        if isinstance(step, AddProperty):
            _check_relation(step, described, to_come)
    return tuple(sorted(found, key=_place))


def check_parents(config: Configuration, described: Described) -> None:
    """Raise `InvalidInput` if a configured parent lacks a property that the configuration names."""
    for parent in config.conversation_parents:
        _check_parent("conversation_parents", parent.limetype, (parent.title,), described)
    for each in config.follower_parents:
        _check_parent("follower_parents", each.limetype, (each.address, *each.names), described)


def sentence(step: Step) -> str:
    """Say to a person what the step does."""
    match step:
        case CreateLimetype(limetype):
            return f"Create the limetype {limetype.name} ({limetype.singular})."
        case AddProperty(limetype, added):
            return f"Add the property {limetype}.{added.name} ({kind(added)})."
        case AddOption(limetype, name, option):
            return f"Add the option {option.key} to {limetype}.{name}."
        case Lengthen(limetype, name, length):
            return f"Lengthen {limetype}.{name} to {length} characters."


def check_documents(described: Described) -> None:
    """Raise `InvalidInput` unless files of mails can be stored as the host's documents."""
    document = described.get("document")
    if document is None:
        return  # `plan` says so
    for name, types, keys in _DOCUMENT:
        found = document.property(name)
        if found is None or found.type not in types:
            present = "does not exist" if found is None else f"is of the type {kind(found)}"
            raise InvalidInput(
                f"document.{name} {present}, but files of mails need it with the type {types[0]};"
                " add it to the limetype document in the CRM and run the setup again."
            )
        lacking = [each for each in keys if each not in {option.key for option in found.options}]
        if found.type == "option" and lacking:
            raise InvalidInput(
                f"document.{name} has no option {lacking[0]}, which marks files of mails; add it in"
                " the CRM and run the setup again."
            )


def _check_parent(key: str, limetype: str, names: tuple[str, ...], described: Described) -> None:
    known = described.get(limetype)
    for name in names:
        if known is not None and known.property(name) is None:
            raise InvalidInput(
                f"{limetype}.{name} does not exist; name another property in {key}, or add it to"
                " the limetype.",
                errors={key: [f"{limetype}.{name} does not exist."]},
            )


def _limetype_steps(limetype: Limetype, described: Described) -> Iterator[Step]:
    known = described.get(limetype.name)
    if known is None:
        if not limetype.singular:
            raise InvalidInput(
                f"The CRM has no limetype {limetype.name}, which the email integration extends by"
                f" {_listed(limetype.properties)}; install it first."
            )
        # The step goes without properties, because a host may need every limetype before relations.
        yield CreateLimetype(Limetype(limetype.name, limetype.singular, limetype.plural))
        known = Limetype(limetype.name, limetype.singular, limetype.plural)
    for wanted in limetype.properties:
        present = known.property(wanted.name)
        if present is None:
            yield AddProperty(limetype.name, wanted)
        else:
            yield from _property_steps(limetype.name, wanted, present)


def _property_steps(limetype: str, wanted: Property, present: Property) -> Iterator[Step]:
    if (wanted.type, wanted.related) != (present.type, present.related):
        raise Conflict(
            f"{limetype}.{wanted.name} exists as {kind(present)}, but the email integration needs"
            f" it as {kind(wanted)}. {_way_out(limetype, wanted)}"
        )
    keys = {each.key for each in present.options}
    for option in wanted.options:
        if option.key not in keys:
            yield AddOption(limetype, wanted.name, option)
    if wanted.length and present.length and present.length < wanted.length:
        yield Lengthen(limetype, wanted.name, wanted.length)


def _way_out(limetype: str, wanted: Property) -> str:
    configured = (
        _CONFIGURED_BY.get(limetype) if wanted.related not in (None, "conversation") else ""
    )
    if configured:
        return f"Rename it in the CRM, or give the parent another `relation` in {configured}."
    return _RENAME


def _check_relation(step: AddProperty, described: Described, to_come: set[str]) -> None:
    related, backref = step.property.related, step.property.backref
    if related is None or related in to_come:
        return
    if related not in described:
        key = _CONFIGURED_BY.get(step.limetype)
        advice = (
            f"change {key} in the configuration" if key else "remove the extension that wants it"
        )
        raise InvalidInput(
            f"The CRM has no limetype {related}, to which {step.limetype}.{step.property.name}"
            f" points; install it, or {advice}.",
            errors={key: [f"There is no limetype {related}."]} if key else None,
        )
    if backref and described[related].property(backref) is not None:
        raise Conflict(
            f"{related}.{backref} exists already, but is the name of the other side of"
            f" {step.limetype}.{step.property.name}. {_RENAME}"
        )


def _place(step: Step) -> tuple[int, bool]:
    relation = isinstance(step, AddProperty) and step.property.type == "belongsto"
    return _ORDER.index(type(step)), relation


def _listed(properties: Sequence[Property]) -> str:
    return ", ".join(each.name for each in properties)
