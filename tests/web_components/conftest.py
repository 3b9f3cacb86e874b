from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from limepkg_email.web_components import STATIC, URL_PREFIX, Manifest, manifest, static_blueprint


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
def built() -> Manifest:
    """The front end of this checkout, which the continuous integration must have built."""
    found = manifest()
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("the front end is not built: run `make frontend`")
    assert found is not None, "the front end is not built"
    return found


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
