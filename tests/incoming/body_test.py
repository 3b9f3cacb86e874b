"""Bodies are harmless, complete, and cheap to build, whatever the mail."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.engine.types import Text
from limepkg_email.incoming.body import EMPTY, Body, build_body, preview, with_note
from limepkg_email.incoming.sanitiser import REMOTE_PREFIX, with_remote_images
from limepkg_email.markup import is_tame, plain_text

ANY = st.text(st.characters(codec=None, exclude_categories=()))
SIZE = 4_000_000


def html(value: str, words: str = "") -> Body:
    return build_body(Text(html=value, plain=words), max_size=SIZE)


def plain(value: str) -> Body:
    return build_body(Text(plain=value), max_size=SIZE)


class Inspector(HTMLParser):
    """Fails on everything that must never be left in a body."""

    ALLOWED_SOURCES = re.compile(rf"(?:{REMOTE_PREFIX}https?:|cid:|data:image/(?!svg))", re.I)
    ALLOWED_LINKS = re.compile(r"\s*(?:https?|mailto|tel):", re.I)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "button",
            "svg",
            "math",
            "base",
            "meta",
            "link",
            "video",
            "audio",
            "template",
            "frame",
            "html",
            "body",
        }
        for name, raw in attrs:
            value = raw or ""
            assert not name.startswith("on")
            assert name not in ("background", "srcset", "action", "formaction", "poster", "data")
            if name == "href":
                assert self.ALLOWED_LINKS.match(value)
            if name == "src":
                assert self.ALLOWED_SOURCES.match(value)
            if name == "style":
                assert not re.search(r"url|expression|position|z-index|behaviou?r|@import", value)


def is_harmless(markup: str) -> bool:
    Inspector().feed(markup)
    return True


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://x.example/a.png' onload=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#1;javascript:alert(1)'>x</a>",
    "<a href=' data:text/html,x'>x</a>",
    "<a href='&#1;data:text/html,x'>x</a>",
    "<a href='da&#9;ta:text/html,x'>x</a>",
    "<a href='vbscript:x'>x</a><a href='cid:x'>x</a><a href='//x.example'>x</a><a href='/x'>x</a>",
    "<iframe src='//x.example'></iframe><object data=x></object><embed src=x>",
    "<form action='//x.example'><input name=password><button>Go</button></form>",
    "<p style='position:fixed;z-index:99;top:0'>x</p>",
    "<p style='background:url(https://x.example/a.png)'>x</p>",
    "<p style='background:u\\72l(https://x.example)'>x</p>",
    "<p style='width:expression(alert(1));behavior:url(x)'>x</p>",
    "<p style='background-image:url(x);list-style:url(x);cursor:url(x)'>x</p>",
    "<p style='background:image-set(\"https://x.example\" 1x)'>x</p>",
    "<p style='color:red;}*{display:none'>x</p>",
    "<table background='https://x.example/a.png'><tr><td background=x>x</td></tr></table>",
    "<img srcset='//x.example 2x' src='https://x.example'><picture><source srcset=x>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='><img src='data:text/html,x'>",
    "<link rel=stylesheet href=x><meta http-equiv=refresh content='0;url=x'><base href=x>",
    "<!--[if mso]><script>x</script><![endif]--><![CDATA[<script>x</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<xmp><script>alert(1)</script></xmp><plaintext><script>alert(1)</script>",
    "<title><style></title><img src=x onerror=alert(1)>",
    '<p title="&quot; onmouseover=alert(1) x=&quot;">x</p>',
    "<template><script>x</script></template><textarea><script>x</script></textarea>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_html_becomes_harmless(attack: str) -> None:
    body = html(f"<p>Hej</p>{attack}<p>Slut</p>")
    assert is_harmless(body.html)
    assert is_harmless(body.visible)
    assert "Hej" in body.html


@given(st.lists(st.sampled_from([*ATTACKS, "<b>", "</p>", "x", '"', "'", ">", "<", "<p ", " a=b"])))
def test_any_mixture_of_attacks_becomes_harmless(pieces: list[str]) -> None:
    assert is_harmless(html("".join(pieces)).html)


@given(ANY, ANY)
def test_any_mail_has_a_storable_harmless_body(markup: str, words: str) -> None:
    body = build_body(Text(html=markup, plain=words), max_size=1000)
    assert is_harmless(body.html)
    assert len(body.preview) <= 255
    assert len(body.preview.splitlines()) <= 1
    for value in (body.html, body.visible, body.preview):
        assert "\x00" not in value
        value.encode()


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp"))))
def test_any_plain_text_is_shown_as_it_was_written(words: str) -> None:
    body = plain(words)
    assert is_harmless(body.html)
    # White space and the marks of quotes become markup.
    shown = re.sub(r"[\s>]", "", plain_text(body.html))
    assert shown == re.sub(r"[\s>]", "", words)


def test_layout_of_mail_survives() -> None:
    body = html(
        '<table width="100%" cellpadding="0" bgcolor="#eeeeee"><tr><td align="center" valign="top"'
        ' style="padding:10px;BACKGROUND-COLOR:#fff;Color:red;border-top:1px solid #ccc">'
        '<font face="Arial" size="2" color="blue">Hej</font></td></tr></table>'
    )
    assert 'cellpadding="0"' in body.html
    style = "padding:10px;BACKGROUND-COLOR:#fff;Color:red;border-top:1px solid #ccc"
    assert f'style="{style}"' in body.html
    assert '<font face="Arial" size="2" color="blue">' in body.html


def test_colours_that_are_computed_survive() -> None:
    assert "rgb(1, 2, 3)" in html('<p style="color:rgb(1,2,3);margin:0 0 0 -9px">x</p>').html


def test_style_sheets_and_titles_do_not_leak_as_text() -> None:
    body = html("<title>T</title><style>p{color:red}</style><p>Hej</p>")
    assert body.html == "<p>Hej</p>"


def test_links_open_elsewhere_and_tell_nothing() -> None:
    body = html('<a href="https://x.example/">x</a>')
    assert 'target="_blank"' in body.html
    assert 'rel="noopener noreferrer nofollow"' in body.html


def test_images_from_the_web_wait_for_a_click() -> None:
    body = html('<p><img src="https://x.example/a.png" width="20"></p>')
    assert body.html == '<p><img src="remote:https://x.example/a.png" width="20"></p>'
    assert with_remote_images(body.html) == '<p><img src="https://x.example/a.png" width="20"></p>'


def test_only_images_are_enabled_by_the_click() -> None:
    body = html('<p> src="remote:https://x.example"</p>')
    assert with_remote_images(body.html) == body.html


@pytest.mark.parametrize(
    "pixel",
    [
        'width="1" height="1"',
        "height=0 width=0",
        'style="width:1px;height:1px"',
        'width="1px" height=1',
        'style="display:none"',
        'style="width:1px !important; height:1px !important"',
    ],
)
def test_tracking_pixels_are_dropped(pixel: str) -> None:
    assert "<img" not in html(f'<p>Hej<img src="https://x.example/p.gif" {pixel}></p>').html


@pytest.mark.parametrize("size", ['width="10" height="1"', 'width="100%" height="1"', ""])
def test_images_one_can_see_are_kept(size: str) -> None:
    assert "<img" in html(f'<p>Hej<img src="https://x.example/p.gif" {size}></p>').html


def test_embedded_images_are_kept_and_named() -> None:
    body = html('<img src="cid:a%20b@c"><img src="CID:d@e"><img width=1 height=1 src="cid:f">')
    assert body.content_ids == {"a b@c", "d@e", "f"}
    assert body.html.count("cid:") == 3


def test_small_images_within_the_html_are_kept() -> None:
    small = "data:image/png;base64,iVBORw0KGgo="
    assert small in html(f'<img src="{small}">').html
    large = "data:image/png;base64," + "A" * 200_000
    assert "data:" not in html(f'x<img src="{large}">').html


def test_html_of_which_nothing_is_left_gives_way_to_the_text() -> None:
    assert "Hej" in html("<script>x</script><p>&nbsp;</p>", "Hej").html


def test_no_text_is_an_empty_body() -> None:
    assert build_body(None, max_size=10) == EMPTY
    assert build_body(Text(), max_size=10) == EMPTY


def test_a_body_over_the_limit_says_so() -> None:
    body = build_body(Text(html="<p>" + "x" * 100), max_size=50)
    assert body.truncated
    assert len(body.html) <= 60
    assert build_body(Text(plain="x", has_more=True), max_size=50).truncated
    assert not build_body(Text(plain="x" * 50), max_size=50).truncated


def test_plain_text_keeps_lines_quotes_and_links() -> None:
    body = plain("Se https://x.example/a?b=1&c=2.\n  indraget\n> citat\n>> djupare\n<b>")
    assert body.html == (
        '<div>Se <a href="https://x.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer'
        ' nofollow">https://x.example/a?b=1&amp;c=2</a>.<br>&nbsp; indraget<blockquote>citat'
        "<blockquote>djupare</blockquote></blockquote>&lt;b&gt;</div>"
    )


def test_the_preview_is_the_beginning_in_one_line() -> None:
    assert html("<p>Hej</p><p>du&nbsp;&amp; <b>jag</b></p>").preview == "Hej du & jag"
    long = html(f"<p>{'ord ' * 200}</p>").preview
    assert len(long) <= 255
    assert long.endswith("…")


def test_the_preview_looks_behind_pages_of_layout() -> None:
    assert preview('<table><tr><td style="padding:0">' * 300 + "Hej") == "Hej"


def test_the_preview_of_a_single_endless_paragraph_is_its_beginning() -> None:
    assert html(f"<p>Hej {'ö&amp; ' * 50_000}</p>").preview.startswith("Hej ö& ö&")


def test_a_note_is_added_as_text() -> None:
    noted = with_note(html("<p>Hej</p>"), "Left out: <b>.exe")
    assert noted.html == "<p>Hej</p><p><em>Left out: &lt;b&gt;.exe</em></p>"
    assert noted.visible.endswith("</em></p>")
    assert noted.preview == "Hej"


@pytest.mark.parametrize(
    "tags", ["<div>", "<p><font color={}>", "<b><i></b></i>", "<table><tr><td>"]
)
def test_entangled_html_is_shown_as_text(tags: str) -> None:
    markup = "".join(tags.format(number) for number in range(2_000)) + "Hej"
    assert not is_tame(markup)
    assert "Hej" in html(markup).html


def test_long_but_ordinary_html_is_tame() -> None:
    rows = "<tr><td><p>A &amp; B<br><b>x</b><td><span>y</span></tr><li>z" * 3_000
    assert is_tame(f"<table>{rows}</table>")


ENDLESS = [
    "<div>",
    "<p><font color=1>",
    "<p><font color=2><p><b>",
    "<b><i></b></i>",
    "<table><tr><td>",
    "&",
    "&amp;",
    "\xa0",
    "<",
    ">",
    "x",
    " ",
    "\n",
    "\t",
    "\0",
    "\ud800",
    "<style>",
    "<!--",
    "<a href=",
    "</",
    '<p style="color:(',
    '<p style="margin',
    '<img src="http://x" ',
    "<img src=http://x>",
    '<img src="data:image/png;base64,AA==">',
    "<blockquote>x</blockquote>",
    "<blockquote>",
    '<div class="gmail_quote">x</div>',
    '<p title="<b">',
    "<br>",
    "<p>&nbsp;",
    "<hr>:",
    ":<br>",
    "(",
    ")",
    "On ",
    "On 2026 10:04 a@b wrote:\n",
    "> x\n",
    ">\nx\n",
    "From: a\n",
    "<b>From:</b> a<br>",
    "To: b\n",
    "http://",
    "http://. ",
    "www.",
    "-----",
    "-----Original Message-----\n",
    "_",
    ":\n",
    "10:04 ",
    "a@b ",
    "-- forwarded message\n",
    " wrote:",
    "<p><b>From: </b></p>",
    "<span> wrote: </span>",
]


@pytest.mark.parametrize("piece", ENDLESS)
def test_an_endless_body_takes_seconds_at_most(piece: str) -> None:
    endless = piece * (2_000_000 // len(piece))
    started = time.process_time()
    html(endless)
    plain(endless)
    assert time.process_time() - started < 6


def test_two_hundred_thousand_nested_elements_are_survived() -> None:
    markup = "<div>" * 200_000 + "Hej" + "</div>" * 200_000
    assert "Hej" in html(markup).html
