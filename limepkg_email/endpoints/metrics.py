"""Figures for Prometheus, where the extra `metrics` is installed."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from importlib import import_module
from typing import Any

from flask import Response, request
from sqlalchemy import Connection, func, select

from limepkg_email.db import table
from limepkg_email.endpoints.current import identifier, integration, services
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import Forbidden, NotFound
from limepkg_email.incoming.receipt_search import MOST_COUNTED
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.models import AccountReport, Disposition, JobState
from limepkg_email.services import Services
from limepkg_email.tasks import counts, jobs

_REPORTS = table(AccountReport)
_PREFIX = "limepkg_email_"

blueprint = Resource("metrics", __name__, tag="Health", description="Figures for monitoring.")


@blueprint.route("/metrics")
@public("Answers an administrator, or who has the token `metrics_token`; without one nobody else.")
@blueprint.doc(
    responses={
        "200": {"description": "Figures as text.", "content": {"text/plain": {}}},
        "401": {"description": "Nobody is signed in, and the token is not right."},
        "403": {"description": "The user is no administrator."},
    }
)
def metrics() -> Response:
    """Give figures in Prometheus's format: jobs, receipts, mails to send, what is unaccounted for.

    Jobs that wait or run and mails that have failed (up to 10,000) are counted now, everything else
    every ten minutes.
    Needs `email.admin`, or `Authorization: Bearer` with the key `metrics_token`. Answers 404 where
    the extra `limepkg-email[metrics]` is not installed.
    """
    found = integration().anonymous_services(identifier())
    if not (_has_token(found.config.metrics_token) or _is_admin()):
        raise Forbidden("This needs the permission email.admin or the token for metrics.")
    try:
        prometheus: Any = import_module("prometheus_client")
    except ImportError:
        raise NotFound("Install limepkg-email[metrics] to get figures here.") from None
    integration().require_installed(found)
    content = prometheus.generate_latest(_registry(prometheus, found))
    return Response(content, content_type=prometheus.CONTENT_TYPE_LATEST)


def _is_admin() -> bool:
    return services().application.user.can("email.admin")


def _has_token(token: str) -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or kind.lower() != "bearer":
        return False
    return compare_digest(given.encode(), token.encode())


def _registry(prometheus: Any, found: Services) -> Any:
    registry = prometheus.CollectorRegistry()

    def gauge(name: str, text: str, label: str, rows: Iterable[Any]) -> None:
        made = prometheus.Gauge(_PREFIX + name, text, [label], registry=registry)
        for value, number in rows:
            made.labels(value).set(number)

    with found.application.database.connect() as connection:
        gauge("jobs", "Jobs by state.", "state", _jobs(connection))
        gauge("receipts", "Mails by what became of them.", "disposition", _receipts(connection))
        sends = counts.counted(connection, counts.OUTBOX).items()
        gauge("outbox", "Mails to send, by state.", "state", sends)
        gauge(
            "unaccounted",
            "Mails of which the last recovery of an account could not tell what became.",
            "account",
            _unaccounted(connection),
        )
        oldest = prometheus.Gauge(
            f"{_PREFIX}oldest_waiting_job_seconds",
            "For how long the oldest job that is due has waited.",
            registry=registry,
        )
        oldest.set(_oldest_waiting(connection, found))
    return registry


def _receipts(connection: Connection) -> Iterable[Any]:
    """Give the last counts; mails that have failed are counted now, as somebody has to act."""
    failed = select(RECEIPTS.c.id).where(RECEIPTS.c.disposition == Disposition.FAILED.value)
    now = select(func.count()).select_from(failed.limit(MOST_COUNTED).subquery())
    found = counts.counted(connection, counts.RECEIPTS)
    return {**found, Disposition.FAILED.value: connection.scalar(now) or 0}.items()


def _jobs(connection: Connection) -> Iterable[Any]:
    """Give the last counts; jobs that wait or run are counted now."""
    none = dict.fromkeys((each.value for each in JobState), 0)
    return {**none, **counts.counted(connection, counts.JOBS), **jobs.open_now(connection)}.items()


def _unaccounted(connection: Connection) -> Iterable[Any]:
    latest = select(func.max(_REPORTS.c.id)).group_by(_REPORTS.c.account)
    columns = (_REPORTS.c.account, _REPORTS.c.unaccounted)
    return connection.execute(select(*columns).where(_REPORTS.c.id.in_(latest))).all()


def _oldest_waiting(connection: Connection, found: Services) -> float:
    since = jobs.waiting_since(connection)
    return max((found.clock() - since).total_seconds(), 0.0) if since else 0.0
