"""An administrator creates, changes, syncs and deletes OAuth2 applications in a real browser."""

from __future__ import annotations

import json
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

TAG = "lwc-oauth-app-management"
KEPT = "Client secret (set; leave empty to keep it)"


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
    """The list of applications; nothing may go wrong on the page while a test looks at it."""
    signed_in.wide(1280)
    signed_in.open(TAG)
    yield signed_in
    assert signed_in.wrong() == []


def create(page: AdminPage, name: str, client_id: str) -> None:
    page.click("Add application")
    page.type("Name", name)
    page.type("Client id", client_id)
    page.type("Client secret", "s3cret")
    page.click("Create")
    page.says(".apps", name)


def test_the_redirect_address_is_shown_and_copied_before_there_is_anything(
    page: AdminPage,
) -> None:
    page.says(".empty", "No OAuth2 applications yet")
    assert page.text("code") == f"{page.demo.engine_url}/oauth"
    page.browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.click("Copy: Redirect address")
    page.says(".said", "Copied.")
    read = "navigator.clipboard.readText().then(arguments[0])"
    assert page.browser.execute_async_script(read) == f"{page.demo.engine_url}/oauth"


def test_an_application_is_created_changed_and_deleted(page: AdminPage) -> None:
    create(page, "Google mail", "google-1")
    said = page.says(".apps", "IMAP and SMTP")
    assert "Google ·" in said
    assert "0 accounts" in said
    page.click("Edit: Google mail")
    assert page.one("input", KEPT).get_attribute("value") == "", "a secret is never shown"
    page.type("Name", "Our Google")
    page.choose("Access by", "Gmail API")
    page.click("Save")
    page.says(".apps", "Gmail API")
    page.click("Delete: Our Google")
    assert "No account signs in with it." in page.agree("Delete")
    page.says(".panel.done", "Our Google is deleted.")
    page.says(".empty", "No OAuth2 applications yet")


def test_what_is_missing_or_wrong_is_told_at_its_field(page: AdminPage) -> None:
    page.click("Add application")
    page.click("Create")
    page.wait(lambda: page.told_by_fields().count("This is needed.") == 3, "not all three are told")
    page.type("Name", "Wrong")
    page.type("Client id", "two words")
    page.type("Client secret", "x")
    page.click("Create")
    page.wait(lambda: "without spaces" in page.told_by_fields(), "no word of the client id")
    page.click("Cancel")
    page.wait(lambda: not page.all("css", "limel-dialog"), "the dialog stays")


def test_microsoft_asks_for_the_tenant_and_its_mailboxes_go_with_the_application(
    page: AdminPage,
) -> None:
    page.click("Add application")
    page.choose("Provider", "Microsoft")
    page.type("Name", "Entra")
    page.type("Client id", "entra-1")
    page.type("Client secret", "s3cret")
    page.type("Tenant", "contoso.example")
    page.choose("Access by", "Microsoft Graph")
    page.click("Create")
    said = page.says(".apps", "Microsoft Graph")
    assert "contoso.example" in said
    sign_in_with(page, "Entra", "graph@example.com")
    page.open(TAG)
    page.says(".apps", "1 account")
    page.click("Delete: Entra")
    asked = page.agree("Delete")
    assert "This account goes with it:\ngraph@example.com" in asked
    page.says(".panel.done", "graph@example.com: deleted")


def sign_in_with(page: AdminPage, application: str, email: str) -> None:
    """Connect a mailbox with an application."""
    page.open("lwc-account-management")
    page.click("Add account")
    page.wait(lambda: [each for each in page.all("css", ".kind") if application in each.text],
              "the application is not offered")[0].click()  # fmt: skip
    page.type("Email address", email)
    page.click("Go on to sign in")
    page.wait(lambda: "/accounts/consent" in page.browser.current_url, "not at the provider")
    page.browser.find_element(By.CSS_SELECTOR, "button[value=allow]").click()
    page.wait(
        lambda: page.browser.find_elements(By.CSS_SELECTOR, "#progress.done, #progress.failed"),
        "the sign-in does not end",
    )
    page.browser.find_element(By.ID, "back").click()
    page.says(".arrival", f"{email} is connected.")


def test_a_sync_says_what_it_would_do_then_what_it_did(page: AdminPage) -> None:
    page.click("Sync")
    page.says(".sync", "the same here and in the mail service")
    page.click("Close")
    elsewhere = {"host": "127.0.0.1", "port": 993, "auth": {"user": "x", "pass": "y"}}
    requests.post(
        f"{page.demo.engine_url}/v1/account",
        headers={"Authorization": f"Bearer {token(page.demo)}"},
        json={
            "account": "elsewhere",
            "name": "Elsewhere",
            "email": "elsewhere@example.com",
            "imap": elsewhere,
            "smtp": elsewhere,
        },
        timeout=30,
    ).raise_for_status()
    page.click("Sync")
    page.says(".sync", "This would change here")
    page.says(".sync-report", "1 account added: elsewhere@example.com")
    page.click("Sync now")
    said = page.says(".sync", "Applications and accounts are synced.")
    assert "1 account added: elsewhere@example.com" in said
    page.click("Close")
    page.click("Sync")
    page.says(".sync", "the same here and in the mail service")


def token(demo: Demo) -> str:
    kept = json.loads((demo.options.directory / "demo.json").read_text("utf-8"))
    return str(kept["token"])


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(page: AdminPage, width: int) -> None:
    page.wide(width)
    page.one("css", "code")
    assert not page.scrolls_sideways()
    page.click("Add application")
    page.one("input", "Client id")
    assert not page.scrolls_sideways()
    page.click("Cancel")


def test_without_the_mail_service_the_list_still_stands(page: AdminPage) -> None:
    create(page, "Stays", "stays-1")
    control = f"{page.demo.engine_url}/control/faults"
    fault = {"method": "GET", "path": "/v1/oauth2", "status": 503, "times": 100}
    requests.post(control, json=fault, timeout=30).raise_for_status()
    try:
        page.open(TAG)
        page.says(".panel.failed", "The mail service does not answer.")
        page.says(".apps", "Stays")
    finally:
        requests.delete(control, timeout=30).raise_for_status()
