"""Endpoints about the instance: settings, OAuth2 applications, licence, statistics, outbox."""

import platform

from flask import Blueprint, Response

from limepkg_email.sandbox.answers import answer, body, query
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.validation import check

VERSION = "2.79.2"
_LICENSE = "LICENSE_EMAILENGINE"
_STATES = (
    "init",
    "connected",
    "connecting",
    "authenticationError",
    "connectError",
    "unset",
    "disconnected",
)


def blueprint(services: Services) -> Blueprint:
    """The endpoints."""
    routes = Blueprint("instance", __name__, url_prefix="/v1")
    _add_settings(routes, services)
    _add_apps(routes, services)
    _add_outbox(routes, services)

    @routes.get("/license")
    def license_() -> Response:
        shown: Json = {"active": False, "details": False, "type": _LICENSE}
        if services.accounts.suspended:
            shown["suspended"] = True
        return answer(shown)

    @routes.get("/stats")
    def stats() -> Response:
        return answer(_stats(services))

    return routes


def _add_settings(routes: Blueprint, services: Services) -> None:
    @routes.get("/settings")
    def get_settings() -> Response:
        return answer(services.settings.show(query()))

    @routes.post("/settings")
    def post_settings() -> Response:
        return answer({"updated": services.settings.update(body())})


def _add_apps(routes: Blueprint, services: Services) -> None:
    apps = services.apps

    @routes.get("/oauth2")
    def list_apps() -> Response:
        return answer(apps.list(query()))

    @routes.post("/oauth2")
    def create_app() -> Response:
        return answer(apps.create(body()))

    @routes.get("/oauth2/<app_id>")
    def get_app(app_id: str) -> Response:
        return answer(apps.show(app_id))

    @routes.put("/oauth2/<app_id>")
    def update_app(app_id: str) -> Response:
        return answer(apps.update(app_id, body()))

    @routes.delete("/oauth2/<app_id>")
    def delete_app(app_id: str) -> Response:
        return answer(apps.delete(app_id))


def _add_outbox(routes: Blueprint, services: Services) -> None:
    outbox = services.outbox

    @routes.get("/outbox")
    def list_outbox() -> Response:
        return answer(outbox.list(query()))

    @routes.get("/outbox/<queue_id>")
    def get_outbox(queue_id: str) -> Response:
        check(query(), {})
        return answer(outbox.get(queue_id))

    @routes.delete("/outbox/<queue_id>")
    def delete_outbox(queue_id: str) -> Response:
        return answer({"deleted": outbox.delete(queue_id)})


def _stats(services: Services) -> Json:
    states = dict.fromkeys(_STATES, 0)
    accounts = services.accounts.all()
    for account in accounts:
        state = "disconnected" if services.accounts.suspended else services.accounts.state(account)
        states[state] = states.get(state, 0) + 1
    counters = {f"events:{event}": n for event, n in services.events.totals().items()}
    waiting = services.webhooks.waiting()
    return {
        "version": VERSION,
        "license": _LICENSE,
        "accounts": len(accounts),
        "node": platform.python_version(),
        "redis": "7.0.15",
        "redisCluster": False,
        "redisWarnings": [],
        "imapflow": "1.7.2",
        "bullmq": "6.2.0",
        "arch": "x64",
        "counters": {**counters, **services.calls.counts},
        "queues": {
            "notify": _queue(waiting, paused=services.faults.webhooks_paused),
            "submit": _queue(services.outbox.waiting(), paused=False),
            "documents": _queue(0, paused=False),
        },
        "connections": states,
        "redisPing": 100_000,
    }


def _queue(waiting: int, *, paused: bool) -> Json:
    return {
        "paused": waiting if paused else 0,
        "isPaused": paused,
        "active": 0,
        "delayed": 0,
        "waiting": 0 if paused else waiting,
        "total": waiting,
    }
