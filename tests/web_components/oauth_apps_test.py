"""An administrator creates, changes, syncs and deletes OAuth2 applications in a real browser."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, expect

from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

TAG = "lwc-oauth-app-management"
KEPT = "Client secret (set; leave empty to keep it)"
SAME = "Applications and accounts are the same here and in the mail service."


@pytest.fixture
def admin(admin: HostPage) -> HostPage:
    """The administrator, at the list of applications."""
    admin.open(TAG)
    return admin


def app(admin: HostPage, name: str) -> Locator:
    return admin.page.locator(".apps").get_by_role("listitem").filter(has_text=name)


def sync_panel(admin: HostPage) -> Locator:
    return admin.page.locator(".panel.sync")


def fill(admin: HostPage, name: str, client_id: str) -> None:
    admin.field("Name").fill(name)
    admin.field("Client id").fill(client_id)
    admin.field("Client secret").fill("s3cret")


def create(admin: HostPage, name: str, client_id: str) -> None:
    admin.button("Add application").click()
    fill(admin, name, client_id)
    admin.button("Create").click()
    expect(app(admin, name)).to_be_visible()


def delete(admin: HostPage, name: str) -> str:
    """Delete an application and its accounts; gives what was asked."""
    admin.button(f"Delete: {name}").click()
    asked = admin.agree("Delete")
    expect(admin.page.get_by_text(f"{name} is deleted.")).to_be_visible()
    return asked


def sign_in_with(admin: HostPage, application: str, email: str) -> None:
    """Connect a mailbox with an application."""
    admin.open("lwc-account-management")
    admin.button("Add account").click()
    admin.page.get_by_role("radio", name=application).check()
    admin.field("Email address").fill(email)
    admin.button("Go on to sign in").click()
    admin.button("Allow").click()
    expect(admin.page.locator("#progress.done, #progress.failed")).to_be_visible()
    admin.page.get_by_role("link", name="Back").click()
    expect(admin.page.locator(".panel.arrival")).to_contain_text(f"{email} is connected.")


def engine(admin: HostPage, path: str, body: dict[str, Any]) -> None:
    """Change something in the mail service behind the CRM's back."""
    kept = json.loads((admin.demo.options.directory / "demo.json").read_text("utf-8"))
    headers = {"Authorization": f"Bearer {kept['token']}", "Content-Type": "application/json"}
    data = json.dumps(body).encode()
    urlopen(Request(f"{admin.demo.engine_url}/v1/{path}", data, headers), timeout=60).close()


def add_elsewhere(admin: HostPage, name: str) -> str:
    """Connect a mailbox in the mail service; gives its address."""
    login = {"host": "127.0.0.1", "port": 993, "auth": {"user": "x", "pass": "y"}}
    email = f"{name.lower()}@example.com"
    account = {"account": name.lower(), "name": name, "email": email}
    engine(admin, "account", {**account, "imap": login, "smtp": login})
    return email


def test_the_redirect_address_is_shown_and_copied_before_there_is_anything(
    admin: HostPage,
) -> None:
    address = f"{admin.demo.engine_url}/oauth"
    expect(admin.page.get_by_text("No OAuth2 applications yet")).to_be_visible()
    expect(admin.page.get_by_role("code")).to_have_text(address)
    admin.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.button("Copy: Redirect address").click()
    expect(admin.page.get_by_text("Copied.")).to_be_visible()
    assert admin.page.evaluate("navigator.clipboard.readText()") == address


def test_an_application_is_created_changed_and_deleted(admin: HostPage) -> None:
    create(admin, "Google mail", "google-1")
    google = app(admin, "google-1")
    expect(google).to_contain_text("Google · IMAP and SMTP")
    expect(google).to_contain_text("0 accounts")
    admin.button("Edit: Google mail").click()
    # A secret is never shown.
    expect(admin.field(KEPT)).to_have_value("")
    admin.field("Name").fill("Our Google")
    admin.choose("Access by", "Gmail API")
    admin.button("Save").click()
    expect(google).to_contain_text("Gmail API")
    assert "No account signs in with it." in delete(admin, "Our Google")
    expect(google).to_have_count(0)


def test_what_is_missing_or_wrong_is_told_at_its_field(admin: HostPage) -> None:
    admin.button("Add application").click()
    admin.button("Create").click()
    for name in ("name", "client_id", "client_secret"):
        told = admin.page.locator(f"[data-field={name}]")
        expect(told).to_contain_text("This is needed.")
    fill(admin, "Wrong", "two words")
    admin.button("Create").click()
    expect(admin.page.locator("[data-field=client_id]")).to_contain_text("without spaces")
    admin.button("Cancel").click()
    expect(admin.page.locator("limel-dialog")).to_have_count(0)


def test_microsoft_asks_for_the_tenant_and_its_mailboxes_go_with_the_application(
    admin: HostPage,
) -> None:
    admin.button("Add application").click()
    admin.choose("Provider", "Microsoft")
    fill(admin, "Entra", "entra-1")
    admin.field("Tenant").fill("contoso.example")
    admin.choose("Access by", "Microsoft Graph")
    admin.button("Create").click()
    expect(app(admin, "Entra")).to_contain_text("Microsoft Graph · contoso.example")
    sign_in_with(admin, "Entra", "graph@example.com")
    admin.open(TAG)
    expect(app(admin, "Entra")).to_contain_text("1 account")
    assert "This account goes with it:\ngraph@example.com" in delete(admin, "Entra")
    done = admin.page.locator(".panel.done")
    expect(done).to_contain_text("graph@example.com: deleted")


def test_a_sync_says_what_it_would_do_then_what_it_did(admin: HostPage) -> None:
    panel = sync_panel(admin)
    admin.button("Sync").click()
    expect(panel).to_contain_text(SAME)
    admin.button("Close").click()
    added = f"1 account added: {add_elsewhere(admin, 'Elsewhere')}"
    admin.button("Sync").click()
    expect(panel).to_contain_text("This would change here")
    expect(panel.get_by_role("listitem")).to_have_text([added])
    admin.button("Sync now").click()
    expect(panel).to_contain_text("Applications and accounts are synced.")
    expect(panel.get_by_role("listitem")).to_have_text([added])
    admin.button("Close").click()
    admin.button("Sync").click()
    expect(panel).to_contain_text(SAME)


def test_a_sync_that_is_not_agreed_to_changes_nothing(admin: HostPage) -> None:
    email = add_elsewhere(admin, "Stranger")
    admin.button("Sync").click()
    expect(sync_panel(admin)).to_contain_text(email)
    admin.button("Cancel").click()
    expect(sync_panel(admin)).to_have_count(0)
    admin.open("lwc-account-management")
    expect(admin.page.get_by_role("table")).to_contain_text("support@example.com")
    expect(admin.page.get_by_role("table")).not_to_contain_text(email)
    admin.open(TAG)
    admin.button("Sync").click()
    admin.button("Sync now").click()
    expect(sync_panel(admin)).to_contain_text("Applications and accounts are synced.")
    admin.open("lwc-account-management")
    new = admin.page.get_by_role("row").filter(has_text=email)
    # What nobody here asked for sends and imports nothing by itself.
    expect(new).to_contain_text("Disabled")


def test_a_sync_brings_an_application_that_was_made_in_the_mail_service(admin: HostPage) -> None:
    made = {"name": "Made there", "provider": "gmail", "clientId": "there-1"}
    redirect = f"{admin.demo.engine_url}/oauth"
    secret = {"clientSecret": "x", "redirectUrl": redirect, "baseScopes": "imap"}
    engine(admin, "oauth2", {**made, **secret, "enabled": True})
    admin.button("Sync").click()
    report = sync_panel(admin).get_by_role("listitem")
    expect(report).to_have_text(["1 application added: Made there"])
    admin.button("Sync now").click()
    expect(sync_panel(admin)).to_contain_text("Applications and accounts are synced.")
    expect(report).to_have_text(["1 application added: Made there"])
    expect(app(admin, "Made there")).to_contain_text("there-1")
    delete(admin, "Made there")


def test_a_sync_without_the_mail_service_says_why_it_failed(admin: HostPage) -> None:
    admin.outside.fail_once("/v1/*", 503, times=100)
    try:
        admin.button("Sync").click()
        expect(sync_panel(admin)).to_contain_text("The sync failed.")
        expect(sync_panel(admin)).to_contain_text("does not answer")
    finally:
        admin.outside.control_delete("/faults")
    # The browser tells of the answer as well.
    (told,) = admin.wrong
    assert "503" in told
    admin.wrong.clear()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(admin: HostPage, width: int) -> None:
    admin.wide(width)
    expect(admin.page.get_by_role("code")).to_be_visible()
    assert not admin.scrolls_sideways()
    admin.button("Add application").click()
    expect(admin.field("Client id")).to_be_visible()
    assert not admin.scrolls_sideways()


def test_without_the_mail_service_the_list_still_stands(admin: HostPage) -> None:
    create(admin, "Stays", "stays-1")
    admin.outside.fail_once("/v1/oauth2", 503, times=100)
    try:
        admin.open(TAG)
        failed = admin.page.locator(".panel.failed")
        expect(failed).to_contain_text("The mail service does not answer.")
        expect(app(admin, "Stays")).to_be_visible()
    finally:
        admin.outside.control_delete("/faults")
    admin.open(TAG)
    delete(admin, "Stays")
