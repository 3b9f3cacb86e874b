"""The ticket's page in a real browser: mail arrives, is read, folded, moved and sent again."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from limepkg_email.reference.demo import APPLICATION, SUPPORT, Demo, DemoOptions
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT, PASSWORD
from tests.e2e.demo_test import eventually, frame_text, frames, open_ticket

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def agent(browser: Chrome, demo: Demo) -> Chrome:
    sign_in(browser, demo, AGENT[0])
    return browser


_WIDTH = "return document.documentElement.scrollWidth"


def sign_in(browser: Chrome, demo: Demo, login: str) -> None:
    browser.delete_all_cookies()
    browser.get(f"{demo.url}/{APPLICATION}/sign-in")
    browser.find_element(By.NAME, "login").send_keys(login)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"


def send(demo: Demo, subject: str, text: str, html: str = "", **headers: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Anna <anna@example.org>", SUPPORT, subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP(*demo.smtp) as door:
        door.send_message(mail)


def messages(agent: Chrome) -> list[WebElement]:
    return agent.find_elements(By.CSS_SELECTOR, "[data-message]")


def ticket_of(agent: Chrome, demo: Demo, subject: str) -> None:
    """Open the ticket of a mail that was just sent, once it is there."""

    def there() -> bool:
        agent.get(f"{demo.url}/{APPLICATION}/tickets")
        return subject in agent.page_source

    eventually(there)
    open_ticket(agent, demo, subject)
    eventually(lambda: len(messages(agent)) > 0)


def press(agent: Chrome, *keys: str) -> None:
    ActionChains(agent).send_keys(*keys).perform()


def choose_in_menu(agent: Chrome, message: WebElement, text: str) -> None:
    button = message.find_element(By.CSS_SELECTOR, "[aria-haspopup=menu]")
    agent.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    message.find_element(By.XPATH, f".//*[@role='menuitem'][contains(., '{text}')]").click()


def test_message_appears_without_a_reload(agent: Chrome, demo: Demo) -> None:
    send(demo, "Is it warm?", "Do you have blankets?", Message_ID="<warm@example.org>")
    ticket_of(agent, demo, "Is it warm?")
    agent.execute_script("window.stays = true")
    send(demo, "Re: Is it warm?", "We come at eight.", In_Reply_To="<warm@example.org>")
    # The automatic reply to the first mail may come in between.
    eventually(
        lambda: any("We come at eight." in frame_text(agent, each) for each in frames(agent)), 60
    )
    assert agent.execute_script("return window.stays") is True
    announced = agent.find_element(By.ID, "announcer")
    eventually(lambda: "New message from Anna" in (announced.get_attribute("textContent") or ""))


def test_opened_message_becomes_read_and_can_become_unread_again(agent: Chrome, demo: Demo) -> None:
    send(demo, "Read me", "Please.")
    ticket_of(agent, demo, "Read me")
    eventually(lambda: not agent.find_elements(By.CSS_SELECTOR, "[data-message].unread"))
    choose_in_menu(agent, messages(agent)[0], "Mark as unread")
    eventually(lambda: len(agent.find_elements(By.CSS_SELECTOR, "[data-message].unread")) == 1)
    agent.get(f"{demo.url}/{APPLICATION}/tickets")
    row = agent.find_element(By.XPATH, "//tr[contains(., 'Read me')]")
    assert "unread" in (row.get_attribute("class") or "")


def test_images_of_strangers_are_asked_for_only_after_the_click(agent: Chrome, demo: Demo) -> None:
    # The CRM's own address stands for the stranger's: nothing leaves the machine.
    picture = f"{demo.url}/static/crm/icons.svg?seen"
    send(demo, "Look at this", "x", f'<p>Look</p><img src="{picture}" width="300" height="50">')
    ticket_of(agent, demo, "Look at this")
    message = messages(agent)[0]
    button = message.find_element(By.XPATH, ".//button[.='Show the image']")
    frame = message.find_element(By.TAG_NAME, "iframe")

    def source() -> str:
        agent.switch_to.frame(frame)
        found = agent.find_element(By.TAG_NAME, "img").get_attribute("src") or ""
        agent.switch_to.default_content()
        return found

    assert source().startswith("remote:")
    agent.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    eventually(lambda: source() == picture)
    eventually(lambda: not message.find_elements(By.XPATH, ".//button[.='Show the image']"))


def test_quoted_text_is_folded_and_unfolds(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Booking for two persons")
    unfold = agent.find_element(By.CSS_SELECTOR, "[aria-label='Show quoted text']")
    message = unfold.find_element(By.XPATH, "./ancestor::article")
    frame = message.find_element(By.TAG_NAME, "iframe")
    folded = frame_text(agent, frame)
    before = frame.size["height"]
    agent.execute_script("arguments[0].click()", unfold)
    eventually(lambda: len(frame_text(agent, frame)) > len(folded))
    eventually(lambda: frame.size["height"] > before)
    hide = message.find_element(By.XPATH, ".//button[.='Hide quoted text']")
    agent.execute_script("arguments[0].click()", hide)
    eventually(lambda: frame_text(agent, frame) == folded)


def test_frame_is_as_tall_as_its_mail(agent: Chrome, demo: Demo) -> None:
    lines = "".join(f"<p>Line {number}</p>" for number in range(60))
    send(demo, "A long one", "x", lines)
    ticket_of(agent, demo, "A long one")
    frame = messages(agent)[0].find_element(By.TAG_NAME, "iframe")
    eventually(lambda: frame.size["height"] > 1500)
    script = "return arguments[0].contentDocument.documentElement.scrollHeight"
    assert agent.execute_script(script, frame) <= frame.size["height"] + 1


def test_keys_go_from_message_to_message(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Booking for two persons")
    eventually(lambda: len(messages(agent)) >= 4)
    agent.execute_script("document.activeElement.blur()")
    ids = [each.get_attribute("id") for each in messages(agent)]
    press(agent, "j")
    assert agent.switch_to.active_element.get_attribute("id") == ids[0]
    press(agent, "j", "j", "k")
    assert agent.switch_to.active_element.get_attribute("id") == ids[1]
    opened = "open" in (agent.switch_to.active_element.get_attribute("class") or "")
    press(agent, Keys.ENTER)
    assert ("open" in (agent.switch_to.active_element.get_attribute("class") or "")) is not opened
    press(agent, "?")
    dialog = agent.find_element(By.TAG_NAME, "dialog")
    assert "Keyboard shortcuts" in dialog.text
    press(agent, Keys.ESCAPE)
    eventually(lambda: not agent.find_elements(By.TAG_NAME, "dialog"))
    press(agent, "r")
    place = agent.switch_to.active_element
    assert "composer" in (place.get_attribute("outerHTML") or "")[:40]
    press(agent, "j")
    assert agent.switch_to.active_element.get_attribute("id") not in ids


def test_feed_says_where_each_message_stands(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Booking for two persons")
    eventually(lambda: len(messages(agent)) >= 4)
    assert agent.find_element(By.CSS_SELECTOR, "[role=feed]").get_attribute("aria-busy") == "false"
    places = [each.get_attribute("aria-posinset") for each in messages(agent)]
    assert places == [str(number + 1) for number in range(len(places))]
    assert {each.get_attribute("aria-setsize") for each in messages(agent)} == {str(len(places))}


def test_undelivered_mail_says_why_and_is_sent_again(agent: Chrome, demo: Demo) -> None:
    agent.get(f"{demo.url}/{APPLICATION}/tickets/new")
    agent.find_element(By.NAME, "subject").send_keys("Never arrives")
    agent.find_element(By.NAME, "recipients").send_keys("reject-this@example.org")
    agent.find_element(By.NAME, "text").send_keys("Hello?")
    agent.find_element(By.XPATH, "//button[normalize-space()='Create ticket']").click()
    eventually(lambda: bool(agent.find_elements(By.CSS_SELECTOR, ".message.failed")), 45)
    failed = agent.find_element(By.CSS_SELECTOR, ".message.failed")
    assert "Not delivered" in failed.text
    if "open" not in (failed.get_attribute("class") or ""):
        failed.find_element(By.CSS_SELECTOR, ".message-top").click()
    assert agent.find_element(By.CSS_SELECTOR, ".message.failed .reason").text
    again = failed.find_element(By.CSS_SELECTOR, "[data-action=resend]")
    agent.execute_script("arguments[0].click()", again)
    agent.find_element(By.XPATH, "//dialog//button[.='Send again']").click()
    notice = agent.find_element(By.CSS_SELECTOR, ".notice")
    eventually(lambda: "on its way" in notice.text)


def test_scheduled_mail_is_cancelled(agent: Chrome, demo: Demo) -> None:
    agent.get(f"{demo.url}/{APPLICATION}/tickets")
    later = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    mail = {"subject": "See you soon", "text": "Tomorrow!", "account": 1, "send_at": later}
    status = agent.execute_async_script(
        """
        const [path, mail, done] = arguments;
        const options = { method: "POST", headers: { "Content-Type": "application/json" } };
        fetch(path, { ...options, body: JSON.stringify(mail) }).then((found) => done(found.status));
        """,
        f"/{APPLICATION}/limepkg-email/conversation/",
        {**mail, "recipients": [{"email": "lisa@example.net", "name": "Lisa Lind"}]},
    )
    assert status == 202
    ticket_of(agent, demo, "See you soon")
    button = agent.find_element(By.CSS_SELECTOR, "[data-action=cancel]")
    agent.execute_script("arguments[0].click()", button)
    agent.find_element(By.XPATH, "//dialog//button[.='Cancel the message']").click()
    eventually(lambda: "was cancelled" in agent.find_element(By.ID, "notices").text)
    eventually(lambda: not agent.find_elements(By.CSS_SELECTOR, "[data-action=cancel]"))


def test_follower_is_switched_off(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Felanmälan: skärmen på övervåningen blinkar")
    switch = agent.find_element(By.CSS_SELECTOR, ".followers [role=switch]")
    eventually(switch.is_enabled)
    switch.click()
    announced = agent.find_element(By.ID, "announcer")
    eventually(lambda: (announced.get_attribute("textContent") or "").endswith(": off"))
    agent.refresh()
    assert not agent.find_element(By.CSS_SELECTOR, ".followers [role=switch]").is_selected()


def test_reader_learns_why_a_message_is_here(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Glömde jag bilagan?")
    eventually(lambda: len(messages(agent)) > 0)
    choose_in_menu(agent, messages(agent)[0], "Show why it is here")
    dialog = agent.find_element(By.TAG_NAME, "dialog")
    eventually(lambda: len(dialog.find_elements(By.CSS_SELECTOR, ".trace li")) > 0)


def test_message_is_forwarded(agent: Chrome, demo: Demo) -> None:
    open_ticket(agent, demo, "Contact form: opening hours")
    eventually(lambda: len(messages(agent)) > 0)
    choose_in_menu(agent, messages(agent)[0], "Forward")
    agent.find_element(By.CSS_SELECTOR, "dialog [name=to]").send_keys("not an address")
    agent.find_element(By.XPATH, "//dialog//button[.='Forward']").click()
    eventually(lambda: bool(agent.find_element(By.CSS_SELECTOR, "dialog .fault").text))
    field = agent.find_element(By.CSS_SELECTOR, "dialog [name=to]")
    field.clear()
    field.send_keys("Bo Berg <bo@example.org>")
    agent.find_element(By.XPATH, "//dialog//button[.='Forward']").click()
    eventually(lambda: "was forwarded" in agent.find_element(By.ID, "notices").text)


def test_message_is_moved_to_a_conversation_that_was_looked_for(agent: Chrome, demo: Demo) -> None:
    send(demo, "Belongs elsewhere", "About the booking.")
    ticket_of(agent, demo, "Belongs elsewhere")
    choose_in_menu(agent, messages(agent)[0], "Move to another")
    agent.find_element(By.CSS_SELECTOR, "dialog [type=search]").send_keys("booking for two")
    choice = "//dialog//label[contains(., 'Booking for two persons')]"
    eventually(lambda: len(agent.find_elements(By.CSS_SELECTOR, "dialog .choices li")) == 1)
    agent.find_element(By.XPATH, choice).click()
    agent.find_element(By.XPATH, "//dialog//button[.='Move']").click()
    eventually(lambda: "was moved" in agent.find_element(By.ID, "notices").text)
    open_ticket(agent, demo, "Booking for two persons")
    eventually(
        lambda: any("About the booking." in frame_text(agent, each) for each in frames(agent))
    )


def test_theme_is_switched_without_a_reload(agent: Chrome, demo: Demo) -> None:
    agent.get(f"{demo.url}/{APPLICATION}/people")
    agent.execute_script("window.stays = true")
    agent.find_element(By.CSS_SELECTOR, ".theme button").click()
    root = agent.find_element(By.TAG_NAME, "html")
    eventually(lambda: root.get_attribute("data-theme") == "force-dark")
    assert agent.execute_script("return window.stays") is True
    cookie = "crm_theme"
    eventually(lambda: agent.get_cookie(cookie) is not None)
    agent.refresh()
    assert agent.find_element(By.TAG_NAME, "html").get_attribute("data-theme") == "force-dark"
    agent.delete_cookie(cookie)


ADMIN = (
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


def test_administrator_writes_a_snippet_and_starts_a_recovery(browser: Chrome, demo: Demo) -> None:
    sign_in(browser, demo, ADMINISTRATOR[0])
    browser.get(f"{demo.url}/{APPLICATION}/admin/snippets")
    browser.find_element(By.XPATH, "//button[contains(., 'New snippet')]").click()
    browser.find_element(By.NAME, "title").send_keys("Opening hours")
    browser.find_element(By.CSS_SELECTOR, "dialog [name=text]").send_keys("We open at ten.")
    browser.find_element(By.XPATH, "//dialog//button[.='Save']").click()
    eventually(lambda: "We open at ten." in browser.find_element(By.ID, "page").text)
    browser.get(f"{demo.url}/{APPLICATION}/admin/recovery")
    browser.find_element(By.XPATH, "//button[contains(., 'Start recovery')]").click()
    eventually(lambda: bool(browser.find_elements(By.CSS_SELECTOR, ".report")), 60)
    assert browser.find_element(By.CSS_SELECTOR, ".report .unaccounted").text == "0 unaccounted"


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_too_wide_or_breaks_a_rule(browser: Chrome, demo: Demo, width: int) -> None:
    sign_in(browser, demo, ADMINISTRATOR[0])
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")  # type: ignore[no-untyped-call]
    paths = ["tickets", "tickets/new", "people", "person/1/", "helpdesk/1/", "helpdesk/2/"]
    try:
        for path in [*paths, *(f"admin/{each}" for each in ADMIN)]:
            browser.get(f"{demo.url}/{APPLICATION}/{path}")
            if path.startswith("admin/"):
                page = browser.find_element(By.CSS_SELECTOR, "#page, .mount")
                eventually(lambda page=page: page.get_attribute("aria-busy") != "true")  # type: ignore[misc]
            eventually(lambda: browser.execute_script(_WIDTH) <= width)
            assert browser.get_log("browser") == [], path  # type: ignore[no-untyped-call]
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
