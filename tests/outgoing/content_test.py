import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.outgoing.content import content_of, document, text_from


def test_a_text_becomes_html_that_shows_it_as_it_was_written() -> None:
    content = content_of("", "Hej <Åsa> & Co!\nRad två\r\n\r\nNytt stycke 🙂")
    assert content.html == "<p>Hej &lt;Åsa&gt; &amp; Co!<br>Rad två</p><p>Nytt stycke 🙂</p>"
    assert content.text == "Hej <Åsa> & Co!\nRad två\r\n\r\nNytt stycke 🙂"


def test_html_becomes_a_text_that_says_the_same() -> None:
    html = (
        "<h1>Offert</h1><p>Hej  <b>Åsa</b>,<br>se\n<a href='https://example.com/a'>här</a>:</p>"
        "<ul><li>ett</li><li>två</li></ul><p><a href='mailto:a@example.com'>a@example.com</a></p>"
    )
    assert content_of(html, "").text == (
        "Offert\n\nHej Åsa,\nse här (https://example.com/a):\n\n- ett\n\n- två\n\na@example.com"
    )


def test_a_text_that_was_written_is_kept_beside_the_html() -> None:
    assert content_of("<p>rich</p>", "poor").text == "poor"


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script><p>x</p>",
        "<p onclick='alert(1)'>x</p>",
        "<p><a href='javascript:alert(1)'>x</a></p>",
        "<p>x</p><iframe src='https://example.com'></iframe>",
        "<p style='position:fixed;background:url(https://example.com)'>x</p>",
        "<p>x</p><img src='/crm/file/1' onerror=alert(1)>",
        "<form action='https://example.com'><p>x</p><input></form>",
        "<style>p{}</style><p>x</p>",
        "<!-- secret --><p>x</p>",
    ],
)
def test_nothing_that_runs_or_loads_or_points_into_the_crm_leaves(html: str) -> None:
    clean = content_of(html, "").html
    for word in ("script", "alert", "iframe", "url(", "fixed", "/crm/", "form", "secret", "p{}"):
        assert word not in clean
    assert "x" in clean


def test_layout_that_editors_make_stays() -> None:
    html = '<p style="color: red; text-align: center">x</p>'
    clean = content_of(html + "<table border='1'><tr><td>y</td></tr></table>", "").html
    assert 'style="color:red;text-align:center"' in clean
    assert "<td>y</td>" in clean


def test_control_characters_and_lone_surrogates_do_not_leave() -> None:
    content = content_of("<p>a\x00b\ud800c</p>", "")
    assert content.html == "<p>ab\ufffdc</p>"
    content.text.encode()


@given(st.text(st.characters(exclude_categories=[])), st.text(alphabet="<>/pabr&;\n \x00é"))
def test_whatever_is_written_can_be_stored_and_sent(text: str, html: str) -> None:
    content = content_of(html, text)
    for each in (content.html, content.text, content.preview):
        document(content.html, each).encode()
        assert "\x00" not in each


@pytest.mark.parametrize("html", ["", " \n", "<p> </p>", "<p><br></p>", "<p>&nbsp;</p>", "<img>"])
def test_what_shows_nothing_is_empty(html: str) -> None:
    assert content_of(html, " ").empty


@pytest.mark.parametrize("html", ["<p>.</p>", '<img src="https://example.com/a.png">'])
def test_what_shows_something_is_not_empty(html: str) -> None:
    assert not content_of(html, "").empty


def test_html_that_takes_minutes_to_parse_is_sent_as_its_words() -> None:
    content = content_of("<b>" * 100_000 + "help" + "</b>" * 100_000, "")
    assert content.text == "help"
    assert content.html == "<p>help</p>"


def test_the_document_is_complete_and_its_title_escaped() -> None:
    made = document("<p>å</p>", "</title><script>")
    assert made.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in made
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in made
    assert "<body><p>å</p></body>" in made


def test_the_preview_is_one_short_line() -> None:
    preview = content_of("", "first\nsecond " + "x" * 500).preview
    assert preview.startswith("first second x")
    assert len(preview) == 256


def test_preformatted_text_keeps_its_lines() -> None:
    assert text_from("<pre>one\ntwo</pre>") == "one\ntwo"


@pytest.mark.parametrize(
    "unit", ["x<br>", "<p>x</p>", "<a href='http://x.example'>x</a> ", "<li>x"]
)
def test_a_long_message_is_read_in_proportion_to_its_length(unit: str) -> None:
    started = time.process_time()
    text = content_of(unit * 20_000, "").text
    assert text.count("x") >= 20_000
    assert time.process_time() - started < 5
