"""Templates in a real browser, over a running CRM: as an administrator keeps them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, expect

from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

TAG = "lwc-template-management"


@pytest.fixture
def admin(admin: HostPage) -> HostPage:
    """The administrator, at the list of templates."""
    admin.open(TAG)
    return admin


def text(admin: HostPage) -> Locator:
    return admin.field("Text")


def preview(admin: HostPage) -> FrameLocator:
    return admin.page.frame_locator("iframe")


def entry(admin: HostPage, name: str) -> Locator:
    return admin.page.get_by_role("listitem").filter(has=admin.button(f"Edit {name}"))


def placeholder(admin: HostPage, name: str) -> Locator:
    return admin.page.get_by_role("button").filter(has_text=f"{{{{ {name} }}}}")


def templates(admin: HostPage) -> dict[str, dict[str, Any]]:
    """Give what is stored, by name."""
    found = admin.ask("return await http.get('limepkg-email/template/?limit=200');")
    return {each["name"]: each for each in found["items"]}


def store(admin: HostPage, name: str, body: str, language: str = "en") -> dict[str, Any]:
    """Store a template and show it in the list."""
    wanted = {"name": name, "purpose": "message", "language": language, "subject": "", "body": body}
    stored = admin.ask("return await http.post('limepkg-email/template/', args[0]);", wanted)
    admin.page.reload()
    expect(entry(admin, name)).to_be_visible()
    return dict(stored)


def test_a_template_is_written_with_its_preview_beside_it(admin: HostPage) -> None:
    admin.button("New template").click()
    admin.field("Name").fill("Welcome")
    text(admin).fill('<p style="color: rgb(1, 2, 3)">Hello </p>')
    text(admin).press("Control+End")
    for _ in "</p>":
        text(admin).press("ArrowLeft")
    placeholder(admin, "recipient.name").click()
    hello = preview(admin).get_by_text("Hello Alva Lind")
    expect(hello).to_be_visible()
    expect(hello).to_have_css("color", "rgb(1, 2, 3)")
    expect(admin.page.locator("iframe")).to_have_attribute("sandbox", "allow-same-origin")
    admin.page.get_by_text("Try without").click()
    admin.page.get_by_role("checkbox", name="recipient.name", exact=True).check()
    expect(preview(admin).get_by_text("[recipient.name?]")).to_be_visible()
    admin.button("Save").click()
    expect(entry(admin, "Welcome")).to_be_visible()
    assert templates(admin)["Welcome"]["body"] == (
        '<p style="color: rgb(1, 2, 3)">Hello {{ recipient.name }}</p>'
    )


def test_an_error_is_shown_at_its_line_while_it_is_written(admin: HostPage) -> None:
    problems = admin.page.locator("[data-errors=body]")
    admin.button("New template").click()
    admin.field("Name").fill("Broken")
    text(admin).fill("<p>one</p>\n<p>{{ user.nam }}</p>\n<p>three</p>")
    admin.button("Save").click()
    expect(problems).to_contain_text("Line 2")
    expect(problems).to_contain_text("user.nam")
    expect(admin.page.locator(".numbers .wrong")).to_have_text("2")
    # The preview, which marks the name and can be shown, does not take that back.
    expect(preview(admin).get_by_text("[user.nam?]")).to_be_visible()
    expect(problems).to_contain_text("Line 2")
    admin.button("Go to line 2").click()
    selected = "(each) => each.value.slice(each.selectionStart, each.selectionEnd)"
    assert text(admin).evaluate(selected) == "<p>{{ user.nam }}</p>"
    text(admin).fill("<p>{% if user.name %}</p>")
    expect(problems).to_contain_text("Line 1")
    expect(admin.page.get_by_role("status").filter(has_text="cannot be shown yet")).to_be_visible()
    assert "Broken" not in templates(admin)


def test_whoever_saves_second_sees_what_the_first_has_stored(admin: HostPage) -> None:
    conflict = admin.page.get_by_role("alert").filter(has_text="<p>Theirs</p>")
    stored = store(admin, "Shared", "<p>First</p>")
    admin.button("Edit Shared").click()
    text(admin).fill("<p>Mine</p>")
    theirs = {**stored, "body": "<p>Theirs</p>"}
    put = "await http.put(`limepkg-email/template/${args[0].id}/`, args[1]);"
    fields = ("name", "purpose", "language", "subject", "body", "version")
    admin.ask(put, stored, {each: theirs[each] for each in fields})
    admin.button("Save").click()
    expect(conflict).to_be_visible()
    assert templates(admin)["Shared"]["body"] == "<p>Theirs</p>"
    conflict.locator(".mine").click()
    expect(entry(admin, "Shared")).to_be_visible()
    assert templates(admin)["Shared"]["body"] == "<p>Mine</p>"


def test_the_visual_editor_leaves_templates_as_they_are(admin: HostPage) -> None:
    body = (
        "<p>Hello{% if recipient.name and conversation.id > 0 %} you{% endif %}</p>"
        '\n<p><a href="{{ parent.url }}">{{ parent.title }}</a></p>'
    )
    admin.button("New template").click()
    admin.field("Name").fill("Visual")
    text(admin).fill(body)
    admin.button("Visual").click()
    admin.page.locator("[contenteditable=true]").click()
    placeholder(admin, "user.name").click()
    admin.button("Save").click()
    expect(entry(admin, "Visual")).to_be_visible()
    stored = templates(admin)["Visual"]["body"]
    assert "{{ user.name }}" in stored
    assert stored.replace("{{ user.name }}", "") == body


def test_the_visual_editor_is_not_offered_for_what_it_would_change(admin: HostPage) -> None:
    admin.button("New template").click()
    expect(admin.button("Visual")).to_be_enabled()
    text(admin).fill("{% if parent %}<p>x</p>{% endif %}")
    expect(admin.page.locator("#why-not")).to_be_visible()
    expect(admin.button("Visual")).to_be_disabled()


def test_default_templates_are_created_in_the_chosen_language_once(admin: HostPage) -> None:
    before = len(templates(admin))
    store(admin, "Hej", "<p>x</p>", language="sv")
    admin.open(TAG, language="sv")
    admin.choose("Språk", "svenska")
    defaults = admin.button("Skapa standardmallar")
    defaults.click()
    said = admin.page.locator("#messages")
    expect(said.get_by_text("3 standardmallar skapades.")).to_be_visible()
    assert len(templates(admin)) == before + 4
    admin.page.reload()
    admin.choose("Språk", "svenska")
    defaults.click()
    expect(said.get_by_text("redan")).to_be_visible()
    assert len(templates(admin)) == before + 4


def test_a_template_that_an_account_uses_is_not_deleted(admin: HostPage) -> None:
    name = "Automatic reply (English)"
    expect(entry(admin, name)).to_contain_text("Used by Support")
    admin.button(f"Delete {name}").click()
    # It is said at once, and nobody is asked first.
    expect(admin.question).to_contain_text("was not deleted")
    expect(admin.question).to_contain_text("Used by Support")
    admin.agree("OK")
    assert name in templates(admin)


def test_a_template_nobody_uses_is_deleted_after_a_question(admin: HostPage) -> None:
    store(admin, "Superfluous", "<p>x</p>")
    admin.button("Delete Superfluous").click()
    admin.agree("Delete")
    expect(entry(admin, "Superfluous")).to_have_count(0)
    assert "Superfluous" not in templates(admin)


def test_what_was_written_is_not_lost_by_a_slip(admin: HostPage) -> None:
    admin.button("New template").click()
    admin.field("Name").fill("Half")
    admin.button("Cancel").first.click()
    admin.question.locator("#question-cancel").click()
    expect(admin.field("Name")).to_have_value("Half")
    admin.button("Cancel").first.click()
    admin.question.locator("#question-ok").click()
    expect(admin.button("New template")).to_be_visible()


def test_on_a_phone_writing_and_preview_take_turns(admin: HostPage) -> None:
    admin.wide(390, 800)
    admin.open(TAG, theme="dark")
    admin.button("Edit Message (English)").click()
    expect(text(admin)).to_be_visible()
    expect(admin.page.locator("iframe")).to_be_hidden()
    admin.button("Preview").click()
    expect(preview(admin).get_by_text("Alva Lind").first).to_be_visible()
    expect(text(admin)).to_be_hidden()
    assert not admin.scrolls_sideways()
