"""The ticket's page in a real browser: mail arrives, is read, folded, moved and sent again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.crm import ADMINISTRATION, WINDOWS, Crm

pytestmark = pytest.mark.browser


def arrived(agent: Crm, subject: str, text: str = "Please.", html: str = "") -> Locator:
    """Give the message of a mail that has just come, on its ticket's page.

    The sender wants no automatic reply, so that it stays the only one.
    """
    agent.outside.deliver(subject, text, html, X_Auto_Response_Suppress="All")
    agent.open_ticket(subject)
    return agent.messages


def row_of(agent: Crm, title: str) -> Locator:
    return agent.page.get_by_role("row").filter(has_text=title)


def announcer(page: Page) -> Locator:
    return page.locator("#announcer")


def test_message_appears_without_a_reload(agent: Crm) -> None:
    agent.outside.deliver(
        "Is it warm?",
        "Do you have blankets?",
        Message_ID="<warm@example.org>",
        X_Auto_Response_Suppress="All",
    )
    agent.open_ticket("Is it warm?")
    agent.page.evaluate("window.stays = true")
    agent.outside.deliver("Re: Is it warm?", "We come at eight.", In_Reply_To="<warm@example.org>")
    expect(announcer(agent.page)).to_have_text("New message from Anna Andersson")
    agent.message_with("We come at eight.")
    assert agent.page.evaluate("window.stays") is True


def test_opened_message_becomes_read_and_can_become_unread_again(agent: Crm) -> None:
    agent.outside.deliver("Read me", "Please.", X_Auto_Response_Suppress="All")
    agent.wait_for_ticket("Read me")
    expect(row_of(agent, "Read me")).to_contain_class("unread")
    agent.open_ticket("Read me")
    unread = agent.page.locator("[data-message].unread")
    expect(unread).to_have_count(0)
    agent.choose_in_menu(agent.messages.first, "Mark as unread")
    expect(unread).to_have_count(1)
    agent.go("tickets")
    expect(row_of(agent, "Read me")).to_contain_class("unread")


def test_images_of_strangers_are_asked_for_only_after_the_click(agent: Crm) -> None:
    # The CRM's own address stands for the stranger's: nothing leaves the machine.
    picture = f"{agent.demo.url}/static/crm/icons.svg?seen"
    asked: list[str] = []
    agent.page.on("request", lambda request: asked.append(request.url))
    html = f'<p>Look</p><img src="{picture}" width="300" height="50">'
    message = arrived(agent, "Look at this", "x", html)
    shown = agent.body(message).get_by_role("img")
    expect(shown).to_have_attribute("data-remote", picture)
    button = message.get_by_role("button", name="Show the image")
    expect(button).to_be_visible()
    assert picture not in asked
    button.click()
    expect(shown).to_have_attribute("src", picture)
    expect(button).to_have_count(0)
    assert picture in asked


def test_quoted_text_is_folded_and_unfolds(agent: Crm) -> None:
    agent.open_ticket("Booking for two persons")
    message = agent.message_with("three after all")
    frame, body = message.locator("iframe.body"), agent.body(message)
    expect(body).not_to_contain_text("wrote:")
    folded, before = body.inner_text(), height(frame)
    message.get_by_role("button", name="Show quoted text").click()
    expect(body).to_contain_text("wrote:")
    agent.eventually(lambda: height(frame) > before, "the frame does not grow")
    message.get_by_role("button", name="Hide quoted text").click()
    expect(body).to_have_text(folded)


def height(element: Locator) -> float:
    return (element.bounding_box() or {"height": 0.0})["height"]


def test_frame_is_as_tall_as_its_mail(agent: Crm) -> None:
    lines = "".join(f"<p>Line {number}</p>" for number in range(60))
    frame = arrived(agent, "A long one", "x", lines).locator("iframe.body")
    agent.eventually(lambda: height(frame) > 1500, "the frame stays low")
    scrolls = "(each) => each.contentDocument.documentElement.scrollHeight > each.clientHeight + 1"
    assert not frame.evaluate(scrolls)


def test_keys_go_from_message_to_message(agent: Crm) -> None:
    agent.open_ticket("Booking for two persons")
    expect(agent.messages.nth(3)).to_be_visible()
    first, second, keys = agent.messages.nth(0), agent.messages.nth(1), agent.page.keyboard
    keys.press("j")
    expect(first).to_be_focused()
    keys.type("jjk")
    expect(second).to_be_focused()
    line = second.locator(".message-top")
    opened = line.get_attribute("aria-expanded") == "true"
    keys.press("Enter")
    expect(line).to_have_attribute("aria-expanded", str(not opened).lower())
    keys.press("?")
    expect(agent.dialog).to_contain_text("Keyboard shortcuts")
    keys.press("Escape")
    expect(agent.dialog).to_have_count(0)
    keys.press("r")
    expect(agent.composer.text).to_be_focused()
    keys.press("j")
    expect(agent.composer.text).to_be_focused()


def test_feed_says_where_each_message_stands(agent: Crm) -> None:
    agent.open_ticket("Booking for two persons")
    expect(agent.messages.nth(3)).to_be_visible()
    expect(agent.page.get_by_role("feed")).to_have_attribute("aria-busy", "false")
    count = agent.messages.count()
    for place, each in enumerate(agent.messages.all(), 1):
        expect(each).to_have_attribute("aria-posinset", str(place))
        expect(each).to_have_attribute("aria-setsize", str(count))


def test_undelivered_mail_says_why_and_is_sent_again(agent: Crm) -> None:
    page = agent.page
    agent.go("tickets/new")
    page.get_by_label("Title").fill("Never arrives")
    page.get_by_label("Mail to").fill("reject-this@example.org")
    page.get_by_label("Text").fill("Hello?")
    agent.button("Create ticket").click()
    failed = page.locator(".message.failed")
    expect(failed).to_contain_text("Not delivered")
    if (closed := failed.locator(".message-top[aria-expanded=false]")).count():
        closed.click()
    expect(failed.locator(".reason")).not_to_be_empty()
    failed.locator("[data-action=resend]").click()
    agent.agree("Send again")
    expect(agent.notices).to_contain_text("on its way")


def test_scheduled_mail_is_cancelled(agent: Crm) -> None:
    later = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    mail = {"subject": "See you soon", "text": "Tomorrow!", "account": 1, "send_at": later}
    recipients = [{"email": "lisa@example.net", "name": "Lisa Lind"}]
    assert agent.ask("conversation/", {**mail, "recipients": recipients}).status == 202
    agent.open_ticket("See you soon")
    cancel = agent.page.locator("[data-action=cancel]")
    cancel.click()
    agent.agree("Cancel the message")
    expect(agent.notices).to_contain_text("was cancelled")
    expect(cancel).to_have_count(0)


def test_follower_is_switched_off(agent: Crm) -> None:
    arrived(agent, "Without me")
    switch = agent.page.get_by_role("switch").first
    switch.uncheck()
    expect(announcer(agent.page)).to_have_text(re.compile(": off$"))
    agent.page.reload()
    expect(switch).not_to_be_checked()


def test_reader_learns_why_a_message_is_here(agent: Crm) -> None:
    agent.choose_in_menu(arrived(agent, "Why here"), "Show why it is here")
    expect(agent.dialog.locator(".trace li").first).to_be_visible()


def test_message_is_forwarded(agent: Crm) -> None:
    agent.choose_in_menu(arrived(agent, "Pass it on"), "Forward")
    to, send = agent.dialog.locator("[name=to]"), agent.dialog.get_by_role("button", name="Forward")
    to.fill("not an address")
    send.click()
    expect(agent.dialog.get_by_role("alert")).not_to_be_empty()
    to.fill("Bo Berg <bo@example.org>")
    send.click()
    expect(agent.notices).to_contain_text("was forwarded")


def test_message_is_moved_to_a_conversation_that_was_looked_for(agent: Crm) -> None:
    arrived(agent, "The right place", "Here it is.")
    agent.choose_in_menu(arrived(agent, "Belongs elsewhere", "About it."), "Move to another")
    agent.dialog.get_by_role("searchbox").fill("the right")
    choices = agent.dialog.locator(".choices li")
    expect(choices).to_have_count(1)
    choices.get_by_text("The right place").click()
    agent.agree("Move")
    expect(agent.notices).to_contain_text("was moved")
    agent.open_ticket("The right place")
    agent.message_with("About it.")


def test_theme_is_switched_without_a_reload(agent: Crm) -> None:
    page, root = agent.page, agent.page.locator("html")
    agent.go("people")
    page.evaluate("window.stays = true")
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Theme: as the system. Change it").click()
    expect(root).to_have_attribute("data-theme", "force-dark")
    assert page.evaluate("window.stays") is True
    page.reload()
    expect(root).to_have_attribute("data-theme", "force-dark")


def test_administrator_writes_a_snippet_and_starts_a_recovery(admin: Crm) -> None:
    page = admin.page
    admin.go("admin/snippets")
    admin.button("New snippet").click()
    admin.dialog.get_by_label("Title").fill("Opening hours")
    admin.dialog.get_by_label("Text").fill("We open at ten.")
    admin.dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#page")).to_contain_text("We open at ten.")
    admin.go("admin/recovery")
    admin.button("Start recovery").click()
    expect(page.locator(".report .unaccounted")).to_have_text("0 unaccounted")


@pytest.mark.parametrize("window", WINDOWS)
def test_no_page_is_too_wide_or_breaks_a_rule(admin: Crm, window: str) -> None:
    refused: list[str] = []
    admin.page.on("response", lambda found: found.status >= 400 and refused.append(found.url))
    paths = ["tickets", "tickets/new", "people", "person/1/", "helpdesk/1/", "helpdesk/2/"]
    for path in [*paths, *(f"admin/{each}" for each in ADMINISTRATION)]:
        admin.visit(path)
        assert not admin.scrolls_sideways(), path
        assert [*admin.wrong, *refused] == [], path
