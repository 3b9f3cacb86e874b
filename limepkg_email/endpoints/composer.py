"""What a page on which people write has to know before they begin, and whom they may write to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.conversations.audience import Found, find_people
from limepkg_email.conversations.opening import opening
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.drafting import limits_of
from limepkg_email.endpoints.fields import GREATEST_ID, identity, limetype, limit
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import InvalidInput
from limepkg_email.hooks import ParentReference
from limepkg_email.signatures import user_signature

blueprint = Resource(
    "composer", __name__, tag="Message", description="What people who write have to know."
)


class ConversationQuery(ma.Schema):
    """In which conversation; 0 for a new one."""

    conversation = fields.Integer(load_default=0, validate=validate.Range(0, GREATEST_ID))


class OpenFollowerSchema(ma.Schema):
    """A follower of the conversation."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String()
    active = fields.Boolean()


class LimitsSchema(ma.Schema):
    """What a message may have."""

    file_size = fields.Integer(metadata={"description": "Bytes of one file."})
    files_together = fields.Integer(metadata={"description": "Bytes of all files."})
    files = fields.Integer()
    recipients = fields.Integer()


class OpeningSchema(ma.Schema):
    """The conversation as it is now, and what a message may have."""

    conversation = fields.Integer()
    subject = fields.String()
    account = fields.Integer(
        allow_none=True, metadata={"description": "The account that the conversation came in on."}
    )
    newest_message = fields.Integer()
    followers = fields.List(fields.Nested(OpenFollowerSchema))
    own_addresses = fields.List(
        fields.String(), metadata={"description": "Those of our accounts: nothing is sent there."}
    )
    signature = fields.String(
        metadata={"description": "The user's own signature; empty if the account's serves."}
    )
    undo_seconds = fields.Float()
    limits = fields.Nested(LimitsSchema)


class PeopleQuery(ma.Schema):
    """Who fits, and beside whom; either a conversation or what a new one is to hang on."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "Words that are in the name or in the address."},
    )
    conversation = fields.Integer(load_default=0, validate=validate.Range(0, GREATEST_ID))
    limetype = limetype(load_default=None)
    id = identity(load_default=None)
    limit = limit(10, 50)


class FoundSchema(ma.Schema):
    """Somebody with an address; `follower` is 0 for who does not follow the conversation."""

    email = fields.String()
    name = fields.String()
    follower = fields.Integer()
    limetype = fields.String()
    id = fields.Integer(allow_none=True)


class PeopleFoundSchema(ma.Schema):
    """Who fits, the followers of the conversation first."""

    items = fields.List(fields.Nested(FoundSchema))


@blueprint.route("/composer/")
@requires("email.use")
@blueprint.arguments(ConversationQuery, location="query")
@blueprint.response(200, OpeningSchema)
def begin_to_write(query: dict[str, int]) -> dict[str, Any]:
    """Give what a page on which people write has to know: followers, account, limits."""
    acting = services()
    files = limits_of(acting)
    limits = {
        "file_size": files.each,
        "files_together": files.together,
        "files": files.count,
        "recipients": acting.config.max_recipients,
    }
    return {
        **asdict(opening(acting, query["conversation"])),
        "signature": user_signature(acting, acting.application.user.id),
        "undo_seconds": acting.config.undo_seconds,
        "limits": limits,
    }


@blueprint.route("/recipients/")
@requires("email.use")
@blueprint.arguments(PeopleQuery, location="query")
@blueprint.response(200, PeopleFoundSchema)
def recipients(query: dict[str, Any]) -> dict[str, list[Found]]:
    """Find people to write to: followers of the conversation first, then people in the CRM.

    Only what the acting user may see. Addresses of our own accounts are left out.
    """
    found = find_people(
        services(),
        query["q"],
        conversation=query["conversation"],
        parent=_parent(query["limetype"], query["id"]),
        limit=query["limit"],
    )
    return {"items": found}


def _parent(limetype: str | None, id: int | None) -> ParentReference | None:
    if (limetype is None) != (id is None):
        sentence = "Give both limetype and id, or neither."
        raise InvalidInput(sentence, errors={"id": [sentence]})
    return None if limetype is None or id is None else ParentReference(limetype, id)
