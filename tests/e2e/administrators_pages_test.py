"""What the administrator's pages say is so, and what is typed there is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.crm import PHONE, Crm

pytestmark = pytest.mark.browser

BRACKETS = "Write to Anna <anna@example.org>. If a<b then c & d. 5 < 6"


# --- snippets -----------------------------------------------------------------------------------


def write(admin: Crm, title: str, text: str) -> None:
    admin.visit("admin/snippets")
    admin.button("New snippet").click()
    admin.dialog.get_by_label("Title").fill(title)
    admin.dialog.get_by_label("Text").fill(text)
    admin.dialog.get_by_role("button", name="Save").click()
    admin.dialog.wait_for(state="detached")


def stored(admin: Crm, title: str) -> str:
    (found,) = admin.ask(f"snippet/?title={title}").json()["items"]
    return str(found["text"])


@pytest.mark.parametrize(
    ("title", "typed", "kept"),
    [
        (
            "Brackets",
            f"{BRACKETS}\nNext line.\n\nSecond & last.",
            "<p>Write to Anna &lt;anna@example.org&gt;. If a&lt;b then c &amp; d. 5 &lt; 6"
            "<br>Next line.</p><p>Second &amp; last.</p>",
        ),
        ("Simple", "A <b>bold</b> word, a<b, <x> & <anna@example.org>",
         "<p>A <b>bold</b> word, a&lt;b, &lt;x&gt; &amp; &lt;anna@example.org&gt;</p>"),
        ("Lonely", "if a <b> c then <i and j> k", "<p>if a &lt;b&gt; c then &lt;i and j&gt; k</p>"),
        ("Script", "never <script>alert(1)</script> here",
         "<p>never &lt;script&gt;alert(1)&lt;/script&gt; here</p>"),
        ("Points", "Bring:\n\n<ul>\n<li>a pen</li>\n<li>ink</li>\n</ul>",
         "<p>Bring:</p><ul>\n<li>a pen</li>\n<li>ink</li>\n</ul>"),
        ("Entity", "You type &amp; for it", "<p>You type &amp;amp; for it</p>"),
        ("Written", "<p>Say &lt;b&gt;x&lt;/b&gt;</p>", "<p>Say &lt;b&gt;x&lt;/b&gt;</p>"),
    ],
)  # fmt: skip
def test_no_text_of_a_snippet_is_lost_and_it_is_the_same_when_it_is_saved_again(
    admin: Crm, title: str, typed: str, kept: str
) -> None:
    write(admin, title, typed)
    assert stored(admin, title) == kept
    admin.button(f"Change {title}").click()
    expect(admin.dialog.get_by_label("Text")).to_have_value(typed)
    admin.dialog.get_by_role("button", name="Save").click()
    admin.dialog.wait_for(state="detached")
    assert stored(admin, title) == kept


# --- dialogs ------------------------------------------------------------------------------------


def test_escape_asks_before_it_throws_away_what_was_typed(admin: Crm) -> None:
    admin.visit("admin/snippets")
    opener = admin.page.get_by_role("button", name="New snippet")
    opener.click()
    text = admin.dialog.first.get_by_label("Text")
    text.fill("A long text")
    admin.page.keyboard.press("Escape")
    question = admin.dialog.filter(has_text="Throw away what you have typed?")
    question.get_by_role("button", name="Go on writing").click()
    expect(text).to_have_value("A long text")
    expect(text).to_be_focused()
    admin.page.keyboard.press("Escape")
    question.get_by_role("button", name="Throw away").click()
    expect(admin.dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_escape_closes_a_form_in_which_nothing_was_typed(admin: Crm) -> None:
    admin.visit("admin/snippets")
    opener = admin.page.get_by_role("button", name="New snippet")
    opener.click()
    admin.dialog.get_by_label("Title").wait_for()
    admin.page.keyboard.press("Escape")
    expect(admin.dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_focus_returns_to_the_row_that_was_changed(admin: Crm) -> None:
    write(admin, "Focus", "Returns")
    change = admin.button("Change Focus")
    change.click()
    admin.dialog.get_by_label("Text").fill("Returned")
    admin.dialog.get_by_role("button", name="Save").click()
    expect(admin.page.get_by_text("Returned")).to_be_visible()
    expect(change).to_be_focused()


# --- settings -----------------------------------------------------------------------------------


def language(admin: Crm) -> Locator:
    return admin.page.get_by_label("Language of templates")


def test_a_setting_has_words_and_its_key(admin: Crm) -> None:
    admin.visit("admin/settings")
    setting = admin.page.locator(".setting").filter(has_text="Grace period of the recovery")
    expect(setting.get_by_text("vacuum_cleaner_grace_period")).to_be_visible()


def test_a_refused_value_is_shown_and_says_what_is_expected(admin: Crm) -> None:
    admin.visit("admin/settings")
    language(admin).fill("english please")
    admin.page.get_by_label("Scheduled recovery").scroll_into_view_if_needed()
    admin.page.evaluate("scrollTo(0, 0)")
    admin.button("Save").click()
    expect(language(admin)).to_be_focused()
    expect(language(admin)).to_be_in_viewport()
    expect(language(admin)).to_have_attribute("aria-invalid", "true")
    setting = admin.page.locator(".setting").filter(has=language(admin))
    expect(setting.get_by_role("alert")).to_contain_text("such as “en” or “sv”")
    expect(admin.page.locator(".save-bar")).to_contain_text("Nothing is saved")
    language(admin).fill("sv")
    expect(admin.page.locator(".save-bar")).to_contain_text("One change is not saved")


@pytest.mark.browser_context_args(**PHONE)
def test_save_is_above_the_menu_of_a_phone(admin: Crm) -> None:
    admin.visit("admin/settings")
    admin.page.get_by_label("Scheduled recovery").tap()
    bar = admin.page.locator(".save-bar").bounding_box()
    menu = admin.page.locator(".main-menu").bounding_box()
    assert bar is not None
    assert menu is not None
    assert bar["y"] + bar["height"] <= menu["y"]
    admin.button("Undo").tap()


def test_the_log_says_how_long_it_is_kept(admin: Crm) -> None:
    body = {"log_retention": 7}
    admin.page.request.put(
        f"{admin.address}/limepkg-email/settings/", data=body, headers={"Origin": admin.demo.url}
    )
    admin.visit("admin/log")
    admin.page.get_by_label("Level").select_option("info")
    expect(admin.page.get_by_text("kept for 7 days")).to_be_visible()


# --- setup --------------------------------------------------------------------------------------


@pytest.fixture
def away(admin: Crm) -> Iterator[None]:
    """EmailEngine answers nothing."""
    fault = {"action": "refuse", "path": "/v1/license", "status": 503, "times": 99}
    admin.outside.control("/faults", fault)
    yield
    admin.outside.control_delete("/faults")


@pytest.mark.usefixtures("away")
def test_setup_does_not_say_what_only_an_absent_engine_knows(admin: Crm) -> None:
    admin.visit("admin/setup")
    page = admin.page.locator("#page")
    expect(page).to_contain_text("EmailEngine cannot be reached")
    expect(page).to_contain_text("Whether its licence is in order is not known")
    expect(page).to_contain_text("Whether it tells this CRM of new mail is not known")
    expect(page).not_to_contain_text("has ended")
    expect(page).not_to_contain_text("left")
    expect(page).not_to_contain_text("Everything is set up")
    admin.outside.control_delete("/faults")
    admin.button("Ask again").click()
    expect(page).to_contain_text("Everything is set up")
