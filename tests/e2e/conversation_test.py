"""An agent and a customer write to each other: on the CRM's pages and in the customer's mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


def unread_in_table(agent: Crm, title: str) -> Locator:
    """Open the table and give the indicator in the ticket's row."""
    agent.go("tickets")
    row = agent.page.get_by_role("row").filter(has_text=title)
    return row.locator("lwc-unread-message-icon-indicator").get_by_role("img")


def file_of(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_agent_answers_with_template_file_and_picture_and_the_customer_replies(
    agent: Crm, tmp_path: Path
) -> None:
    composer, outside, page = agent.composer, agent.outside, agent.page
    outside.deliver("A table for six", "Do you have a large table?", Message_ID="<six@example.org>")
    agent.open_ticket("A table for six")
    agent.message_with("large table").locator("[data-action=reply]").click()
    expect(composer.text).to_be_focused()
    composer.choose_from(".templates-menu", "Message (English)")
    expect(composer.text).to_contain_text("Hello")
    composer.write("We have a round one.")
    composer.paste_picture()
    composer.attach(file_of(tmp_path, "menu.txt", "Soup"))
    expect(composer.files).to_contain_text("menu.txt")
    composer.send()
    expect(composer.action("undo")).to_be_focused()
    agent.message_with("We have a round one.")
    (mail,) = agent.eventually(
        lambda: outside.mails("anna@example.org", "round one"), "the mail does not arrive"
    )
    assert sum(part.get_content_type() == "image/png" for part in mail.walk()) == 1
    # In the customer's own mailbox, as the customer sees it.
    page.goto(agent.demo.engine_url)
    page.get_by_role("link", name="anna@example.org").click()
    page.get_by_role("link", name="A table for six").first.click()
    expect(page.get_by_role("link", name="menu.txt")).to_be_visible()
    page.locator("[name=text]").fill("Round is perfect!")
    page.get_by_role("button", name="Send").click()
    said = "1 conversation with unread messages"

    def lights_up() -> bool:
        unread = unread_in_table(agent, "A table for six")
        page.wait_for_timeout(300)
        return unread.is_visible() and unread.get_attribute("aria-label") == said

    agent.eventually(lights_up, "the table shows nothing unread")
    agent.open_ticket("A table for six")
    agent.message_with("Round is perfect!")
    expect(page.locator("[data-message].unread")).to_have_count(0)
    expect(unread_in_table(agent, "A table for six")).to_be_hidden()


def test_mail_appears_while_the_agent_writes_and_what_is_written_stays(agent: Crm) -> None:
    agent.outside.deliver("While you write", "First.", Message_ID="<while@example.org>")
    agent.open_ticket("While you write")
    agent.composer.write("Half an answer")
    agent.outside.deliver(
        "Re: While you write", "Second thoughts.", In_Reply_To="<while@example.org>"
    )
    agent.message_with("Second thoughts.")
    expect(agent.composer.text).to_have_text("Half an answer")


def test_draft_is_there_after_a_reload_and_the_line_says_so(agent: Crm) -> None:
    agent.outside.deliver("Write it down", "Please.")
    agent.open_ticket("Write it down")
    agent.composer.write("Not finished")
    agent.composer.saved()
    agent.page.reload()
    agent.composer.open()
    expect(agent.composer.text).to_have_text("Not finished")


def test_sent_mail_is_undone_and_stays_in_the_form(agent: Crm) -> None:
    agent.outside.deliver("Too quick", "Hello?")
    agent.open_ticket("Too quick")
    agent.composer.write("Oops")
    agent.composer.send()
    agent.composer.action("undo").click()
    expect(agent.composer.text).to_contain_text("Oops")
    assert agent.outside.mails("anna@example.org", "Oops") == []


def test_scheduled_mail_is_taken_back_with_its_looks_and_files(agent: Crm, tmp_path: Path) -> None:
    composer = agent.composer
    agent.outside.deliver("Not now", "When?")
    agent.open_ticket("Not now")
    composer.write("On Monday")
    composer.attach(file_of(tmp_path, "plan.txt", "Later"))
    expect(composer.files).to_contain_text("plan.txt")
    composer.choose_from(".later-menu", "Tomorrow morning")
    waiting = agent.messages.filter(has=agent.page.locator(".badge-queued, .badge-scheduled"))
    expect(waiting).to_have_count(1)
    assert waiting.inner_text().count("To be sent") == 1, "when it leaves is said once"
    waiting.locator("[data-action=edit]").click()
    expect(agent.notices).to_contain_text("was taken back")
    expect(composer.text).to_contain_text("On Monday")
    # The signature is not put below it again.
    expect(composer.text).not_to_contain_text("Customer service")
    expect(composer.files).to_contain_text("plan.txt")
    assert agent.outside.mails("anna@example.org", "On Monday") == []


def test_mail_that_could_not_be_sent_is_told_and_sent_again(agent: Crm) -> None:
    agent.outside.deliver("Through thick and thin", "Hello?")
    agent.open_ticket("Through thick and thin")
    agent.composer.write("Finally")
    agent.outside.fail_once("/v1/account/*/submit", 400)
    agent.composer.send()
    failed = agent.page.locator(".message.failed")
    expect(failed.locator(".reason")).not_to_be_empty()
    failed.locator("[data-action=resend]").click()
    agent.agree("Send again")
    agent.eventually(
        lambda: agent.outside.mails("anna@example.org", "Finally"), "it is not sent again"
    )


def test_new_conversation_begins_on_the_ticket(agent: Crm) -> None:
    composer = agent.composer
    agent.outside.deliver("Two matters", "The first.")
    agent.open_ticket("Two matters")
    agent.page.get_by_role("link", name="New conversation").click()
    expect(composer.text).to_be_focused()
    to = composer.recipients.locator("input")
    to.fill("bo@example.org")
    to.press("Enter")
    composer.subject.fill("The second")
    composer.write("About the other thing")
    composer.send()
    agent.message_with("About the other thing")
    agent.eventually(
        lambda: agent.outside.mails("bo@example.org", "other thing"), "it does not arrive"
    )


def begun(agent: Crm, title: str) -> None:
    """Begin a ticket without a mail, and write the first one on its page: the title says it."""
    agent.go("tickets/new")
    agent.page.get_by_label("Title").fill(title)
    agent.button("Create ticket").click()
    agent.page.get_by_role("heading", name=title, level=1).wait_for()
    composer = agent.composer
    composer.open()
    to = composer.recipients.locator("input")
    to.fill("anna@example.org")
    to.press("Enter")
    composer.subject.fill(title)
    composer.write(title)
    composer.send()


def test_second_message_goes_on_in_the_conversation_that_the_first_one_began(agent: Crm) -> None:
    composer = agent.composer
    begun(agent, "From nothing")
    agent.message_with("From nothing")
    expect(composer.element).to_have_attribute("mode", "reply")
    expect(agent.page.locator(".people-of").get_by_role("switch")).to_have_count(1)
    composer.write("The second message")
    composer.send()
    agent.message_with("The second message")
    conversations = agent.page.locator("[data-message]").evaluate_all(
        "(all) => new Set(all.map((each) => each.dataset.conversation)).size"
    )
    assert conversations == 1


def test_text_that_is_begun_at_once_goes_along_into_the_new_conversation(agent: Crm) -> None:
    composer = agent.composer
    begun(agent, "In a hurry")
    expect(composer.action("undo")).to_be_visible()
    composer.text.click()
    agent.page.keyboard.type("One more thing")
    expect(composer.element).to_have_attribute("mode", "reply")
    expect(composer.text).to_contain_text("One more thing")
    expect(composer.text).to_be_focused()
    agent.page.keyboard.type(" and another")
    expect(composer.text).to_contain_text("One more thing and another")


def test_first_message_is_undone_before_the_composer_goes_on(agent: Crm) -> None:
    composer = agent.composer
    begun(agent, "Taken back")
    composer.action("undo").click()
    expect(composer.text).to_contain_text("Taken back")
    expect(composer.element).to_have_attribute("mode", "reply")
    expect(composer.text).to_contain_text("Taken back")
    assert agent.outside.mails("anna@example.org", "Taken back") == []


def test_keys_of_the_page_stay_out_of_what_is_written(agent: Crm) -> None:
    agent.outside.deliver("Keys", "Press them.")
    agent.open_ticket("Keys")
    agent.page.keyboard.type("r")
    agent.page.keyboard.type("ruf")
    expect(agent.composer.text).to_be_focused()
    # f in the text forwards nothing.
    expect(agent.dialog).to_have_count(0)
    agent.page.keyboard.type("juf")
    expect(agent.composer.text).to_contain_text("juf")
