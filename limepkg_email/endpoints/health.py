"""Whether this process can do its work, for whatever watches over it."""

from __future__ import annotations

import marshmallow as ma
from sqlalchemy import text

from limepkg_email.endpoints.current import identifier, integration
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource

blueprint = Resource("health", __name__, tag="Health", description="Whether this process works.")


class HealthSchema(ma.Schema):
    """The state of the process; an answer at all means that all is well."""

    status = ma.fields.String(required=True, validate=ma.validate.Equal("ok"))


@blueprint.route("/health")
@public("Whatever watches over the process has no user, and learns nothing but that it works.")
@blueprint.response(200, HealthSchema)
def health() -> dict[str, str]:
    """Tell that the application exists and that its database can be reached."""
    services = integration().anonymous_services(identifier())
    with services.application.database.connect() as connection:
        connection.execute(text("SELECT 1"))
    return {"status": "ok"}
