"""Which methods a path has: the endpoint for what does not exist counts as none."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from limepkg_email.endpoints.current import NOWHERE

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods() -> list[str]:
    """Give the methods that the path of the request has; none for a path that does not exist."""
    adapter = current_app.create_url_adapter(request)
    return [method for method in METHODS if adapter and _exists(adapter, method)]


def _exists(adapter: MapAdapter, method: str) -> bool:
    try:
        endpoint, _ = adapter.match(method=method)
    except HTTPException:
        return False
    return not str(endpoint).startswith(NOWHERE)
