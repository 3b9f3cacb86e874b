"""The messages of an object as items for its activity feed."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, request
from marshmallow import fields

from limepkg_email.endpoints.current import base_url, integration, services
from limepkg_email.endpoints.fields import identity, limetype, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.feed.factory import FeedContext
from limepkg_email.feed.page import PAGE_SIZE, FeedPage, read_page

blueprint = Resource("feed", __name__, tag="Feed", description="Messages as feed items.")


class FeedQuery(ma.Schema):
    """Whose feed, and which part of it."""

    limetype = limetype(required=True)
    id = identity(required=True)
    limit = limit(PAGE_SIZE, 200)
    offset = offset()
    ascending = fields.Boolean(load_default=False, metadata={"description": "Oldest first."})


class AuthorSchema(ma.Schema):
    """Who wrote the message."""

    id = fields.String()
    name = fields.String()
    href = fields.String()
    picture = fields.String()


class RelationSchema(ma.Schema):
    """Another object that the message has to do with."""

    id = fields.String()
    text = fields.String()
    icon = fields.String()
    image = fields.String()
    href = fields.String()


class ActionSchema(ma.Schema):
    """Something that can be done with the message, or (`separator`) a line between such things."""

    id = fields.String()
    text = fields.String()
    icon = fields.String()
    separator = fields.Boolean()


class ThumbnailSchema(ma.Schema):
    """A file of the message."""

    filename = fields.String()
    image = fields.String()
    href = fields.String()


class RecipientSchema(ma.Schema):
    """Whom the message went to, and what became of that; `id` is the message follower."""

    id = fields.Integer()
    name = fields.String()
    email = fields.String()
    role = fields.String()
    state = fields.String()
    reason = fields.String()


class FeedItemSchema(ma.Schema):
    """One message in the feed; its texts are plain text and have to be escaped."""

    id = fields.Integer()
    timestamp = fields.DateTime(format="iso")
    author = fields.Nested(AuthorSchema)
    heading = fields.String()
    value = fields.String()
    icon = fields.String()
    color = fields.String()
    relations = fields.List(fields.Nested(RelationSchema))
    promoted_actions = fields.List(fields.Nested(ActionSchema), data_key="promotedActions")
    unpromoted_actions = fields.List(fields.Nested(ActionSchema), data_key="unpromotedActions")
    ui = fields.String()
    helper_text = fields.String(data_key="helperText")
    has_error = fields.Boolean(data_key="hasError")
    thumbnails = fields.List(fields.Nested(ThumbnailSchema))
    has_default_table_styles = fields.Boolean(data_key="hasDefaultTableStyles")
    unread = fields.Boolean()
    body_url = fields.String(data_key="bodyUrl")
    conversation = fields.Integer()
    machine = fields.String()
    recipients = fields.List(fields.Nested(RecipientSchema))


class FeedSchema(ma.Schema):
    """A page of a feed, and how many items the feed has in all."""

    items = fields.List(fields.Nested(FeedItemSchema))
    total = fields.Integer()


@blueprint.route("/feed/")
@requires("email.use")
@blueprint.arguments(FeedQuery, location="query")
@blueprint.response(200, FeedSchema)
def feed(query: dict[str, Any]) -> FeedPage:
    """Give the messages of an object as feed items.

    The object is a conversation, something that conversations hang on, or somebody who follows
    them. Messages that the user may not see are left out.
    """
    acting = services()
    return read_page(
        acting,
        integration().feed_item_factory(acting.application),
        FeedContext(query["limetype"], query["id"], base_url()),
        limit=query["limit"],
        offset=query["offset"],
        newest_first=not query["ascending"],
    )


def _spare_what_is_known(response: Response) -> Response:
    """Answer 304 to those who ask again and again and know this already."""
    if response.status_code == 200 and request.method == "GET":
        response.add_etag()
        response.make_conditional(request)
    return response


blueprint.after_request(_spare_what_is_known)
