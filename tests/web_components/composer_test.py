"""The composer in a real browser: what is written there reaches people, and nothing is lost."""

from __future__ import annotations

import json
import smtplib
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from limepkg_email.reference.demo import APPLICATION, SUPPORT, Demo, DemoOptions
from limepkg_email.reference.seed import AGENT, PASSWORD
from limepkg_email.web_components import Manifest
from tests.e2e.conftest import browser

from .host_page_test import WATCH, open_host, violations

__all__ = ["browser"]

pytestmark = pytest.mark.browser

COMPOSER = "lwc-email-composer"

FIND = """
const [selectors, all] = arguments;
let found = [document];
for (const selector of selectors) {
  found = found.flatMap((each) => Array.from((each.shadowRoot ?? each).querySelectorAll(selector)));
}
return all ? found : (found[0] ?? null);
"""

FIELD = """
const look = (root) => {
  const found = root.querySelector('[contenteditable="true"]');
  if (found) return found;
  for (const each of root.querySelectorAll('*')) {
    const deeper = each.shadowRoot && look(each.shadowRoot);
    if (deeper) return deeper;
  }
  return null;
};
const composer = document.querySelector('lwc-email-composer');
return composer?.shadowRoot ? look(composer.shadowRoot) : null;
"""

PASTE_PICTURE = """
const done = arguments[arguments.length - 1];
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 8;
canvas.getContext('2d').fillRect(0, 0, 8, 8);
canvas.toBlob((blob) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], 'dot.png', { type: 'image/png' }));
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, composed: true,
    cancelable: true });
  arguments[0].dispatchEvent(event);
  done(event.defaultPrevented);
});
"""

SENT = """
window.sentEvents = [];
document.addEventListener('sent', (event) => sentEvents.push(event.detail));
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def agent(browser: Chrome, demo: Demo) -> Chrome:
    """A browser in which the agent is signed in, and which notes what the policy refuses."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    browser.get(f"{demo.url}/{APPLICATION}/")
    browser.find_element(By.NAME, "login").send_keys(AGENT[0])
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"
    return browser


class Composer:
    """The composer on the page, as somebody uses it."""

    def __init__(self, agent: Chrome, demo: Demo) -> None:
        self.agent = agent
        self.demo = demo

    def open(self, **query: Any) -> None:
        leave(self.agent)
        open_host(self.agent, self.demo, component=COMPOSER, **query)
        self.agent.execute_script(SENT)
        self.wait(lambda: self.field() is not None)

    def find(self, *selectors: str) -> WebElement:
        found: list[WebElement] = []

        def is_there() -> bool:
            found[:] = self.all(*selectors)
            return bool(found)

        self.wait(is_there)
        return found[0]

    def all(self, *selectors: str) -> list[WebElement]:
        found: list[WebElement] = self.agent.execute_script(FIND, [COMPOSER, *selectors], True)
        return found

    def field(self) -> WebElement | None:
        found: WebElement | None = self.agent.execute_script(FIELD)
        return found

    def write(self, text: str) -> None:
        field = self.field()
        assert field is not None
        field.send_keys(text)

    def text(self) -> str:
        field = self.field()
        return field.text if field is not None else ""

    def press(self, action: str) -> None:
        self.agent.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})",
            self.find(f"[data-action='{action}']"),
        )
        self.find(f"[data-action='{action}']").click()

    def choose(self, menu: str, text: str) -> None:
        """Choose from a menu, which lies in a portal of the page."""
        self.find(f"{menu} [slot=trigger]").click()
        script = """
        const items = [];
        const look = (root) => root.querySelectorAll('*').forEach((each) => {
          if (each.getAttribute('role') === 'menuitem') items.push(each);
          if (each.shadowRoot) look(each.shadowRoot);
        });
        look(document);
        return items.find((each) => each.textContent.includes(arguments[0])) ?? null;
        """
        found: list[WebElement] = []

        def is_there() -> bool:
            item = self.agent.execute_script(script, text)
            found[:] = [item] if item else []
            return bool(found)

        self.wait(is_there)
        found[0].click()

    def saved(self) -> None:
        self.wait(lambda: bool(self.all("[data-save=saved]")))

    def sent(self) -> dict[str, Any]:
        """Wait for the event that a message is on its way, and give what it says."""
        self.wait(lambda: bool(self.agent.execute_script("return sentEvents.length")))
        found: dict[str, Any] = self.agent.execute_script("return sentEvents.at(-1)")
        return found

    def wait(self, found: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while True:
            with suppress(WebDriverException):
                if found():
                    return
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.1)

    def violations(self) -> list[str]:
        """Give what the policy refused, but for the styles of pictures in lime-elements' editor."""
        known = ("style-src-attr inline", "/lime-elements-")
        return [each for each in violations(self.agent) if not all(part in each for part in known)]

    def focused(self) -> str:
        """Give which action has the focus."""
        inside = "document.querySelector(arguments[0]).shadowRoot.activeElement"
        return self.agent.execute_script(f"return {inside}?.dataset.action", COMPOSER) or ""


@pytest.fixture
def composer(built: Manifest, agent: Chrome, demo: Demo) -> Iterator[Composer]:
    found = Composer(agent, demo)
    yield found
    agent.execute_cdp_cmd("Network.enable", {})
    offline(agent, False)
    leave(agent)


def leave(agent: Chrome) -> None:
    """Go to a blank page, whatever the composer thinks of that."""
    agent.get("about:blank")
    with suppress(WebDriverException):
        agent.switch_to.alert.accept()


def offline(agent: Chrome, is_offline: bool) -> None:
    agent.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
    )


def control(demo: Demo, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the sandbox for something."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{demo.engine_url}/control{path}", data, headers)) as answer:
        return json.load(answer)


def mails(demo: Demo, address: str, text: str) -> list[EmailMessage]:
    """Give the mails in a customer's mailbox whose html has this text."""
    raw = control(demo, f"/mailboxes/{address}/messages?raw=true")["messages"]
    parsed = [message_from_bytes(b64decode(each["raw"]), policy=policy.default) for each in raw]
    return [each for each in parsed if text in html_of(each)]


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    return body.get_content() if body is not None else ""


def test_an_answer_with_template_attachment_and_picture_reaches_every_follower(
    composer: Composer, demo: Demo, tmp_path: Path
) -> None:
    composer.open(limetype="conversation", id=1)
    assert "Each of the 2 recipients" in composer.find("lwc-limepkg-email-recipients", ".hint").text
    composer.choose(".templates-menu", "Message (English)")
    composer.wait(lambda: "Hello" in composer.text())
    composer.write("A table with a view")
    assert composer.agent.execute_async_script(PASTE_PICTURE, composer.field())
    composer.wait(lambda: "data:image/png" in (html(composer) or ""))
    menu = tmp_path / "menü.txt"
    menu.write_text("Soup", "utf-8")
    composer.find("input[type=file]").send_keys(str(menu))
    chip = composer.find("lwc-limepkg-email-attachments", ".chip")
    assert "menü.txt" in chip.text
    composer.find(".send").click()
    submitted = composer.sent()
    assert len(submitted["messagefollowers"]) == 2
    assert composer.text() == ""
    for address in ("anna@example.org", "lisa@example.net"):
        composer.wait(lambda to=address: bool(mails(demo, to, "table with a view")), 40)  # type: ignore[misc]
        (mail,) = mails(demo, address, "table with a view")
        parts = {each.get_filename() or each.get_content_type(): each for each in mail.walk()}
        assert parts["menü.txt"].get_content().strip() == "Soup"
        pictures = [each for each in mail.walk() if each.get_content_type() == "image/png"]
        assert len(pictures) == 1
        assert f"cid:{str(pictures[0]['Content-ID'])[1:-1]}" in html_of(mail)
        assert "Customer service" in html_of(mail)
    assert composer.violations() == []


def test_snippets_are_put_where_an_exclamation_mark_was_typed(composer: Composer) -> None:
    add = """
    const done = arguments[arguments.length - 1];
    const { platform } = await import('./host.js');
    const http = platform.get('http');
    const ask = (title, text) => http.post('limepkg-email/snippet/', { title, text });
    await ask('Opening hours', '<p>Open <b>9 to 17</b></p>');
    done(await ask('Opening week', '<p>From Monday</p>'));
    """
    composer.open(limetype="conversation", id=3)
    composer.agent.execute_async_script(add)
    composer.write("Welcome !ope")
    composer.wait(lambda: len(composer.all("[role=option]")) == 2)
    composer.write(Keys.ARROW_DOWN)
    composer.write(Keys.ARROW_UP)
    composer.write(Keys.ENTER)
    composer.wait(lambda: "9 to 17" in composer.text())
    assert "!" not in composer.text()
    assert "<strong>9 to 17</strong>" in (html(composer) or "")
    assert composer.all("[role=option]") == []


def test_a_message_can_be_taken_back_and_nobody_gets_it(composer: Composer, demo: Demo) -> None:
    composer.open(limetype="conversation", id=1)
    composer.write("A word too much")
    composer.write(Keys.CONTROL + Keys.ENTER)
    composer.sent()
    composer.wait(lambda: composer.focused() == "undo")
    composer.press("undo")
    composer.wait(lambda: composer.text() == "A word too much")
    assert composer.all("[data-notice=sent]") == []
    state = recipients_of_newest(composer)
    assert {each["state"] for each in state} == {"cancelled"}
    assert mails(demo, "anna@example.org", "word too much") == []


def test_a_message_can_be_sent_later(composer: Composer, demo: Demo) -> None:
    composer.open(limetype="conversation", id=1)
    composer.write("See you tomorrow")
    composer.choose(".later-menu", "Tomorrow morning")
    composer.sent()
    assert "Will be sent" in composer.find("[data-notice=sent]").text
    assert {each["state"] for each in recipients_of_newest(composer)} == {"queued"}
    assert mails(demo, "anna@example.org", "See you tomorrow") == []
    composer.press("undo")
    composer.wait(lambda: composer.text() == "See you tomorrow")


def test_a_draft_outlives_the_page_and_another_window_is_noticed(composer: Composer) -> None:
    composer.open(limetype="conversation", id=2)
    composer.write("Half a thought")
    composer.saved()
    composer.open(limetype="conversation", id=2)
    composer.wait(lambda: composer.text() == "Half a thought")
    store = """
    const done = arguments[arguments.length - 1];
    const { platform } = await import('./host.js');
    const http = platform.get('http');
    const params = { conversation: '2' };
    const draft = await http.get('limepkg-email/draft/', { params });
    const content = { ...draft.content, html: '<p>Elsewhere</p>' };
    await http.put('limepkg-email/draft/', { conversation: 2, version: draft.version, content });
    done(true);
    """
    assert composer.agent.execute_async_script(store)
    composer.write(" and more")
    assert "another window" in composer.find("[data-notice=conflict]").text
    composer.press("theirs")
    composer.wait(lambda: composer.text() == "Elsewhere")


def test_what_could_not_be_sent_is_kept_and_sent_by_trying_again(
    composer: Composer, demo: Demo
) -> None:
    composer.open(limetype="conversation", id=1)
    clear(composer)
    composer.write("Through the tunnel")
    composer.saved()
    composer.agent.execute_cdp_cmd("Network.enable", {})
    offline(composer.agent, True)
    composer.find("[data-notice=offline]")
    composer.find(".send").click()
    assert "cannot be reached" in composer.find("[data-notice=error]").text
    assert composer.text() == "Through the tunnel"
    offline(composer.agent, False)
    composer.press("retry")
    assert len(composer.sent()["messagefollowers"]) == 2
    composer.wait(lambda: bool(mails(demo, "anna@example.org", "Through the tunnel")), 40)
    assert len(mails(demo, "anna@example.org", "Through the tunnel")) == 1


def test_a_mail_that_the_engine_refuses_is_told_and_sent_again(
    composer: Composer, demo: Demo
) -> None:
    composer.open(limetype="conversation", id=1)
    composer.write("Refused at first")
    fault = {"action": "refuse", "path": "/v1/account/*/submit", "status": 400, "times": 2}
    control(demo, "/faults", fault)
    composer.find(".send").click()
    composer.sent()
    composer.wait(lambda: bool(composer.all("[data-notice=failed]")), 60)
    assert "2 mails could not be sent" in composer.find("[data-notice=failed]").text
    composer.press("resend")
    composer.wait(lambda: bool(mails(demo, "anna@example.org", "Refused at first")), 40)


def test_nobody_writes_past_a_message_that_they_have_not_seen(
    composer: Composer, demo: Demo
) -> None:
    composer.open(limetype="conversation", id=1)
    composer.write("As I said")
    composer.saved()
    original = mails(demo, "anna@example.org", "table with a view")[0]
    reply = EmailMessage()
    reply["From"], reply["To"] = "Anna Andersson <anna@example.org>", SUPPORT
    reply["Subject"], reply["In-Reply-To"] = str(original["Subject"]), str(original["Message-ID"])
    reply.set_content("We are four now!")
    with smtplib.SMTP(*demo.smtp) as door:
        door.send_message(reply)
    composer.wait(lambda: "four now" in newest(composer)["value"])
    composer.find(".send").click()
    guard = composer.find("[data-notice=arrived]").text
    assert "Anna" in guard
    assert "We are four now!" in guard
    assert composer.text() == "As I said"
    composer.press("anyway")
    assert len(composer.sent()["messagefollowers"]) == 2


def test_a_new_conversation_begins_on_a_ticket(composer: Composer, demo: Demo) -> None:
    composer.open(limetype="helpdesk", id=1)
    inside = "lwc-limepkg-email-recipients"
    composer.find(inside, ".proposals button").click()
    field = composer.find(inside, "input")
    field.send_keys("lisa")
    composer.wait(lambda: "Lisa Lind" in composer.find(inside, "[role=option]").text)
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    field.send_keys("not an address@", Keys.ENTER)
    assert composer.find(inside, ".chip.invalid").text.startswith("not an address@")
    assert field.get_attribute("value") == ""
    composer.find("input[name=subject]").send_keys("Your delivery")
    composer.write("It is on its way")
    composer.find(".send").click()
    assert "not an address@" in composer.find(inside, ".error").text
    composer.find(inside, ".chip.invalid .remove").click()
    composer.find(".send").click()
    assert len(composer.sent()["messagefollowers"]) == 2
    composer.wait(lambda: bool(mails(demo, "bo@example.org", "on its way")), 40)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_composer_fits_the_window(composer: Composer, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    composer.agent.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        composer.open(limetype="conversation", id=1)
        wide = composer.agent.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
        send = composer.find(".send").rect
        assert width > 500 or send["height"] >= 44
    finally:
        composer.agent.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def html(composer: Composer) -> str | None:
    field = composer.field()
    return field.get_attribute("innerHTML") if field is not None else None


def clear(composer: Composer) -> None:
    composer.write(Keys.CONTROL + "a")
    composer.write(Keys.DELETE)


def newest(composer: Composer) -> dict[str, Any]:
    """Give the newest item of the feed of the first conversation."""
    script = """
    const done = arguments[arguments.length - 1];
    const { platform } = await import('./host.js');
    const params = { limetype: 'conversation', id: '1', limit: '1' };
    const feed = await platform.get('http').get('limepkg-email/feed/', { params });
    done(feed.items[0]);
    """
    found: dict[str, Any] = composer.agent.execute_async_script(script)
    return found


def recipients_of_newest(composer: Composer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = newest(composer)["recipients"]
    return [each for each in found if each["role"] != "from"]
