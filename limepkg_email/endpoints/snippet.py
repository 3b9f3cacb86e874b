"""Texts that people insert while they write."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email import snippets
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.snippets import Snippet

blueprint = Resource(
    "snippet", __name__, tag="Snippet", description="Texts to insert while writing."
)


class SnippetQuery(ma.Schema):
    """Which snippets."""

    search = fields.String(
        load_default="",
        validate=validate.Length(max=128),
        metadata={"description": "Is in the title or in the text."},
    )
    title = fields.String(
        load_default="",
        validate=validate.Length(max=128),
        metadata={"description": "Is in the title, as typed after `!`."},
    )
    limit = limit(50, 200)
    offset = offset()


class SnippetInput(ma.Schema):
    """A snippet to be stored; its text is sanitised."""

    title = fields.String(required=True, validate=validate.Length(1, snippets.MAX_TITLE))
    text = fields.String(required=True, metadata={"description": "HTML."})


class SnippetSchema(ma.Schema):
    """A snippet as it is stored."""

    id = fields.Integer(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "Sanitised HTML."})


class SnippetPage(ma.Schema):
    """A page of snippets, by title."""

    items = fields.List(fields.Nested(SnippetSchema), required=True)
    total = fields.Integer(required=True)


@blueprint.route("/snippet/", methods=["GET"])
@requires("email.use")
@blueprint.arguments(SnippetQuery, location="query")
@blueprint.response(200, SnippetPage)
def list_snippets(query: dict[str, Any]) -> dict[str, Any]:
    """Give the snippets that the user may see, by title."""
    search, title = query["search"], query["title"]
    return {
        "items": snippets.list_snippets(services(), **query),
        "total": snippets.count_snippets(services(), search, title=title),
    }


@blueprint.route("/snippet/", methods=["POST"])
@requires("email.use")
@blueprint.arguments(SnippetInput)
@blueprint.response(201, SnippetSchema)
def create_snippet(values: dict[str, str]) -> Snippet:
    """Store a new snippet, if the user may."""
    return snippets.create_snippet(services(), values["title"], values["text"])


@blueprint.route("/snippet/<int:id>/", methods=["GET"])
@requires("email.use")
@blueprint.response(200, SnippetSchema)
def get_snippet(id: int) -> Snippet:
    """Give a snippet."""
    return snippets.get_snippet(services(), id)


@blueprint.route("/snippet/<int:id>/", methods=["PUT"])
@requires("email.use")
@blueprint.arguments(SnippetInput)
@blueprint.response(200, SnippetSchema)
def update_snippet(values: dict[str, str], id: int) -> Snippet:
    """Change a snippet, if the user may."""
    return snippets.update_snippet(services(), id, values["title"], values["text"])


@blueprint.route("/snippet/<int:id>/", methods=["DELETE"])
@requires("email.use")
@blueprint.response(204)
def delete_snippet(id: int) -> None:
    """Delete a snippet, if the user may."""
    snippets.delete_snippet(services(), id)
