"""The files of many messages, in one call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import identities
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import InvalidInput
from limepkg_email.host import LimeObject
from limepkg_email.query import In, Order, Query
from limepkg_email.services import Services

MOST_MESSAGES = 500
"""Messages that one request may ask about."""

blueprint = Resource(
    "documents", __name__, tag="Message", description="The files of messages in the CRM."
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a message; `size` is in bytes. Without its file, type and size are empty."""

    id: int
    filename: str
    content_type: str
    size: int
    url: str


class DocumentsQuery(ma.Schema):
    """Whose documents; either name of the parameter does, but not both."""

    ids = identities(
        MOST_MESSAGES,
        load_default=(),
        metadata={"description": "Ids of messages, separated by commas."},
    )
    messages = identities(
        MOST_MESSAGES, load_default=(), metadata={"description": "Another name of `ids`."}
    )


class DocumentSchema(ma.Schema):
    """A document; `url` leads to its page in the CRM."""

    id = fields.Integer()
    filename = fields.String()
    content_type = fields.String()
    size = fields.Integer(metadata={"description": "Bytes."})
    url = fields.String()


class MessageDocumentsSchema(ma.Schema):
    """A message and its documents, in the order in which they were added."""

    message = fields.Integer()
    documents = fields.List(fields.Nested(DocumentSchema))


@blueprint.route("/messages/documents")
@requires("email.use")
@blueprint.arguments(DocumentsQuery, location="query")
@blueprint.response(200, MessageDocumentsSchema(many=True))
def documents(query: dict[str, Any]) -> list[dict[str, object]]:
    """Give the documents of messages, in the order of the ids.

    Messages that the user may not see are left out; one without documents has an empty list.
    """
    wanted = _wanted(query)
    found = documents_of(services(), wanted)
    return [{"message": each, "documents": found[each]} for each in wanted if each in found]


def _wanted(query: dict[str, Any]) -> list[int]:
    given = [each for each in (query["ids"], query["messages"]) if each]
    if len(given) != 1:
        sentence = "Give the ids of messages, once."
        raise InvalidInput(sentence, errors={"ids": [sentence]})
    return list(dict.fromkeys(given[0]))


def documents_of(acting: Services, messages: Sequence[int]) -> dict[int, list[Document]]:
    """Give the documents of those messages that the acting user may see, in three statements."""
    with acting.application.unit_of_work() as work:
        seen = Query("conversationmessage", In("id", list(messages)), properties=())
        visible = [each.id for each in work.objects.query(seen)]
        rows = work.objects.query(_of(visible)) if visible else []
    files = sorted({str(each["document"]) for each in rows if each["document"]})
    described = acting.application.files.describe_many(files) if files else {}
    found: defaultdict[int, list[Document]] = defaultdict(list)
    for each in rows:
        file = described.get(str(each["document"]))
        document = Document(
            id=each.id,
            filename=file.filename if file else str(each["comment"] or ""),
            content_type=file.content_type if file else "",
            size=file.size if file else 0,
            url=acting.application.object_url("document", each.id),
        )
        found[_message(each)].append(document)
    return {each: found[each] for each in visible}


def _of(messages: Sequence[int]) -> Query:
    return Query(
        "document",
        In("conversationmessage", list(messages)),
        (Order("id"),),
        properties=("comment", "document", "conversationmessage"),
    )


def _message(document: LimeObject) -> int:
    return cast(int, document["conversationmessage"])
