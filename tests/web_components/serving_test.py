from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from limepkg_email.web_components import (
    STATIC,
    URL_PREFIX,
    Manifest,
    manifest,
    static_content,
)
from tests.web_components.conftest import serving

LASTING = "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("components/x/p-0aZ_-9bc.js", "text/javascript"),
        ("components/x/p-01234567.entry.js", "text/javascript"),
        ("components/x/translations/sv-01234abc.json", "application/json"),
        ("lime-elements-9/lime-elements.esm.js", "text/javascript"),
        ("lime-elements-9/a.css", "text/css"),
        ("icons-1/assets/icons/trash.svg", "image/svg+xml"),
    ],
)
def test_what_has_a_hash_or_a_version_in_its_address_is_kept_forever(
    client: FlaskClient, path: str, type_: str
) -> None:
    response = client.get(f"{URL_PREFIX}/{path}")
    assert response.status_code == 200
    assert set(response.headers["Cache-Control"].split(", ")) == set(LASTING.split(", "))
    assert response.mimetype == type_
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "components/x/x.esm.js",
        "components/x/page-one.js",
        "manifest.json",
        "host/host.js",
    ],
)
def test_everything_else_is_asked_about_each_time_and_sent_only_if_it_changed(
    client: FlaskClient, path: str
) -> None:
    response = client.get(f"{URL_PREFIX}/{path}")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(f"{URL_PREFIX}/{path}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "components/x/nothing.js",
        "components/x/.secret",
        "components/",
        "../outside.js",
        "%2e%2e/outside.js",
        "components/..%2f..%2f..%2foutside.js",
        "/etc/passwd",
        "components/x/translations/xx-01234abc.json",
        "components/x/translations/..%2f.secret",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    response = client.get(f"{URL_PREFIX}/{path}")
    assert response.status_code == 404
    assert b"secret" not in response.data


def test_the_host_page_is_there_only_for_those_who_want_it(folder: Path) -> None:
    client = serving(folder, "/elsewhere", host_page=False)
    assert client.get("/elsewhere/components/x/x.esm.js").status_code == 200
    for path in ("host/", "host", "host/index.html", "host/host.js"):
        assert client.get(f"/elsewhere/{path}").status_code == 404


def test_the_host_page_has_a_new_nonce_each_time_and_no_unsafe_scripts(client: FlaskClient) -> None:
    nonces = set()
    for _ in range(2):
        response = client.get(f"{URL_PREFIX}/host/")
        (nonce,) = re.findall(r'name="csp-nonce" content="([\w-]{20,})"', response.text)
        nonces.add(nonce)
        policy = response.headers["Content-Security-Policy"]
        assert f"style-src 'self' 'nonce-{nonce}'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
    assert len(nonces) == 2


def test_a_checkout_without_a_build_says_what_to_do(tmp_path: Path) -> None:
    client = serving(tmp_path)
    for path in ("host/", "components/x/x.esm.js"):
        response = client.get(f"{URL_PREFIX}/{path}")
        assert response.status_code == 404
        assert "make frontend" in response.text
    assert manifest(tmp_path) is None
    assert static_content(tmp_path) == []


def test_hosts_that_serve_static_files_get_a_route_with_the_version(folder: Path) -> None:
    ((route, directory),) = static_content(folder)
    assert re.fullmatch(r"lwc-components-\d+\.\d+\.\d+.*", route)
    assert Path(directory) == folder / "components"


def test_everything_that_the_real_manifest_names_is_served(
    real_client: FlaskClient, built: Manifest
) -> None:
    for path in (built.components, built.elements, *built.styles):
        assert real_client.get(f"{URL_PREFIX}/{path}").status_code == 200
    for icon in ("trash", "send", "-lime-text-bold"):
        path = f"{built.icons}assets/icons/{icon}.svg"
        assert real_client.get(f"{URL_PREFIX}/{path}").mimetype == "image/svg+xml"


def test_every_address_on_the_real_host_page_is_served(real_client: FlaskClient) -> None:
    page = real_client.get(f"{URL_PREFIX}/host/").text
    addresses = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page)
    assert len(addresses) == 6
    assert "{{" not in page
    for address in addresses:
        found = real_client.get(f"{URL_PREFIX}/host/{address}", follow_redirects=True)
        assert found.status_code == 200, address


def test_no_page_has_script_inside_it(built: Manifest) -> None:
    page = (STATIC / "host" / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son\w+=|\sstyle=|<style", page)


def test_licences_of_others_come_along(built: Manifest) -> None:
    for folder in (built.icons, str(Path(built.elements).parent)):
        assert "Copyright" in (STATIC / folder / "LICENSE.txt").read_text("utf-8") or (
            "Apache License" in (STATIC / folder / "LICENSE.txt").read_text("utf-8")
        )
