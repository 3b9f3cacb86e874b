"""The limetypes that the package installs, as data, and how configuration and hooks extend them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from limepkg_email.config import Configuration, ConversationParent, FollowerParent
from limepkg_email.errors import InvalidInput
from limepkg_email.limetypes import Limetype, Option, Property

CONVERSATION = Limetype(
    "conversation",
    "Conversation",
    "Conversations",
    (
        Property("subject", "string", "Subject", length=512),
        Property("threadid", "string", "Thread id", length=256),
        Property("lastmessagedate", "time", "Last message", indexed=True),
        Property("unread", "yesno", "Unread"),
        Property("account", "integer", "Email account", indexed=True),
    ),
)

CONVERSATIONMESSAGE = Limetype(
    "conversationmessage",
    "Conversation message",
    "Conversation messages",
    (
        Property("subject", "string", "Subject", length=512),
        Property("body", "text", "Body"),
        Property("visiblebody", "text", "Body without quotations"),
        Property("preview", "string", "Preview", length=256),
        Property("date", "time", "Date", indexed=True),
        Property(
            "source",
            "option",
            "Source",
            options=(
                Option("email", "Email"),
                Option("lime", "Written in the CRM"),
                Option("autoreply", "Automatic reply"),
                Option("relay", "Relayed"),
                Option("system", "System"),
            ),
        ),
        Property("unread", "yesno", "Unread"),
        Property("emailengineid", "string", "EmailEngine id", length=512),
        Property("uniqueid", "integer", "Unique id (IMAP UID)"),
        Property("emailid", "string", "Email id", length=256),
        Property(
            "machine",
            "option",
            "Written by a machine",
            options=(
                Option("no", "No"),
                Option("autoreply", "Automatic reply"),
                Option("bounce", "Bounce"),
                Option("bulk", "Bulk mail"),
            ),
        ),
        Property("authorname", "string", "Author", length=256),
        Property("authoraddress", "string", "Author's address", length=320),
        Property(
            "conversation", "belongsto", "Conversation", related="conversation", backref="messages"
        ),
    ),
)

FOLLOWER = Limetype(
    "follower",
    "Follower",
    "Followers",
    (
        Property("email", "string", "Email", length=320, indexed=True),
        Property("name", "string", "Name", length=256),
        Property("active", "yesno", "Active"),
        Property(
            "conversation", "belongsto", "Conversation", related="conversation", backref="followers"
        ),
    ),
)

MESSAGEFOLLOWER = Limetype(
    "messagefollower",
    "Message follower",
    "Message followers",
    (
        Property("messageid", "string", "Message-ID", length=998, indexed=True),
        Property("queueid", "string", "Queue id", length=64, indexed=True),
        Property(
            "role",
            "option",
            "Role",
            options=(
                Option("from", "From"),
                Option("to", "To"),
                Option("cc", "Cc"),
                Option("replyto", "Reply to"),
            ),
        ),
        Property(
            "state",
            "option",
            "State",
            options=(
                Option("received", "Received"),
                Option("queued", "Queued"),
                Option("sent", "Sent"),
                Option("delayed", "Delayed"),
                Option("failed", "Failed"),
                Option("bounced", "Bounced"),
                Option("cancelled", "Cancelled"),
            ),
        ),
        Property("statedate", "time", "State since"),
        Property("reason", "string", "Reason", length=1024),
        Property(
            "conversationmessage",
            "belongsto",
            "Message",
            related="conversationmessage",
            backref="messagefollowers",
        ),
        Property(
            "follower", "belongsto", "Follower", related="follower", backref="messagefollowers"
        ),
    ),
)

EMBEDDEDFILE = Limetype(
    "embeddedfile",
    "Embedded file",
    "Embedded files",
    (
        Property("contentid", "string", "Content id", length=256),
        Property("file", "file", "File"),
        Property(
            "conversationmessage",
            "belongsto",
            "Message",
            related="conversationmessage",
            backref="embeddedfiles",
        ),
    ),
)

CONVERSATIONMESSAGEERROR = Limetype(
    "conversationmessageerror",
    "Conversation message error",
    "Conversation message errors",
    (
        Property("text", "text", "Text"),
        Property("date", "time", "Date"),
        Property("code", "string", "Code", length=64),
        Property("recipient", "string", "Recipient", length=320),
        Property(
            "conversationmessage",
            "belongsto",
            "Message",
            related="conversationmessage",
            backref="errors",
        ),
    ),
)

TEXTSNIPPET = Limetype(
    "textsnippet",
    "Text snippet",
    "Text snippets",
    (
        Property("title", "string", "Title", length=128),
        Property("text", "text", "Text"),
    ),
)

DOCUMENT = Limetype(
    "document",
    "",
    "",
    (
        Property(
            "conversationmessage",
            "belongsto",
            "Conversation message",
            related="conversationmessage",
            backref="documents",
        ),
    ),
)
"""The host's own limetype, to which only a relation is added: it has no texts."""

LIMETYPES = (
    CONVERSATION,
    CONVERSATIONMESSAGE,
    FOLLOWER,
    MESSAGEFOLLOWER,
    EMBEDDEDFILE,
    CONVERSATIONMESSAGEERROR,
    TEXTSNIPPET,
    DOCUMENT,
)
"""What every installation has, without the parents that configuration adds."""


def declared(config: Configuration, extra: Iterable[Limetype] = ()) -> tuple[Limetype, ...]:
    """Give the limetypes to install: the package's, the configured parents, the hooks' extra.

    An extra limetype without texts (`singular` is empty) only adds properties to one that exists
    already, here or in the host. Raises `InvalidInput` that names the property when two
    declarations of it do not agree.
    """
    found: dict[str, Limetype] = {}
    for limetype in (*LIMETYPES, *_parents(config), *extra):
        known = found.get(limetype.name, Limetype(limetype.name, "", ""))
        found[limetype.name] = _merged(known, limetype)
    return tuple(found.values())


def _parents(config: Configuration) -> tuple[Limetype, ...]:
    return (
        _related("conversation", config.conversation_parents, "conversations"),
        _related("follower", config.follower_parents, "followers"),
    )


def _related(
    name: str, parents: Iterable[ConversationParent | FollowerParent], backref: str
) -> Limetype:
    properties: dict[str, Property] = {}
    for parent in parents:
        relation = properties.setdefault(parent.limetype, _relation(parent, backref))
        if relation.name != parent.property:
            raise InvalidInput(
                f"{name}.{parent.property} would be a second relation to {parent.limetype}, beside"
                f" {name}.{relation.name}; keep one of them in {name}_parents."
            )
    return Limetype(name, "", "", tuple(properties.values()))


def _relation(parent: ConversationParent | FollowerParent, backref: str) -> Property:
    return Property(
        parent.property,
        "belongsto",
        parent.property.capitalize(),
        related=parent.limetype,
        backref=backref,
    )


def _merged(one: Limetype, other: Limetype) -> Limetype:
    properties = {each.name: each for each in one.properties}
    for each in other.properties:
        known = properties.get(each.name)
        properties[each.name] = each if known is None else _agreed(one.name, known, each)
    return replace(
        one,
        singular=one.singular or other.singular,
        plural=one.plural or other.plural,
        properties=tuple(properties.values()),
    )


def _agreed(limetype: str, one: Property, other: Property) -> Property:
    if (one.type, one.related) != (other.type, other.related):
        name = f"{limetype}.{one.name}"
        raise InvalidInput(
            f"{name} is declared twice: as {kind(one)} and as {kind(other)};"
            " rename one of them in the configuration or in the extension that adds it.",
            errors={name: ["Declared twice, in ways that do not agree."]},
        )
    keys = {each.key for each in one.options}
    return replace(
        one,
        length=_longer(one.length, other.length),
        indexed=one.indexed or other.indexed,
        options=one.options + tuple(each for each in other.options if each.key not in keys),
    )


def _longer(one: int | None, other: int | None) -> int | None:
    return max(one, other) if one is not None and other is not None else one or other


def kind(described: Property) -> str:
    """Give the property's type in words, with the limetype that a relation points at."""
    if described.type == "belongsto":
        return f"relation to {described.related}"
    return described.type
