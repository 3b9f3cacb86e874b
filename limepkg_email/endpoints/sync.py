"""The sync of OAuth2 applications and accounts from EmailEngine."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from marshmallow import fields

from limepkg_email.accounts import sync
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import Flag
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource

blueprint = Resource(
    "sync",
    __name__,
    tag="Sync",
    description="Bringing OAuth2 applications and accounts in line with EmailEngine.",
)


class SyncInput(ma.Schema):
    """Whether to do it or only to tell."""

    dry_run = Flag(
        load_default=False,
        metadata={"description": "Only tell what differs; nothing is changed."},
    )


class SyncStartedSchema(ma.Schema):
    """The task that does it; `GET /task/{task_id}/` tells how far it is."""

    id = fields.String()
    status = fields.String()


class DifferenceSchema(ma.Schema):
    """An application or an account that differs."""

    engine_id = fields.String(metadata={"description": "Its id in EmailEngine."})
    name = fields.String(metadata={"description": "An account's is its address."})
    changed = fields.List(
        fields.String(),
        metadata={
            "description": "The fields that change. `engine_id`: it was found under another id"
            " than the one known here."
        },
    )


class DifferencesSchema(ma.Schema):
    """What differs in one list; what is missing in EmailEngine is marked and never deleted."""

    added = fields.List(fields.Nested(DifferenceSchema))
    updated = fields.List(fields.Nested(DifferenceSchema))
    missing = fields.List(fields.Nested(DifferenceSchema))


class SyncPlanSchema(ma.Schema):
    """What a sync would do, or did: the `result` of its task has the same form."""

    apps = fields.Nested(DifferencesSchema)
    accounts = fields.Nested(DifferencesSchema)


@blueprint.route("/sync/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(SyncInput)
@blueprint.doc(
    responses={
        "200": {
            "description": "What a sync would do, for `dry_run`.",
            "content": {"application/json": {"schema": SyncPlanSchema}},
        }
    }
)
@blueprint.response(202, SyncStartedSchema)
def start_sync(given: dict[str, bool]) -> dict[str, Any] | Response:
    """Start the sync, or join the one that is under way.

    With `dry_run` it answers 200 with what a sync would do.
    """
    if given["dry_run"]:
        return jsonify(SyncPlanSchema().dump(sync.plan(services()).shown()))
    run = sync.start(services())
    return {"id": run.guid, "status": run.state.value}
