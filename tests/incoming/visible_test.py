"""Only what the sender has just written is visible, and never less than that."""

from __future__ import annotations

import html as entities
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.engine.types import Text
from limepkg_email.incoming.body import build_body
from limepkg_email.incoming.history import history_start
from limepkg_email.incoming.visible import visible_html, visible_text
from limepkg_email.markup import plain_text

REPLIES = Path(__file__).parent / "mails" / "replies"
MAILS = sorted(path for path in REPLIES.iterdir() if path.suffix != ".visible")


def lines(text: str) -> list[str]:
    """Lines as a reader sees them: without empty ones and without indentation."""
    shown = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return [line for line in shown if line]


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_only_the_new_words_of_a_reply_are_visible(path: Path) -> None:
    expected = lines(path.with_name(f"{path.name}.visible").read_text())
    mail = path.read_text()
    if path.suffix == ".txt":
        assert lines(visible_text(mail)) == expected
        return
    body = build_body(Text(html=mail), max_size=1_000_000)
    assert lines(plain_text(body.visible)) == expected


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_the_complete_mail_stays_beside_the_visible_part(path: Path) -> None:
    mail = path.read_text()
    text = Text(html=mail) if path.suffix == ".html" else Text(plain=mail)
    body = build_body(text, max_size=1_000_000)
    shown = "".join(plain_text(body.html).split()).replace(">", "")
    written = plain_text(mail) if path.suffix == ".html" else mail
    assert shown == "".join(entities.unescape(written).split()).replace(">", "")


def test_an_image_of_the_signature_stays_visible() -> None:
    mail = (REPLIES / "signature-image-kept-en.html").read_text()
    assert "cid:logo@example.org" in build_body(Text(html=mail), max_size=10_000).visible


@pytest.mark.parametrize(
    "name", ["outlook-desktop-en.html", "gmail-en.html", "outlook-web-sv.html"]
)
def test_a_mail_forwarded_by_its_subject_is_visible_whole(name: str) -> None:
    text = Text(html=(REPLIES / name).read_text())
    body = build_body(text, max_size=1_000_000, forwarded=True)
    assert body.visible == body.html


@pytest.mark.parametrize("path", [p for p in MAILS if p.suffix == ".html"], ids=lambda p: p.name)
def test_the_visible_html_closes_every_element_it_opens(path: Path) -> None:
    visible = build_body(Text(html=path.read_text()), max_size=1_000_000).visible
    open_tags: list[str] = []
    for closing, name in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", visible):
        if closing:
            assert open_tags.pop() == name
        elif name not in ("br", "img", "hr"):
            open_tags.append(name)
    assert open_tags == []


@given(st.text())
def test_the_visible_part_of_any_text_is_its_beginning(plain: str) -> None:
    visible = visible_text(plain)
    assert visible == plain or "\n".join(plain.splitlines()).startswith(visible)


PIECES = st.sampled_from(
    [
        "Hej",
        "On 20 Nov 2026, at 10:04, A <a@b.c> wrote:",
        "> old",
        "From: a",
        "To: b",
        "Sent: c",
        "",
        "-----Original Message-----",
        "-- ",
        "wrote:",
        "2026",
        ":",
        "Begin forwarded message:",
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_a_text_with_words_never_becomes_empty(pieces: list[str]) -> None:
    plain = "\n".join(pieces)
    assert bool(visible_text(plain).strip()) == bool(plain.strip())
    start = history_start(pieces)
    assert start is None or 0 <= start < len(pieces)


@given(
    st.lists(
        st.sampled_from(
            [
                "<blockquote>",
                "</blockquote>",
                '<div class="gmail_quote">',
                "</div>",
                "<p>",
                "x",
                "<br>",
                '<div id="divRplyFwdMsg">',
                "<b>From:</b> a<br>",
                "To: b<br>Sent: c<br>",
                '<img src="cid:a">',
            ]
        ),
        max_size=14,
    )
)
def test_any_mixture_of_quote_marks_is_survived(pieces: list[str]) -> None:
    body = build_body(Text(html="".join(pieces)), max_size=10_000)
    assert visible_html(body.visible) is not None
    assert bool(plain_text(body.visible).strip()) == bool(plain_text(body.html).strip())
