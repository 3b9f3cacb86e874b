"""The demo in a real browser: the customer mails, the agent answers, the customer replies."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from limepkg_email.reference.demo import Demo
from tests.e2e.crm import WINDOWS, Crm

pytestmark = pytest.mark.browser

FORBIDDEN = ("<script", "onclick", "javascript:", "<form", "<iframe", 'src="http')


def test_every_sample_is_accounted_for(demo: Demo) -> None:
    # A mail that another test has sent is no sample.
    fates = [each.disposition for each in demo.fates() if each.subject != "My very own"]
    assert sorted(set(fates)) == ["filtered", "imported"]
    # Twelve samples, and the report about a mail that the agent wrote.
    assert len(fates) == 13
    assert fates.count("filtered") == 2


def test_reply_is_shown_without_its_quoted_history(agent: Crm) -> None:
    agent.open_ticket("Booking for two persons")
    texts = []
    for message in agent.messages.and_(agent.page.locator(".open")).all():
        expect(agent.body(message)).not_to_be_empty()
        texts.append(agent.body(message).inner_text())
    assert any("three after all" in text for text in texts)
    assert not any("wrote:" in text for text in texts)


def test_other_followers_get_the_reply_and_customers_an_automatic_answer(agent: Crm) -> None:
    page = agent.page
    page.goto(agent.demo.engine_url)
    page.get_by_role("link", name="anna@example.org").click()
    expect(page.get_by_role("link", name="Lisa Lind via Support").first).to_be_visible()
    expect(page.get_by_role("link", name="We have received: Booking").first).to_be_visible()


def test_hostile_html_runs_no_script_and_loads_nothing(agent: Crm) -> None:
    opened: list[str] = []
    asked: list[str] = []
    agent.page.on("dialog", lambda dialog: opened.append(dialog.message))
    agent.page.on("request", lambda request: asked.append(request.url))
    agent.open_ticket("You have won <script>alert(1)</script>")
    body = agent.body(agent.messages.first)
    expect(body).to_contain_text("You have won")
    expect(body).not_to_contain_text("display:none")
    markup = body.inner_html()
    assert [each for each in FORBIDDEN if each in markup] == []
    assert opened == []
    at_home = (agent.demo.url, "data:", "blob:")
    assert [each for each in asked if not each.startswith(at_home)] == []


def test_pictures_inside_a_mail_are_shown(agent: Crm) -> None:
    agent.open_ticket("Felanmälan: skärmen på övervåningen blinkar")
    picture = agent.body(agent.messages.first).get_by_role("img")
    expect(picture).to_have_js_property("naturalWidth", 120)
    expect(agent.page.get_by_role("link", name="faktura")).to_be_visible()


def test_mail_of_ones_own_becomes_a_ticket(agent: Crm) -> None:
    agent.outside.deliver("My very own", "Hi", sender="new@example.org")
    agent.open_ticket("My very own")


@pytest.mark.parametrize("window", WINDOWS)
def test_pages_fit_the_window(agent: Crm, window: str) -> None:
    for path in ("tickets", "tickets/new", "people"):
        agent.go(path)
        assert not agent.scrolls_sideways(), path
    agent.open_ticket("Booking for two persons")
    assert not agent.scrolls_sideways()
