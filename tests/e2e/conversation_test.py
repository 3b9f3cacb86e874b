"""An agent and a customer write to each other: on the CRM's pages and in the customer's mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of

from limepkg_email.reference.seed import AGENT
from tests.e2e.crm import COMPOSER, Crm

pytestmark = pytest.mark.browser

_PASTE_PICTURE = """
const done = arguments[arguments.length - 1];
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 8;
canvas.getContext('2d').fillRect(0, 0, 8, 8);
canvas.toBlob((blob) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], 'dot.png', { type: 'image/png' }));
  const paste = { clipboardData, bubbles: true, composed: true, cancelable: true };
  arguments[0].dispatchEvent(new ClipboardEvent('paste', paste));
  done();
});
"""

_FOCUSED = """
let found = document.activeElement;
while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
return found?.isContentEditable ? 'text' : (found?.dataset?.action ?? '');
"""


@pytest.fixture(scope="module")
def agent(crm: Crm) -> Crm:
    crm.sign_in(AGENT[0])
    return crm


@pytest.fixture(autouse=True)
def nothing_goes_wrong(agent: Crm) -> object:
    """Nothing on a page may break its rules, whatever a test does there."""
    yield
    wrong = agent.wrong()
    agent.leave()
    assert wrong == []


def unread_in_table(agent: Crm, title: str) -> str:
    """Give what the indicator in the ticket's row says."""

    def rows() -> list[WebElement]:
        # Asked for anew each time: a form that was just sent may still be taking the page away.
        agent.go("tickets")
        return agent.browser.find_elements(By.XPATH, f"//tr[contains(., '{title}')]")

    row = agent.wait(rows, f"no row {title}")[0]
    return str(
        agent.browser.execute_async_script(
            "const done = arguments[1];"
            "const cell = arguments[0].querySelector('lwc-unread-message-icon-indicator');"
            "customElements.whenDefined(cell.localName).then(() => cell.componentOnReady())"
            ".then(() => setTimeout(() => done("
            "cell.shadowRoot.querySelector('[role=img]')?.ariaLabel ?? ''), 300));",
            row,
        )
    )


def test_agent_answers_with_template_file_and_picture_and_the_customer_replies(
    agent: Crm, tmp_path: Path
) -> None:
    agent.deliver("A table for six", "Do you have a large table?", Message_ID="<six@example.org>")
    agent.open_ticket("A table for six")
    agent.shows_mail("large table")
    agent.browser.find_element(By.CSS_SELECTOR, "[data-action=reply]").click()
    agent.wait(lambda: agent.browser.execute_script(_FOCUSED) == "text", "the text has no focus")
    agent.choose_from(".templates-menu", "Message (English)")
    agent.wait(lambda: "Hello" in agent.written(), "the template is not inserted")
    agent.write("We have a round one.")
    agent.browser.execute_async_script(_PASTE_PICTURE, agent.editor())
    menu = tmp_path / "menu.txt"
    menu.write_text("Soup", "utf-8")
    agent.wait(lambda: agent.all("css", f"{COMPOSER} *") is not None, "no composer")
    field = agent.browser.execute_script(
        "return document.querySelector('lwc-email-composer').shadowRoot"
        ".querySelector('input[type=file]')"
    )
    field.send_keys(str(menu))
    agent.wait(lambda: agent.text(".chip[title*='menu'], lwc-limepkg-email-attachments"), "no chip")
    agent.send()
    agent.shows_mail("We have a round one.")
    agent.wait(lambda: agent.mails("anna@example.org", "round one"), "the mail does not arrive")
    # In the customer's own mailbox, as the customer sees it.
    browser = agent.browser
    agent.browser.get(agent.demo.engine_url)
    browser.find_element(By.PARTIAL_LINK_TEXT, "anna@example.org").click()
    browser.find_element(By.PARTIAL_LINK_TEXT, "A table for six").click()
    assert browser.find_elements(By.PARTIAL_LINK_TEXT, "menu.txt")
    (mail,) = agent.mails("anna@example.org", "round one")
    assert sum(part.get_content_type() == "image/png" for part in mail.walk()) == 1
    browser.find_element(By.NAME, "text").send_keys("Round is perfect!")
    button = browser.find_element(By.XPATH, "//button[contains(., 'Send')]")
    button.click()
    agent.wait(lambda: staleness_of(button)(browser), "the answer is not sent")
    agent.wait(
        lambda: "1 conversation with unread" in unread_in_table(agent, "A table for six"),
        "the table shows nothing unread",
    )
    agent.open_ticket("A table for six")
    agent.shows_mail("Round is perfect!")
    agent.wait(
        lambda: not browser.find_elements(By.CSS_SELECTOR, "[data-message].unread"),
        "it stays unread although it is in view",
    )
    assert unread_in_table(agent, "A table for six") == ""


def test_mail_appears_while_the_agent_writes_and_what_is_written_stays(agent: Crm) -> None:
    agent.deliver("While you write", "First.", Message_ID="<while@example.org>")
    agent.open_ticket("While you write")
    agent.write("Half an answer")
    agent.deliver("Re: While you write", "Second thoughts.", In_Reply_To="<while@example.org>")
    agent.shows_mail("Second thoughts.")
    assert agent.written() == "Half an answer"


def test_draft_is_there_after_a_reload_and_the_line_says_so(agent: Crm) -> None:
    agent.deliver("Write it down", "Please.")
    agent.open_ticket("Write it down")
    agent.write("Not finished")
    agent.wait(lambda: agent.all("css", "[data-save=saved]"), "it is not saved")
    agent.browser.refresh()
    agent.wait(lambda: agent.written() == "Not finished", "the draft is lost")


def test_sent_mail_is_undone_and_stays_in_the_form(agent: Crm) -> None:
    agent.deliver("Too quick", "Hello?")
    agent.open_ticket("Too quick")
    agent.write("Oops")
    agent.send()
    agent.click_in_composer("[data-action=undo]")
    agent.wait(lambda: "Oops" in agent.written(), "the text is not back")
    assert agent.mails("anna@example.org", "Oops") == []


def test_scheduled_mail_is_taken_back_with_its_looks_and_files(agent: Crm, tmp_path: Path) -> None:
    agent.deliver("Not now", "When?")
    agent.open_ticket("Not now")
    agent.write("On Monday")
    plan = tmp_path / "plan.txt"
    plan.write_text("Later", "utf-8")
    agent.browser.execute_script(
        "return document.querySelector('lwc-email-composer').shadowRoot"
        ".querySelector('input[type=file]')"
    ).send_keys(str(plan))
    agent.choose_from(".later-menu", "Tomorrow morning")
    agent.wait(
        lambda: agent.browser.find_elements(By.CSS_SELECTOR, ".badge-queued, .badge-scheduled"),
        "the feed does not say that it waits",
    )
    message = agent.messages()[-1]
    assert message.text.count("To be sent") == 1, "when it leaves is said once"
    back = message.find_element(By.CSS_SELECTOR, "[data-action=edit]")
    agent.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", back)
    back.click()
    agent.notice("was taken back")
    agent.wait(lambda: "On Monday" in agent.written(), "the text is not back")
    assert "Customer service" not in agent.written(), "the signature is put below it again"
    agent.wait(lambda: "plan.txt" in _files(agent.browser), "the file is not back")
    assert agent.mails("anna@example.org", "On Monday") == []


def _files(browser: Chrome) -> str:
    return str(
        browser.execute_script(
            "return document.querySelector('lwc-email-composer').shadowRoot"
            ".querySelector('lwc-limepkg-email-attachments').shadowRoot.textContent"
        )
    )


def test_mail_that_could_not_be_sent_is_told_and_sent_again(agent: Crm) -> None:
    agent.deliver("Through thick and thin", "Hello?")
    agent.open_ticket("Through thick and thin")
    agent.write("Finally")
    agent.fail_once("/v1/account/*/submit", 400)
    agent.send()
    failed = agent.wait(
        lambda: agent.browser.find_elements(By.CSS_SELECTOR, ".message.failed"),
        "the feed shows no failure",
    )[0]
    assert failed.find_element(By.CSS_SELECTOR, ".reason").text
    again = failed.find_element(By.CSS_SELECTOR, "[data-action=resend]")
    agent.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", again)
    again.click()
    agent.agree("Send again")
    agent.wait(lambda: agent.mails("anna@example.org", "Finally"), "it is not sent again")


def test_new_conversation_begins_on_the_ticket(agent: Crm) -> None:
    agent.deliver("Two matters", "The first.")
    agent.open_ticket("Two matters")
    agent.browser.find_element(By.LINK_TEXT, "New conversation").click()
    agent.wait(lambda: agent.browser.execute_script(_FOCUSED) == "text", "the text has no focus")
    inside = "lwc-limepkg-email-recipients"
    name = agent.one("css", f"{inside}")
    field = name.shadow_root.find_element(By.CSS_SELECTOR, "input")
    field.send_keys("bo@example.org")
    field.send_keys(Keys.ENTER)
    agent.one("css", "input[name=subject]").send_keys("The second")
    agent.write("About the other thing")
    agent.send()
    agent.shows_mail("About the other thing")
    agent.wait(lambda: agent.mails("bo@example.org", "other thing"), "it does not arrive")


def test_keys_of_the_page_stay_out_of_what_is_written(agent: Crm) -> None:
    agent.deliver("Keys", "Press them.")
    agent.open_ticket("Keys")
    ActionChains(agent.browser).send_keys("r").perform()
    ActionChains(agent.browser).send_keys("ruf").perform()
    agent.wait(lambda: agent.browser.execute_script(_FOCUSED) == "text", "the text has no focus")
    assert not agent.all("css", "dialog[open]"), "f in the text forwards nothing"
    ActionChains(agent.browser).send_keys("juf").perform()
    agent.wait(lambda: "juf" in agent.written(), "keys do not reach the text")
