"""An administrator connects, changes and deletes mailboxes in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from limepkg_email.reference.demo import Demo, DemoOptions
from limepkg_email.web_components import Manifest
from tests.e2e.conftest import browser
from tests.web_components.admin_page import AdminPage

__all__ = ["browser"]

pytestmark = pytest.mark.browser

TAG = "lwc-account-management"
SUPPORT = "support@example.com"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def signed_in(browser: Chrome, demo: Demo) -> AdminPage:
    return AdminPage(browser, demo)


@pytest.fixture
def page(built: Manifest, signed_in: AdminPage) -> Iterator[AdminPage]:
    """The list of accounts; nothing may go wrong on the page while a test looks at it."""
    signed_in.wide(1280)
    signed_in.open(TAG)
    yield signed_in
    assert signed_in.wrong() == []


def sign_in(page: AdminPage, password: str) -> None:
    """Fill the mail engine's form in and come back to the list."""
    page.wait(lambda: "/accounts/new" in page.browser.current_url, "not at the form")
    page.browser.find_element(By.NAME, "password").send_keys(password)
    page.browser.find_element(By.NAME, "password").submit()
    page.wait(
        lambda: page.browser.find_elements(By.CSS_SELECTOR, "#progress.done, #progress.failed"),
        "the form does not end",
    )
    page.browser.find_element(By.ID, "back").click()


def connect(page: AdminPage, email: str, password: str = "right") -> None:
    page.click("Add account")
    page.type("Email address", email)
    page.click("Go on to sign in")
    sign_in(page, password)
    page.says(".arrival", email)


def select(page: AdminPage, email: str) -> None:
    page.click(f"Select {email}", "input")


def row(email: str) -> str:
    return f"tr:has([aria-label$='{email}'])"


def test_a_mailbox_is_connected_through_the_form_and_stands_in_the_list(page: AdminPage) -> None:
    connect(page, "sales@example.com")
    page.says(".arrival", "sales@example.com is connected.")
    page.says(row("sales@example.com"), "Connected")


def test_unread_mail_from_before_is_counted_before_any_is_imported(page: AdminPage) -> None:
    deliver(page.demo, "news@example.com", "Old one")
    deliver(page.demo, "news@example.com", "Old two")
    connect(page, "news@example.com")
    page.says(".arrival", "2 unread mails from before")
    page.says(row("news@example.com"), "Disabled")
    page.click("Import 2 mails")
    said = page.says(".recovered", "news@example.com")
    assert "listed 2, imported 2, unaccounted 0" in said
    page.says(row("news@example.com"), "unaccounted 0")


def test_a_wrong_password_shows_why_and_the_next_step_mends_it(page: AdminPage) -> None:
    connect(page, "wrong@example.com", "wrong")
    assert "is stored but does not work yet" in page.text(".arrival")
    said = page.says(row("wrong@example.com"), "Sign-in refused")
    assert "Sign in to the mailbox again." in said
    page.click("Sign in again: wrong@example.com")
    sign_in(page, "right")
    page.says(".arrival", "wrong@example.com is connected.")
    page.says(row("wrong@example.com"), "Connected")


def test_an_address_that_is_none_is_refused_at_the_field(page: AdminPage) -> None:
    page.click("Add account")
    page.type("Email address", "nobody")
    page.click("Go on to sign in")
    page.wait(lambda: "Enter the mailbox" in page.told_by_fields(), "no word about the address")
    page.type("Email address", SUPPORT)
    page.click("Go on to sign in")
    page.wait(lambda: "is connected already" in page.told_by_fields(), "no word of the server")
    page.click("Cancel")


def test_disabling_says_what_happens_and_enabling_is_the_next_step(page: AdminPage) -> None:
    connect(page, "pause@example.com")
    page.says(row("pause@example.com"), "Connected")
    select(page, "pause@example.com")
    page.click("Disable")
    asked = page.agree("Disable")
    assert "Disable 1 account?" in asked
    assert "pause@example.com" in asked
    assert "until they are enabled again" in asked
    page.says(".outcomes", "pause@example.com: disabled")
    page.says(row("pause@example.com"), "Disabled")
    page.click("Enable: pause@example.com")
    page.agree("Enable")
    page.says(".outcomes", "pause@example.com: enabled")
    page.says(row("pause@example.com"), "Connected")


def test_deleting_says_what_stays_and_tells_the_outcome(page: AdminPage) -> None:
    connect(page, "gone@example.com")
    select(page, "gone@example.com")
    page.click("Delete")
    asked = page.agree("Delete")
    assert "all conversations stay" in asked
    page.says(".outcomes", "gone@example.com: deleted")
    page.wait(lambda: not page.all("css", row("gone@example.com")), "it is still there")


def test_emails_of_selected_accounts_are_synced_with_a_report_for_each(page: AdminPage) -> None:
    select(page, SUPPORT)
    page.click("Sync emails")
    said = page.says(".recovered", SUPPORT)
    assert "Emails of 1 account are synced." in said
    assert "unaccounted 0" in said
    page.says(row(SUPPORT), "unaccounted 0")


def test_settings_are_changed_and_wrong_ones_are_told_at_their_field(page: AdminPage) -> None:
    page.click(f"Edit: {SUPPORT}")
    page.type("Name", "Helpdesk")
    page.type("Further addresses", "nonsense")
    page.click("Save")
    page.wait(
        lambda: "nonsense is no email address" in page.told_by_fields(), "no word of the alias"
    )
    page.type("Further addresses", "help@example.com")
    page.type("Time zone", "Mars/Base")
    page.click("Save")
    page.wait(lambda: "no time zone" in page.told_by_fields(), "no word of the time zone")
    page.type("Time zone", "Europe/Stockholm")
    page.click("Save")
    said = page.says(row(SUPPORT), "Helpdesk")
    assert "help@example.com" in said
    assert not page.all("css", "limel-dialog")


def test_the_list_is_narrowed_down_by_words_and_by_state(page: AdminPage) -> None:
    page.one("css", row(SUPPORT))
    page.type("Search name or address", "nobody at all")
    page.says(".empty", "No account matches.")
    page.type("Search name or address", "support")
    page.one("css", row(SUPPORT))
    page.choose("State", "Server not reachable")
    page.says(".empty", "No account matches.")


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(page: AdminPage, width: int) -> None:
    page.wide(width)
    page.one("css", row(SUPPORT))
    assert not page.scrolls_sideways()
    select(page, SUPPORT)
    assert not page.scrolls_sideways()
    page.click(f"Edit: {SUPPORT}")
    page.one("input", "Time zone")
    assert not page.scrolls_sideways()
    page.click("Cancel")


def test_a_form_that_is_only_read_changes_nothing(page: AdminPage) -> None:
    page.open(TAG, props='{"readonly": true, "label": "Mailboxes", "helperText": "All of them"}')
    page.says("h2", "Mailboxes")
    page.says("table", SUPPORT)
    assert page.all("button", "Add account") == []
    assert page.all("button", f"Edit: {SUPPORT}") == []


def test_the_page_is_in_swedish(page: AdminPage) -> None:
    page.open(TAG, language="sv")
    page.says("h2", "E-postkonton")
    page.says("table", "Anslutet")


def deliver(demo: Demo, mailbox: str, subject: str) -> None:
    """Let a mail arrive in a mailbox that is not connected yet."""
    control = f"{demo.engine_url}/control"
    address = {"address": mailbox, "name": ""}
    requests.post(f"{control}/mailboxes", json=address, timeout=30).raise_for_status()
    lines = (
        "From: c@example.org",
        f"To: {mailbox}",
        f"Subject: {subject}",
        "Date: Thu, 01 Oct 2026 10:00:00 +0000",
        "",
        "Hello.",
        "",
    )
    raw = "\r\n".join(lines)
    query = {"mailbox": mailbox, "sender": "c@example.org"}
    requests.post(
        f"{control}/deliver", params=query, data=raw.encode(), timeout=30
    ).raise_for_status()
