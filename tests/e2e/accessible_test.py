"""No page breaks a rule of accessibility that axe knows, but for what lime-elements itself does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from limepkg_email.reference.seed import ADMINISTRATOR
from tests.e2e.crm import Crm
from tests.e2e.known_violations import is_known

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'], iframes: false }).then(({ violations }) =>
  done(violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, html }) =>
    ({ id, help, target: target.flat().join(' > '), html: html.slice(0, 160) })))));
"""

PAGES = (
    "tickets",
    "tickets/new",
    "people",
    "person/1/",
    "helpdesk/1/#write",
    "helpdesk/2/#write",
    *(
        f"admin/{each}"
        for each in (
            "setup",
            "oauth-applications",
            "accounts",
            "templates",
            "snippets",
            "extensions",
            "log",
            "failed",
            "recovery",
            "settings",
        )
    ),
)


@pytest.fixture(scope="module")
def admin(crm: Crm) -> Crm:
    if not AXE.exists():
        pytest.skip("axe is not installed: run `npm ci` in frontend")
    crm.sign_in(ADMINISTRATOR[0])
    return crm


def violations(crm: Crm) -> list[dict[str, Any]]:
    crm.browser.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    found: list[dict[str, Any]] = crm.browser.execute_async_script(_RUN)
    return [each for each in found if not is_known(each["id"], each["target"], each["html"])]


def settle(crm: Crm, path: str) -> None:
    """Wait until a page shows what it is for."""
    if path.startswith("helpdesk"):
        crm.wait(lambda: crm.all("css", ".feed[aria-busy=false]"), "no feed")
        crm.editor()
    elif path.startswith("admin"):
        crm.wait(
            lambda: crm.all("css", "#page[aria-busy=false], .mount[aria-busy=false]"), "no page"
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_breaks_a_rule(admin: Crm, width: int, theme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    admin.go("tickets")
    admin.browser.add_cookie({"name": "crm_theme", "value": theme, "path": "/demo/"})
    admin.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        for path in PAGES:
            admin.leave()
            admin.go(path)
            settle(admin, path)
            if wrong := violations(admin):
                found[path] = wrong
    finally:
        admin.leave()
        admin.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found == {}


def test_sign_in_breaks_no_rule(admin: Crm) -> None:
    admin.go("sign-in")
    assert admin.browser.find_element(By.NAME, "login")
    assert violations(admin) == []
