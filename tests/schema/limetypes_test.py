from __future__ import annotations

import pytest

from limepkg_email.config import ConversationParent, FollowerParent
from limepkg_email.errors import InvalidInput
from limepkg_email.limetypes import Limetype, Option, Property
from limepkg_email.schema.limetypes import LIMETYPES, declared

from .sample import configuration


def found(limetypes: tuple[Limetype, ...], name: str) -> Limetype:
    return next(each for each in limetypes if each.name == name)


def test_default_parents_are_helpdesk_coworker_and_person() -> None:
    limetypes = declared(configuration())
    assert found(limetypes, "conversation").property("helpdesk") == Property(
        "helpdesk", "belongsto", "Helpdesk", related="helpdesk", backref="conversations"
    )
    follower = found(limetypes, "follower")
    for name in ("coworker", "person"):
        relation = follower.property(name)
        assert relation is not None
        assert (relation.related, relation.backref) == (name, "followers")


def test_further_parents_come_from_configuration_under_the_configured_relation() -> None:
    parents = (ConversationParent("deal", "name"), ConversationParent("ticket", "title", "issue"))
    conversation = found(declared(configuration(conversation_parents=parents)), "conversation")
    relations = {each.name: each.related for each in conversation.properties if each.related}
    assert relations == {"deal": "deal", "issue": "ticket"}


def test_a_limetype_with_two_address_properties_gets_one_relation() -> None:
    parents = (FollowerParent("person", "email"), FollowerParent("person", "email2"))
    follower = found(declared(configuration(follower_parents=parents)), "follower")
    assert [each.name for each in follower.properties if each.related] == ["conversation", "person"]


def test_two_relations_to_one_parent_are_refused() -> None:
    parents = (FollowerParent("person", "email"), FollowerParent("person", "email", (), "contact"))
    with pytest.raises(InvalidInput, match=r"follower\.contact .* follower_parents"):
        declared(configuration(follower_parents=parents))


def test_a_relation_that_takes_the_name_of_another_property_is_refused() -> None:
    parents = (ConversationParent("deal", "name", "subject"),)
    with pytest.raises(InvalidInput, match=r"conversation\.subject is declared twice"):
        declared(configuration(conversation_parents=parents))


def test_an_extension_adds_properties_and_limetypes() -> None:
    extra = (
        Limetype("conversation", "", "", (Property("priority", "integer"),)),
        Limetype("tag", "Tag", "Tags", (Property("name", "string", length=64),)),
    )
    limetypes = declared(configuration(), extra)
    assert found(limetypes, "conversation").property("priority") is not None
    assert found(limetypes, "conversation").singular == "Conversation"
    assert found(limetypes, "tag") == extra[1]


def test_an_extension_may_lengthen_and_add_options_but_not_shorten() -> None:
    sources = Property("source", "option", options=(Option("email", "x"), Option("chat", "Chat")))
    extra = (
        Limetype("conversationmessage", "", "", (Property("subject", "string", length=2000),)),
        Limetype("conversationmessage", "", "", (Property("preview", "string", length=10),)),
        Limetype("conversationmessage", "", "", (sources,)),
    )
    message = found(declared(configuration(), extra), "conversationmessage")
    subject, preview, source = (message.property(n) for n in ("subject", "preview", "source"))
    assert subject is not None
    assert preview is not None
    assert source is not None
    assert (subject.length, preview.length) == (2000, 256)
    assert [each.key for each in source.options][-2:] == ["system", "chat"]
    assert source.options[0].text == "Email"


def test_an_extension_that_declares_another_type_is_refused_by_name() -> None:
    extra = (Limetype("follower", "", "", (Property("email", "link"),)),)
    with pytest.raises(InvalidInput, match=r"follower\.email") as raised:
        declared(configuration(), extra)
    assert list(raised.value.errors) == ["follower.email"]


def test_names_have_no_underscore_and_everything_has_a_text() -> None:
    for limetype in LIMETYPES:
        assert "_" not in limetype.name
        assert limetype.singular or limetype.name == "document"
        for each in limetype.properties:
            assert each.name.isalpha()
            assert each.label
            assert (each.length is not None) == (each.type == "string")
            assert bool(each.options) == (each.type == "option")
            assert bool(each.related and each.backref) == (each.type == "belongsto")
