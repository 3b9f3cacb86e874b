"""The recovery of mail that no webhook brought or that failed, and what it reported."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import identity, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import InvalidInput
from limepkg_email.incoming import recovery_runs
from limepkg_email.incoming.recovering import reports
from limepkg_email.models import RunState

_MOST_ACCOUNTS = 10_000

blueprint = Resource(
    "recovery",
    __name__,
    tag="Recovery",
    description="Finding mail that no webhook brought, and trying mail again that failed.",
)


class RecoveryInput(ma.Schema):
    """Whose mail is looked for."""

    accounts = fields.List(
        identity(strict=True),
        load_default=list,
        validate=validate.Length(max=_MOST_ACCOUNTS),
        metadata={
            "description": "Ids of accounts; all enabled ones if empty or left out."
            " Disabled ones are skipped."
        },
    )


class RecoveryStartedSchema(ma.Schema):
    """The task that does it; `GET /task/{task_id}/` tells how far it is."""

    id = fields.String()
    status = fields.String()


class ReportQuery(ma.Schema):
    """Whose reports."""

    account = identity(
        load_default=None, metadata={"description": "The id of an account; of all without it."}
    )
    limit = limit(20, 200)
    offset = offset()


class ReportSchema(ma.Schema):
    """What one recovery found in one account: each mail it listed is in one of the counts.

    One that is listed in the inbox and again in the failed folder counts twice, unless it failed.
    """

    id = fields.Integer()
    account = fields.Integer(
        allow_none=True, metadata={"description": "Null when it is not connected any more."}
    )
    run = fields.String(metadata={"description": "The task; empty for the schedule's."})
    started_at = fields.AwareDateTime()
    finished_at = fields.AwareDateTime()
    listed = fields.Integer(metadata={"description": "Mails that were looked at."})
    known = fields.Integer(metadata={"description": "Had a receipt already."})
    imported = fields.Integer(metadata={"description": "Became messages now."})
    recovered = fields.Integer(metadata={"description": "Had failed, and are settled now."})
    second_sightings = fields.Integer(
        metadata={"description": "Were imported through another account."}
    )
    filtered = fields.Integer(metadata={"description": "A filter skipped them, or bounces."})
    own = fields.Integer(metadata={"description": "Were sent from here."})
    too_old = fields.Integer(
        metadata={"description": "Failed too long ago to be tried by the recovery."}
    )
    before_activation = fields.Integer(
        metadata={"description": "Are older than the account's connection."}
    )
    in_grace = fields.Integer(metadata={"description": "Are left to their webhooks for now."})
    failed = fields.Integer(metadata={"description": "Failed now, or wait for their next try."})
    unaccounted = fields.Integer(
        metadata={"description": "Have no receipt although they should have one. Always 0."}
    )
    error = fields.String(metadata={"description": "What kept the recovery from the end."})


class ReportsSchema(ma.Schema):
    """A page of reports, the newest first."""

    items = fields.List(fields.Nested(ReportSchema))
    total = fields.Integer()


@blueprint.route("/recovery/start/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(RecoveryInput)
@blueprint.response(202, RecoveryStartedSchema)
def start_recovery(given: dict[str, Any]) -> dict[str, str]:
    """Look for missed and failed mail now, in these accounts or in all enabled ones."""
    guid = recovery_runs.start(services(), given["accounts"] or None)
    return {"id": guid, "status": RunState.PENDING.value}


@blueprint.route("/recovery/report/")
@requires("email.admin")
@blueprint.arguments(ReportQuery, location="query")
@blueprint.response(200, ReportsSchema)
def get_reports(query: dict[str, Any]) -> dict[str, Any]:
    """Give the reports of recoveries: scheduled ones and those that somebody started."""
    wanted = query.pop("account")
    with services().application.database.connect() as connection:
        ids = {each.engine_account: each.id for each in read_accounts(connection).accounts}
        names = {id: name for name, id in ids.items()}
        if wanted is not None and wanted not in names:
            raise InvalidInput(errors={"account": [f"There is no account {wanted}."]})
        account = None if wanted is None else names[wanted]
        found, total = reports.listing(connection, account=account, **query)
    items = [
        {
            **each.counts(),
            "id": each.id,
            "account": ids.get(each.account),
            "run": each.run,
            "started_at": each.started_at,
            "finished_at": each.finished_at,
            "error": each.error,
        }
        for each in found
    ]
    return {"items": items, "total": total}
