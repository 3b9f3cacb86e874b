"""Messages in a conversation that exists already."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields, validate
from sqlalchemy import select

from limepkg_email.conversations.reload import force_reload
from limepkg_email.drafts import NewMessages, check_newest, discard_after_send
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.delivery import NothingInput
from limepkg_email.endpoints.drafting import (
    MessageInput,
    SendingHeaders,
    SubmittedSchema,
    form_of,
    send,
)
from limepkg_email.endpoints.drafts import refusal
from limepkg_email.endpoints.fields import GREATEST_ID, Flag, identity
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.compose import Submitted
from limepkg_email.outgoing.headers import first_guid
from limepkg_email.outgoing.transitions import OUTBOX
from limepkg_email.services import Services

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
    newest_message = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, GREATEST_ID),
        metadata={"description": "The newest message seen; 409 tells of those that came since."},
    )
    anyway = Flag(
        load_default=False, metadata={"description": "Send it although there are new messages."}
    )
    draft = identity(
        strict=True,
        load_default=None,
        allow_none=True,
        metadata={"description": "The version of the draft that this was; it is removed."},
    )


@blueprint.route("/message/<int:account_id>/", methods=["POST"])
@requires("email.use", files=True)
@blueprint.doc(
    requestBody=form_of(ReplyInput),
    responses={"409": {"description": "Not sent: `arrived` lists the messages that are new."}},
)
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(ReplyInput, location="message")
@blueprint.response(202, SubmittedSchema)
def reply(
    headers: dict[str, str], message: dict[str, Any], account_id: int
) -> Submitted | Response:
    """Submit a message for delivery.

    Every recipient gets a mail of their own. With files the request is a form whose part `message`
    is the JSON. Needs the permission to send from the account.
    """
    chosen = message.pop("followers")
    followers = None if chosen is None else tuple(chosen)
    acting, conversation, draft = services(), message["conversation"], message.pop("draft")
    seen, anyway = message.pop("newest_message"), message.pop("anyway")
    sent_at = _sent_at(acting, **headers)
    try:
        if seen is not None and sent_at is None:
            check_newest(acting, conversation, seen, anyway=anyway)
    except NewMessages as error:
        return refusal(error)
    submitted = send(acting, message, account=account_id, followers=followers, **headers)
    if draft is not None:
        discard_after_send(acting, conversation, draft, until=sent_at)
    return submitted


class ReloadedSchema(ma.Schema):
    """The message and its new date."""

    message = fields.Integer()
    date = fields.DateTime(format="iso")


@blueprint.route("/force-reload-message/<int:message_id>/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(NothingInput)
@blueprint.response(200, ReloadedSchema)
def force_reload_message(_: dict[str, Any], message_id: int) -> dict[str, object]:
    """Move the date of a message by a microsecond, so that pages read its state anew.

    The order of the conversation stays as it is.
    """
    return {"message": message_id, "date": force_reload(services(), message_id)}


def _sent_at(acting: Services, idempotency_key: str) -> datetime | None:
    """Tell when the message was submitted that the request repeats, `None` if it repeats none.

    Neither that message nor what was written after it may be in its way.
    """
    if not idempotency_key:
        return None
    guid = first_guid(acting.application.user.id, idempotency_key)
    with acting.application.database.connect() as connection:
        found: datetime | None = connection.scalar(
            select(OUTBOX.c.created_at).where(OUTBOX.c.guid == guid)
        )
        return found
