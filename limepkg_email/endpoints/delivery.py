"""What can be done about a mail after it was written: send it again, or keep it from leaving."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.drafting import SendingHeaders
from limepkg_email.endpoints.fields import Flag
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.outgoing.resend import Resent
from limepkg_email.outgoing.resend import resend as send_again
from limepkg_email.outgoing.scheduled import cancel, edit

blueprint = Resource(
    "delivery", __name__, tag="Delivery", description="Sending mails again, and cancelling them."
)


class ResendInput(ma.Schema):
    """Which mails may be sent again."""

    sent = Flag(
        load_default=False,
        metadata={"description": "Send it again although it was sent."},
    )


class ResentSchema(ma.Schema):
    """The mail that is on its way again."""

    conversationmessage = fields.Integer()
    messagefollower = fields.Integer()
    repeated = fields.Boolean(
        metadata={"description": "It was on its way already, so nothing was done."}
    )


class NothingInput(ma.Schema):
    """An empty object."""


class CancelledSchema(ma.Schema):
    """The message follower that gets no mail."""

    messagefollower = fields.Integer()


class TakenBackSchema(ma.Schema):
    """What was kept from leaving, and the content of the message to write on."""

    conversation = fields.Integer()
    cancelled = fields.List(fields.Integer())
    left = fields.List(
        fields.Integer(),
        metadata={"description": "Message followers whose mails were not waiting any more."},
    )
    subject = fields.String()
    html = fields.String()
    documents = fields.List(fields.Integer())


@blueprint.route("/message-follower/<int:messagefollower_id>/resend/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(ResendInput)
@blueprint.response(202, ResentSchema)
def resend(headers: dict[str, str], given: dict[str, Any], messagefollower_id: int) -> Resent:
    """Send a mail again that failed, came back or was cancelled.

    Needs the permission to send from the account.
    """
    return send_again(
        services(), messagefollower_id, key=headers["idempotency_key"], even_sent=given["sent"]
    )


@blueprint.route("/message-follower/<int:messagefollower_id>/cancel/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(NothingInput)
@blueprint.response(200, CancelledSchema)
def cancel_mail(_: dict[str, Any], messagefollower_id: int) -> dict[str, int]:
    """Cancel one mail that has not left.

    Needs the permission to send from the account. Answers 409 when the mail has left.
    """
    cancel(services(), messagefollower_id)
    return {"messagefollower": messagefollower_id}


@blueprint.route("/message/<int:message_id>/cancel/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(NothingInput)
@blueprint.response(200, TakenBackSchema)
def cancel_message(_: dict[str, Any], message_id: int) -> dict[str, object]:
    """Cancel all mails of a message that have not left, and give its content to write on.

    Needs the permission to send from the account. Answers 409 when all of them have left.
    """
    done, content = edit(services(), message_id)
    return {
        "conversation": content.conversation,
        "cancelled": done.cancelled,
        "left": done.left,
        "subject": content.subject,
        "html": content.html,
        "documents": content.documents,
    }
