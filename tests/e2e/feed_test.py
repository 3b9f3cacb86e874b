"""The ticket's page in a real browser: mail arrives, is read, folded, moved and sent again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from limepkg_email.reference.demo import SUPPORT
from tests.e2e.crm import ADMINISTRATION, PHONE, WINDOWS, Crm

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


def send(agent: Crm, subject: str, text: str, send_at: str) -> None:
    """Begin a conversation with Lisa, past the composer."""
    mail = {"subject": subject, "text": text, "account": 1, "send_at": send_at}
    mail["recipients"] = [{"email": "lisa@example.net", "name": "Lisa Lind"}]
    assert agent.ask("conversation/", mail).status == 202


def later(**much: int) -> str:
    return (datetime.now(UTC) + timedelta(**much)).isoformat()


def test_scheduled_mail_says_when_it_leaves_and_is_not_waited_for(agent: Crm) -> None:
    send(agent, "In a fortnight", "Then!", send_at=later(days=14))
    agent.open_ticket("In a fortnight")
    badge = agent.messages.first.locator(".badge").first
    expect(badge).to_have_text(re.compile(r"^Scheduled for \d+ \w+, \d\d:\d\d$"))
    asked: list[str] = []
    agent.page.on("request", lambda sent: "/feed/" in sent.url and asked.append(sent.url))
    agent.page.wait_for_timeout(12_000)
    assert len(asked) <= 4


def test_scheduled_mail_has_room_on_a_phone(agent: Crm) -> None:
    agent.wide(390)
    send(agent, "On the way", "Then!", send_at=later(days=14))
    agent.open_ticket("On the way")
    message = agent.messages.first
    assert message.locator(".message-names").evaluate("(each) => each.clientWidth") > 140
    for button in message.locator(".message-actions > button").all():
        assert button.evaluate("(each) => each.clientHeight") < 40, button.inner_text()


def test_cancelled_mail_says_so_in_its_line(agent: Crm) -> None:
    send(agent, "Never mind", "Not this.", send_at=later(hours=3))
    agent.open_ticket("Never mind")
    line = agent.messages.first.locator(".message-top")
    agent.page.locator("[data-action=cancel]").click()
    agent.agree("Cancel the message")
    expect(line).to_contain_text("Cancelled")
    line.click()
    expect(line).to_have_attribute("aria-expanded", "false")
    expect(line).to_contain_text("Cancelled")


def test_mail_that_is_partly_cancelled_says_that(agent: Crm) -> None:
    state = {"states": ["sent", "cancelled"]}
    somebody = {"id": 1, "name": "Bo", "email": "bo@example.org", "role": "to", "reason": ""}

    def answer(route: Route) -> None:
        answered = route.fetch()
        page = answered.json()
        for item in page["items"]:
            item["recipients"] = [{**somebody, "state": each} for each in state["states"]]
        route.fulfill(response=answered, json=page)

    agent.outside.deliver("Half of it", "Hello?", X_Auto_Response_Suppress="All")
    agent.wait_for_ticket("Half of it")
    agent.page.route("**/feed/?*", answer)
    agent.open_ticket("Half of it")
    line = agent.messages.first.locator(".message-top")
    expect(line).to_contain_text("Partly cancelled")
    state["states"] = ["cancelled", "cancelled"]
    agent.page.reload()
    expect(line.locator(".badge-cancelled")).to_have_text("Cancelled")


def test_menu_and_focus_outlast_what_changes_in_a_message(agent: Crm) -> None:
    agent.outside.deliver("Menu", "Hello?", Message_ID="<menu@example.org>")
    agent.open_ticket("Menu")
    agent.composer.write("Here it is")
    agent.composer.send()
    message = agent.message_with("Here it is")
    cancel = message.locator("[data-action=cancel]")
    expect(cancel).to_be_visible()
    message.locator("[aria-haspopup=menu]").click()
    item = message.get_by_role("menuitem").first
    expect(item).to_be_focused()
    expect(cancel).to_have_count(0)  # it has left
    expect(message.locator(".badge-sent, .badge-delivered").first).to_be_visible()
    expect(item).to_be_visible()
    expect(item).to_be_focused()
    agent.page.keyboard.press("Escape")
    expect(message.locator("[aria-haspopup=menu]")).to_be_focused()


def test_everything_that_is_loaded_becomes_read(agent: Crm) -> None:
    # Each answers the first, so that all are of one conversation.
    head = {"X_Auto_Response_Suppress": "All", "In_Reply_To": "<many@example.org>"}
    agent.outside.deliver("Many of them", "First.", **{**head, "Message_ID": "<many@example.org>"})
    agent.wait_for_ticket("Many of them")
    agent.outside.post(*(reply(f"Number {number}.", head) for number in range(40)))
    agent.eventually(lambda: feed_total(agent, "Many of them") == 41, "they do not arrive")
    agent.open_ticket("Many of them")
    unread = agent.page.locator("[data-message].unread")
    button = agent.button("Mark as read")
    expect(unread.nth(30)).to_be_attached()
    button.click()
    expect(agent.notices).to_contain_text("Everything is marked as read")
    expect(unread).to_have_count(0)
    expect(button).to_be_hidden()


def reply(text: str, head: dict[str, str]) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Anna Andersson <anna@example.org>", SUPPORT
    mail["Subject"] = "Re: Many of them"
    for name, value in head.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def feed_total(agent: Crm, title: str) -> int:
    """Ask how many messages there are on a ticket, from the list on."""
    link = agent.wait_for_ticket(title).get_attribute("href") or ""
    ticket = link.rstrip("/").rsplit("/", 1)[-1]
    return int(agent.ask(f"feed/?limetype=helpdesk&id={ticket}&limit=1").json()["total"])


def test_people_of_the_ticket_follow_what_happens(agent: Crm) -> None:
    page = agent.page
    agent.outside.deliver("New people", "Hello?", Message_ID="<people@example.org>")
    agent.open_ticket("New people")
    people = page.locator(".people-of")
    switches = people.get_by_role("switch")
    expect(switches).to_have_count(1)
    page.evaluate("window.stays = true")
    switches.first.focus()
    headers = {"In_Reply_To": "<people@example.org>", "sender": "Bo Berg <bo@example.org>"}
    agent.outside.deliver("Re: New people", "Me too.", **headers)
    expect(switches).to_have_count(2)
    expect(people.locator(".count")).to_have_text("2")
    expect(switches.first).to_be_focused()
    people.get_by_role("switch", name="Bo Berg").uncheck()
    expect(announcer(page)).to_have_text(re.compile(": off$"))
    agent.button("Add somebody").click()
    agent.dialog.get_by_label("Email").fill("lisa@example.net")
    agent.agree("Add")
    expect(switches).to_have_count(3)
    expect(people.get_by_role("switch", name="Bo Berg")).not_to_be_checked()
    assert page.evaluate("window.stays") is True


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


@pytest.mark.browser_context_args(**PHONE)
def test_tabs_of_several_conversations_do_not_widen_a_phone(agent: Crm) -> None:
    agent.open_ticket("Booking for two persons")
    ticket = int(agent.page.url.rstrip("/").rsplit("/", 1)[-1])
    mail = {"subject": "A conversation with a rather long subject", "text": "Hi", "account": 1}
    mail |= {"recipients": [{"email": "lisa@example.net"}], "send_at": later(days=3)}
    for _ in range(3):
        parent = {"limetype": "helpdesk", "id": ticket}
        assert agent.ask("conversation/", {**mail, "parent": parent}).status == 202
    agent.page.reload()
    expect(agent.page.locator(".tabs a")).to_have_count(5)
    agent.messages.first.wait_for()
    assert not agent.scrolls_sideways()
