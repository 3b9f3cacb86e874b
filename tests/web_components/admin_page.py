"""Pages of administration as a person meets them: by names and texts, through shadow trees."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
)
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from limepkg_email.reference.demo import APPLICATION, Demo
from limepkg_email.reference.seed import ADMINISTRATOR, PASSWORD
from limepkg_email.web_components import URL_PREFIX

PATIENCE = 40.0

WATCH = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
addEventListener('error', (event) => violations.push(`error ${event.message}`));
addEventListener('unhandledrejection', (event) => violations.push(`rejected ${event.reason}`));
"""

_FIND = """
const [kind, wanted] = arguments;
const found = [];
const named = (each) => each.getAttribute('aria-label') ?? each.textContent.trim();
const fits = {
  button: (each) => each.matches('button') && named(each) === wanted,
  select: (each) => each.matches('button') && named(each).startsWith(`${wanted}: `),
  input: (each) => each.matches('input, textarea') && named(each) === wanted,
  option: (each) => each.matches('[role=option], [role=menuitem], [role=radio]')
    && each.textContent.trim().startsWith(wanted),
  css: (each) => each.matches(wanted),
}[kind];
const walk = (root) => {
  for (const each of root.querySelectorAll('*')) {
    if (fits(each)) found.push(each);
    if (each.shadowRoot) walk(each.shadowRoot);
  }
};
walk(document);
return found;
"""

_Found = TypeVar("_Found")


class AdminPage:
    """A browser in which the administrator is signed in, and which notes what goes wrong."""

    def __init__(self, browser: Chrome, demo: Demo) -> None:
        self.browser, self.demo = browser, demo
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        browser.get(f"{demo.url}/{APPLICATION}/")
        browser.find_element(By.NAME, "login").send_keys(ADMINISTRATOR[0])
        browser.find_element(By.NAME, "password").send_keys(PASSWORD)
        browser.find_element(By.NAME, "password").submit()
        assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"

    def open(self, component: str, **query: Any) -> None:
        """Show a component on the host page."""
        parameters = urlencode({"application": APPLICATION, "component": component, **query})
        self.browser.get(f"{self.demo.url}{URL_PREFIX}/host/?{parameters}")
        assert self.browser.find_element(By.CSS_SELECTOR, "html[data-ready=true]")

    def wide(self, pixels: int) -> None:
        """Give the page this width, as a phone or a desk has it."""
        size = {"width": pixels, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def scrolls_sideways(self) -> bool:
        """Tell whether anything on the page is wider than the window."""
        root = "document.documentElement"
        found = self.browser.execute_script(f"return {root}.scrollWidth > {root}.clientWidth")
        return bool(found)

    def all(self, kind: str, wanted: str) -> list[WebElement]:
        """Give what is shown now."""
        if self.browser.execute_script(_FIND, "css", ".mdc-dialog--opening"):
            # A dialog that is about to open takes the focus, and with it what is typed.
            return []
        found: list[WebElement] = self.browser.execute_script(_FIND, kind, wanted)
        return [each for each in found if each.is_displayed()]

    def one(self, kind: str, wanted: str) -> WebElement:
        """Give the first that is shown, once there is one."""
        return self.wait(lambda: self.all(kind, wanted), f"no {kind} {wanted}")[0]

    def click(self, name: str, kind: str = "button") -> None:
        """Click the button of this name once it can be clicked."""

        def clicked() -> bool:
            found = [each for each in self.all(kind, name) if each.is_enabled()]
            if not found:
                return False
            found[-1].click()
            return True

        self.wait(clicked, f"no {kind} {name} to click")

    def type(self, label: str, text: str) -> None:
        """Replace the text of a field."""
        field = self.one("input", label)
        field.clear()
        field.send_keys(text)

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list."""
        self.click(label, "select")
        self.click(option, "option")

    def text(self, css: str) -> str:
        """Give the text of the first element that fits; empty when there is none."""
        found = self.all("css", css)
        return found[0].text if found else ""

    def says(self, css: str, wanted: str) -> str:
        """Wait until an element says something; gives all that it says."""
        return self.wait(
            lambda: (said := self.text(css)) if wanted in self.text(css) else "",
            f"{css} does not say {wanted!r}",
        )

    def agree(self, verb: str) -> str:
        """Agree to the host's question; gives what was asked."""
        asked = self.wait(lambda: self.text("#question[open]"), "no question")
        self.click(verb)
        self.wait(lambda: not self.all("css", "#question[open]"), "the question stays")
        return asked

    def wait(self, condition: Callable[[], _Found], otherwise: str) -> _Found:
        """Wait until something is so; gives what the condition gave."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                found = condition()
            # A list is in motion while it opens.
            except (StaleElementReferenceException, ElementClickInterceptedException):
                found = None
            if found:
                return found
            if time.monotonic() > until:
                raise AssertionError(otherwise)
            time.sleep(0.05)

    def told_by_fields(self) -> str:
        """Give all that fields and forms say is wrong with them."""
        read = "return (arguments[0].shadowRoot ?? arguments[0]).textContent"
        lines = self.all("css", "limel-helper-line, .form-error, .help")
        return "\n".join(self.browser.execute_script(read, each) for each in lines)

    def wrong(self) -> list[str]:
        """Give what the policy refused on this page, errors of scripts, and what the browser logs.

        That a request was refused, which is no mistake of the page, is logged by the browser too.
        """
        noted: list[str] = self.browser.execute_script("return window.violations")
        logged = [each["message"] for each in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]
        return noted + [each for each in logged if "with a status of 4" not in each]
