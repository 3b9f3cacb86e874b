"""An administrator connects a mailbox in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from limepkg_email.reference.demo import APPLICATION
from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


def fill_in(admin: Crm, password: str, **body: Any) -> Locator:
    """Make a link and fill the form in; gives what our page says of the result."""
    link = admin.ask("account/form/", {"back": f"/{APPLICATION}/tickets", **body})
    admin.page.goto(link.json()["url"])
    field = admin.page.locator("[name=password]")
    field.fill(password)
    field.press("Enter")
    return admin.page.locator("#progress:is(.done, .failed)")


def test_a_wrong_password_is_told_and_signing_in_again_mends_it(admin: Crm) -> None:
    email = "sales@example.com"
    expect(fill_in(admin, "wrong", email=email)).to_contain_text(
        f"{email} is stored, but does not work yet."
    )
    expect(admin.page.locator("#advice")).to_have_text("Sign in to the mailbox again.")
    assert "token" not in admin.page.url, "the address is not left in the history"
    (account,) = (each for each in admin.ask("account/").json()["items"] if each["email"] == email)
    expect(fill_in(admin, "right", account=account["id"])).to_have_text(f"{email} is connected.")
    admin.page.locator("#back").click()
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("Tickets")


def test_an_address_that_was_made_up_is_refused_in_words(admin: Crm) -> None:
    admin.go("limepkg-email/account/connected/?token=x&account=%3Cb%3E")
    expect(admin.page.locator("#progress.failed")).to_have_text(
        "This is no sign-in that was begun here; begin a new one."
    )
