"""The least of all hosts in a real browser: components and lime-elements under its policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

INDICATOR = "lwc-unread-message-icon-indicator"
ROWS = 12

_ROWS = """
for (let id = 1; id <= args[0]; id++) {
  const cell = document.createElement('lwc-unread-message-icon-indicator');
  Object.assign(cell, { platform, context: { limetype: 'helpdesk' }, data: { id } });
  document.querySelector('main').append(cell);
}
"""

_BUTTON = """
const button = document.createElement('limel-icon-button');
Object.assign(button, { icon: 'trash', label: 'Delete' });
document.querySelector('main').append(button);
"""


def table(agent: HostPage) -> Locator:
    """Put a page of a table of tickets on the page; gives its cells."""
    agent.ask(_ROWS, ROWS)
    cells = agent.page.locator(INDICATOR)
    expect(cells).to_have_count(ROWS)
    return cells


def test_a_page_of_a_table_asks_once_what_is_unread(agent: HostPage) -> None:
    agent.open()
    asked: list[str] = []
    agent.page.on("request", lambda each: asked.append(each.url))
    cells = table(agent)
    marks = cells.get_by_role("img", name="1 conversation with unread messages", exact=True)
    expect(marks.first).to_be_visible()
    assert sum("/unread/" in each for each in asked) == 1
    assert cells.get_by_role("img").count() < ROWS, "all are said to be unread"


def test_texts_are_in_the_language_of_the_page(agent: HostPage) -> None:
    agent.open(language="sv")
    name = "1 konversation med olästa meddelanden"
    expect(table(agent).get_by_role("img", name=name, exact=True).first).to_be_visible()


def test_lime_elements_and_icons_work_without_unsafe_scripts(agent: HostPage) -> None:
    agent.open()
    agent.ask(_BUTTON)
    expect(agent.button("Delete").locator("svg")).to_be_visible()


def test_the_address_can_set_declared_properties_and_nothing_else(agent: HostPage) -> None:
    props = '{"innerHTML": "<b id=evil></b>", "field": "unread", "id": "evil"}'
    agent.open(INDICATOR, props=props, limetype="helpdesk", id=1)
    expect(agent.page.locator(INDICATOR)).to_have_js_property("field", "unread")
    expect(agent.page.locator("#evil")).to_have_count(0)
    agent.open("img")
    expect(agent.page.locator("main > *")).to_have_count(0)
