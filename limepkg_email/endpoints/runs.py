"""Tasks that somebody started, such as a sync, and how far they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import fields, validate
from webargs.fields import DelimitedList

from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import limit, offset
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import NotFound
from limepkg_email.models import RunState
from limepkg_email.services import Services
from limepkg_email.tasks import runs
from limepkg_email.tasks.runs import RunEntry

_MOST = 100

blueprint = Resource(
    "runs", __name__, tag="Task", description="Tasks that somebody started, and how far they are."
)


class TasksQuery(ma.Schema):
    """Which tasks; those that do not exist, or are somebody else's, are left out."""

    ids = DelimitedList(
        fields.UUID(),
        validate=validate.Length(1, _MOST),
        metadata={"description": "Ids separated by commas; all tasks, newest first, without it."},
    )
    limit = limit(50, _MOST)
    offset = offset()


class TaskSchema(ma.Schema):
    """A task and how far it is."""

    id = fields.String(attribute="guid")
    task = fields.String(metadata={"description": "What kind of work it is."})
    status = fields.Enum(RunState, by_value=True, attribute="state")
    done = fields.Integer(metadata={"description": "Steps behind it, of `total`."})
    total = fields.Integer()
    result = fields.Raw(
        allow_none=True, metadata={"description": "The report of a task that succeeded."}
    )
    reason = fields.String(
        metadata={"description": "Why it failed, or why its last attempt did and another follows."}
    )
    user = fields.Integer(allow_none=True, metadata={"description": "Who started it."})
    created_at = fields.AwareDateTime()
    started_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)


class TasksSchema(ma.Schema):
    """A page of tasks, the newest first."""

    items = fields.List(fields.Nested(TaskSchema))
    total = fields.Integer()


@blueprint.route("/task/")
@requires("email.use", "email.admin")
@blueprint.arguments(TasksQuery, location="query")
@blueprint.response(200, TasksSchema)
def get_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """Give the tasks that the user started; an administrator sees everybody's."""
    acting = services()
    ids = query.pop("ids", None)
    guids = None if ids is None else [str(each) for each in ids]
    if guids is not None:
        query["limit"] = _MOST
    with acting.application.database.connect() as connection:
        found, total = runs.listing(connection, guids=guids, user=_only(acting), **query)
    return {"items": found, "total": total}


@blueprint.route("/task/<uuid:task_id>/")
@requires("email.use", "email.admin")
@blueprint.response(200, TaskSchema)
def get_task(task_id: UUID) -> RunEntry:
    """Give a task that the user started; an administrator sees everybody's."""
    acting = services()
    with acting.application.database.connect() as connection:
        found = runs.read(connection, str(task_id))
    if _only(acting) not in (None, found.user):
        raise NotFound(f"There is no task {task_id}.")
    return found


def _only(acting: Services) -> int | None:
    """Give the user whose tasks are to be seen, `None` for everybody's."""
    user = acting.application.user
    return None if user.can("email.admin") else user.id
