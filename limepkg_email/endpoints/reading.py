"""What has been read and what has not."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.endpoints.current import identifier, integration, services
from limepkg_email.endpoints.fields import Flag, identities, identity, limetype
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.feed.unread import mark_read, settle_unread, unread_conversations

MOST_OBJECTS = 500
"""Objects that one request may ask about: a table shows fewer."""

blueprint = Resource(
    "reading", __name__, tag="Unread", description="What has been read and what has not."
)


class UnreadQuery(ma.Schema):
    """The objects of one limetype to tell about."""

    limetype = limetype(required=True)
    ids = identities(MOST_OBJECTS, required=True)


class UnreadObjectSchema(ma.Schema):
    """An object and how many of its conversations have unread messages."""

    id = fields.Integer()
    conversations = fields.Integer()


class UnreadSchema(ma.Schema):
    """The objects with unread messages; those without are left out."""

    unread = fields.List(fields.Nested(UnreadObjectSchema))


class ReadingSchema(ma.Schema):
    """What was read, or is to count as unread again."""

    conversation = identity(required=True, strict=True)
    messages = fields.List(
        identity(strict=True),
        load_default=None,
        allow_none=True,
        validate=validate.Length(0, 1000),
        metadata={"description": "Some messages of it; all of them if left out."},
    )
    read = Flag(load_default=True)


class ReadResultSchema(ma.Schema):
    """Whether any message of the conversation is unread now."""

    unread = Flag()


@blueprint.route("/unread/")
@requires("email.use")
@blueprint.arguments(UnreadQuery, location="query")
@blueprint.response(200, UnreadSchema)
def unread(query: dict[str, Any]) -> dict[str, object]:
    """Tell which of the objects have conversations with unread messages."""
    acting = services()
    with acting.application.unit_of_work() as work:
        found = unread_conversations(acting.config, work.objects, query["limetype"], query["ids"])
    return {"unread": [{"id": id, "conversations": count} for id, count in found.items() if count]}


@blueprint.route("/read/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(ReadingSchema)
@blueprint.response(200, ReadResultSchema)
def read(reading: dict[str, Any]) -> dict[str, bool]:
    """Mark messages of a conversation as read, or as unread."""
    conversation = reading["conversation"]
    with services().application.unit_of_work() as work:
        mark_read(work.objects, conversation, reading["messages"], read=reading["read"])
    # Others may see messages that this user does not.
    return {"unread": settle_unread(integration().services(identifier()), [conversation])}
