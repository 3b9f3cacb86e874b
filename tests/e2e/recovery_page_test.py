"""The page about recoveries: what the last one found, in every mailbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from limepkg_email.accounts.accounts import add_account
from limepkg_email.incoming.recovering.progress import Progress, Tally
from limepkg_email.incoming.recovering.reports import store
from limepkg_email.reference.demo import APPLICATION, Demo
from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


def connect(demo: Demo, *names: str) -> None:
    """Connect mailboxes that no recovery of this test reaches."""
    services = demo._integration.anonymous_services(APPLICATION)
    with services.application.database.begin() as connection:
        for name in names:
            add_account(
                connection,
                engine_account=name,
                email=f"{name}@example.com",
                name="",
                activated_at=services.clock(),
            )


def report(demo: Demo, account: str, run: str = "", error: str = "", **counts: int) -> None:
    """Store what a recovery found in an account."""
    services = demo._integration.anonymous_services(APPLICATION)
    now = services.clock()
    progress = Progress(now, now - timedelta(days=1), whole=False, patient=True, error=error)
    progress.tally = Tally(**counts)
    with services.application.database.begin() as connection:
        store(connection, account, run, progress, now)


def fact(admin: Crm, words: str) -> Locator:
    return admin.page.locator(".fact").filter(has_text=words).locator("strong")


def card(admin: Crm, name: str) -> Locator:
    return admin.page.locator(".report").filter(has_text=name)


def test_before_the_first_recovery_the_page_says_how_often_it_runs(admin: Crm) -> None:
    answer = admin.page.request.put(
        f"{admin.address}/limepkg-email/settings/",
        data={"recovery_interval": 45},
        headers={"Origin": admin.demo.url},
    )
    assert answer.ok
    admin.visit("admin/recovery")
    expect(admin.page.get_by_text("It runs by itself every 45 minutes.")).to_be_visible()


def test_totals_are_those_of_the_last_run_alone(admin: Crm) -> None:
    report(admin.demo, "support", "first", listed=6, imported=6)
    report(admin.demo, "support", "second", listed=0)
    admin.visit("admin/recovery")
    expect(fact(admin, "listed")).to_have_text("0")
    expect(fact(admin, "imported")).to_have_text("0")
    expect(fact(admin, "unaccounted")).to_have_text("0")


def test_what_the_schedule_ran_counts_each_mailbox_once(admin: Crm) -> None:
    connect(admin.demo, "sales")
    for listed in (5, 2):
        report(admin.demo, "sales", listed=listed, known=listed)
        report(admin.demo, "support", listed=listed, known=listed)
    admin.visit("admin/recovery")
    expect(fact(admin, "listed")).to_have_text("4")


def test_a_mailbox_that_could_not_be_read_is_not_called_accounted_for(admin: Crm) -> None:
    connect(admin.demo, "away")
    report(admin.demo, "away", "refused", "The mailbox can not be authenticated.")
    admin.visit("admin/recovery")
    refused = card(admin, "away@example.com")
    expect(refused).to_contain_text("can not be authenticated")
    expect(refused.locator(".unaccounted")).to_have_text("Nothing was looked at")
    expect(refused.locator(".badge-success")).to_have_count(0)
    expect(fact(admin, "unaccounted")).not_to_have_class("zero")
    expect(fact(admin, "not looked through")).to_have_text("1")


def test_a_mailbox_that_was_removed_is_said_to_be(admin: Crm) -> None:
    report(admin.demo, "removed", "past", listed=1, known=1)
    admin.visit("admin/recovery")
    expect(admin.page.locator(".report h3").first).to_have_text(
        "An account that is not connected any more"
    )


def test_an_unaccounted_mail_is_first_among_many_mailboxes_and_all_can_be_shown(
    admin: Crm,
) -> None:
    names = [f"box-{number}" for number in range(27)]
    connect(admin.demo, *names)
    report(admin.demo, names[0], "many", listed=3, known=2, unaccounted=1)
    for each in names[1:]:
        report(admin.demo, each, "many", listed=1, known=1)
    # The latest run is that of one mailbox alone; the trouble of the others stays visible.
    report(admin.demo, "support", "one", listed=1, known=1)
    admin.visit("admin/recovery")
    trouble = admin.page.get_by_role("alert")
    expect(trouble).to_contain_text("box-0@example.com")
    shown = admin.page.locator(".report")
    before = shown.count()
    admin.button("Show more").last.click()
    expect(shown).not_to_have_count(before)
    expect(card(admin, "box-0@example.com").first).to_contain_text("1 unaccounted")
    report(admin.demo, names[0], "many-more", listed=1, known=1)
    report(admin.demo, names[1], "many-more", listed=2, known=1, unaccounted=1)
    for each in names[2:]:
        report(admin.demo, each, "many-more", listed=1, known=1)
    admin.visit("admin/recovery")
    expect(fact(admin, "listed")).to_have_text("28")
    expect(fact(admin, "unaccounted")).to_have_text("1")
    expect(admin.page.locator(".report").first).to_contain_text("1 unaccounted")
