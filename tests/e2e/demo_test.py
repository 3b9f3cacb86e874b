"""The demo in a real browser: the customer mails, the agent answers, the customer replies."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from limepkg_email.reference.demo import APPLICATION, SUPPORT, Demo, DemoOptions
from limepkg_email.reference.seed import AGENT, PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def agent(browser: Chrome, demo: Demo) -> Chrome:
    """A browser in which the agent is signed in."""
    browser.get(f"{demo.url}/{APPLICATION}/")
    browser.find_element(By.NAME, "login").send_keys(AGENT[0])
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"
    return browser


def open_ticket(agent: Chrome, demo: Demo, title: str) -> None:
    agent.get(f"{demo.url}/{APPLICATION}/tickets")
    link = agent.find_element(By.PARTIAL_LINK_TEXT, title)
    # On a phone the menu lies over the lower edge.
    agent.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    assert agent.find_element(By.TAG_NAME, "h1").text == title


def eventually(found: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait for it; a page that changes while it is read is read again."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(StaleElementReferenceException, NoSuchElementException):
            if found():
                return
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def frame_text(agent: Chrome, frame: WebElement) -> str:
    """Read a mail; frames out of sight are loaded when they come into view."""
    agent.execute_script("arguments[0].scrollIntoView()", frame)
    agent.switch_to.frame(frame)
    try:
        # A folded message has a frame without a page.
        return "".join(each.text for each in agent.find_elements(By.TAG_NAME, "body"))
    finally:
        agent.switch_to.default_content()


def frames(agent: Chrome) -> list[WebElement]:
    return agent.find_elements(By.CSS_SELECTOR, "iframe.body")


def test_every_sample_is_accounted_for(demo: Demo) -> None:
    fates = [each.disposition for each in demo.fates()]
    assert sorted(set(fates)) == ["filtered", "imported"]
    # Twelve samples, and the report about a mail that the agent wrote.
    assert len(fates) == 13
    assert fates.count("filtered") == 2


def test_reply_is_shown_without_its_quoted_history(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Booking for two persons")
    texts = [frame_text(agent, frame) for frame in frames(agent)]
    assert any("three after all" in text for text in texts)
    assert not any("wrote:" in text for text in texts)


def test_other_followers_get_the_reply_and_customers_an_automatic_answer(
    agent: Chrome, demo: Demo
) -> None:
    agent.get(demo.engine_url)
    agent.find_element(By.PARTIAL_LINK_TEXT, "anna@example.org").click()
    assert agent.find_elements(By.PARTIAL_LINK_TEXT, "Lisa Lind via Support")
    assert agent.find_elements(By.PARTIAL_LINK_TEXT, "We have received: Booking")


def test_hostile_html_runs_no_script_and_loads_nothing(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "You have won <script>alert(1)</script>")
    frame = frames(agent)[0]
    text = frame_text(agent, frame)
    assert "You have won" in text
    assert "display:none" not in text
    agent.switch_to.frame(frame)
    markup = agent.find_element(By.TAG_NAME, "body").get_attribute("innerHTML") or ""
    agent.switch_to.default_content()
    for forbidden in ("<script", "onclick", "javascript:", "<form", "<iframe", 'src="http'):
        assert forbidden not in markup
    assert agent.title  # an alert would have blocked everything


def test_pictures_inside_a_mail_are_shown(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Felanmälan: skärmen på övervåningen blinkar")
    frame = frames(agent)[0]
    agent.execute_script("arguments[0].scrollIntoView()", frame)
    agent.switch_to.frame(frame)
    picture = agent.find_element(By.TAG_NAME, "img")
    eventually(lambda: picture.get_property("naturalWidth") == 120)
    agent.switch_to.default_content()
    assert agent.find_elements(By.PARTIAL_LINK_TEXT, "faktura")


def test_mail_of_ones_own_becomes_a_ticket(agent: Chrome, demo: Demo) -> None:
    raw = b"From: new@example.org\r\nTo: support@example.com\r\nSubject: My very own\r\n\r\nHi\r\n"
    with smtplib.SMTP(*demo.smtp) as door:
        door.sendmail("new@example.org", [SUPPORT], raw)

    def ticket_is_there() -> bool:
        agent.get(f"{demo.url}/{APPLICATION}/tickets")
        return "My very own" in agent.page_source

    eventually(ticket_is_there)


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_the_window(agent: Chrome, demo: Demo, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    agent.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        for path in ("tickets", "tickets/new", "people"):
            agent.get(f"{demo.url}/{APPLICATION}/{path}")
            wide = agent.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, path
        open_ticket(agent, demo, "Booking for two persons")
        assert agent.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        agent.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
