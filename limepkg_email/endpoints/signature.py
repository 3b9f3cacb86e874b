"""What stands below the messages of the acting user."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from limepkg_email import signatures
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource

blueprint = Resource(
    "signature", __name__, tag="Signature", description="What stands below one's own messages."
)


class SignatureSchema(ma.Schema):
    """A signature; empty for none: then that of the account stands below one's messages."""

    signature = fields.String(
        required=True, metadata={"description": "HTML, images included; stored sanitised."}
    )


@blueprint.route("/signature/", methods=["GET"])
@requires("email.use")
@blueprint.response(200, SignatureSchema)
def get_signature() -> dict[str, str]:
    """Give the signature of the acting user."""
    acting = services()
    return {"signature": signatures.user_signature(acting, acting.application.user.id)}


@blueprint.route("/signature/", methods=["PUT"])
@requires("email.use")
@blueprint.arguments(SignatureSchema)
@blueprint.response(200, SignatureSchema)
def put_signature(values: dict[str, str]) -> dict[str, str]:
    """Store the signature of the acting user and give what is stored."""
    acting = services()
    user = acting.application.user.id
    return {"signature": signatures.set_user_signature(acting, user, values["signature"])}
