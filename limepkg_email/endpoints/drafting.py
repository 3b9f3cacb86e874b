"""A message from a client on its way to being sent: what its body may hold, and its files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO, cast

import marshmallow as ma
from flask import request
from marshmallow import fields, validate
from werkzeug.datastructures import FileStorage

from limepkg_email.draft_files import Limits
from limepkg_email.endpoints.fields import Flag, identity, limetype
from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.hooks import ParentReference
from limepkg_email.host import StoredFile
from limepkg_email.outgoing.compose import Draft, OutgoingFile, Recipient, Submitted, submit
from limepkg_email.outgoing.problems import MAX_FILES_TOGETHER
from limepkg_email.query import In, Query
from limepkg_email.services import Services

FILES = "files"
"""The name of the form's parts that are files."""

MOST_FILES = 50

KEY_HEADER = "Idempotency-Key"

_REFUSED = (InvalidInput, Forbidden, NotFound, Conflict)


class RecipientInput(ma.Schema):
    """Somebody who is to get the message and to follow the conversation from now on."""

    email = fields.String(required=True)
    name = fields.String(load_default="")
    limetype = limetype(load_default="")
    id = identity(load_default=None, allow_none=True, strict=True)

    @ma.pre_load
    def _without_empty(self, values: Any, **_: object) -> Any:
        """Take the default for given: whoever is no object has an empty limetype, as in a draft."""
        if isinstance(values, Mapping) and values.get("limetype") == "":
            return {name: value for name, value in values.items() if name != "limetype"}
        return values

    @ma.post_load
    def _build(self, values: dict[str, Any], **_: object) -> Recipient:
        return Recipient(**values)


class ParentInput(ma.Schema):
    """The object on which the conversation is to hang."""

    limetype = limetype(required=True)
    id = identity(required=True, strict=True)

    @ma.post_load
    def _build(self, values: dict[str, Any], **_: object) -> ParentReference:
        return ParentReference(**values)


class MessageInput(ma.Schema):
    """What every message has; `text` is made from `html` if it is left out, and the other way."""

    subject = fields.String(load_default="")
    html = fields.String(load_default="")
    text = fields.String(load_default="")
    recipients = fields.List(fields.Nested(RecipientInput), load_default=list)
    documents = fields.List(
        identity(strict=True),
        load_default=list,
        validate=validate.Length(max=MOST_FILES),
        metadata={"description": "Ids of document objects whose files go along."},
    )
    draft_files = fields.List(
        identity(strict=True),
        load_default=list,
        validate=validate.Length(max=MOST_FILES),
        metadata={"description": "Ids of files of the user's draft; the message takes them over."},
    )
    send_at = fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it is to be sent, with a time zone; at once without it."},
    )
    undo = Flag(
        load_default=False,
        metadata={"description": "Leave `undo_seconds` in which the message can be cancelled."},
    )
    signature = Flag(
        load_default=True,
        metadata={
            "description": "Put the user's signature, or else the account's, below the text."
            " A text that was taken back has its signature already and gets no second one."
        },
    )


class SubmittedSchema(ma.Schema):
    """The objects of a message that is on its way."""

    conversation = fields.Integer()
    conversationmessage = fields.Integer()
    messagefollowers = fields.List(fields.Integer())
    repeated = fields.Boolean(
        metadata={"description": "The message was accepted before, under the same key."}
    )


class SendingHeaders(ma.Schema):
    """What a client says about the request itself."""

    idempotency_key = fields.String(
        data_key=KEY_HEADER,
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "The same key once more sends nothing and gives the same answer."},
    )


def form_of(schema: type[ma.Schema]) -> dict[str, Any]:
    """Describe, for the OpenAPI document, the form that carries a message together with files."""
    form = {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"$ref": f"#/components/schemas/{schema.__name__}"},
            FILES: {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
    }
    encoding = {"message": {"contentType": "application/json"}}
    return {"content": {"multipart/form-data": {"schema": form, "encoding": encoding}}}


def send(services: Services, values: Mapping[str, Any], **target: Any) -> Submitted:
    """Accept the message with the files of the form and of the documents it names.

    `target` are further fields of the draft. Files of a message that is refused are removed again.
    """
    given = {name: value for name, value in values.items() if name != "documents"}
    recipients = tuple(given.pop("recipients"))
    given["draft_files"] = tuple(given["draft_files"])
    given["undo"] = timedelta(seconds=services.config.undo_seconds if given["undo"] else 0)
    kept = _files_of_documents(services, values["documents"])
    with _stored_files(services) as uploaded:
        files = (*kept, *uploaded)
        submitted = submit(services, Draft(recipients=recipients, files=files, **given, **target))
        if submitted.repeated:
            _remove(services, uploaded)
    return submitted


def _files_of_documents(services: Services, ids: Sequence[int]) -> list[OutgoingFile]:
    """Read the files through documents, because those are what the user has or has no access to."""
    if not ids:
        return []
    with services.application.unit_of_work() as work:
        rows = work.objects.query(Query("document", In("id", ids), properties=("document",)))
    files = {row.id: row["document"] for row in rows if row["document"] is not None}
    missing = [f"There is no document {each} with a file." for each in ids if each not in files]
    if missing:
        raise InvalidInput(errors={"documents": missing})
    return [_described(services, str(files[each])) for each in dict.fromkeys(ids)]


def _described(services: Services, file: str) -> OutgoingFile:
    return _outgoing(services.application.files.describe(file))


@contextmanager
def _stored_files(services: Services) -> Iterator[list[OutgoingFile]]:
    """Store the uploaded files; the message that is refused must not leave them behind."""
    uploads = _uploads(services)
    stored: list[OutgoingFile] = []
    try:
        for each in uploads:
            stored.append(_store(services, each))
        yield stored
    except _REFUSED:
        _remove(services, stored)
        raise


def _store(services: Services, upload: FileStorage) -> OutgoingFile:
    found = services.application.files.create(
        upload.filename or "file",
        upload.mimetype or "application/octet-stream",
        cast("BinaryIO", upload.stream),
    )
    return _outgoing(found)


def _outgoing(file: StoredFile) -> OutgoingFile:
    return OutgoingFile(file.filename, file.content_type, file.id, file.size)


def _remove(services: Services, files: Sequence[OutgoingFile]) -> None:
    for each in files:
        services.application.files.delete(each.file_id)


def sent_files() -> list[FileStorage]:
    """Give the files of the form; raises `InvalidInput` for parts that nobody asked for."""
    unknown = {name for name in request.files if name != FILES}
    if unknown:
        raise InvalidInput(errors={name: ["Unknown field."] for name in unknown})
    return [each for each in request.files.getlist(FILES) if each.filename]


def size_of(upload: FileStorage) -> int:
    """Give the bytes of a file of the form."""
    size = upload.stream.seek(0, os.SEEK_END)
    upload.stream.seek(0)
    return size


def limits_of(services: Services) -> Limits:
    """Give what files a message may have."""
    config = services.config
    return Limits(
        each=config.max_attachment_size,
        together=max(config.max_attachment_size, MAX_FILES_TOGETHER),
        of_user=config.max_draft_files_size,
        count=MOST_FILES,
    )


def _uploads(services: Services) -> list[FileStorage]:
    found = sent_files()
    if len(found) > MOST_FILES:
        raise InvalidInput(errors={FILES: [f"A message has at most {MOST_FILES} files."]})
    limit = services.config.max_attachment_size
    large = [each.filename for each in found if size_of(each) > limit]
    if large:
        sentences = [f"{each} has more than {limit:,} bytes." for each in large]
        raise InvalidInput(" ".join(sentences), errors={FILES: sentences})
    return found
