"""Templates: what administrators keep, how they look, and what comes of them in a conversation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from limepkg_email.endpoints.current import request_id, services
from limepkg_email.endpoints.fields import GREATEST_ID, Flag, identity, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import InvalidInput
from limepkg_email.outgoing.content import text_from
from limepkg_email.outgoing.filled import Writing, filled
from limepkg_email.templates import service, serving
from limepkg_email.templates.context import KNOWN, Value
from limepkg_email.templates.defaults import Purpose
from limepkg_email.templates.placeholders import PlaceholderGroup, list_placeholders
from limepkg_email.templates.preview import preview
from limepkg_email.templates.rendering import Rendered, TemplateSource
from limepkg_email.templates.service import TemplateInput
from limepkg_email.templates.stored import StaleTemplate, StoredTemplate
from limepkg_email.templates.usage import list_uses

PURPOSES = [each.value for each in Purpose]
LONGEST = 200_000
"""Characters of a subject or a body that are read at all; a template refuses fewer already."""

blueprint = Resource(
    "template", __name__, tag="Template", description="Texts of mails with places for values."
)


def _purpose(**options: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(PURPOSES), **options)


def _language(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(2, 16), **options)


def _text(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=LONGEST), **options)


def _left_out() -> DelimitedList:
    return DelimitedList(
        fields.String(validate=validate.Length(1, 64)),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={
            "description": "Values to show as missing, such as `parent` or `recipient.name`."
        },
    )


class TemplateQuery(ma.Schema):
    """Which templates."""

    purpose = _purpose(load_default=None)
    language = _language(load_default=None)
    limit = limit(50, 200)
    offset = offset()


class NewTemplate(ma.Schema):
    """A template to be stored; subject and body are in the language of Jinja2."""

    name = fields.String(required=True, validate=validate.Length(1, 128))
    purpose = _purpose(required=True)
    language = _language(required=True)
    subject = _text(load_default="")
    body = _text(required=True, metadata={"description": "HTML."})
    is_default = Flag(
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Be the one of its purpose and language that is used where none is"
            " chosen, in place of any other. Left out: as it was."
        },
    )


class ChangedTemplate(NewTemplate):
    """The whole template as it is to be, and the version over which it is stored."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, GREATEST_ID))


class TemplateSchema(ma.Schema):
    """A template as it is stored."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    purpose = _purpose(required=True)
    language = fields.String(required=True)
    subject = fields.String(required=True)
    body = fields.String(required=True)
    is_default = Flag(required=True)
    version = fields.Integer(required=True, metadata={"description": "Grows with every change."})


class ListedTemplate(TemplateSchema):
    """A template in the list, with what keeps it from being deleted."""

    used_by = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Accounts that name it, as `Support <support@example.org>`; only"
            " administrators are told, everybody else gets none."
        },
    )


class TemplatePage(ma.Schema):
    """A page of templates, by name."""

    items = fields.List(fields.Nested(ListedTemplate), required=True)
    total = fields.Integer(required=True)


class DefaultTemplates(ma.Schema):
    """The default template of each purpose."""

    items = fields.List(fields.Nested(TemplateSchema), required=True)
    total = fields.Integer(required=True)


class PlaceholderQuery(ma.Schema):
    """In which language; the user's unless another is named."""

    language = _language(load_default=None)


class PlaceholderSchema(ma.Schema):
    """A value that templates may write, as `{{ recipient.name }}`."""

    name = fields.String(required=True)
    explanation = fields.String(required=True)
    example = fields.String(required=True, metadata={"description": "What a preview shows."})


class PlaceholderGroupSchema(ma.Schema):
    """The values of one thing; where there is no such thing, all of them are missing."""

    name = fields.String(required=True)
    explanation = fields.String(required=True)
    values = fields.List(fields.Nested(PlaceholderSchema), required=True)


class PlaceholderGroups(ma.Schema):
    """Everything that templates may write."""

    items = fields.List(fields.Nested(PlaceholderGroupSchema), required=True)
    total = fields.Integer(required=True)


class DefaultQuery(ma.Schema):
    """For what; the language is the user's unless another is named."""

    purpose = _purpose(load_default=Purpose.MESSAGE.value)
    language = _language(load_default=None)


class DefaultTemplateSchema(TemplateSchema):
    """The template that serves where none is chosen."""

    stored = fields.Boolean(
        required=True,
        metadata={
            "description": "False for the text that comes with the package: it has the id 0 until"
            " default templates are created."
        },
    )


class DefaultInput(ma.Schema):
    """In which language; the user's unless another is named."""

    language = _language(load_default=None)


class PreviewQuery(ma.Schema):
    """How the mocked data shall be."""

    missing = _left_out()


class PreviewInput(ma.Schema):
    """A template that need not be stored."""

    subject = _text(load_default="")
    body = _text(load_default="")
    language = _language(load_default="en")
    missing = fields.List(
        fields.String(validate=validate.Length(1, 64)),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"description": "Values to show as missing."},
    )


class RenderedSchema(ma.Schema):
    """What becomes of a template; for a value that is missing stands a mark: `[parent.title?]`."""

    subject = fields.String(required=True)
    html = fields.String(required=True)
    text = fields.String(required=True)
    missing = fields.List(
        fields.String(), required=True, metadata={"description": "Names that have no value."}
    )


class WritingQuery(ma.Schema):
    """What is known of the message for which it is."""

    conversation = identity(load_default=0)
    account = identity(
        load_default=0, metadata={"description": "Else the account of the conversation."}
    )
    recipient = fields.String(
        load_default="",
        validate=validate.Length(max=320),
        metadata={"description": "An address; else the only active follower."},
    )
    name = fields.String(
        load_default="",
        validate=validate.Length(max=256),
        metadata={"description": "The recipient's name, unless it follows the conversation."},
    )

    @ma.post_load
    def _build(self, values: dict[str, Any], **_: object) -> Writing:
        return Writing(**values)


@blueprint.route("/template/", methods=["GET"])
@requires("email.use", "email.admin")
@blueprint.arguments(TemplateQuery, location="query")
@blueprint.response(200, TemplatePage)
def list_templates(query: dict[str, Any]) -> dict[str, Any]:
    """Give the templates, by name."""
    purpose, language = query["purpose"], query["language"]
    found = service.list_templates(services(), **query)
    administers = services().application.user.can("email.admin")
    uses = list_uses(services(), [each.id for each in found]) if administers else {}
    return {
        "items": [{**asdict(each), "used_by": uses.get(each.id, [])} for each in found],
        "total": service.count_templates(services(), purpose, language),
    }


@blueprint.route("/template-placeholders/", methods=["GET"])
@requires("email.use", "email.admin")
@blueprint.arguments(PlaceholderQuery, location="query")
@blueprint.response(200, PlaceholderGroups)
def list_template_placeholders(query: dict[str, Any]) -> dict[str, int | list[PlaceholderGroup]]:
    """Give every value that templates may write, with an explanation and an example."""
    found = list_placeholders(services(), query["language"])
    return {"items": found, "total": len(found)}


@blueprint.route("/template/", methods=["POST"])
@requires("email.admin")
@blueprint.doc(responses={"409": {"description": "The name is taken."}})
@blueprint.arguments(NewTemplate)
@blueprint.response(201, TemplateSchema)
def create_template(values: dict[str, Any]) -> StoredTemplate:
    """Store a new template; an unknown name in it is refused, with its field and line."""
    return service.create_template(services(), TemplateInput(**values))


@blueprint.route("/template/<int:id>/", methods=["GET"])
@requires("email.use", "email.admin")
@blueprint.response(200, TemplateSchema)
def get_template(id: int) -> StoredTemplate:
    """Give a template."""
    return service.get_template(services(), id)


@blueprint.route("/template/<int:id>/", methods=["PUT"])
@requires("email.admin")
@blueprint.doc(responses={"409": {"description": "Changed meanwhile; `newer` is what it is now."}})
@blueprint.arguments(ChangedTemplate)
@blueprint.response(200, TemplateSchema)
def update_template(values: dict[str, Any], id: int) -> StoredTemplate | Response:
    """Change a template, unless somebody else has changed it meanwhile."""
    version = values.pop("version")
    try:
        return service.update_template(services(), id, version, TemplateInput(**values))
    except StaleTemplate as error:
        return _stale(error)


@blueprint.route("/template/<int:id>/", methods=["DELETE"])
@requires("email.admin")
@blueprint.doc(responses={"409": {"description": "Accounts use it; the message names them."}})
@blueprint.response(204)
def delete_template(id: int) -> None:
    """Delete a template that no account uses."""
    service.delete_template(services(), id)


@blueprint.route("/default_template/", methods=["GET"])
@requires("email.use", "email.admin")
@blueprint.arguments(DefaultQuery, location="query")
@blueprint.response(200, DefaultTemplateSchema)
def get_default_template(query: dict[str, Any]) -> dict[str, Any]:
    """Give the template that serves where none is chosen.

    That is the stored default of the language, of the configured language or of English, or else
    the text that comes with the package.
    """
    language = query["language"] or services().application.language
    found = serving.default_template(services(), query["purpose"], language)
    return {**asdict(found), "stored": found.id != 0}


@blueprint.route("/default_template/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(DefaultInput)
@blueprint.response(200, DefaultTemplates)
def create_default_templates(values: dict[str, Any]) -> dict[str, Any]:
    """Store a default template for each purpose that has none, and give all of them.

    Doing it again changes nothing.
    """
    found = serving.create_defaults(services(), values["language"])
    return {"items": found, "total": len(found)}


@blueprint.route("/preview-template/<int:template_id>/", methods=["GET"])
@requires("email.use", "email.admin")
@blueprint.arguments(PreviewQuery, location="query")
@blueprint.response(200, RenderedSchema)
def preview_template(query: dict[str, Any], template_id: int) -> dict[str, Any]:
    """Show a template with mocked data."""
    found = service.get_template(services(), template_id)
    return _shown(preview(found.source, _left_out_of_mocked(query["missing"])))


@blueprint.route("/preview-template/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(PreviewInput)
@blueprint.response(200, RenderedSchema)
def preview_unsaved_template(values: dict[str, Any]) -> dict[str, Any]:
    """Show a template that is being written with mocked data; unknown names are marked as well."""
    missing = _left_out_of_mocked(values.pop("missing"))
    return _shown(preview(TemplateSource(**values), missing))


@blueprint.route("/template/<int:id>/render/", methods=["GET"])
@requires("email.use")
@blueprint.arguments(WritingQuery, location="query")
@blueprint.response(200, RenderedSchema)
def render_template(writing: Writing, id: int) -> dict[str, Any]:
    """Fill a template with the values of a conversation, as far as the user may see them."""
    return _shown(filled(services(), id, writing))


def _shown(rendered: Rendered) -> dict[str, Any]:
    return {**asdict(rendered), "text": text_from(rendered.html)}


def _left_out_of_mocked(names: list[str]) -> dict[str, dict[str, Value] | None]:
    """Give what is missing as `preview` takes it."""
    found: dict[str, dict[str, Value] | None] = {}
    for each in names:
        name, _, part = each.partition(".")
        if name not in KNOWN or (part and part not in KNOWN[name]):
            sentence = f"There is no value `{each}`."
            raise InvalidInput(sentence, errors={"missing": [sentence]})
        parts = found.setdefault(name, {})
        if not part:
            found[name] = None
        elif parts is not None:
            parts[part] = None
    return found


def _stale(error: StaleTemplate) -> Response:
    response = jsonify(
        code=error.code,
        message=error.message,
        errors={},
        request_id=request_id(),
        newer=TemplateSchema().dump(error.newer),
    )
    response.status_code = error.status
    return response
