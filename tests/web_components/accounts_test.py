"""An administrator connects, changes and deletes mailboxes in a real browser."""

from __future__ import annotations

import re
from email.message import EmailMessage
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, expect

from limepkg_email.reference.demo import SUPPORT, Demo
from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

TAG = "lwc-account-management"

WICKED = (
    "<p>Kind regards, <a href='javascript:window.hit = 1'>us</a></p>"
    "<img src='data:image/png;base64,x' onerror='window.hit = 2'>"
    "<script>window.hit = 3</script><svg onload='window.hit = 4'></svg>"
    "<iframe srcdoc='<script>parent.hit = 5</script>'></iframe>"
)
ACTIVE = "script, svg, iframe, [onerror], [onload], a[href^='javascript:']"

_STORE_SIGNATURE = """
const params = { query: args[0] };
const { items } = await http.get('limepkg-email/account/', { params });
await http.put(`limepkg-email/account/${items[0].id}/`, { signature: args[1] });
"""
_PASTE = """
(each, html) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/html', html);
  const options = { clipboardData, bubbles: true, composed: true, cancelable: true };
  each.dispatchEvent(new ClipboardEvent('paste', options));
}
"""


@pytest.fixture
def admin(admin: HostPage) -> HostPage:
    """The administrator, at the list of accounts."""
    admin.open(TAG)
    return admin


def row(admin: HostPage, email: str) -> Locator:
    return admin.page.get_by_role("row").filter(has_text=email)


def panel(admin: HostPage, kind: str) -> Locator:
    """What is said above the list: `arrival`, `outcomes` or `recovered`."""
    return admin.page.locator(f".panel.{kind}")


def select(admin: HostPage, *emails: str) -> None:
    for each in emails:
        admin.page.get_by_label(f"Select {each}").check()


def fill_form_in(admin: HostPage, password: str) -> None:
    """Fill the mail engine's form in and come back to the list."""
    admin.page.locator("[name=password]").fill(password)
    admin.button("Connect").click()
    expect(admin.page.locator("#progress.done, #progress.failed")).to_be_visible()
    admin.page.get_by_role("link", name="Back").click()


def connect(admin: HostPage, email: str, password: str = "right") -> None:
    admin.button("Add account").click()
    admin.field("Email address").fill(email)
    admin.button("Go on to sign in").click()
    fill_form_in(admin, password)
    expect(panel(admin, "arrival")).to_contain_text(email)


def connected(admin: HostPage, *emails: str) -> None:
    for each in emails:
        connect(admin, each)
        expect(row(admin, each)).to_contain_text("Connected")


def edit(admin: HostPage, email: str = SUPPORT) -> None:
    admin.button(f"Edit: {email}").click()
    # A dialog takes the focus once it is open.
    admin.page.locator(".mdc-dialog--open:not(.mdc-dialog--opening)").wait_for()


def save(admin: HostPage) -> None:
    """Save what is in the dialog and wait until it is closed."""
    admin.button("Save").click()
    expect(admin.page.locator("limel-dialog")).to_have_count(0)


def signature(admin: HostPage) -> Locator:
    return admin.page.locator("[data-field=signature] [contenteditable=true]")


def deliver(demo: Demo, mailbox: str, subject: str) -> None:
    """Let a mail arrive in a mailbox, be it connected or not."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "c@example.org", mailbox, subject
    mail["Date"] = "Thu, 01 Oct 2026 10:00:00 +0000"
    mail.set_content("Hello.")
    address = f"{demo.engine_url}/control/deliver?sender=c@example.org&mailbox={quote(mailbox)}"
    urlopen(Request(address, mail.as_bytes(), method="POST"), timeout=60).close()


def test_a_mailbox_is_connected_through_the_form_and_stands_in_the_list(admin: HostPage) -> None:
    connect(admin, "sales@example.com")
    expect(panel(admin, "arrival")).to_contain_text("sales@example.com is connected.")
    expect(row(admin, "sales@example.com")).to_contain_text("Connected")


def test_unread_mail_from_before_is_counted_before_any_is_imported(admin: HostPage) -> None:
    admin.outside.control("/mailboxes", {"address": "news@example.com"})
    deliver(admin.demo, "news@example.com", "Old one")
    deliver(admin.demo, "news@example.com", "Old two")
    connect(admin, "news@example.com")
    expect(panel(admin, "arrival")).to_contain_text("2 unread mails from before")
    expect(row(admin, "news@example.com")).to_contain_text("Disabled")
    admin.button("Import 2 mails").click()
    recovered = panel(admin, "recovered")
    expect(recovered).to_contain_text("news@example.com: listed 2, imported 2, unaccounted 0")
    expect(row(admin, "news@example.com")).to_contain_text("unaccounted 0")


def test_a_wrong_password_shows_why_and_the_next_step_mends_it(admin: HostPage) -> None:
    email = "wrong@example.com"
    connect(admin, email, "wrong")
    expect(panel(admin, "arrival")).to_contain_text("is stored but does not work yet")
    expect(row(admin, email)).to_contain_text("Sign-in refused")
    expect(row(admin, email)).to_contain_text("Sign in to the mailbox again.")
    admin.button(f"Sign in again: {email}").click()
    fill_form_in(admin, "right")
    expect(panel(admin, "arrival")).to_contain_text(f"{email} is connected.")
    expect(row(admin, email)).to_contain_text("Connected")


def test_an_address_that_is_none_is_refused_at_the_field(admin: HostPage) -> None:
    told = admin.page.locator("[data-field=email]")
    admin.button("Add account").click()
    admin.field("Email address").fill("nobody")
    admin.button("Go on to sign in").click()
    expect(told).to_contain_text("Enter the mailbox")
    admin.field("Email address").fill(SUPPORT)
    admin.button("Go on to sign in").click()
    expect(told).to_contain_text("is connected already")


def test_disabling_says_what_happens_and_enabling_is_the_next_step(admin: HostPage) -> None:
    email = "pause@example.com"
    connected(admin, email)
    select(admin, email)
    admin.button("Disable").click()
    asked = admin.agree("Disable")
    assert "Disable 1 account?" in asked
    assert email in asked
    assert "until they are enabled again" in asked
    expect(panel(admin, "outcomes")).to_contain_text(f"{email}: disabled")
    expect(row(admin, email)).to_contain_text("Disabled")
    admin.button(f"Enable: {email}").click()
    admin.agree("Enable")
    expect(panel(admin, "outcomes")).to_contain_text(f"{email}: enabled")
    expect(row(admin, email)).to_contain_text("Connected")


def test_several_are_disabled_and_enabled_at_once_after_one_question(admin: HostPage) -> None:
    emails = ("one@example.com", "two@example.com")
    connected(admin, *emails)
    for verb, said, state in (("Disable", "disabled", "Disabled"), ("Enable", "enabled", "Conn")):
        select(admin, *emails)
        expect(admin.page.get_by_role("status").filter(has_text="2 selected")).to_be_visible()
        admin.button(verb).click()
        asked = admin.agree(verb)
        assert f"{verb} 2 accounts?" in asked
        assert all(each in asked for each in emails)
        assert SUPPORT not in asked
        expect(panel(admin, "outcomes")).to_contain_text(f"2 accounts are {said}.")
        for each in emails:
            expect(panel(admin, "outcomes")).to_contain_text(f"{each}: {said}")
            expect(row(admin, each)).to_contain_text(state)
    expect(row(admin, SUPPORT)).to_contain_text("Connected")


def test_whoever_does_not_agree_changes_nothing(admin: HostPage) -> None:
    select(admin, SUPPORT)
    for verb in ("Disable", "Delete"):
        admin.button(verb).click()
        admin.agree("Cancel")
        expect(admin.button(verb)).to_be_enabled()
    admin.page.reload()
    expect(row(admin, SUPPORT)).to_contain_text("Connected")


def test_deleting_says_what_stays_and_tells_the_outcome(admin: HostPage) -> None:
    email = "gone@example.com"
    connected(admin, email)
    select(admin, email)
    admin.button("Delete").click()
    assert "all conversations stay" in admin.agree("Delete")
    expect(panel(admin, "outcomes")).to_contain_text(f"{email}: deleted")
    expect(row(admin, email)).to_have_count(0)


def test_emails_of_selected_accounts_are_synced_with_a_report_for_each(admin: HostPage) -> None:
    select(admin, SUPPORT)
    admin.button("Sync emails").click()
    recovered = panel(admin, "recovered")
    expect(recovered).to_contain_text("Emails of 1 account are synced.")
    expect(recovered.get_by_role("listitem")).to_contain_text([SUPPORT])
    expect(recovered).to_contain_text("unaccounted 0")
    expect(row(admin, SUPPORT)).to_contain_text("unaccounted 0")


def test_a_sync_of_several_accounts_brings_what_was_missed_and_reports_each(
    admin: HostPage,
) -> None:
    emails = ("first@example.com", "second@example.com")
    connected(admin, *emails)
    admin.outside.control("/webhooks/faults", {"lose": 1})
    deliver(admin.demo, "second@example.com", "Nobody was told of this")
    select(admin, *emails)
    admin.button("Sync emails").click()
    recovered = panel(admin, "recovered")
    expect(recovered).to_contain_text("Emails of 2 accounts are synced.")
    reports = recovered.get_by_role("listitem")
    expect(reports).to_have_count(2)
    first, second = (reports.filter(has_text=each) for each in emails)
    expect(first).to_contain_text("listed 0, imported 0, unaccounted 0")
    expect(second).to_contain_text("listed 1, imported 1, unaccounted 0")


def test_disabled_accounts_are_left_out_of_a_sync(admin: HostPage) -> None:
    email = "asleep@example.com"
    connected(admin, email)
    select(admin, email)
    admin.button("Disable").click()
    admin.agree("Disable")
    expect(row(admin, email)).to_contain_text("Disabled")
    admin.button("Sync emails").click()
    said = admin.page.get_by_text("Disabled accounts are not synced. Enable them first.")
    expect(said).to_be_visible()
    select(admin, SUPPORT)
    admin.button("Sync emails").click()
    expect(panel(admin, "recovered")).to_contain_text("Emails of 1 account are synced.")
    expect(panel(admin, "recovered").get_by_role("listitem")).to_contain_text([SUPPORT])


def test_settings_are_changed_and_wrong_ones_are_told_at_their_field(admin: HostPage) -> None:
    edit(admin)
    admin.field("Name").fill("Helpdesk")
    admin.field("Further addresses").fill("nonsense")
    admin.button("Save").click()
    aliases = admin.page.locator("[data-field=aliases]")
    expect(aliases).to_contain_text("nonsense is no email address")
    admin.field("Further addresses").fill("help@example.com")
    admin.field("Time zone").fill("Mars/Base")
    admin.button("Save").click()
    expect(admin.page.locator("[data-field=time_zone]")).to_contain_text("no time zone")
    admin.field("Time zone").fill("Europe/Stockholm")
    save(admin)
    expect(row(admin, SUPPORT)).to_contain_text("Helpdesk")
    expect(row(admin, SUPPORT)).to_contain_text("help@example.com")


def test_users_are_chosen_for_an_account_and_are_there_after_a_reload(admin: HostPage) -> None:
    expect(row(admin, SUPPORT)).to_contain_text("No users assigned")
    edit(admin)
    # What there is to choose from is read at one go: users and templates.
    expect(admin.button("For automatic replies: Automatic reply (English) (en)")).to_be_visible()
    options = admin.page.locator("#users-list option")
    everybody = options.count()
    admin.field("Users").fill("nobody at all")
    admin.field("Users").press("Enter")
    expect(admin.field("Users")).to_have_value("nobody at all")
    # Chosen from the list, which writes the whole label.
    ada = admin.page.locator("#users-list option[value^='Ada Min']").get_attribute("value")
    admin.field("Users").fill(ada or "")
    expect(options).to_have_count(everybody - 1)
    expect(admin.field("Users")).to_have_value("")
    # Typed, and saved at once: the click takes along what was typed.
    admin.field("Users").fill("alva")
    save(admin)
    expect(row(admin, SUPPORT)).to_contain_text("2 users")
    admin.page.reload()
    edit(admin)
    chosen = admin.page.locator("[data-field=users] li")
    expect(chosen).to_have_count(2)
    chosen.filter(has_not_text="Alva Ek").get_by_role("button").click()
    expect(chosen).to_have_text(re.compile("^Alva Ek"))
    save(admin)
    expect(row(admin, SUPPORT)).to_contain_text("1 user")


def test_the_template_of_an_account_is_chosen_and_is_there_after_a_reload(admin: HostPage) -> None:
    edit(admin)
    admin.choose("For messages", "Message (English) (en)")
    save(admin)
    admin.page.reload()
    edit(admin)
    expect(admin.button("For messages: Message (English) (en)")).to_be_visible()
    admin.choose("For messages", "The standard one")
    save(admin)
    edit(admin)
    expect(admin.button("For messages: The standard one")).to_be_visible()


def test_a_signature_is_written_and_shown_again(admin: HostPage) -> None:
    edit(admin)
    expect(signature(admin)).to_have_accessible_name("Signature")
    signature(admin).fill("Kind regards, all of us")
    save(admin)
    admin.page.reload()
    edit(admin)
    expect(signature(admin)).to_have_text("Kind regards, all of us")


def test_script_in_a_signature_that_was_stored_by_a_program_does_not_run(admin: HostPage) -> None:
    admin.ask(_STORE_SIGNATURE, SUPPORT, WICKED)
    admin.page.reload()
    edit(admin)
    expect(signature(admin)).to_contain_text("Kind regards, us")
    expect(signature(admin).locator(ACTIVE)).to_have_count(0)
    assert admin.page.evaluate("window.hit") is None


def test_script_that_is_pasted_into_a_signature_neither_runs_nor_is_stored(
    admin: HostPage,
) -> None:
    edit(admin)
    signature(admin).fill("")
    signature(admin).evaluate(_PASTE, WICKED)
    expect(signature(admin)).to_contain_text("Kind regards, us")
    assert admin.page.evaluate("window.hit") is None
    save(admin)
    admin.page.reload()
    edit(admin)
    expect(signature(admin)).to_contain_text("Kind regards, us")
    expect(signature(admin).locator(ACTIVE)).to_have_count(0)
    assert admin.page.evaluate("window.hit") is None
    # The editor parses what is pasted in a document of its own, of which the policy complains.
    admin.wrong = [each for each in admin.wrong if "inline event handler" not in each]


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_page(admin: HostPage, width: int) -> None:
    admin.wide(width)
    expect(row(admin, SUPPORT)).to_be_visible()
    assert not admin.scrolls_sideways()
    select(admin, SUPPORT)
    expect(admin.button("Sync emails")).to_be_visible()
    assert not admin.scrolls_sideways()
    edit(admin)
    expect(admin.field("Time zone")).to_be_visible()
    assert not admin.scrolls_sideways()


def test_the_list_is_narrowed_down_by_words_and_by_state(admin: HostPage) -> None:
    nothing = admin.page.get_by_text("No account matches.")
    expect(row(admin, SUPPORT)).to_be_visible()
    admin.field("Search name or address").fill("nobody at all")
    expect(nothing).to_be_visible()
    admin.field("Search name or address").fill("support")
    expect(row(admin, SUPPORT)).to_be_visible()
    admin.choose("State", "Server not reachable")
    expect(nothing).to_be_visible()


def test_the_list_is_narrowed_down_to_what_is_disabled(admin: HostPage) -> None:
    email = "idle@example.com"
    connected(admin, email)
    admin.choose("State", "Connected")
    expect(row(admin, email)).to_be_visible()
    admin.choose("State", "Disabled")
    expect(row(admin, SUPPORT)).to_have_count(0)
    expect(row(admin, email)).to_have_count(0)
    admin.choose("State", "All states")
    select(admin, email)
    admin.button("Disable").click()
    admin.agree("Disable")
    expect(row(admin, email)).to_contain_text("Disabled")
    admin.choose("State", "Connected")
    expect(row(admin, SUPPORT)).to_be_visible()
    expect(row(admin, email)).to_have_count(0)
    admin.choose("State", "Disabled")
    expect(row(admin, email)).to_be_visible()
    expect(row(admin, SUPPORT)).to_have_count(0)


def test_a_form_that_is_only_read_changes_nothing(admin: HostPage) -> None:
    admin.open(TAG, props='{"readonly": true, "label": "Mailboxes", "helperText": "All of them"}')
    expect(admin.page.get_by_role("heading", name="Mailboxes")).to_be_visible()
    expect(admin.page.get_by_role("table")).to_contain_text(SUPPORT)
    expect(admin.button("Add account")).to_have_count(0)
    expect(admin.button(f"Edit: {SUPPORT}")).to_have_count(0)


def test_the_page_is_in_swedish(admin: HostPage) -> None:
    admin.open(TAG, language="sv")
    expect(admin.page.get_by_role("heading", name="E-postkonton")).to_be_visible()
    expect(admin.page.get_by_role("table")).to_contain_text("Anslutet")
