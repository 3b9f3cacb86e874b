"""Templates in a real browser, over a running CRM: as an administrator keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import ADMINISTRATOR, PASSWORD
from limepkg_email.web_components import URL_PREFIX, Manifest
from tests.e2e.conftest import browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser

TAG = "lwc-template-management"
Found = TypeVar("Found")

WATCH = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
addEventListener('error', (event) => violations.push(`error ${event.message}`));
addEventListener('unhandledrejection', (event) => violations.push(`rejected ${event.reason}`));
"""

FIND = """
const [selector, text] = arguments;
const found = [];
const walk = (root) => {
  for (const each of root.querySelectorAll('*')) {
    if (each.matches(selector) && (!text || each.textContent.includes(text))) found.push(each);
    if (each.shadowRoot) walk(each.shadowRoot);
  }
};
walk(document);
return found;
"""

FRAME = """
const page = arguments[0].contentDocument;
const first = page?.querySelector('p');
return first ? [page.body.innerText, getComputedStyle(first).color] : null;
"""

ASK = """
const [method, path, body, done] = arguments;
const { platform } = await import('./host.js');
const http = platform.get('http');
const url = 'limepkg-email/' + path;
const answer = method === 'get' ? http.get(url) : http[method](url, body ?? {});
answer.then((found) => done(found ?? null), (error) => done({ failed: String(error) }));
"""


class Page:
    """The page as people find their way on it: through shadow roots, by what they can see."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome = chrome
        self.url = url

    def open(self, **query: str) -> None:
        parameters = urlencode({"application": APPLICATION, "component": TAG, **query})
        self.chrome.get(f"{self.url}{URL_PREFIX}/host/?{parameters}")
        self.one(".new")

    def all(self, selector: str, text: str = "") -> list[Any]:
        found: list[Any] = self.chrome.execute_script(FIND, selector, text)
        return [each for each in found if each.is_displayed()]

    def one(self, selector: str, text: str = "") -> Any:
        return wait(lambda: next(iter(self.all(selector, text)), None), f"{selector} {text}")

    def click(self, selector: str, text: str = "") -> None:
        self.one(selector, text).click()

    def fill(self, field: str, text: str) -> None:
        control = self.one(f"[data-field={field}]").shadow_root.find_element(
            By.CSS_SELECTOR, "input"
        )
        control.send_keys(Keys.CONTROL, "a", Keys.NULL, text)

    def write(self, body: str) -> None:
        # In one go: the driver puts the cursor to the end each time it begins to type.
        self.one("textarea[aria-label=Text]").send_keys(Keys.CONTROL, "a", Keys.NULL, body)

    def preview(self) -> list[str]:
        found: list[str] | None = self.chrome.execute_script(FRAME, self.one("iframe"))
        return found or ["", ""]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        return self.chrome.execute_async_script(ASK, method, path, body)

    def templates(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.ask("get", "template/")["items"]}


def wait(look: Callable[[], Found | None], what: str) -> Found:
    """Look until there is something; what is not there within ten seconds is missing."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"there is no {what}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0, samples=False)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(browser: Chrome, demo: Demo) -> Page:
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    browser.get(f"{demo.url}/{APPLICATION}/")
    browser.find_element(By.NAME, "login").send_keys(ADMINISTRATOR[0])
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text
    browser.get_log("browser")
    return Page(browser, demo.url)


@pytest.fixture
def page(built: Manifest, signed_in: Page) -> Iterator[Page]:
    signed_in.open()
    signed_in.chrome.get_log("browser")
    yield signed_in
    assert signed_in.chrome.execute_script("return window.violations") == []


def console(page: Page, *expected: str) -> list[str]:
    """Give what the console says, but for answers of the kinds that a test provokes."""
    lines = [str(each["message"]) for each in page.chrome.get_log("browser")]
    return [each for each in lines if not any(status in each for status in expected)]


def test_a_template_is_written_with_its_preview_beside_it(page: Page) -> None:
    page.click(".new")
    page.fill("name", "Welcome")
    page.write('<p style="color: rgb(1, 2, 3)">Hello </p>')
    area = page.one("textarea[aria-label=Text]")
    area.send_keys(*[Keys.LEFT] * len("</p>"))
    page.click(".insert[data-name='recipient.name']")
    wait(lambda: "Hello Alva Lind" in page.preview()[0], "preview of the inserted value")
    assert page.preview()[1] == "rgb(1, 2, 3)"
    assert page.one("iframe").get_attribute("sandbox") == "allow-same-origin"
    page.click("summary", "Try without")
    page.click("input[value='recipient.name']")
    wait(lambda: "[recipient.name?]" in page.preview()[0], "mark of the missing value")
    page.click(".save")
    page.one("[data-id]", "Welcome")
    assert page.templates()["Welcome"]["body"] == (
        '<p style="color: rgb(1, 2, 3)">Hello {{ recipient.name }}</p>'
    )
    assert console(page) == []


def test_an_error_is_shown_at_its_line_while_it_is_written(page: Page) -> None:
    page.click(".new")
    page.fill("name", "Broken")
    page.write("<p>one</p>\n<p>{{ user.nam }}</p>\n<p>three</p>")
    page.click(".save")
    assert "Line 2" in page.one("[data-errors=body]", "user.nam").text
    assert page.one(".wrong").text == "2"
    page.click(".link", "Go to line 2")
    selected = "const a = arguments[0]; return a.value.slice(a.selectionStart, a.selectionEnd)"
    area = page.one("textarea[aria-label=Text]")
    assert page.chrome.execute_script(selected, area) == "<p>{{ user.nam }}</p>"
    page.write("<p>{% if user.name %}</p>")
    page.one("[data-errors=body]", "Line 1")
    page.one(".notice", "cannot be shown yet")
    assert "Broken" not in page.templates()
    assert console(page, "422") == []


def test_whoever_saves_second_sees_what_the_first_has_stored(page: Page) -> None:
    wanted = {"purpose": "message", "language": "en", "subject": "", "body": "<p>First</p>"}
    stored = page.ask("post", "template/", {**wanted, "name": "Shared"})
    page.open()
    page.click("[aria-label='Edit Shared']")
    page.write("<p>Mine</p>")
    theirs = {**wanted, "name": "Shared", "body": "<p>Theirs</p>", "version": 1}
    page.ask("put", f"template/{stored['id']}/", theirs)
    page.click(".save")
    assert "<p>Theirs</p>" in page.one(".conflict").text
    assert page.templates()["Shared"]["body"] == "<p>Theirs</p>"
    page.click(".mine")
    page.one("[data-id]", "Shared")
    assert page.templates()["Shared"]["body"] == "<p>Mine</p>"
    assert console(page, "409") == []


def test_the_visual_editor_leaves_templates_as_they_are(page: Page) -> None:
    body = (
        "<p>Hello{% if recipient.name and conversation.id > 0 %} you{% endif %}</p>"
        '\n<p><a href="{{ parent.url }}">{{ parent.title }}</a></p>'
    )
    page.click(".new")
    page.fill("name", "Visual")
    page.write(body)
    page.click("button", "Visual")
    page.one(".ProseMirror").click()
    page.click(".insert[data-name='user.name']")
    page.click(".save")
    page.one("[data-id]", "Visual")
    stored = page.templates()["Visual"]["body"]
    assert "{{ user.name }}" in stored
    assert stored.replace("{{ user.name }}", "") == body
    assert console(page) == []


def test_the_visual_editor_is_not_offered_for_what_it_would_change(page: Page) -> None:
    page.click(".new")
    page.write("{% if parent %}<p>x</p>{% endif %}")
    page.one("#why-not")
    assert not page.one("button", "Visual").is_enabled()


def test_default_templates_are_created_in_the_chosen_language_once(page: Page) -> None:
    page.open(language="sv")
    before = len(page.templates())
    page.ask("post", "template/", {
        "name": "Hej", "purpose": "message", "language": "sv", "subject": "", "body": "<p>x</p>",
    })  # fmt: skip
    page.ask("post", "default_template/", {"language": "sv"})
    page.open()
    page.click(".defaults")
    page.one("#messages p", "already")
    assert len(page.templates()) == before + 4


def test_a_template_that_an_account_uses_is_not_deleted(page: Page) -> None:
    name = "Automatic reply (English)"
    assert "Used by Support" in page.one("[data-id]", name).text
    page.click(f"[aria-label='Delete {name}']")
    page.click("#question-ok")
    assert "used by Support" in page.one("#question-text", "used by").text
    page.click("#question-ok")
    assert name in page.templates()
    assert console(page, "409") == []


def test_a_template_nobody_uses_is_deleted_after_a_question(page: Page) -> None:
    page.click("[aria-label='Delete Welcome']")
    page.click("#question-ok")
    wait(lambda: not page.all("[data-id]", "Welcome"), "list without it")
    assert "Welcome" not in page.templates()


def test_what_was_written_is_not_lost_by_a_slip(page: Page) -> None:
    page.click(".new")
    page.fill("name", "Half")
    page.click(".close")
    page.click("#question-cancel")
    assert page.one("[data-field=name]").get_property("value") == "Half"
    page.click(".close")
    page.click("#question-ok")
    page.one(".defaults")


def test_on_a_phone_writing_and_preview_take_turns(page: Page) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.open(theme="dark")
        page.click("[aria-label='Edit Message (English)']")
        assert not page.all("iframe")
        page.click(".tabs button", "Preview")
        wait(lambda: "Alva Lind" in page.preview()[0], "preview")
        assert not page.all("textarea")
        width = page.chrome.execute_script("return document.documentElement.scrollWidth")
        assert width <= 390
        assert console(page) == []
    finally:
        page.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
