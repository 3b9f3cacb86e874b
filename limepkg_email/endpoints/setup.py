"""Setup from the administrator's page: what is left to do, and doing it."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import fields

from limepkg_email import audit
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.schema.overview import SetupOverview, overview
from limepkg_email.schema.setup import SetupReport, install
from limepkg_email.services import Services

blueprint = Resource(
    "setup", __name__, tag="Setup", description="Installing the data model and the webhook."
)


class EngineStateSchema(ma.Schema):
    """How EmailEngine is doing."""

    reachable = fields.Boolean(required=True)
    licensed = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "False: it answers, but has stopped working. Null: nobody knows."},
    )
    webhook_url = fields.String(required=True)
    webhook_registered = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "Null: nobody knows."}
    )
    message = fields.String(
        required=True, metadata={"description": "What is wrong, or an empty text."}
    )


class SetupSchema(ma.Schema):
    """How far the installation has come."""

    installed = fields.Boolean(
        required=True, metadata={"description": "Whether the data model is complete."}
    )
    steps = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "What is left to do, as far as it is known: without an answer of"
            " EmailEngine it is not known whether the webhook is registered."
        },
    )
    problem = fields.String(
        required=True,
        metadata={"description": "Why it cannot be done, and what to do; or an empty text."},
    )
    engine = fields.Nested(EngineStateSchema, required=True)


class SetupReportSchema(ma.Schema):
    """What was done."""

    steps = fields.List(fields.String(), required=True)
    applied = fields.Boolean(required=True)
    unfinished = fields.String(
        required=True,
        metadata={"description": "What is left to do and why, or an empty text."},
    )


class NothingSchema(ma.Schema):
    """Nothing has to be said: the body is `{}`."""


@blueprint.route("/setup/", methods=["GET"])
@requires("email.admin", before_setup=True)
@blueprint.response(200, SetupSchema)
def get_setup() -> SetupOverview:
    """Say how far the installation has come and what `POST` would do; changes nothing."""
    return overview(services())


@blueprint.route("/setup/", methods=["POST"])
@requires("email.admin", before_setup=True)
@blueprint.doc(
    responses={"409": {"description": "Something else has a name that is needed; nothing changed."}}
)
@blueprint.arguments(NothingSchema)
@blueprint.response(200, SetupReportSchema)
def post_setup(_: dict[str, object]) -> SetupReport:
    """Install what is missing; once more does nothing.

    An engine that cannot be reached undoes nothing: `unfinished` says so, and the next time only
    the webhook is left to be registered.
    """
    acting = services()
    report = install(acting)
    if report.steps:
        _record(acting, report)
    return report


def _record(acting: Services, report: SetupReport) -> None:
    after = {"steps": list(report.steps), "unfinished": report.unfinished}
    with acting.application.database.begin() as connection:
        audit.record(connection, acting, "setup.apply", "setup", after=after)
