"""An administrator's day on the CRM's pages, and what other people do not see of it."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from limepkg_email.engine.types import Message
from limepkg_email.hooks import hookimpl, register
from limepkg_email.reference.access import FULL_ACCESS, USE, Role
from limepkg_email.reference.demo import APPLICATION, Demo
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT, PASSWORD
from tests.e2e.crm import COMPOSER, Crm

pytestmark = pytest.mark.browser


@pytest.fixture
def admin(crm: Crm) -> Crm:
    if not crm.browser.get_cookies() or "Ada" not in _user(crm):
        crm.sign_in(ADMINISTRATOR[0])
    return crm


def _user(crm: Crm) -> str:
    crm.go("tickets")
    return crm.browser.find_element(By.TAG_NAME, "body").text


def test_mailbox_is_connected_by_the_form_and_its_mail_becomes_tickets(admin: Crm) -> None:
    admin.go("admin/accounts")
    admin.click("Add account")
    admin.type("Email address", "orders@example.com")
    admin.click("Go on to sign in")
    admin.wait(lambda: "/accounts/new" in admin.browser.current_url, "not at the form")
    admin.browser.find_element(By.NAME, "password").send_keys("right")
    admin.browser.find_element(By.NAME, "password").submit()
    admin.wait(
        lambda: admin.all("css", "#progress.done, #progress.failed"), "the form does not end"
    )
    admin.browser.find_element(By.ID, "back").click()
    admin.wait(lambda: "/admin/accounts" in admin.browser.current_url, "not back on the page")
    admin.says(".arrival", "orders@example.com is connected.")
    admin.says("tr:has([aria-label$='orders@example.com'])", "Connected")
    assert admin.wrong() == []


def test_oauth2_application_is_added_and_synced(admin: Crm) -> None:
    admin.go("admin/oauth-applications")
    admin.click("Add application")
    admin.type("Name", "Our Google")
    admin.type("Client id", "google-9")
    admin.type("Client secret", "s3cret")
    admin.click("Create")
    admin.says(".apps", "Our Google")
    assert "s3cret" not in admin.browser.page_source
    assert admin.wrong() == []


def test_template_is_written_with_a_preview_and_offered_to_the_agent(admin: Crm) -> None:
    admin.go("admin/templates")
    admin.click("New template")
    field = admin.one("css", "[data-field=name]").shadow_root
    field.find_element(By.CSS_SELECTOR, "input").send_keys("Directions")
    admin.one("css", "textarea[aria-label=Text]").clear()
    admin.one("css", "textarea[aria-label=Text]").send_keys("<p>Dear {{ recipient.name }}</p>")
    preview = admin.one("css", "iframe")
    admin.wait(
        lambda: (
            "Dear Alva Lind"
            in admin.browser.execute_script(
                "return arguments[0].contentDocument.body.innerText", preview
            )
        ),
        "no preview",
    )
    admin.one("css", ".save").click()
    admin.wait(
        lambda: any("Directions" in each.text for each in admin.all("css", "[data-id]")),
        "it is not in the list",
    )
    assert admin.wrong() == []


def test_accounts_are_synced_until_nothing_is_unaccounted(admin: Crm) -> None:
    admin.go("admin/accounts")
    admin.click("Select support@example.com", "input")
    admin.click("Sync emails")
    admin.says(".recovered", "unaccounted 0")


def test_recovery_shows_progress_and_a_report_of_every_mailbox(admin: Crm) -> None:
    admin.go("admin/recovery")
    admin.browser.find_element(By.XPATH, "//button[contains(., 'Start recovery')]").click()
    admin.notice("The recovery is done.")
    reports = admin.wait(lambda: admin.all("css", ".report .unaccounted"), "no report")
    assert {each.text for each in reports} == {"0 unaccounted"}
    assert admin.wrong() == []


class Gate:
    """An extension's filter that breaks on some mails until it is repaired."""

    name = "gate"
    description = "Breaks on mails with a hard subject."
    broken = True

    @hookimpl
    def message_filters(self) -> list[Gate]:
        return [self]

    def decide(self, message: Message) -> None:
        if self.broken and "hard nut" in message.subject:
            raise RuntimeError("the gate is shut")


def test_failed_mail_says_why_and_is_imported_by_trying_again(
    admin: Crm, shared_demo: Demo
) -> None:
    gate = Gate()
    register(shared_demo._integration.plugins, gate)
    admin.deliver("A hard nut", "Open up.")
    admin.wait(lambda: "A hard nut" in _failed(admin), "it is not among the failed")
    row = admin.browser.find_element(By.XPATH, "//tr[contains(., 'A hard nut')]")
    assert "the gate is shut" in row.text
    assert "tried once" in row.text
    gate.broken = False
    row.find_element(By.XPATH, ".//button[.='Try again']").click()
    admin.notice("is tried again")
    admin.wait(lambda: "No mail has failed" in _failed(admin), "it stays in the list")
    admin.open_ticket("A hard nut")
    assert admin.wrong() == []


def _failed(admin: Crm) -> str:
    admin.go("admin/failed")
    return admin.wait(lambda: admin.text("#page"), "the page is empty")


def test_agent_sees_nothing_of_the_administration(crm: Crm) -> None:
    crm.sign_in(AGENT[0])
    assert not crm.browser.find_elements(By.LINK_TEXT, "Admin")
    for page in ("setup", "accounts", "failed", "settings"):
        crm.go(f"admin/{page}")
        assert "for administrators" in crm.text("main"), page
    statuses = crm.browser.execute_async_script(
        "const done = arguments[1]; Promise.all(arguments[0].map((path) =>"
        "fetch(`/demo/limepkg-email/${path}`).then((answer) => answer.status))).then(done)",
        ["account/", "oauth_app/", "settings/", "audit/", "log/"],
    )
    assert set(statuses) == {403}


def test_user_of_another_account_can_read_and_cannot_send_from_this_one(
    crm: Crm, shared_demo: Demo
) -> None:
    users = shared_demo._host.application(APPLICATION).users
    users.add_role(Role("orders", (USE, "email.send_as:orders"), FULL_ACCESS))
    users.add("orla", name="Orla Order", password=PASSWORD, role="orders")
    crm.sign_in("orla")
    crm.open_ticket("Booking for two persons")
    assert "no mail account from which you may send" in crm.text("main")
    assert not crm.all("css", COMPOSER)
    answer = crm.browser.execute_async_script(_REPLY)
    assert answer["status"] == 403
    assert "may not send" in answer["message"] or "account" in answer["message"]


_REPLY = """
const done = arguments[0];
const message = { conversation: 1, html: "<p>Not mine</p>" };
fetch('/demo/limepkg-email/message/1/', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(message),
}).then(async (found) => done({ status: found.status, ...(await found.json()) }));
"""
