"""Take the pictures of the CRM's pages that the documentation shows: docs/images/.

    .venv/bin/python scripts/screenshots.py [PAGE …]

Starts a demo of its own and needs the built front end (`make frontend`), Chromium and its driver.
With Pillow installed the pictures have 256 colours at most, which makes them a third as large.
"""

from __future__ import annotations

import base64
import shutil
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT, PASSWORD

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTHS = {"": (1280, 860), "-phone": (390, 844)}
THEMES = {"": "light", "-dark": "dark"}
TALLEST = 1800

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
const done = arguments[0];
const busy = () => document.querySelector('[aria-busy=true], .skeleton')
  || [...document.querySelectorAll('iframe')]
    .some((each) => each.contentDocument?.readyState !== 'complete');
const look = (left) => (!busy() || !left ? setTimeout(done, 700) : setTimeout(look, 100, left - 1));
setTimeout(look, 400, 100);
"""


def main(wanted: list[str]) -> None:
    """Take all pictures, or those of the named pages."""
    with tempfile.TemporaryDirectory() as directory:
        options = DemoOptions(directory=Path(directory), port=0, engine_port=0, smtp_port=0)
        with Demo(options) as demo:
            browser = _browser()
            try:
                _prepare(browser, demo)
                for user in ("", AGENT[0], ADMINISTRATOR[0]):
                    _sign_in(browser, demo, user)
                    for name, (who, path) in PAGES.items():
                        if who == user and (not wanted or name in wanted):
                            _take(browser, demo, name, path)
            finally:
                browser.quit()


def _take(browser: webdriver.Chrome, demo: Demo, name: str, path: str) -> None:
    for size, (width, height) in WIDTHS.items():
        for suffix, theme in THEMES.items():
            _wide(browser, width, height)
            cookie = {"name": "crm_theme", "value": theme, "path": f"/{APPLICATION}/"}
            browser.add_cookie(cookie)  # type: ignore[no-untyped-call]
            browser.get("about:blank")
            browser.get(f"{demo.url}/{APPLICATION}/{path}")
            browser.execute_async_script(_QUIET)
            target = IMAGES / f"{name}{suffix}{size}.png"
            target.write_bytes(_small(_picture(browser, width, height)))
            sys.stdout.write(f"{target.name}: {target.stat().st_size // 1024} kB\n")


def _picture(browser: webdriver.Chrome, width: int, height: int) -> bytes:
    # As tall as the page, so that what sticks to an edge of the window is where it belongs.
    whole = browser.execute_script("return document.documentElement.scrollHeight")
    if whole > height:
        _wide(browser, width, min(whole, TALLEST))
        browser.execute_script("scrollTo(0, 0)")
        time.sleep(0.3)
    taken: dict[str, Any] = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return base64.b64decode(taken["data"])


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


def _prepare(browser: webdriver.Chrome, demo: Demo) -> None:
    """Write a snippet and run a recovery, so that these pages have something to show."""
    _sign_in(browser, demo, ADMINISTRATOR[0])
    browser.execute_async_script(
        """
        const done = arguments[1];
        const post = (path, body) => fetch(`${arguments[0]}/${path}`, { method: 'POST',
          headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
        const hours = '<p>We are open from ten to six, on Saturdays until four.</p>';
        post('snippet/', { title: 'Opening hours', text: hours })
          .then(() => post('recovery/start/', {})).then(done);
        """,
        f"/{APPLICATION}/limepkg-email",
    )
    time.sleep(3)


def _sign_in(browser: webdriver.Chrome, demo: Demo, login: str) -> None:
    browser.get(f"{demo.url}/{APPLICATION}/sign-in")
    browser.delete_all_cookies()  # type: ignore[no-untyped-call]
    if login:
        browser.refresh()
        browser.find_element(By.NAME, "login").send_keys(login)
        browser.find_element(By.NAME, "password").send_keys(PASSWORD)
        browser.find_element(By.NAME, "password").submit()
        browser.find_element(By.CLASS_NAME, "tickets")


def _wide(browser: webdriver.Chrome, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def _browser() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("chromium-browser") or ""
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(switch)
    options.add_argument("--hide-scrollbars")
    driver = shutil.which("chromedriver")
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.implicitly_wait(10)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
