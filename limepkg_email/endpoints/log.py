"""What administrators look at when something went wrong: the log, the audit log, the jobs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email import audit, event_log
from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import identity, limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.event_log import Level
from limepkg_email.models import JobState
from limepkg_email.tasks import jobs

MOST_ON_A_PAGE = 200
MOST_AT_ONCE = 500

blueprint = Resource(
    "log", __name__, tag="Log", description="What went wrong, who did what, and what waits."
)


class LogQuery(ma.Schema):
    """Which entries of the log."""

    level = fields.String(
        load_default=None, validate=validate.OneOf([each.value for each in Level])
    )
    account = identity(load_default=None)
    limit = limit(50, MOST_ON_A_PAGE)
    offset = offset()


class LogEntrySchema(ma.Schema):
    """Something that went wrong or needs somebody; `account` is EmailEngine's id, empty if none."""

    id = fields.Integer()
    at = fields.DateTime(format="iso")
    level = fields.String()
    code = fields.String(metadata={"description": "Stable, for programs."})
    account = fields.String()
    text = fields.String()
    details = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True))


class LogPageSchema(ma.Schema):
    """A page of the log, the newest first."""

    items = fields.List(fields.Nested(LogEntrySchema))
    total = fields.Integer()


class AuditQuery(ma.Schema):
    """Which actions: of one kind of thing, such as `account`, or of one such thing."""

    subject = fields.String(load_default=None, validate=validate.Length(1, 64))
    subject_id = fields.String(load_default=None, validate=validate.Length(1, 256))
    limit = limit(50, MOST_ON_A_PAGE)
    offset = offset()


class AuditEntrySchema(ma.Schema):
    """What somebody did; `before` and `after` are what changed, without secrets."""

    id = fields.Integer()
    at = fields.DateTime(format="iso")
    user = fields.Integer()
    user_name = fields.String()
    action = fields.String()
    subject = fields.String()
    subject_id = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


class AuditPageSchema(ma.Schema):
    """A page of the audit log, the newest first."""

    items = fields.List(fields.Nested(AuditEntrySchema))
    total = fields.Integer()


class JobsQuery(ma.Schema):
    """Which part of the failed jobs."""

    limit = limit(50, MOST_ON_A_PAGE)
    offset = offset()


class FailedJobSchema(ma.Schema):
    """A job that was set aside, and why."""

    id = fields.Integer()
    task = fields.String()
    attempts = fields.Integer()
    created_at = fields.DateTime(format="iso")
    finished_at = fields.DateTime(format="iso", allow_none=True)
    reason = fields.String(attribute="result")


class JobPageSchema(ma.Schema):
    """How many jobs are in each state, and a page of the failed ones, the newest first."""

    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    items = fields.List(fields.Nested(FailedJobSchema))
    total = fields.Integer(metadata={"description": "How many have failed."})


class JobRetryInput(ma.Schema):
    """Which failed jobs to try again."""

    ids = fields.List(
        identity(strict=True),
        load_default=None,
        allow_none=True,
        validate=validate.Length(0, MOST_AT_ONCE),
        metadata={"description": "All failed jobs if left out."},
    )


class JobRetrySchema(ma.Schema):
    """How many jobs are tried again."""

    retried = fields.Integer()


@blueprint.route("/log/")
@requires("email.admin")
@blueprint.arguments(LogQuery, location="query")
@blueprint.response(200, LogPageSchema)
def log(query: dict[str, Any]) -> dict[str, object]:
    """Give what went wrong or needs somebody."""
    acting, account = services(), query.pop("account")
    if account is not None:
        with acting.application.database.connect() as connection:
            account = read_accounts(connection).by_id(account).engine_account
    items, total = event_log.listing(acting, account=account, **query)
    return {"items": items, "total": total}


@blueprint.route("/audit/")
@requires("email.admin")
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, AuditPageSchema)
def audit_log(query: dict[str, Any]) -> dict[str, object]:
    """Give what administrators did."""
    items, total = audit.listing(services(), **query)
    return {"items": items, "total": total}


@blueprint.route("/jobs/")
@requires("email.admin")
@blueprint.arguments(JobsQuery, location="query")
@blueprint.response(200, JobPageSchema)
def failed_jobs(query: dict[str, Any]) -> dict[str, object]:
    """Count the jobs by state, and give those that were set aside."""
    with services().application.database.connect() as connection:
        counts = jobs.counts(connection)
        items = jobs.listing(connection, state=JobState.FAILED, **query)
    return {"counts": counts, "items": items, "total": counts[JobState.FAILED]}


@blueprint.route("/jobs/retry/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(JobRetryInput)
@blueprint.response(202, JobRetrySchema)
def retry_jobs(chosen: dict[str, Any]) -> dict[str, int]:
    """Try failed jobs once more."""
    acting, ids = services(), chosen["ids"]
    with acting.application.database.begin() as connection:
        retried = jobs.retry_failed(connection, ids, acting.clock())
        if retried:
            audit.record(connection, acting, "job.retry", "job", after={"ids": ids or "all"})
    acting.wake()
    return {"retried": retried}
