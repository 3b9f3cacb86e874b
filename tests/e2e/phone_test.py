"""Somebody on their way: a phone that is touched, and no wider than a hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.crm import PHONE, Crm

pytestmark = [pytest.mark.browser, pytest.mark.browser_context_args(**PHONE)]

# What people send from their desks: wider than any phone.
HTML = f"""
<table width="900"><tr><td>Where</td><td>Platform 9</td><td>{"so-long" * 30}</td></tr></table>
<pre>{"a line that nobody has broken " * 9}</pre><p>Shall we wait?</p>
"""


def test_agent_reads_answers_and_sends_without_scrolling_sideways(agent: Crm) -> None:
    agent.outside.deliver("From the road", "x", HTML)
    agent.wait_for_ticket("From the road").tap()
    expect(agent.body(agent.messages.first)).to_contain_text("Shall we wait?")
    assert not agent.scrolls_sideways(), "the ticket is too wide"
    composer = agent.composer
    composer.element.locator("button.line").tap()
    expect(composer.text).to_be_focused()
    expect(composer.text).to_be_in_viewport()
    composer.write("Yes, on the bench.")
    assert not agent.scrolls_sideways(), "the composer is too wide"
    send = composer.element.get_by_role("button", name="Send", exact=True)
    send.scroll_into_view_if_needed()
    send.tap()
    agent.message_with("Yes, on the bench.")
    assert not agent.scrolls_sideways(), "the answer is too wide"
    agent.eventually(
        lambda: agent.outside.mails("anna@example.org", "on the bench"), "it does not arrive"
    )
