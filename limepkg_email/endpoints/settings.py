"""What an administrator may change while everything runs: settings, and extensions on and off."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import INCLUDE, fields, validate

from limepkg_email.endpoints.current import identifier, integration, services
from limepkg_email.endpoints.fields import Flag
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound
from limepkg_email.schema import settings
from limepkg_email.schema.extensions import Extension, list_extensions
from limepkg_email.schema.settings import Setting, settings_schema

blueprint = Resource(
    "settings", __name__, tag="Settings", description="What administrators set, and extensions."
)
ConfigurationInput = settings_schema()


class SettingSchema(ma.Schema):
    """A key of the configuration, whether it can be changed here or not."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    type = fields.String(required=True)
    value = fields.Raw(
        required=True, allow_none=True, metadata={"description": "Null for a secret."}
    )
    default = fields.Raw(required=True, allow_none=True)
    source = fields.String(
        required=True, validate=validate.OneOf(("default", "environment", "administrator"))
    )
    editable = fields.Boolean(
        required=True,
        metadata={"description": "False: set by the operator, or only the operator can set it."},
    )
    secret = fields.Boolean(required=True)
    is_set = fields.Boolean(
        required=True, metadata={"description": "Whether there is a value that is not empty."}
    )
    least = fields.Float(required=True, allow_none=True)
    most = fields.Float(required=True, allow_none=True)
    help = fields.String(required=True)


class ConfigurationPage(ma.Schema):
    """Every key, in the order of the table."""

    items = fields.List(fields.Nested(SettingSchema), required=True)
    total = fields.Integer(required=True)


class OfferedSchema(ma.Schema):
    """A filter or an action."""

    name = fields.String(required=True)
    description = fields.String(required=True)


class ExtensionSchema(ma.Schema):
    """An installed extension; what is switched off is asked nothing, but for its limetypes."""

    name = fields.String(required=True)
    enabled = Flag(required=True)
    hooks = fields.List(fields.String(), required=True)
    filters = fields.List(fields.Nested(OfferedSchema), required=True)
    actions = fields.List(fields.Nested(OfferedSchema), required=True)


class ExtensionPage(ma.Schema):
    """The installed extensions, by name."""

    items = fields.List(fields.Nested(ExtensionSchema), required=True)
    total = fields.Integer(required=True)


class ExtensionInput(ma.Schema):
    """Which extension to switch."""

    name = fields.String(required=True, validate=validate.Length(1, 256))
    enabled = Flag(required=True)


@blueprint.route("/settings/", methods=["GET"])
@requires("email.admin")
@blueprint.response(200, ConfigurationPage)
def get_settings() -> dict[str, Any]:
    """Give every key of the configuration with its value, and who set it."""
    found = settings.list_settings(services())
    return {"items": found, "total": len(found)}


@blueprint.route("/settings/", methods=["PUT"])
@requires("email.admin")
# Names that are not in the schema go on to the service, which says why they cannot be changed.
@blueprint.arguments(ConfigurationInput, unknown=INCLUDE)
@blueprint.response(200, ConfigurationPage)
def put_settings(values: dict[str, object]) -> dict[str, Any]:
    """Change the named settings, and no others; null takes the administrator's value back.

    Other processes see it within ten seconds.
    """
    settings.change_settings(services(), values)
    integration().settings_changed(identifier())
    found: list[Setting] = settings.list_settings(services())
    return {"items": found, "total": len(found)}


@blueprint.route("/extension/", methods=["GET"])
@requires("email.admin")
@blueprint.response(200, ExtensionPage)
def get_extensions() -> dict[str, Any]:
    """Give the installed extensions: what each does, and whether it is switched on."""
    found = _extensions()
    return {"items": found, "total": len(found)}


@blueprint.route("/extension/", methods=["PUT"])
@requires("email.admin")
@blueprint.arguments(ExtensionInput)
@blueprint.response(200, ExtensionSchema)
def put_extension(values: dict[str, Any]) -> Extension:
    """Switch an extension on or off in this application; other processes follow in ten seconds."""
    name = values["name"]
    if name not in {each.name for each in _extensions()}:
        raise NotFound(f"There is no extension {name}.")
    settings.switch_extension(services(), name, enabled=values["enabled"])
    integration().settings_changed(identifier())
    return next(each for each in _extensions() if each.name == name)


def _extensions() -> list[Extension]:
    return list_extensions(integration().plugins, services())
