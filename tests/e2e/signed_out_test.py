"""The session ends while somebody writes: nothing is lost, and they go on once they are back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from limepkg_email.reference.seed import AGENT, PASSWORD
from tests.conftest import PATIENCE
from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


def notice(agent: Crm) -> Locator:
    return agent.page.locator(".signed-out")


def end_session(agent: Crm) -> None:
    agent.page.context.clear_cookies(name="session")


def sign_in(other: Page) -> None:
    """Sign in in another tab, which is closed once that is done."""
    other.set_default_timeout(PATIENCE)
    other.locator("[name=login]").fill(AGENT[0])
    other.locator("[name=password]").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.get_by_role("heading", name="Tickets", level=1).wait_for()
    other.close()


def sign_in_in_the_other_tab(agent: Crm) -> None:
    with agent.page.context.expect_page() as opened:
        notice(agent).get_by_role("link", name="sign in in another tab").click()
    sign_in(opened.value)


def test_text_stays_when_the_session_ends_while_somebody_writes(agent: Crm) -> None:
    asked: list[str] = []
    agent.page.on("dialog", lambda dialog: asked.append(dialog.type))
    agent.outside.deliver("Gone for lunch", "Hello?", Message_ID="<lunch@example.org>")
    agent.open_ticket("Gone for lunch")
    agent.page.evaluate("window.stays = true")
    agent.composer.write("Before, ")
    end_session(agent)
    agent.page.keyboard.type("while and after.", delay=250)
    expect(notice(agent)).to_contain_text("You are signed out")
    agent.page.wait_for_timeout(4_000)
    expect(notice(agent)).to_have_count(1)
    expect(agent.page.locator("#notices .notice")).to_have_count(0)
    expect(agent.composer.text).to_have_text("Before, while and after.")
    assert agent.page.evaluate("window.stays") is True
    sign_in_in_the_other_tab(agent)
    expect(notice(agent)).to_have_count(0)
    agent.composer.saved()
    agent.outside.deliver("Re: Gone for lunch", "Still there?", In_Reply_To="<lunch@example.org>")
    agent.message_with("Still there?")
    expect(agent.composer.text).to_have_text("Before, while and after.")
    assert asked == []


def test_ticket_that_is_begun_keeps_its_text_and_files(agent: Crm, tmp_path: Path) -> None:
    page, sent = agent.page, []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    file = tmp_path / "menu.txt"
    file.write_text("Soup", "utf-8")
    agent.go("tickets/new")
    page.get_by_label("Title").fill("After the break")
    page.get_by_label("Mail to").fill("anna@example.org")
    page.get_by_label("Text").fill("A long text.")
    page.get_by_label("Files").set_input_files(file)
    end_session(agent)
    page.on("request", note)
    agent.button("Create ticket").click()
    expect(notice(agent)).to_be_visible()
    assert sent == []
    expect(page.get_by_label("Text")).to_have_value("A long text.")
    sign_in_in_the_other_tab(agent)
    agent.button("Create ticket").click()
    expect(page.get_by_role("heading", name="After the break", level=1)).to_be_visible()
    agent.message_with("A long text.")
    expect(page.get_by_role("link", name="menu.txt")).to_be_visible()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_text_comes_back_where_no_script_runs(agent: Crm) -> None:
    page = agent.page
    agent.go("tickets/new")
    page.get_by_label("Title").fill("Without scripts")
    page.get_by_label("Text").fill("A long text.")
    end_session(agent)
    agent.button("Create ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("sign in in another tab")
    expect(page.get_by_label("Text")).to_have_value("A long text.")
    other = page.context.new_page()
    other.goto(f"{agent.address}/sign-in")
    sign_in(other)
    agent.button("Send again").click()
    expect(page.get_by_role("alert")).to_contain_text("send it again")
    agent.button("Send again").click()
    expect(page.get_by_role("heading", name="Without scripts", level=1)).to_be_visible()
