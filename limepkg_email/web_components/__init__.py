"""The built front end, and the ways in which a host can serve it."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from limepkg_email.translations import DIRECTORY

STATIC = Path(__file__).parent / "static"
"""Where the build puts everything; a checkout in which nothing was built has no such folder."""

URL_PREFIX = "/static/limepkg-email"
"""Where `static_blueprint` serves it unless told otherwise."""

COMPONENTS = (
    "lwc-limepkg-email-loader",
    "lwc-email-composer",
    "lwc-unread-message-icon-indicator",
    "lwc-oauth-app-management",
    "lwc-template-management",
    "lwc-account-management",
)
"""The tags that hosts use."""

_FOREVER = 31_536_000
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# A name with a hash in it, or a folder with a version in it, never gets another content.
_LASTING = re.compile(
    r"(?:.*/)?p-[\w-]{8}(?:\.entry)?\.(?:js|css)|(?:lime-elements|icons)-[^/]+/.*"
    r"|(?:.*/)?translations/\w+-[\da-f]{8}\.json"
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a page has to load: paths below the folder that is served.

    `components` and `elements` are module scripts, the latter for hosts that bring no lime-elements
    of their own; `styles` are its style sheets and `icons` the folder for its `iconPath`.
    `documentation` is the folder of the page that shows the API.
    """

    version: str
    components: str
    elements: str
    styles: tuple[str, ...]
    icons: str
    documentation: str


def manifest(folder: Path = STATIC) -> Manifest | None:
    """Tell what was built; nothing where the front end has not been built."""
    try:
        found = json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Manifest(
        found["version"],
        found["components"],
        found["elements"],
        tuple(found["styles"]),
        found["icons"],
        found["documentation"],
    )


def static_content(folder: Path = STATIC) -> list[tuple[str, str]]:
    """Give (route, directory) for hosts that serve static files of packages; empty if not built.

    The route carries the version, so that a new version is another address.
    """
    if manifest(folder) is None:
        return []
    return [(f"lwc-components-{version('limepkg-email')}", str(folder / "components"))]


def static_blueprint(
    url_prefix: str = URL_PREFIX, *, folder: Path = STATIC, host_page: bool = False
) -> Blueprint:
    """Make a blueprint that serves the front end, for hosts that serve no static files of packages.

    What has a hash or a version in its address may be kept forever, everything else is asked about
    each time. With `host_page` there is `/host/`, a page that shows single components.
    """
    blueprint = Blueprint("limepkg-email-static", __name__, url_prefix=url_prefix)

    @blueprint.get("/<path:path>")
    def file(path: str) -> Response:
        """Give a file of the build."""
        if Path(path).suffix not in _TYPES or (path.startswith("host/") and not host_page):
            raise NotFound
        if manifest(folder) is None:
            raise NotFound("The front end is not built: run `make frontend`.")
        return _file(folder, path)

    if host_page:
        blueprint.add_url_rule("/host/", "host", lambda: _host_page(folder))
        blueprint.add_url_rule("/host", "host_without_slash", lambda: redirect("host/"))
    blueprint.after_request(_protect)
    return blueprint


def translations_directory() -> str:
    """Give the folder with a catalogue for each language, for hosts that translate."""
    return str(DIRECTORY)


def _file(folder: Path, path: str) -> Response:
    lasting = _LASTING.fullmatch(path) is not None
    response = send_from_directory(
        folder, path, mimetype=_TYPES[Path(path).suffix], max_age=_FOREVER if lasting else None
    )
    if lasting:
        response.cache_control.public = True
        response.cache_control.immutable = True
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


def _host_page(folder: Path) -> Response:
    """Give the static host page, with a nonce for the one style that Stencil writes into it."""
    if manifest(folder) is None:
        raise NotFound("The front end is not built: run `make frontend`.")
    nonce = secrets.token_urlsafe(16)
    page = (folder / "host" / "index.html").read_text("utf-8").replace("{{nonce}}", nonce)
    response = Response(page, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = content_security_policy(nonce)
    return response


def content_security_policy(nonce: str) -> str:
    """Give a policy under which the components work; the page has `<meta name="csp-nonce">`."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}';"
        " img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; font-src 'self';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _protect(response: AnyResponse) -> AnyResponse:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
