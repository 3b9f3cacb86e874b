"""The texts that come with the package."""

import pytest

from limepkg_email.templates.context import (
    ConversationValues,
    MessageValues,
    PersonValues,
    context_for,
)
from limepkg_email.templates.defaults import LANGUAGES, Purpose, built_in, built_in_name
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import check, render


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_built_in_text_can_be_saved_and_sent(purpose: Purpose, language: str) -> None:
    source = built_in(purpose, language)
    check(source, MOCKED)
    bare = context_for(
        ConversationValues(1),
        None,
        PersonValues(email="a@example.com"),
        PersonValues(email="support@example.org"),
        PersonValues("Sam"),
        MessageValues(body="<p>x</p>", author="b@example.com"),
    )
    rendered = render(source, bare)
    assert "  " not in rendered.html
    assert " ," not in rendered.html
    assert " !" not in rendered.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_automatic_reply_quotes_the_subject_and_promises_no_number(language: str) -> None:
    rendered = render(built_in(Purpose.AUTOREPLY, language), MOCKED)
    assert "The delivery of order 4711" in rendered.subject
    assert "The delivery of order 4711" in rendered.html
    assert "ticket" not in rendered.html.lower()
    assert "ärende" not in rendered.html.lower()


@pytest.mark.parametrize(("language", "wrote"), [("en", "wrote:"), ("sv", "skrev:")])
def test_a_relayed_message_says_who_wrote_it_and_shows_it_as_it_was(
    language: str, wrote: str
) -> None:
    html = render(built_in(Purpose.RELAY, language), MOCKED).html
    assert f"Alva Lind {wrote}" in html
    assert "<p>When will the parcel come?</p>" in html


def test_a_language_without_built_in_texts_gets_english_ones() -> None:
    assert built_in(Purpose.RELAY, "sv-FI") == built_in(Purpose.RELAY, "sv")
    assert built_in(Purpose.RELAY, "sv_FI").language == "sv"
    assert built_in(Purpose.RELAY, "de") == built_in(Purpose.RELAY, "en")
    assert built_in(Purpose.RELAY, "") == built_in(Purpose.RELAY, "en")


def test_every_built_in_text_has_a_name_of_its_own() -> None:
    names = {built_in_name(purpose, each) for purpose in Purpose for each in LANGUAGES}
    assert len(names) == len(Purpose) * len(LANGUAGES)
