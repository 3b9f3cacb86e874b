"""The Flask application of a sandbox: API, control API, hosted form and pages."""

import hmac
import time
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from limepkg_email.sandbox import (
    api_accounts,
    api_instance,
    api_mail,
    control,
    form,
    pages,
)
from limepkg_email.sandbox.answers import answer, error_answer
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.faults import Fault
from limepkg_email.sandbox.form import Forms
from limepkg_email.sandbox.http_server import DROP
from limepkg_email.sandbox.services import Services

_NOT_FOUND = (
    "<!doctype html><html lang=en><title>Not found</title><h1>Not found</h1>"
    "<p>There is no such page.</p></html>"
)


def create_app(services: Services) -> Flask:
    """The application for these services."""
    app = Flask("limepkg_email.sandbox", static_folder="static", static_url_path="/static")
    forms = Forms(
        services.database, services.settings, services.accounts, services.apps, services.options
    )
    app.register_blueprint(api_instance.blueprint(services))
    app.register_blueprint(api_accounts.blueprint(services, forms))
    app.register_blueprint(api_mail.blueprint(services))
    app.register_blueprint(control.blueprint(services))
    app.register_blueprint(form.blueprint(forms))
    app.register_blueprint(pages.blueprint(services))

    @app.get("/health")
    def health() -> Response:
        return answer({"success": True})

    _add_guards(app, services)
    _add_errors(app)
    return app


def _add_guards(app: Flask, services: Services) -> None:
    @app.before_request
    def guard() -> Response | None:
        if _from_elsewhere():
            return answer({"message": "Requests from other sites are refused"}, 403)
        if not request.path.startswith("/v1/"):
            return None
        if request.url_rule is not None:
            _require_token(services.options.token)
        return _begin_fault(app, services)

    @app.after_request
    def finish(response: Response) -> Response:
        if request.path.startswith("/v1/"):
            services.calls.count(success=response.status_code < 400)
        fault: Fault | None = g.pop("fault", None)
        if fault is None:
            return response
        if fault.action == "drop":
            request.environ[DROP] = True
        elif fault.action == "fail":
            return error_answer(fault.error())
        return response


def _begin_fault(app: Flask, services: Services) -> Response | None:
    fault = services.faults.take(request.method, request.path)
    if fault is None:
        return None
    if fault.action == "refuse":
        raise fault.error()
    if fault.seconds:
        time.sleep(fault.seconds)
    if fault.action == "twice":
        # The body was read into memory by the server: the view can simply run again.
        app.ensure_sync(app.dispatch_request)()
    g.fault = fault
    return None


def _require_token(token: str) -> None:
    header = request.headers.get("Authorization", "")
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer":
        given = request.args.get("access_token", "")
    if not given:
        raise ApiError(401, "Missing authentication", headers={"WWW-Authenticate": "Bearer"})
    if not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise ApiError(401, "Bad token", headers={"WWW-Authenticate": 'Bearer error="Bad token"'})


def _from_elsewhere() -> bool:
    """Whether another site's page makes this request: the control API has no other protection."""
    origin = request.headers.get("Origin", "")
    if request.method in ("GET", "HEAD") or origin in ("", "null"):
        return origin == "null" and request.method not in ("GET", "HEAD")
    return urlsplit(origin).netloc != request.host


def _add_errors(app: Flask) -> None:
    @app.errorhandler(ApiError)
    def api_error(error: ApiError) -> Response:
        return error_answer(error)

    @app.errorhandler(404)
    def not_found(_error: HTTPException) -> Response:
        return Response(_NOT_FOUND, 404, content_type="text/html; charset=utf-8")
