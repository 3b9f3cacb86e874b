"""Messages that are still being written, and answers that say what has changed meanwhile."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, BinaryIO, cast

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate

from limepkg_email import draft_files, drafts
from limepkg_email.draft_files import DraftFileEntry, Upload
from limepkg_email.drafts import DraftContent, DraftEntry, NewMessages, StaleDraft
from limepkg_email.endpoints.current import request_id, services
from limepkg_email.endpoints.drafting import (
    SendingHeaders,
    form_of,
    limits_of,
    sent_files,
    size_of,
)
from limepkg_email.endpoints.fields import GREATEST_ID, identity, limetype
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import Conflict, InvalidInput

MOST = 1000
"""Recipients, followers or files that a draft may name: what is too many, sending refuses."""

blueprint = Resource(
    "drafts", __name__, tag="Draft", description="Messages that are still being written."
)


def _number(**options: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(0, GREATEST_ID), **options)


class DraftQuery(ma.Schema):
    """Whose draft: that of a conversation, or 0 for the one of a new conversation."""

    conversation = fields.Integer(load_default=0, validate=validate.Range(0, GREATEST_ID))


class DraftRecipient(ma.Schema):
    """Somebody who was named; what is wrong with the address, sending says."""

    email = fields.String(required=True, validate=validate.Length(max=320))
    name = fields.String(load_default="", validate=validate.Length(max=256))
    limetype = fields.String(load_default="", validate=validate.Length(max=64))
    id = identity(load_default=None, allow_none=True, strict=True)


class DraftParent(ma.Schema):
    """What a new conversation is to hang on."""

    limetype = limetype(required=True)
    id = identity(required=True, strict=True)


class DraftContentSchema(ma.Schema):
    """What has been written so far; `files` are ids of documents."""

    subject = fields.String(load_default="")
    html = fields.String(load_default="")
    recipients = fields.List(
        fields.Nested(DraftRecipient), load_default=list, validate=validate.Length(max=MOST)
    )
    followers = fields.List(
        identity(strict=True),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MOST),
        metadata={"description": "Which followers are to get it; all active ones if left out."},
    )
    files = fields.List(
        identity(strict=True), load_default=list, validate=validate.Length(max=MOST)
    )
    account = identity(strict=True, load_default=None, allow_none=True)
    parent = fields.Nested(DraftParent, load_default=None, allow_none=True)

    @ma.post_load
    def _build(self, values: dict[str, Any], **_: object) -> DraftContent:
        followers = values.pop("followers")
        return DraftContent(
            subject=values["subject"],
            html=values["html"],
            recipients=tuple(values["recipients"]),
            followers=None if followers is None else tuple(followers),
            files=tuple(values["files"]),
            account=values["account"],
            parent=values["parent"],
        )


class DraftInput(ma.Schema):
    """A draft and the version over which it is stored, 0 for none."""

    conversation = _number(load_default=0)
    version = _number(required=True)
    newest_message = _number(
        load_default=None,
        allow_none=True,
        metadata={"description": "The newest message that the user has seen."},
    )
    content = fields.Nested(DraftContentSchema, required=True)


class DraftFileSchema(ma.Schema):
    """A file that goes along with a draft."""

    id = fields.Integer()
    filename = fields.String()
    content_type = fields.String()
    size = fields.Integer()


class DraftSchema(ma.Schema):
    """A draft as it is stored; version 0 and an empty content when there is none.

    `uploads` are the files that were attached to it, besides the documents of its content.
    """

    conversation = fields.Integer()
    version = fields.Integer()
    newest_message = fields.Integer()
    content = fields.Nested(DraftContentSchema)
    uploads = fields.List(fields.Nested(DraftFileSchema))
    changed_at = fields.AwareDateTime(allow_none=True)


class ArrivedSchema(ma.Schema):
    """A message that came since."""

    id = fields.Integer()
    author = fields.String()
    preview = fields.String()
    date = fields.AwareDateTime()


def refusal(error: Conflict) -> Response:
    """Answer a conflict in the shape of all errors, with what is new beside it.

    `newer` is the newer draft, `arrived` the messages that came since.
    """
    more: dict[str, Any] = {}
    if isinstance(error, StaleDraft):
        more["newer"] = DraftSchema().dump(error.newer) if error.newer else None
    if isinstance(error, NewMessages):
        more["arrived"] = ArrivedSchema(many=True).dump(error.arrived)
    response = jsonify(
        code=error.code, message=error.message, errors={}, request_id=request_id(), **more
    )
    response.status_code = error.status
    return response


@blueprint.route("/draft/", methods=["GET"])
@requires("email.use")
@blueprint.arguments(DraftQuery, location="query")
@blueprint.response(200, DraftSchema)
def get_draft(query: dict[str, int]) -> DraftEntry | dict[str, Any]:
    """Give the draft of the acting user in a conversation.

    An empty one with version 0 when there is none.
    """
    conversation = query["conversation"]
    found = drafts.read(services(), conversation)
    if found is not None:
        return found
    empty = {"version": 0, "newest_message": 0, "content": DraftContent(), "changed_at": None}
    uploads = draft_files.listing(services(), conversation)
    return {"conversation": conversation, "uploads": uploads, **empty}


@blueprint.route("/draft/", methods=["PUT"])
@requires("email.use", most_bytes=2 * drafts.MAX_SIZE)
@blueprint.doc(responses={"409": {"description": "Changed elsewhere; `newer` is what it is now."}})
@blueprint.arguments(DraftInput)
@blueprint.response(200, DraftSchema)
def put_draft(draft: dict[str, Any]) -> DraftEntry | Response:
    """Store the draft of the acting user, unless it was changed in another window.

    It may have up to 8 MB, so that pasted pictures go into it; 422 says so of a larger one.
    """
    try:
        return drafts.save(
            services(),
            draft["conversation"],
            draft["content"],
            draft["version"],
            newest_message=draft["newest_message"],
        )
    except StaleDraft as error:
        return refusal(error)


@blueprint.route("/draft/", methods=["DELETE"])
@requires("email.use")
@blueprint.arguments(DraftQuery, location="query")
@blueprint.response(204)
def delete_draft(query: dict[str, int]) -> None:
    """Throw the draft of the acting user away with its files.

    Nothing happens when there is none.
    """
    drafts.discard(services(), query["conversation"])


class DraftFileInput(ma.Schema):
    """To whose draft the file belongs; 0 for the one of a new conversation."""

    conversation = _number(load_default=0)


@blueprint.route("/draft/file/", methods=["POST"])
@requires("email.use", files=True)
@blueprint.doc(requestBody=form_of(DraftFileInput))
@blueprint.arguments(SendingHeaders, location="headers")
@blueprint.arguments(DraftFileInput, location="message")
@blueprint.response(201, DraftFileSchema)
def attach_file(headers: dict[str, str], draft: dict[str, int]) -> DraftFileEntry:
    """Keep a file with the draft of the acting user until the message is sent or thrown away.

    The request is a form with one file, whose part `message` is the JSON. A message takes the file
    over by its id in `draft_files`. The same key once more gives the same file.
    """
    found = sent_files()
    if len(found) != 1:
        sentence = "Send one file, as the form's part `files`."
        raise InvalidInput(sentence, errors={"files": [sentence]})
    acting, [file] = services(), found
    key = headers["idempotency_key"]
    upload = Upload(
        filename=file.filename or "",
        content_type=file.mimetype,
        stream=cast("BinaryIO", file.stream),
        size=size_of(file),
        key=sha256(key.encode()).hexdigest() if key else "",
    )
    return draft_files.attach(acting, draft["conversation"], upload, limits_of(acting))


@blueprint.route("/draft/file/<int:file_id>/", methods=["DELETE"])
@requires("email.use")
@blueprint.response(204)
def detach_file(file_id: int) -> None:
    """Take a file away from the draft of the acting user."""
    draft_files.detach(services(), file_id)
