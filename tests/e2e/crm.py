"""The CRM's pages as people meet them, with the components in their places."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page

from limepkg_email.reference.demo import Demo
from tests.e2e.composer import Composer
from tests.e2e.outside import Outside
from tests.e2e.person import Person

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
"""What a browser on a phone is, as a context's arguments."""

WINDOWS = (
    pytest.param("phone", marks=pytest.mark.browser_context_args(**PHONE)),
    pytest.param("desk"),
)
"""What the pages are looked at with, for tests that are run with each."""

ADMINISTRATION = (
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
"""The pages that only administrators see."""


class Crm(Person):
    """Somebody at the CRM's pages; `outside` is the world that writes to them."""

    def __init__(self, page: Page, demo: Demo) -> None:
        super().__init__(page, demo)
        self.outside = Outside(demo)
        self.composer = Composer(page)
        self.messages = page.locator("[data-message]")
        self.notices = page.locator("#notices")
        self.dialog = page.locator("dialog[open]")

    def wait_for_ticket(self, title: str) -> Locator:
        """Open the list, again until the ticket stands there, and give its link."""
        link = self.page.locator("td.title a").get_by_text(title, exact=True).first

        def there() -> bool:
            self.go("tickets")
            return link.is_visible()

        self.eventually(there, f"no ticket {title}")
        return link

    def open_ticket(self, title: str) -> None:
        """Open a ticket from the list, once it stands there, and wait for its messages."""
        self.wait_for_ticket(title).click()
        self.messages.first.wait_for()

    def visit(self, path: str) -> None:
        """Open a page and wait until it shows what it is for."""
        self.go(path)
        if path.startswith("helpdesk/"):
            self.page.locator(".feed[aria-busy=false]").wait_for()
        if path.startswith("admin/"):
            self.page.locator("#page[aria-busy=false], .mount[aria-busy=false] .root").wait_for()
            self.page.get_by_text("Loading…").last.wait_for(state="detached")

    def ask(self, path: str, body: object = None) -> APIResponse:
        """Ask one of our endpoints as the page would; with a body, to change something."""
        method: dict[str, Any] = {"method": "GET" if body is None else "POST", "data": body}
        headers = {"Origin": self.demo.url}
        address = f"{self.address}/limepkg-email/{path}"
        return self.page.request.fetch(address, headers=headers, **method)

    def message_with(self, text: str) -> Locator:
        """Wait for an open message whose mail says something, and give it."""

        def there() -> Locator | None:
            for each in self.messages.all():
                if text in self.mail_text(each):
                    return each
            return None

        return self.eventually(there, f"no message says {text!r}")

    def mail_text(self, message: Locator) -> str:
        """Read the mail of an open message; frames load when they come into view."""
        return str(
            message.evaluate(
                """(each) => {
                  const frame = each.querySelector('iframe');
                  frame?.scrollIntoView({ block: 'center' });
                  return frame?.contentDocument?.body?.innerText ?? '';
                }"""
            )
        )

    def body(self, message: Locator) -> Locator:
        """Give the page of an open message's mail."""
        frame = message.locator("iframe.body")
        frame.scroll_into_view_if_needed()
        return frame.content_frame.locator("body")

    def choose_in_menu(self, message: Locator, text: str) -> None:
        """Choose what to do with a message."""
        message.locator("[aria-haspopup=menu]").click()
        message.get_by_role("menuitem").filter(has_text=text).click()

    def agree(self, verb: str) -> None:
        """Agree to the question that is asked."""
        self.dialog.get_by_role("button", name=verb, exact=True).click()
        self.dialog.wait_for(state="detached")
