"""An administrator connects a mailbox in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from limepkg_email.reference.demo import APPLICATION, Demo, DemoOptions
from limepkg_email.reference.seed import ADMINISTRATOR, PASSWORD

pytestmark = pytest.mark.browser

_MAKE_LINK = """
    const [body, done] = arguments;
    fetch("/demo/limepkg-email/account/form/", {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(body),
    }).then((answer) => answer.json()).then(done);
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def admin(browser: Chrome, demo: Demo) -> Chrome:
    """A browser in which the administrator is signed in."""
    browser.get(f"{demo.url}/{APPLICATION}/")
    browser.find_element(By.NAME, "login").send_keys(ADMINISTRATOR[0])
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.NAME, "password").submit()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Tickets"
    return browser


def fill_in(admin: Chrome, demo: Demo, password: str, **body: Any) -> None:
    """Make a link and fill the form in, up to the result on our page."""
    admin.get(f"{demo.url}/{APPLICATION}/tickets")
    link = admin.execute_async_script(_MAKE_LINK, {"back": f"/{APPLICATION}/tickets", **body})
    admin.get(link["url"])
    admin.find_element(By.NAME, "password").send_keys(password)
    admin.find_element(By.NAME, "password").submit()
    WebDriverWait(admin, 15).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "#progress.done, #progress.failed")
    )


def said(admin: Chrome) -> str:
    return admin.find_element(By.ID, "progress").text


def test_a_wrong_password_is_told_and_signing_in_again_mends_it(admin: Chrome, demo: Demo) -> None:
    fill_in(admin, demo, "wrong", email="sales@example.com")
    assert "sales@example.com is stored, but does not work yet." in said(admin)
    assert admin.find_element(By.ID, "advice").text == "Sign in to the mailbox again."
    assert "token" not in admin.current_url, "the address is not left in the history"
    fill_in(admin, demo, "right", account=2)
    assert said(admin) == "sales@example.com is connected."
    admin.find_element(By.ID, "back").click()
    assert admin.find_element(By.TAG_NAME, "h1").text == "Tickets"
    # The script and the style are let in by the page's policy, and nothing has complained.
    assert admin.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_an_address_that_was_made_up_is_refused_in_words(admin: Chrome, demo: Demo) -> None:
    page = f"{demo.url}/{APPLICATION}/limepkg-email/account/connected/?token=x&account=%3Cb%3E"
    admin.get(page)
    WebDriverWait(admin, 15).until(
        lambda shown: shown.find_elements(By.CSS_SELECTOR, "#progress.failed")
    )
    assert said(admin) == "This is no sign-in that was begun here; begin a new one."
