"""The typed client of the front end and the endpoints are the same."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "frontend" / "src" / "services" / "email-api"
PAGE = ROOT / "docs" / "reference" / "endpoints.md"

NOT_FOR_COMPONENTS = {
    ("POST", "/webhook/"),
    ("GET", "/account/connected/"),
    ("GET", "/message/{}/body"),
    ("GET", "/embedded-file/{}"),
    ("GET", "/embedded-file/{}/{}/{}"),
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/documentation/"),
    ("GET", "/documentation/{}"),
}
"""What EmailEngine, watchers and frames ask for, at addresses that they are given."""


def test_the_client_of_the_front_end_can_call_every_endpoint_and_no_other() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \|", page, re.M)
    documented = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in rows}
    source = "".join(each.read_text("utf-8") for each in sorted(CLIENT.glob("*.ts")))
    calls = re.findall(r"client\.(get|file|post|put|delete)\(\s*['`]([^'`]+)['`]", source)
    called = {
        ("GET" if method == "file" else method.upper(), "/" + re.sub(r"\$\{\w+\}", "{}", path))
        for method, path in calls
    }
    assert called == documented - NOT_FOR_COMPONENTS
