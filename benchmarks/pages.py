"""What the CRM's pages cost a browser that has never been there: requests, bytes, waiting.

Time to interactive is the end of the last task of more than 50 ms before five quiet seconds, and
never before the first paint and the end of the document (https://web.dev/articles/tti, without its
rule about requests in flight). The floor is the sign-in page of the same server in the same run.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import AGENT, PASSWORD

PAGES = {
    "sign-in": "sign-in",
    "tickets": "tickets",
    "ticket": "helpdesk/2/",
    "ticket, composer open": "helpdesk/2/#write",
}
QUIET = 5.0
"""Seconds without a long task after which a page counts as interactive."""

_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((each) =>
  each.startTime + each.duration))).observe({ type: 'longtask', buffered: true });
"""

_READ = """
() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  document: performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
  tasks: window.longTasks,
})
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one page costs: milliseconds as medians; bytes as they went over the wire."""

    requests: int
    bytes: int
    first_paint: float
    interactive: float


def measured(runs: int = 5, slowdown: int = 1) -> dict[str, Figures]:
    """Load each page anew, as often as `runs`, on a processor `slowdown` times as slow."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    chromium = next(filter(None, map(shutil.which, names)), None)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        options = DemoOptions(directory=Path(directory), port=0, engine_port=0, smtp_port=0)
        switches = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=switches)
        with Demo(options) as demo:
            return {
                name: _median([_load(browser, demo, path, slowdown) for _ in range(runs)])
                for name, path in PAGES.items()
            }


def _median(found: list[Figures]) -> Figures:
    return Figures(
        requests=round(median(each.requests for each in found)),
        bytes=round(median(each.bytes for each in found)),
        first_paint=median(each.first_paint for each in found),
        interactive=median(each.interactive for each in found),
    )


def _load(browser: Browser, demo: Demo, path: str, slowdown: int) -> Figures:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    at = f"{demo.url}/{APPLICATION}"
    if path != "sign-in":
        _sign_in(context.new_page(), at)
    page = context.new_page()
    page.add_init_script(_WATCH)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
    page.goto(f"{at}/{path}")
    if path.startswith("helpdesk"):
        page.locator(".feed[aria-busy=false]").wait_for()
    if path.endswith("#write"):
        page.locator("lwc-email-composer [contenteditable=true]").wait_for()
    found = _settled(page)
    context.close()
    return Figures(
        requests=len(sizes),
        bytes=round(sum(sizes)),
        first_paint=found["paint"],
        interactive=max(found["paint"], found["document"], *found["tasks"]),
    )


def _settled(page: Page) -> dict[str, Any]:
    """Wait until nothing long has happened for a while."""
    page.wait_for_timeout(1000)
    while True:
        now = page.evaluate("performance.now()")
        found: dict[str, Any] = page.evaluate(_READ)
        if now - max([0.0, *found["tasks"]]) > QUIET * 1000:
            return found
        page.wait_for_timeout(500)


def _sign_in(page: Page, at: str) -> None:
    page.goto(f"{at}/sign-in")
    page.locator("[name=login]").fill(AGENT[0])
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.locator(".tickets").first.wait_for()
    page.close()
