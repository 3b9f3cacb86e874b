"""Texts that people insert while they write."""

import pytest

from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.snippets import (
    MAX_TEXT,
    count_snippets,
    create_snippet,
    delete_snippet,
    get_snippet,
    list_snippets,
    update_snippet,
)
from tests.templates.conftest import Office


def test_a_snippet_can_be_created_read_changed_and_deleted(office: Office) -> None:
    created = create_snippet(office.agent, " Greeting ", "<p>Hi</p>")
    assert (created.title, created.text) == ("Greeting", "<p>Hi</p>")
    assert get_snippet(office.agent, created.id) == created
    changed = update_snippet(office.agent, created.id, "Greeting", "<p>Ho</p>")
    assert list_snippets(office.agent) == [changed]
    delete_snippet(office.agent, created.id)
    with pytest.raises(NotFound):
        get_snippet(office.agent, created.id)


def test_snippets_are_found_by_title_and_text_a_page_at_a_time(office: Office) -> None:
    for title, text in (("b", "moon"), ("a", "sun"), ("c", "Sunday")):
        create_snippet(office.agent, title, text)
    assert [each.title for each in list_snippets(office.agent)] == ["a", "b", "c"]
    assert [each.title for each in list_snippets(office.agent, "SUN")] == ["a", "c"]
    assert [each.title for each in list_snippets(office.agent, limit=1, offset=1)] == ["b"]
    assert count_snippets(office.agent, "sun") == 2


def test_the_text_is_made_harmless_whoever_stored_it(office: Office) -> None:
    created = create_snippet(office.agent, "a", "<p onclick='x()'>x</p><script>y</script>")
    assert created.text == "<p>x</p>"
    other = office.installation.add("textsnippet", title="b", text="<script>y</script>z")
    assert get_snippet(office.agent, other).text == "z"


@pytest.mark.parametrize(
    ("title", "text", "field"),
    [("", "x", "title"), ("x" * 129, "x", "title"), ("x", " ", "text"), ("x", "<br>", "text"),
     ("x", "x" * (MAX_TEXT + 1), "text")],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named(
    office: Office, title: str, text: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_snippet(office.agent, title, text)
    assert list(caught.value.errors) == [field]


def test_the_users_own_access_decides(office: Office) -> None:
    created = create_snippet(office.agent, "a", "b")
    reader = office.acting_as("reader")
    assert list_snippets(reader) == [created]
    with pytest.raises(Forbidden):
        create_snippet(reader, "a", "b")
    with pytest.raises(Forbidden):
        delete_snippet(reader, created.id)
    with pytest.raises(Forbidden):
        list_snippets(office.stranger)
