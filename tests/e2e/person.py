"""Somebody in front of a browser, which notes what goes wrong on the pages they see."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import ConsoleMessage, Locator, Page

from limepkg_email.reference.demo import APPLICATION, Demo
from limepkg_email.reference.seed import PASSWORD
from tests.conftest import PATIENCE

_Found = TypeVar("_Found")


class Person:
    """Somebody at the CRM.

    `wrong` are errors of scripts, refusals of the content security policy, and what else the
    browser complains of; but for answers 4xx, which are no mistake of the page.
    """

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page, self.demo = page, demo
        self.wrong: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        # Somebody who leaves a page with unsaved text is asked, and here always wants to go.
        page.on("dialog", lambda dialog: dialog.accept())

    @property
    def address(self) -> str:
        """The application's own address, without a slash at its end."""
        return f"{self.demo.url}/{APPLICATION}"

    def go(self, path: str) -> None:
        """Open a page of the application."""
        self.page.goto(f"{self.address}/{path}")

    def sign_in(self, login: str) -> None:
        self.page.context.clear_cookies(name="session")
        self.go("sign-in")
        self.page.locator("[name=login]").fill(login)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.locator("[name=password]").press("Enter")
        self.page.get_by_role("heading", name="Tickets", level=1).wait_for()

    def wide(self, pixels: int, height: int = 900) -> None:
        """Give the page this width, as a phone or a desk has it."""
        self.page.set_viewport_size({"width": pixels, "height": height})

    def scrolls_sideways(self) -> bool:
        """Tell whether anything on the page is wider than the window."""
        window = (self.page.viewport_size or {})["width"]
        # A page that tells a phone nothing of its width is laid out wider than the phone.
        return bool(
            self.page.evaluate(
                "(window) => { const { scrollWidth, clientWidth } = document.documentElement;"
                " return scrollWidth > Math.min(clientWidth, window); }",
                window,
            )
        )

    def eventually(self, found: Callable[[], _Found], otherwise: str) -> _Found:
        """Wait for something outside the page, such as a mail; the page goes on meanwhile."""
        until = time.monotonic() + PATIENCE / 1000
        while not (there := found()):
            assert time.monotonic() < until, otherwise
            self.page.wait_for_timeout(50)
        return there

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def _note(self, message: ConsoleMessage) -> None:
        refused = "with a status of 4" in message.text
        if message.type in ("error", "warning") and not refused and not _of_the_editor(message):
            self.wrong.append(f"{message.text} ({message.location['url']})")


def _of_the_editor(message: ConsoleMessage) -> bool:
    """Tell what lime-elements' editor does with the style of pictures, which is refused."""
    return "/lime-elements-" in message.location["url"] and "inline style" in message.text
