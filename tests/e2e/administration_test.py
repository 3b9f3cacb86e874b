"""An administrator's day on the CRM's pages, and what other people do not see of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from limepkg_email.engine.types import Message
from limepkg_email.hooks import hookimpl, register
from limepkg_email.reference.access import FULL_ACCESS, USE, Role
from limepkg_email.reference.demo import APPLICATION, Demo
from limepkg_email.reference.seed import PASSWORD
from tests.e2e.crm import ADMINISTRATION, Crm

pytestmark = pytest.mark.browser


def test_mailbox_is_connected_by_the_form_and_its_mail_becomes_tickets(admin: Crm) -> None:
    page, email = admin.page, "orders@example.com"
    admin.go("admin/accounts")
    admin.button("Add account").click()
    page.get_by_label("Email address").fill(email)
    admin.button("Go on to sign in").click()
    page.wait_for_url("**/accounts/new**")
    page.locator("[name=password]").fill("right")
    page.locator("[name=password]").press("Enter")
    page.locator("#progress:is(.done, .failed)").wait_for()
    page.locator("#back").click()
    page.wait_for_url("**/admin/accounts**")
    expect(page.locator(".arrival .panel-title")).to_have_text(f"{email} is connected.")
    expect(page.get_by_role("row").filter(has_text=email)).to_contain_text("Connected")
    admin.outside.deliver("Two chairs", "Please send them.", to=email)
    admin.open_ticket("Two chairs")
    admin.message_with("Please send them.")


def test_oauth2_application_is_added_and_synced(admin: Crm) -> None:
    page = admin.page
    admin.go("admin/oauth-applications")
    admin.button("Add application").click()
    page.get_by_label("Name").fill("Our Google")
    page.get_by_label("Client id").fill("google-9")
    page.get_by_label("Client secret").fill("s3cret")
    admin.button("Create").click()
    applications = page.locator(".apps")
    expect(applications).to_contain_text("Our Google")
    assert "s3cret" not in page.content() + admin.ask("oauth_app/").text()
    # Somebody makes another one at the engine, past the CRM.
    admin.outside.make_in_engine(
        "oauth2",
        {
            "name": "Made elsewhere",
            "provider": "gmail",
            "clientId": "elsewhere-1",
            "clientSecret": "s3cret",
            "redirectUrl": f"{admin.demo.engine_url}/oauth",
        },
    )
    report = page.locator(".sync")
    admin.button("Sync").click()
    expect(report).to_contain_text("This would change here")
    expect(report).to_contain_text("1 application added: Made elsewhere")
    expect(applications).not_to_contain_text("Made elsewhere")
    admin.button("Sync now").click()
    expect(report).to_contain_text("Applications and accounts are synced.")
    expect(report).to_contain_text("1 application added: Made elsewhere")
    expect(applications).to_contain_text("Made elsewhere")
    expect(applications).to_contain_text("Our Google")


def test_template_is_written_with_a_preview_and_offered_to_the_agent(admin: Crm) -> None:
    page = admin.page
    admin.go("admin/templates")
    admin.button("New template").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Directions")
    page.get_by_role("textbox", name="Text", exact=True).fill("<p>Dear {{ recipient.name }}</p>")
    expect(page.locator("iframe").content_frame.locator("body")).to_have_text("Dear Alva Lind")
    page.locator(".save").click()
    expect(page.locator("[data-id]").filter(has_text="Directions")).to_be_visible()
    admin.sign_in("alva")
    admin.outside.deliver("Where are you?", "I cannot find you.")
    admin.open_ticket("Where are you?")
    admin.composer.open()
    admin.composer.choose_from(".templates-menu", "Directions")
    expect(admin.composer.text).to_contain_text("Dear Anna Andersson")


def test_accounts_are_synced_until_nothing_is_unaccounted(admin: Crm) -> None:
    admin.go("admin/accounts")
    admin.page.get_by_role("checkbox", name="Select support@example.com").check()
    admin.button("Sync emails").click()
    expect(admin.page.locator(".recovered")).to_contain_text("unaccounted 0")


def test_recovery_shows_progress_and_a_report_of_every_mailbox(admin: Crm) -> None:
    # A recovery of some mails is over before anybody has seen that it runs.
    slow = {"action": "delay", "path": "/v1/account/*", "seconds": 2, "times": 3}
    admin.outside.control("/faults", slow)
    admin.go("admin/recovery")
    admin.button("Start recovery").click()
    progress = admin.page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("Looking through the mailboxes")
    expect(admin.notices).to_contain_text("The recovery is done.")
    reports = admin.page.locator(".report .unaccounted")
    expect(reports.first).to_be_visible()
    assert set(reports.all_inner_texts()) == {"0 unaccounted"}


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


@pytest.fixture
def gate(demo: Demo) -> Iterator[Gate]:
    plugins, gate = demo._integration.plugins, Gate()
    register(plugins, gate)
    yield gate
    plugins.unregister(gate)


def test_failed_mail_says_why_and_is_imported_by_trying_again(admin: Crm, gate: Gate) -> None:
    admin.outside.deliver("A hard nut", "Open up.")
    row = admin.page.get_by_role("row").filter(has_text="A hard nut")
    admin.eventually(lambda: shown_in(admin, row), "it is not among the failed")
    expect(row).to_contain_text("the gate is shut")
    expect(row).to_contain_text("tried once")
    gate.broken = False
    row.get_by_role("button", name="Try again").click()
    expect(admin.notices).to_contain_text("The mail is imported.")
    expect(admin.page.get_by_text("No mail has failed")).to_be_visible()
    admin.open_ticket("A hard nut")


def test_mail_that_fails_again_says_so_in_the_list(admin: Crm, gate: Gate) -> None:
    admin.outside.deliver("A hard nut, again", "Open up.")
    row = admin.page.get_by_role("row").filter(has_text="A hard nut, again")
    admin.eventually(lambda: shown_in(admin, row), "it is not among the failed")
    row.get_by_role("button", name="Try again").click()
    expect(admin.notices).to_contain_text("the gate is shut")
    expect(row).to_contain_text("tried 2 times")


def test_mail_that_was_imported_meanwhile_is_no_trouble(admin: Crm, gate: Gate) -> None:
    admin.outside.deliver("A hard nut, cracked", "Open up.")
    row = admin.page.get_by_role("row").filter(has_text="A hard nut, cracked")
    admin.eventually(lambda: shown_in(admin, row), "it is not among the failed")
    gate.broken = False
    receipt = admin.ask("receipts/?text=A hard nut, cracked").json()["items"][0]["id"]
    admin.ask("failed-messages/retry/", {"ids": [receipt]})

    def imported() -> bool:
        return bool(admin.ask(f"receipt/{receipt}/").json()["disposition"] == "imported")

    admin.eventually(imported, "it is not imported")
    row.get_by_role("button", name="Try again").click()
    expect(admin.notices).to_contain_text("The mail is imported.")
    expect(admin.notices.locator(".bad")).to_have_count(0)
    expect(row).to_have_count(0)


def shown_in(admin: Crm, wanted: Locator) -> bool:
    """Open the list of what failed anew and look for something."""
    admin.visit("admin/failed")
    return wanted.is_visible()


def test_agent_sees_nothing_of_the_administration(agent: Crm) -> None:
    expect(agent.page.get_by_role("link", name="Tickets", exact=True)).to_be_visible()
    expect(agent.page.get_by_role("link", name="Admin", exact=True)).to_have_count(0)
    for name in ADMINISTRATION:
        agent.go(f"admin/{name}")
        expect(agent.page.get_by_role("main")).to_contain_text("for administrators")
    paths = ("account/", "oauth_app/", "settings/", "audit/", "log/")
    assert {path: agent.ask(path).status for path in paths} == dict.fromkeys(paths, 403)


def test_user_of_another_account_can_read_and_cannot_send_from_this_one(crm: Crm) -> None:
    users = crm.demo._host.application(APPLICATION).users
    users.add_role(Role("orders", (USE, "email.send_as:orders"), FULL_ACCESS))
    users.add("orla", name="Orla Order", password=PASSWORD, role="orders")
    crm.sign_in("orla")
    crm.outside.deliver("Not for Orla to answer", "Read me.")
    crm.open_ticket("Not for Orla to answer")
    message = crm.message_with("Read me.")
    expect(crm.page.get_by_role("main")).to_contain_text("no mail account from which you may send")
    expect(crm.composer.element).to_have_count(0)
    conversation = int(message.get_attribute("data-conversation") or 0)
    answer = crm.ask("message/1/", {"conversation": conversation, "html": "<p>Not mine</p>"})
    assert answer.status == 403
    assert "may not send" in answer.json()["message"] or "account" in answer.json()["message"]
