"""People whose language is not that of the CRM's own pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from limepkg_email.reference.demo import APPLICATION
from limepkg_email.reference.seed import PASSWORD
from tests.e2e.crm import Crm

pytestmark = pytest.mark.browser


@pytest.fixture
def sven(crm: Crm) -> Crm:
    users = crm.demo._host.application(APPLICATION).users
    users.add("sven", name="Sven", password=PASSWORD, role="administrator", language="sv")
    crm.sign_in("sven")
    return crm


def test_components_speak_the_users_language_on_an_english_page(sven: Crm) -> None:
    sven.visit("admin/accounts")
    expect(sven.page.locator("html")).to_have_attribute("lang", "en")
    expect(sven.page.locator("lwc-account-management")).to_have_attribute("lang", "sv")
    expect(sven.button("Lägg till konto")).to_be_visible()
    expect(sven.page.get_by_role("heading", name="Email accounts")).to_be_attached()
    sven.open_ticket("Booking for two persons")
    expect(sven.composer.element).to_have_attribute("lang", "sv")
    expect(sven.composer.element.get_by_role("button").first).to_contain_text("Svara")
