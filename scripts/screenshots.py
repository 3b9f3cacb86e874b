"""Take the pictures of the CRM's pages that the documentation shows: docs/images/.

    .venv/bin/python scripts/screenshots.py [PAGE …]

Starts a demo of its own and needs the built front end (`make frontend`), Chromium.
With Pillow installed the pictures have 256 colours at most, which makes them a third as large.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT, PASSWORD

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTHS = {"": (1280, 860), "-phone": (390, 844)}
THEMES = {"": "light", "-dark": "dark"}
TALLEST = 2600

PAGES: dict[str, tuple[str, str]] = {
    "sign-in": ("", "sign-in"),
    "tickets": (AGENT[0], "tickets"),
    "new-ticket": (AGENT[0], "tickets/new"),
    "ticket": (AGENT[0], "helpdesk/2/"),
    "composer": (AGENT[0], "helpdesk/2/#write"),
    "people": (AGENT[0], "people"),
    "person": (AGENT[0], "person/1/"),
    **{
        f"admin-{name}": (ADMINISTRATOR[0], f"admin/{name}")
        for name in (
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
    },
}
"""Each picture's name, who sees the page, and its path in the application."""

_QUIET = """
() => new Promise((done) => {
  const busy = () => document.querySelector('[aria-busy=true], .skeleton')
    || [...document.querySelectorAll('iframe')]
      .some((each) => each.contentDocument?.readyState !== 'complete');
  const look = (left) =>
    (!busy() || !left ? setTimeout(done, 700) : setTimeout(look, 100, left - 1));
  setTimeout(look, 400, 100);
})
"""


def main(wanted: list[str]) -> None:
    """Take all pictures, or those of the named pages."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        options = DemoOptions(directory=Path(directory), port=0, engine_port=0, smtp_port=0)
        names = ("chromium-headless-shell", "chromium", "chromium-browser")
        chromium = next(filter(None, map(shutil.which, names)), None)
        switches = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=switches)
        with Demo(options) as demo:
            _prepare(browser, demo)
            for user in ("", AGENT[0], ADMINISTRATOR[0]):
                pages = {name: path for name, (who, path) in PAGES.items() if who == user}
                for size in WIDTHS:
                    for suffix, theme in THEMES.items():
                        context = _context(browser, demo, user, size, theme)
                        for name, path in pages.items():
                            if not wanted or name in wanted:
                                _take(context, f"{name}{suffix}{size}", f"{_at(demo)}/{path}")
                        context.close()
        browser.close()


def _take(context: BrowserContext, name: str, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    page.evaluate(_QUIET)
    target = IMAGES / f"{name}.png"
    target.write_bytes(_small(_picture(page)))
    sys.stdout.write(f"{target.name}: {target.stat().st_size // 1024} kB\n")
    page.close()


def _picture(page: Page) -> bytes:
    # As tall as the page, so that what sticks to an edge of the window is where it belongs.
    window = page.viewport_size or {"width": 0, "height": 0}
    whole = page.evaluate("document.documentElement.scrollHeight")
    if whole > window["height"]:
        page.set_viewport_size({"width": window["width"], "height": min(whole, TALLEST)})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)
    return page.screenshot()


def _small(picture: bytes) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        return picture
    with Image.open(BytesIO(picture)) as opened:
        reduced = opened.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = BytesIO()
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()


def _prepare(browser: Browser, demo: Demo) -> None:
    """Write a snippet and run a recovery, so that these pages have something to show."""
    context = _context(browser, demo, ADMINISTRATOR[0], "", "light")
    page = context.new_page()
    page.goto(f"{_at(demo)}/tickets")
    page.evaluate(
        """async (at) => {
          const post = (path, body) => fetch(`${at}/limepkg-email/${path}`, { method: 'POST',
            headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
          const hours = '<p>We are open from ten to six, on Saturdays until four.</p>';
          await post('snippet/', { title: 'Opening hours', text: hours });
          await post('recovery/start/', {});
        }""",
        _at(demo),
    )
    page.wait_for_timeout(3000)
    context.close()


def _context(browser: Browser, demo: Demo, login: str, size: str, theme: str) -> BrowserContext:
    width, height = WIDTHS[size]
    window = {"width": width, "height": height}
    context = browser.new_context(viewport=window, is_mobile=width < 500)  # type: ignore[arg-type]
    context.add_cookies([{"name": "crm_theme", "value": theme, "url": f"{_at(demo)}/"}])
    if login:
        page = context.new_page()
        page.goto(f"{_at(demo)}/sign-in")
        page.locator("[name=login]").fill(login)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.locator(".tickets").first.wait_for()
        page.close()
    return context


def _at(demo: Demo) -> str:
    return f"{demo.url}/{APPLICATION}"


if __name__ == "__main__":
    main(sys.argv[1:])
