"""New conversations that begin in the CRM."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.drafting import (
    MessageInput,
    ParentInput,
    SendingHeaders,
    SubmittedSchema,
    form_of,
    send,
)
from limepkg_email.endpoints.fields import identity
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.compose import Submitted

blueprint = Resource(
    "conversation", __name__, tag="Conversation", description="Conversations begun in the CRM."
)


class ConversationInput(MessageInput):
    """The first message of a conversation, and what it hangs on: a new object if left out."""

    account = identity(required=True, strict=True)
    parent = fields.Nested(ParentInput, load_default=None, allow_none=True)


@blueprint.route("/conversation/", methods=["POST"])
@requires("email.use", files=True)
@blueprint.doc(requestBody=form_of(ConversationInput))
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(ConversationInput, location="message")
@blueprint.response(202, SubmittedSchema)
def begin(headers: dict[str, str], message: dict[str, Any]) -> Submitted:
    """Begin a conversation with a message.

    Every recipient gets a mail of their own. With files the request is a form whose part `message`
    is the JSON. Needs the permission to send from the account.
    """
    return send(services(), message, **headers)
