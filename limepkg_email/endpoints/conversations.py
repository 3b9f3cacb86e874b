"""What users change about conversations: what belongs to them and who follows them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.conversations.followers import add_follower, set_active
from limepkg_email.conversations.merge import merge
from limepkg_email.conversations.move import Relocated, move
from limepkg_email.conversations.split import MAX_SUBJECT, split
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.drafting import (
    ParentInput,
    RecipientInput,
    SendingHeaders,
    SubmittedSchema,
)
from limepkg_email.endpoints.fields import Flag, identity
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.draft import Submitted
from limepkg_email.outgoing.forward import forward

MOST_MESSAGES = 1000

blueprint = Resource(
    "conversations",
    __name__,
    tag="Conversation",
    description="What belongs to conversations and who follows them.",
)


class MergeInput(ma.Schema):
    """The conversation that is merged into the one of the path, and deleted."""

    conversation = identity(required=True, strict=True)


class MergedSchema(ma.Schema):
    """The conversation that has everything now."""

    conversation = fields.Integer()


class MoveInput(ma.Schema):
    """Where the message goes."""

    conversation = identity(required=True, strict=True)


class SplitInput(ma.Schema):
    """What else goes, and what the new conversation hangs on: a new object if left out."""

    messages = fields.List(
        identity(strict=True),
        load_default=list,
        validate=validate.Length(max=MOST_MESSAGES),
        metadata={"description": "Further messages of the same conversation that go along."},
    )
    parent = fields.Nested(ParentInput, load_default=None, allow_none=True)
    subject = fields.String(load_default="", validate=validate.Length(max=MAX_SUBJECT))


class RelocatedSchema(ma.Schema):
    """The messages that went, where they were and where they are."""

    source = fields.Integer()
    conversation = fields.Integer()
    messages = fields.List(fields.Integer())


class FollowerInput(ma.Schema):
    """Whether the follower gets the messages of the conversation."""

    active = Flag(required=True)


class NewFollowerInput(ma.Schema):
    """Somebody who is to follow a conversation."""

    conversation = identity(required=True, strict=True)
    email = fields.String(required=True)
    name = fields.String(load_default="")


class FollowerSchema(ma.Schema):
    """A follower and whether they get the messages."""

    id = fields.Integer()
    active = fields.Boolean()


class ForwardInput(ma.Schema):
    """To whom a message is sent on, and with which words above it."""

    account = identity(
        load_default=None,
        allow_none=True,
        strict=True,
        metadata={"description": "That of the conversation if left out."},
    )
    recipients = fields.List(fields.Nested(RecipientInput), required=True)
    subject = fields.String(load_default="")
    html = fields.String(load_default="")
    follow = Flag(
        load_default=False,
        metadata={
            "description": "The recipients join the conversation; a new one is begun otherwise."
        },
    )
    signature = Flag(
        load_default=True,
        metadata={"description": "Put the signature between the words and the original."},
    )


@blueprint.route("/conversation/<int:conversation_id>/merge/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(MergeInput)
@blueprint.response(200, MergedSchema)
def merge_conversation(merging: dict[str, int], conversation_id: int) -> dict[str, int]:
    """Merge another conversation into this one.

    Messages, followers and later mail of the other come here, and the other is deleted.
    """
    merge(services(), merging["conversation"], conversation_id)
    return {"conversation": conversation_id}


@blueprint.route("/message/<int:message_id>/move/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(MoveInput)
@blueprint.response(200, RelocatedSchema)
def move_message(moving: dict[str, int], message_id: int) -> Relocated:
    """Move a message to another conversation.

    Later answers to it follow, and so do followers who took part in nothing else.
    """
    return move(services(), message_id, moving["conversation"])


@blueprint.route("/message/<int:message_id>/split/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(SplitInput)
@blueprint.response(200, RelocatedSchema)
def split_message(splitting: dict[str, Any], message_id: int) -> Relocated:
    """Begin a conversation with messages of another one.

    On the given parent or on a new object. Later answers to them follow.
    """
    messages = [message_id, *splitting.pop("messages")]
    return split(services(), messages, **splitting)


@blueprint.route("/follower/<int:follower_id>/", methods=["PUT"])
@requires("email.use")
@blueprint.arguments(FollowerInput)
@blueprint.response(200, FollowerSchema)
def change_follower(following: dict[str, bool], follower_id: int) -> dict[str, object]:
    """Let a follower get the messages of the conversation, or not any more."""
    set_active(services(), follower_id, active=following["active"])
    return {"id": follower_id, "active": following["active"]}


@blueprint.route("/follower/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(NewFollowerInput)
@blueprint.response(200, FollowerSchema)
def follow_conversation(following: dict[str, Any]) -> dict[str, object]:
    """Let somebody follow a conversation; an address that follows already stays one follower."""
    return {"id": add_follower(services(), **following), "active": True}


@blueprint.route("/message/<int:message_id>/forward/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(ForwardInput)
@blueprint.response(202, SubmittedSchema)
def forward_message(headers: dict[str, str], message: dict[str, Any], message_id: int) -> Submitted:
    """Send a message on to others, with its files and the original below.

    Begins a conversation of its own on the same parent, unless the recipients are to `follow`.
    """
    return forward(services(), message_id, **message, idempotency_key=headers["idempotency_key"])
