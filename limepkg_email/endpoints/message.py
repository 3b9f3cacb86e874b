"""Messages in a conversation that exists already."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.drafting import (
    MessageInput,
    SendingHeaders,
    SubmittedSchema,
    form_of,
    send,
)
from limepkg_email.endpoints.fields import identity
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.compose import Submitted

blueprint = Resource("message", __name__, tag="Message", description="Messages written in the CRM.")


class ReplyInput(MessageInput):
    """A message to the followers of a conversation and to people who join it."""

    conversation = identity(required=True, strict=True)
    followers = fields.List(
        identity(strict=True),
        load_default=None,
        allow_none=True,
        metadata={"description": "Which followers get it; all active ones if left out."},
    )


@blueprint.route("/message/<int:account_id>/", methods=["POST"])
@requires("email.use", files=True)
@blueprint.doc(requestBody=form_of(ReplyInput))
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(ReplyInput, location="message")
@blueprint.response(202, SubmittedSchema)
def reply(headers: dict[str, str], message: dict[str, Any], account_id: int) -> Submitted:
    """Submit a message for delivery.

    Every recipient gets a mail of their own. With files the request is a form whose part `message`
    is the JSON. Needs the permission to send from the account.
    """
    chosen = message.pop("followers")
    followers = None if chosen is None else tuple(chosen)
    return send(services(), message, account=account_id, followers=followers, **headers)
