"""Somebody writes while the agent does: who has not seen it is stopped, and nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


@pytest.fixture
def subject(agent: Crm) -> str:
    """A conversation that somebody has opened, by a subject that only it has."""
    subject = f"Who is first, {uuid4().hex}?"
    agent.outside.deliver(subject, "The first.", Message_ID=message_id(subject))
    agent.open_ticket(subject)
    agent.message_with("The first.")
    return subject


def message_id(subject: str) -> str:
    return f"<{subject[-33:-1]}@example.org>"


def follow_up(agent: Crm, subject: str, text: str) -> None:
    agent.outside.deliver(f"Re: {subject}", text, In_Reply_To=message_id(subject))


def notice(agent: Crm) -> Locator:
    return agent.composer.element.get_by_text("A message came while you were writing")


def test_answer_to_what_arrived_on_the_open_page_is_sent_at_once(agent: Crm, subject: str) -> None:
    follow_up(agent, subject, "The second.")
    agent.message_with("The second.").locator("[data-action=reply]").click()
    expect(agent.composer.text).to_be_focused()
    agent.composer.write("Both answered.")
    agent.composer.send()
    expect(agent.composer.action("undo")).to_be_focused()
    expect(notice(agent)).to_have_count(0)


def test_message_that_was_read_while_writing_holds_nothing_up(agent: Crm, subject: str) -> None:
    agent.composer.write("I begin, ")
    follow_up(agent, subject, "The second.")
    with agent.page.expect_response(lambda each: each.url.endswith("/read/")):
        agent.message_with("The second.")
    agent.composer.write("and end.")
    agent.composer.send()
    expect(agent.composer.action("undo")).to_be_focused()
    expect(notice(agent)).to_have_count(0)


def test_look_first_leads_to_the_message_that_nobody_has_seen(agent: Crm, subject: str) -> None:
    agent.composer.write("My answer.")
    # The page hears of nothing for a while, as with a bad connection.
    agent.page.route("**/feed/?*", lambda route: route.fulfill(status=304))
    follow_up(agent, subject, "Forget it.")
    agent.eventually(
        lambda: sum(subject in each.subject for each in agent.demo.fates()) == 2,
        "it does not arrive",
    )
    agent.composer.send()
    expect(notice(agent)).to_be_visible()
    agent.page.unroute("**/feed/?*")
    agent.composer.action("look").click()
    expect(notice(agent)).to_have_count(0)
    top = agent.page.locator(".message:has(.message-top:focus)")
    expect(top).to_have_count(1)
    assert "Forget it." in agent.eventually(lambda: agent.mail_text(top), "nothing is shown")
    expect(agent.composer.text).to_contain_text("My answer.")
    agent.composer.send()
    expect(agent.composer.action("undo")).to_be_focused()
