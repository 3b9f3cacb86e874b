"""A component on the least of all hosts, as somebody who is signed in there sees it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page

from limepkg_email.reference.demo import APPLICATION, Demo
from limepkg_email.web_components import URL_PREFIX
from tests.e2e.outside import Outside
from tests.e2e.person import Person


class HostPage(Person):
    """Somebody at the host page; `outside` is the world that writes to them."""

    def __init__(self, page: Page, demo: Demo) -> None:
        super().__init__(page, demo)
        self.outside = Outside(demo)
        self.question = page.locator("#question[open]")

    def open(self, component: str = "", **query: Any) -> None:
        """Show a component; the query says in which context and with which properties."""
        parameters = {"application": APPLICATION, **query}
        if component:
            parameters["component"] = component
        self.page.goto(f"{self.demo.url}{URL_PREFIX}/host/?{urlencode(parameters)}")
        self.page.locator("html[data-ready=true]").wait_for(state="attached")

    def agree(self, verb: str) -> str:
        """Agree to the host's question; gives what was asked."""
        asked = self.question.inner_text()
        self.question.get_by_role("button", name=verb, exact=True).click()
        self.question.wait_for(state="hidden")
        return asked

    def field(self, label: str) -> Locator:
        """Give the control of this name in which one writes."""
        return self.page.get_by_label(label, exact=True)

    def option(self, text: str) -> Locator:
        """Give a choice of the list that is open."""
        return self.page.get_by_role("option", name=text).or_(
            self.page.get_by_role("menuitem", name=text)
        )

    def choose(self, label: str, option: str) -> None:
        """Choose from one of lime-elements' lists, whose button says `label: chosen`."""
        self.page.get_by_role("button", name=f"{label}: ").click()
        self.option(option).first.click()

    def ask(self, script: str, *arguments: Any) -> Any:
        """Run a function's body with the host's `platform` and `args`, as an extension would."""
        call = (
            "async (args) => { const { platform } = await import('./host.js');"
            f" const http = platform.get('http'); {script} }}"
        )
        return self.page.evaluate(call, list(arguments))
