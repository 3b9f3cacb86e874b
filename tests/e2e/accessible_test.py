"""No page breaks a rule of accessibility that axe knows, but for what lime-elements itself does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from limepkg_email.reference.demo import APPLICATION
from limepkg_email.reference.seed import ADMINISTRATOR
from limepkg_email.web_components import Manifest
from tests.conftest import Demos
from tests.e2e.crm import ADMINISTRATION, PHONE, Crm
from tests.e2e.known_violations import is_known

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

_RUN = """
async () => {
  const options = { resultTypes: ['violations'], iframes: false };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, html }) =>
    ({ id, help, target: target.flat().join(' > '), html: html.slice(0, 160) })));
}
"""

PAGES = (
    "tickets",
    "tickets/new",
    "people",
    "person/1/",
    "helpdesk/1/#write",
    "helpdesk/2/#write",
    *(f"admin/{each}" for each in ADMINISTRATION),
)


@pytest.fixture(scope="module", autouse=True)
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe is not installed: run `npm ci` in frontend")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module", params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["desk", "phone"])
def signed_in(
    browser: Browser,
    browser_context_args: dict[str, Any],
    built: Manifest,
    demos: Demos,
    theme: str,
    request: pytest.FixtureRequest,
) -> Iterator[Crm]:
    """The administrator, who looks at all pages with one browser of this kind and theme."""
    demo = demos.running()
    window = PHONE if request.param == "phone" else {}
    with browser.new_context(**{**browser_context_args, **window}) as context:
        cookie = {"name": "crm_theme", "value": theme, "url": f"{demo.url}/{APPLICATION}/"}
        context.add_cookies([cookie])
        found = Crm(context.new_page(), demo)
        found.sign_in(ADMINISTRATOR[0])
        yield found


@pytest.fixture
def reader(signed_in: Crm) -> Iterator[Crm]:
    """Nothing may go wrong on the page either."""
    signed_in.wrong.clear()
    yield signed_in
    assert signed_in.wrong == []


def violations(page: Page, axe: str) -> list[dict[str, Any]]:
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(_RUN)
    return [each for each in found if not is_known(each["id"], each["target"], each["html"])]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_breaks_a_rule(reader: Crm, axe: str, theme: str, path: str) -> None:
    reader.visit(path)
    assert reader.page.locator("html").get_attribute("data-theme") == f"force-{theme}"
    if path.endswith("#write"):
        reader.composer.open()
    assert violations(reader.page, axe) == []


def test_sign_in_breaks_no_rule(crm: Crm, axe: str) -> None:
    crm.go("sign-in")
    crm.page.locator("[name=login]").wait_for()
    assert violations(crm.page, axe) == []
