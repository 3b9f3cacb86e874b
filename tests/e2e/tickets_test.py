"""The list of tickets and what is done from a ticket, as people do it with keys and fingers."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.crm import PHONE, WINDOWS, Crm

pytestmark = pytest.mark.browser

BO = "Bo Berg <bo@example.org>"
ENDLESS = "Name" * 40

_RECTS = """
(body, text) => {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(text);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + text.length);
    return [...range.getClientRects()].map((each) => [each.left, each.top]);
  }
  return [];
}
"""

ORDER = """<p>Thank you for the order.</p><table border="1"><tr><th>Article</th><th>Description</th>
<th>Quantity</th><th>Unit</th><th>Price</th><th>Discount</th><th>Delivery</th><th>Total</th></tr>
<tr><td>A-1001</td><td>Greenhouse</td><td>12</td><td>pieces</td><td>12340.00</td><td>0.00</td>
<td>12/01/2027</td><td>148080.00</td></tr></table>"""


@pytest.fixture(scope="module")
def samples() -> bool:
    return False


def deliver(agent: Crm, subject: str, html: str = "", **headers: str) -> None:
    """Let a mail come in whose sender wants no automatic reply."""
    agent.outside.deliver(subject, "Please.", html, X_Auto_Response_Suppress="All", **headers)


def arrived(agent: Crm, subject: str, html: str = "", **headers: str) -> Locator:
    """Give the message of a mail that has just come, on its ticket's page."""
    deliver(agent, subject, html, **headers)
    agent.open_ticket(subject)
    return agent.messages.first


def row(agent: Crm, title: str) -> Locator:
    return agent.page.get_by_role("row").filter(has_text=title).first


def width(element: Locator) -> float:
    return (element.bounding_box() or {"width": 0.0})["width"]


def height(element: Locator) -> float:
    return (element.bounding_box() or {"height": 0.0})["height"]


def rects(agent: Crm, message: Locator, text: str) -> list[list[float]]:
    """Where a text stands in a mail; several places where it is broken."""
    found: list[list[float]] = agent.body(message).evaluate(_RECTS, text)
    return found


# --- whose ticket it is -------------------------------------------------------------------------


def test_forward_leaves_the_ticket_to_its_customer(agent: Crm) -> None:
    message = arrived(agent, "Anna's order")
    agent.choose_in_menu(message, "Forward")
    agent.dialog.get_by_label("To", exact=True).fill('"Berg, Bo" <bo@example.org>')
    agent.dialog.get_by_role("button", name="Forward").click()
    expect(agent.notices).to_contain_text("was forwarded")
    agent.go("tickets")
    expect(row(agent, "Anna's order").locator(".person")).to_contain_text("Anna")
    agent.open_ticket("Anna's order")
    people = agent.page.locator("[data-followers]")
    expect(people).to_contain_text("anna@example.org")
    expect(people).not_to_contain_text("bo@example.org")
    (mail,) = agent.eventually(
        lambda: agent.outside.mails("bo@example.org", "Forwarded message"), "it does not arrive"
    )
    assert "bo@example.org" in mail["To"]


def test_message_that_got_a_ticket_of_its_own_leads_there(agent: Crm) -> None:
    thread = "<split@example.org>"
    arrived(agent, "Two things", Message_ID=thread)
    here = agent.page.url
    deliver(agent, "Re: Two things", "<p>The second.</p>", In_Reply_To=thread)
    agent.choose_in_menu(agent.message_with("The second."), "Make a ticket of its own")
    agent.agree("Split off")
    agent.notices.get_by_role("button", name="Go there").click()
    agent.message_with("The second.")
    assert agent.page.url.partition("?")[0] != here


def test_ticket_is_merged_into_another(agent: Crm) -> None:
    deliver(agent, "Said twice", "<p>Once.</p>", sender=BO)
    agent.wait_for_ticket("Said twice")
    arrived(agent, "Say it once", "<p>And again.</p>")
    agent.button("Merge…").click()
    agent.dialog.get_by_role("searchbox").fill("said twice")
    choices = agent.dialog.locator(".choices li")
    expect(choices).to_have_count(1)
    choices.get_by_role("radio").check()
    with agent.page.expect_navigation():
        agent.dialog.get_by_role("button", name="Merge", exact=True).click()
    agent.message_with("Once.")
    agent.message_with("And again.")


def test_conversations_of_one_subject_can_be_told_apart(agent: Crm) -> None:
    deliver(agent, "The same", sender=BO)
    agent.wait_for_ticket("The same")
    deliver(agent, "The same", sender="Lisa Lind <lisa@example.net>")
    agent.choose_in_menu(arrived(agent, "Goes there"), "Move to another")
    agent.dialog.get_by_role("searchbox").fill("the same")
    choices = agent.dialog.locator(".choices li")
    expect(choices).to_have_count(2)
    for each, name in zip(choices.all(), ("Lisa Lind", "Bo Berg"), strict=True):
        expect(each).to_contain_text(re.compile(rf"{name} · 1 message · (just now|\dm ago) · #\d+"))
        expect(each).to_contain_text(name)


def test_message_is_taken_back_once_however_often_it_is_clicked(agent: Crm) -> None:
    arrived(agent, "Twice")
    agent.composer.write("Not yet")
    agent.composer.choose_from(".later-menu", "Tomorrow morning")
    cancelled: list[str] = []
    agent.page.on(
        "request", lambda each: cancelled.append(each.url) if "/cancel/" in each.url else None
    )
    # Both clicks before the first has done anything, however quick the server is.
    agent.page.locator("[data-action=edit]").evaluate("(each) => { each.click(); each.click(); }")
    expect(agent.notices).to_contain_text("was taken back")
    expect(agent.composer.text).to_contain_text("Not yet")
    assert len(cancelled) == 1
    expect(agent.notices.locator(".notice")).to_have_count(1)


# --- the list -----------------------------------------------------------------------------------


def test_list_shows_what_arrives_while_somebody_is_in_it(agent: Crm) -> None:
    deliver(agent, "Where I am")
    agent.wait_for_ticket("Where I am")
    here = row(agent, "Where I am").get_by_role("link")
    here.focus()
    # What the first look finds is what the page shows already.
    with agent.page.expect_response("**/tickets"):
        pass
    deliver(agent, "Came meanwhile")
    expect(row(agent, "Came meanwhile")).to_be_visible()
    expect(here).to_be_focused()


@pytest.mark.parametrize("window", WINDOWS)
def test_no_name_makes_a_page_wider_for_others(agent: Crm, window: str) -> None:
    page, title = agent.page, f"Endless on a {window}"
    sender = f"{ENDLESS} <{'long' * 15}@{'wide' * 12}.example.org>"
    deliver(agent, title, sender=sender, Cc=f"{ENDLESS}2 <{'other' * 12}@example.org>")
    agent.wait_for_ticket(title)
    deliver(agent, f"{window}{'subject' * 30}", sender=sender)
    agent.wait_for_ticket(f"{window}{'subject' * 30}")
    assert not agent.scrolls_sideways(), "the list is too wide"
    person = row(agent, title).locator(".person")
    expect(person).to_have_attribute("title", ENDLESS)
    assert width(person) < 400
    for name in (title, f"{window}{'subject' * 30}"):
        agent.open_ticket(name)
        assert not agent.scrolls_sideways(), "the ticket is too wide"
    with closing(sqlite3.connect(agent.demo.options.directory / "crm.sqlite", timeout=30)) as crm:
        crm.execute("UPDATE company SET name = ? WHERE id = 1", (ENDLESS,))
        names = (ENDLESS, f"{'long' * 15}@{'wide' * 12}.example.org")
        crm.execute("UPDATE person SET lastname = ?, email = ? WHERE id = 1", names)
        crm.commit()
    for path in ("people", "person/1/", "company/1/", "helpdesk/1/", "tickets?status=all"):
        agent.go(path)
        assert not agent.scrolls_sideways(), path
    agent.go("people")
    # Nobody else's name is broken into letters either.
    other = page.locator("tr").filter(has_text="lisa@example.net").locator(".title a")
    assert height(other) < 60


def test_number_of_a_ticket_reads_the_same_after_any_title(agent: Crm) -> None:
    titles = ("שלום, איפה ההזמנה", "Invoice \u202egnp.exe")
    for title in titles:
        deliver(agent, title)
        agent.wait_for_ticket(title)
    for title in titles:
        cell = agent.page.locator("td.title").filter(has_text=title)
        hash_, digit = (
            cell.evaluate(_RECTS, each)
            for each in ("#", (cell.locator(".number").text_content() or "")[-1])
        )
        assert hash_[0][0] < digit[0][0], title


# --- status and new tickets ---------------------------------------------------------------------


def test_status_is_chosen_with_keys_before_it_is_stored(agent: Crm) -> None:
    page = agent.page
    arrived(agent, "How far")
    page.evaluate("window.stays = true")
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    status = page.get_by_label("Status")
    status.focus()
    status.press("ArrowDown")
    status.press("ArrowDown")
    page.wait_for_timeout(300)
    assert [each for each in sent if each.endswith("/status")] == []
    chosen = status.input_value()
    with page.expect_response("**/status"):
        status.press("Enter")
    expect(page.locator("#announcer")).to_contain_text("Status: ")
    expect(status).to_be_focused()
    expect(status).to_contain_class(f"badge-{chosen}")
    assert page.evaluate("window.stays") is True
    status.press("ArrowUp")
    with page.expect_response("**/status"):
        status.press("Tab")
    other = status.input_value()
    assert other != chosen
    page.reload()
    expect(status).to_have_value(other)


def test_filter_waits_for_keys_until_the_choice_is_made(agent: Crm) -> None:
    agent.go("tickets")
    status = agent.page.get_by_label("Status")
    status.focus()
    status.press("ArrowDown")
    agent.page.wait_for_timeout(300)
    assert "status=" not in agent.page.url
    status.press("Enter")
    agent.page.wait_for_url("**status=all*")


def test_refused_ticket_says_what_to_correct_in_one_line(agent: Crm) -> None:
    agent.go("tickets/new")
    agent.page.get_by_label("Title").fill("t")
    agent.page.get_by_label("Mail to").fill("nobody")
    agent.button("Create ticket").click()
    alert = agent.page.get_by_role("alert")
    expect(alert).to_have_text("Correct what is marked.")
    assert height(alert) < 60


# --- the mail in its frame ----------------------------------------------------------------------


def test_theme_of_the_page_is_that_of_its_mails(agent: Crm) -> None:
    message = arrived(agent, "In the dark", "<p>Plain.</p>")
    expect(agent.body(message)).to_contain_text("Plain.")
    root = message.locator("iframe.body").content_frame.locator("html")
    white, black = "rgb(255, 255, 255)", "rgb(28, 28, 30)"
    expect(root).to_have_css("background-color", white)
    theme = agent.page.locator("form.theme button")
    with agent.page.expect_response("**/theme"):
        theme.click()
    expect(root).to_have_css("background-color", black)
    agent.page.reload()
    agent.body(message)
    expect(root).to_have_css("background-color", black)
    theme.click()
    expect(root).to_have_css("background-color", white)


@pytest.mark.browser_context_args(**PHONE)
def test_table_of_an_order_keeps_its_words_and_numbers_whole_on_a_phone(agent: Crm) -> None:
    message = arrived(agent, "As a table", ORDER + f"<p>{'so-long' * 40}</p>")
    expect(agent.body(message)).to_contain_text("Greenhouse")
    for word in ("Greenhouse", "12/01/2027", "148080.00", "Description"):
        assert len(rects(agent, message, word)) == 1, word
    assert not agent.scrolls_sideways()
    sizes = "(body) => [body.ownerDocument.documentElement.scrollWidth, innerWidth]"
    wide, window = agent.body(message).evaluate(sizes)
    assert window <= 390
    assert wide > window, "the table is wider than the phone, and scrolls in its frame"
    # The text around the table is not: nobody scrolls to read it.
    (paragraph,) = agent.body(message).evaluate(
        "(body) => [body.querySelector('p').getBoundingClientRect().width]"
    )
    assert paragraph <= window
