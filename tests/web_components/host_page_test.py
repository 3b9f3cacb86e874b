"""The least of all hosts in a real browser: components and lime-elements under its policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import AGENT, PASSWORD
from limepkg_email.web_components import URL_PREFIX, Manifest
from tests.e2e.conftest import browser

__all__ = ["browser"]

pytestmark = pytest.mark.browser

INDICATOR = "lwc-unread-message-icon-indicator"

WATCH = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
addEventListener('error', (event) => violations.push(`error ${event.message}`));
addEventListener('unhandledrejection', (event) => violations.push(`rejected ${event.reason}`));
"""

ROWS = """
const done = arguments[arguments.length - 1];
const { platform } = await import('./host.js');
const requests = () =>
  performance.getEntriesByType('resource').filter((each) => each.name.includes('/unread/')).length;
const before = requests();
const context = { limetype: 'helpdesk' };
const cells = arguments[0].map((id) => {
  const cell = document.createElement('lwc-unread-message-icon-indicator');
  Object.assign(cell, { platform, context, data: { id } });
  document.querySelector('main').append(cell);
  return cell;
});
setTimeout(() => {
  const labels = cells.map(
    (each) => each.shadowRoot.querySelector('.unread')?.getAttribute('aria-label') ?? '',
  );
  done({ requests: requests() - before, labels });
}, 1500);
"""

BUTTON = """
const done = arguments[arguments.length - 1];
const button = document.createElement('limel-icon-button');
Object.assign(button, { icon: 'trash', label: 'Delete' });
document.querySelector('main').append(button);
const icon = () => button.shadowRoot?.querySelector('limel-icon')?.shadowRoot?.querySelector('svg');
const look = (tries) =>
  icon() || tries === 0 ? done(Boolean(icon())) : setTimeout(look, 100, tries - 1);
look(50);
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def agent(browser: Chrome, demo: Demo) -> Chrome:
    """A browser in which the agent is signed in, and which notes what the policy refuses."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    browser.get(f"{demo.url}/{APPLICATION}/")
    browser.find_element(By.NAME, "login").send_keys(AGENT[0])
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"
    return browser


def open_host(agent: Chrome, demo: Demo, **query: Any) -> None:
    parameters = urlencode({"application": APPLICATION, **query})
    agent.get(f"{demo.url}{URL_PREFIX}/host/?{parameters}")
    assert agent.find_element(By.CSS_SELECTOR, "html[data-ready=true]")


def violations(agent: Chrome) -> list[str]:
    found: list[str] = agent.execute_script("return window.violations")
    return found


def test_a_page_of_a_table_asks_once_what_is_unread(
    built: Manifest, agent: Chrome, demo: Demo
) -> None:
    open_host(agent, demo)
    result = agent.execute_async_script(ROWS, list(range(1, 13)))
    assert result["requests"] == 1
    assert "1 conversation with unread messages" in result["labels"]
    assert "" in result["labels"]
    assert violations(agent) == []


def test_texts_are_in_the_language_of_the_page(built: Manifest, agent: Chrome, demo: Demo) -> None:
    open_host(agent, demo, language="sv")
    result = agent.execute_async_script(ROWS, list(range(1, 13)))
    assert "1 konversation med olästa meddelanden" in result["labels"]
    assert violations(agent) == []


def test_lime_elements_and_icons_work_without_unsafe_scripts(
    built: Manifest, agent: Chrome, demo: Demo
) -> None:
    open_host(agent, demo)
    assert agent.execute_async_script(BUTTON) is True
    assert violations(agent) == []


def test_the_address_can_set_declared_properties_and_nothing_else(
    built: Manifest, agent: Chrome, demo: Demo
) -> None:
    props = '{"innerHTML": "<b id=evil></b>", "field": "unread", "id": "evil"}'
    open_host(agent, demo, component=INDICATOR, props=props, limetype="helpdesk", id=1)
    shown = agent.find_element(By.TAG_NAME, INDICATOR)
    assert shown.get_attribute("field") == "unread"
    assert agent.execute_script("return document.getElementById('evil')") is None
    open_host(agent, demo, component="img")
    assert agent.execute_script("return document.querySelector('main').children.length") == 0
