from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from werkzeug.test import TestResponse

from limepkg_email.reference.demo import Demo
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT
from limepkg_email.web_components import STATIC, URL_PREFIX, Manifest, static_blueprint
from tests.web_components.host_page import HostPage


class BufferedClient(FlaskClient):
    """Reads each answer at once, so that no file stays open."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, buffered=True, **options)


def serving(folder: Path, url_prefix: str = URL_PREFIX, *, host_page: bool = True) -> FlaskClient:
    """A host that serves the folder and nothing else."""
    app = Flask("host")
    app.test_client_class = BufferedClient
    app.register_blueprint(static_blueprint(url_prefix, folder=folder, host_page=host_page))
    return app.test_client()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small build, so that these tests do not need the real one."""
    files = {
        "manifest.json": '{"version": "1", "components": "components/x/x.esm.js", "elements":'
        ' "lime-elements-9/lime-elements.esm.js", "styles": ["lime-elements-9/a.css"],'
        ' "icons": "icons-1/", "documentation": "swagger-ui-1"}',
        "components/x/x.esm.js": "export const x = 1;",
        "components/x/p-0aZ_-9bc.js": "export const p = 1;",
        "components/x/p-01234567.entry.js": "export const e = 1;",
        "components/x/translations/sv-01234abc.json": "{}",
        "components/x/page-one.js": "export const o = 1;",
        "components/x/.secret": "no",
        "lime-elements-9/lime-elements.esm.js": "export const l = 1;",
        "lime-elements-9/a.css": "a{}",
        "icons-1/assets/icons/trash.svg": "<svg/>",
        "host/index.html": '<meta name="csp-nonce" content="{{nonce}}">',
        "host/host.js": "export const h = 1;",
    }
    for name, content in files.items():
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    (tmp_path / "outside.js").write_text("secret", "utf-8")
    return tmp_path / "static"


@pytest.fixture
def client(folder: Path) -> Iterator[FlaskClient]:
    with serving(folder) as client:
        yield client


@pytest.fixture
def real_client(built: Manifest) -> FlaskClient:
    return serving(STATIC)


@pytest.fixture
def host(page: Page, built: Manifest, demo: Demo) -> Iterator[HostPage]:
    """The host page in a browser; nobody is signed in yet. Nothing may go wrong on it."""
    found = HostPage(page, demo)
    yield found
    assert found.wrong == []


@pytest.fixture
def agent(host: HostPage) -> HostPage:
    host.sign_in(AGENT[0])
    return host


@pytest.fixture
def admin(host: HostPage) -> HostPage:
    host.sign_in(ADMINISTRATOR[0])
    return host
