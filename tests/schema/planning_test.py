from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    CreateLimetype,
    Lengthen,
    Limetype,
    Option,
    Property,
    Step,
)
from limepkg_email.schema.limetypes import declared
from limepkg_email.schema.planning import check_parents, plan, sentence

from .sample import configuration

HOST = {
    name: Limetype(name, name, name, tuple(Property(each, "string") for each in properties))
    for name, properties in {
        "helpdesk": ("title",),
        "coworker": ("email", "firstname", "lastname"),
        "person": ("email", "firstname", "lastname"),
        "document": ("comment",),
    }.items()
}
DECLARED = declared(configuration())


def applied(steps: Iterable[Step], described: dict[str, Limetype]) -> dict[str, Limetype]:
    """What a host has after the steps; fails where a host would."""
    after = dict(described)
    for step in steps:
        match step:
            case CreateLimetype(limetype):
                assert limetype.name not in after
                assert not limetype.properties
                after[limetype.name] = limetype
            case AddProperty(limetype, added):
                assert added.related is None or added.related in after
                assert after[limetype].property(added.name) is None
                properties = (*after[limetype].properties, added)
                after[limetype] = replace(after[limetype], properties=properties)
            case AddOption(limetype, name, option):
                changed = required(after[limetype], name)
                changed = replace(changed, options=(*changed.options, option))
                after[limetype] = with_property(after[limetype], changed)
            case Lengthen(limetype, name, length):
                changed = required(after[limetype], name)
                assert changed.length is not None
                assert length > changed.length
                after[limetype] = with_property(after[limetype], replace(changed, length=length))
    return after


def required(limetype: Limetype, name: str) -> Property:
    found = limetype.property(name)
    assert found is not None
    return found


def with_property(limetype: Limetype, changed: Property) -> Limetype:
    kept = tuple(changed if each.name == changed.name else each for each in limetype.properties)
    return replace(limetype, properties=kept)


def host(**limetypes: tuple[Property, ...]) -> dict[str, Limetype]:
    """A host with these limetypes as well."""
    return HOST | {name: Limetype(name, name, name, each) for name, each in limetypes.items()}


def test_a_second_plan_is_empty() -> None:
    after = applied(plan(DECLARED, HOST), HOST)
    assert plan(DECLARED, after) == ()


def test_every_declared_limetype_and_property_is_there_afterwards() -> None:
    after = applied(plan(DECLARED, HOST), HOST)
    for limetype in DECLARED:
        assert set(limetype.properties) <= set(after[limetype.name].properties)


@settings(max_examples=50)
@given(st.integers(0, 200))
def test_an_interrupted_setup_is_completed_by_the_next(done: int) -> None:
    steps = plan(DECLARED, HOST)
    halfway = applied(steps[:done], HOST)
    assert plan(DECLARED, halfway) == steps[done:]


def test_what_the_host_has_besides_is_left_alone() -> None:
    described = host(conversation=(Property("ours", "xml"),), unrelated=())  # type: ignore[arg-type]
    after = applied(plan(DECLARED, described), described)
    assert after["conversation"].property("ours") is not None
    assert not [step for step in plan(DECLARED, described) if "unrelated" in sentence(step)]


def test_a_shorter_string_is_lengthened_and_a_longer_or_unlimited_one_kept() -> None:
    described = host(
        follower=(Property("email", "string", length=64), Property("name", "string", length=900)),
        textsnippet=(Property("title", "string"),),
    )
    lengthened = [step for step in plan(DECLARED, described) if isinstance(step, Lengthen)]
    assert lengthened == [Lengthen("follower", "email", 320)]


def test_missing_options_are_added_and_foreign_ones_kept() -> None:
    source = Property("source", "option", options=(Option("email", "E"), Option("fax", "Fax")))
    described = host(conversationmessage=(source,))
    added = [step for step in plan(DECLARED, described) if isinstance(step, AddOption)]
    assert [step.option.key for step in added] == ["lime", "autoreply", "relay", "system"]


def test_another_type_under_our_name_stops_with_what_to_do() -> None:
    described = host(conversation=(Property("threadid", "integer"),))
    with pytest.raises(Conflict) as raised:
        plan(DECLARED, described)
    assert raised.value.message == (
        "conversation.threadid exists as integer, but the email integration needs it as string."
        " Rename it in the CRM and run the setup again; nothing was changed."
    )


def test_a_relation_to_another_limetype_under_a_parents_name_names_the_key() -> None:
    described = host(conversation=(Property("helpdesk", "belongsto", related="person"),))
    with pytest.raises(Conflict, match=r"relation to person.*`relation` in conversation_parents"):
        plan(DECLARED, described)


def test_a_property_under_the_name_of_the_other_side_stops() -> None:
    described = host(helpdesk=(Property("title", "string"), Property("conversations", "integer")))
    with pytest.raises(Conflict, match=r"helpdesk\.conversations exists already"):
        plan(DECLARED, described)


@pytest.mark.parametrize(
    ("missing", "key"), [("helpdesk", "conversation_parents"), ("person", "follower_parents")]
)
def test_a_parent_limetype_that_the_host_lacks_names_the_key(missing: str, key: str) -> None:
    described = {name: limetype for name, limetype in HOST.items() if name != missing}
    with pytest.raises(InvalidInput, match=rf"no limetype {missing}, .* change {key}") as raised:
        plan(DECLARED, described)
    assert list(raised.value.errors) == [key]


def test_a_host_without_documents_is_told_what_they_are_for() -> None:
    described = {name: limetype for name, limetype in HOST.items() if name != "document"}
    with pytest.raises(InvalidInput, match=r"no limetype document, .* conversationmessage"):
        plan(DECLARED, described)


def test_a_relation_of_an_extension_to_nowhere_is_refused() -> None:
    extra = Limetype("tag", "Tag", "Tags", (Property("x", "belongsto", related="nowhere"),))
    with pytest.raises(InvalidInput, match=r"no limetype nowhere, to which tag\.x points"):
        plan((*DECLARED, extra), HOST)


def test_a_configured_property_that_the_parent_lacks_is_named() -> None:
    described = host(helpdesk=(Property("subject", "string"),))
    with pytest.raises(InvalidInput, match=r"helpdesk\.title .* conversation_parents"):
        check_parents(configuration(), described)
    check_parents(configuration(), HOST)


def test_steps_are_sentences() -> None:
    sentences = [sentence(step) for step in plan(DECLARED, HOST)]
    assert sentences[0] == "Create the limetype conversation (Conversation)."
    assert "Add the property conversation.helpdesk (relation to helpdesk)." in sentences
    assert len(set(sentences)) == len(sentences)
    assert sentence(AddOption("a", "b", Option("c", "C"))) == "Add the option c to a.b."
    assert sentence(Lengthen("a", "b", 9)) == "Lengthen a.b to 9 characters."
