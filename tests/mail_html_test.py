"""HTML as mail programs take it."""

import base64
import time

import pytest

from limepkg_email.host import StoredFile
from limepkg_email.incoming.sanitiser import sanitise
from limepkg_email.mail_html import MAX_CSS, inline_images, mail_safe

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
IN_TIME = 3.0


@pytest.mark.parametrize(
    "html",
    [
        "<script>bad()</script>",
        "<p onclick='bad()'>x</p>",
        "<a href='javascript:bad()'>x</a>",
        "<a href='data:text/html,bad'>x</a>",
        "<a href='cid:bad'>x</a>",
        "<a href='/bad'>x</a>",
        "<iframe src='https://bad.example'></iframe>",
        "<form action='https://bad.example'><input value=bad></form>",
        "<link rel=stylesheet href='https://bad.example/x.css'>",
        "<meta http-equiv=refresh content='0;url=https://bad.example'>",
        "<svg onload='bad()'></svg>",
        "<p style='position:fixed;top:bad'>x</p>",
        "<p style='background:url(https://bad.example)'>x</p>",
        "<p style='color:expression(bad)'>x</p>",
        "<p style='margin-left:-9999px /* bad */'>x</p>",
        "<img src='/bad.png'>",
        "<img src='data:image/svg+xml;base64,bad'>",
        "<img src='data:text/html,bad'>",
        "<style>p { background-image: url(https://bad.example) }</style><p>x</p>",
        "<style>@import url(https://bad.example/x.css);</style><p>x</p>",
        "<style>p { color: expression(bad) }</style><p>x</p>",
    ],
)
def test_nothing_that_runs_loads_or_moves_is_left(html: str) -> None:
    assert "bad" not in mail_safe(html)


def test_layout_links_and_images_are_left() -> None:
    html = (
        '<table width="10"><tbody><tr><td align="left" colspan="2">a</td></tr></tbody></table>'
        '<p style="color:rgb(1, 2, 3);font-size:12px">b</p>'
        f'<img src="https://example.com/a.png" alt="c"><img src="cid:d@e">'
        f'<img src="data:image/png;base64,{PIXEL}">'
    )
    assert mail_safe(html) == html
    assert 'href="https://example.com"' in mail_safe('<a href="https://example.com">x</a>')
    assert 'href="mailto:a@example.com"' in mail_safe('<a href="mailto:a@example.com">x</a>')


def test_making_it_safe_twice_changes_nothing() -> None:
    once = mail_safe("<style>p{color:red}</style><p class='a'>x <b>y<p>z & <a href='/x'>q</a>")
    assert mail_safe(once) == once


def test_the_rules_of_style_sheets_are_written_to_each_element() -> None:
    html = "<style>p { color: red } @media print { p { color: blue } }</style><p>a</p>"
    assert mail_safe(html) == '<p style="color:red">a</p>'
    assert mail_safe("<p>a</p>", css="p { font-weight: bold }") == (
        '<p style="font-weight:bold">a</p>'
    )


def test_an_elements_own_style_wins() -> None:
    assert "color:blue" in mail_safe('<p style="color:blue">a</p>', css="p { color: red }")


def test_words_that_look_like_markup_are_left() -> None:
    assert mail_safe('<p>a style="" &lt;img&gt; b</p>') == '<p>a style="" &lt;img&gt; b</p>'


@pytest.mark.parametrize(
    "css",
    [
        "p{color:red}" * MAX_CSS,
        "{" * 40_000,
        ":not(" * 9_000,
        "p{color:" + "calc(" * 8_000,
        "* " * 20_000 + "{color:red}",
        "div p .a > * ~ * {color:red}" * 1_500,
        ",".join("*" * 20_000) + "{color:red}",
        "@media x{" * 5_000,
    ],
)
def test_a_hostile_style_sheet_costs_little(css: str) -> None:
    began = time.process_time()
    html = "<div>" * 200 + "x" + "</div>" * 200 + "<p>y</p>" * 500
    assert "y" in mail_safe(html, css=css)
    assert time.process_time() - began < IN_TIME


@pytest.mark.parametrize(
    "html", ["<b>" * 50_000 + "x", "<style>" * 299 + "x" * 900_000, "x" + "&" * 100_000]
)
def test_hostile_html_costs_little(html: str) -> None:
    began = time.process_time()
    mail_safe(html)
    assert time.process_time() - began < IN_TIME


def test_what_cannot_be_parsed_keeps_its_words() -> None:
    html = mail_safe("<i>" * 1_000 + "a &lt; b<br>d<script>c</script>")
    assert html == "<p>a &lt; b<br>d</p>"


def test_images_within_the_html_become_parts_of_the_mail() -> None:
    inlined = inline_images(f'<p>a</p><img src="data:image/png;base64,{PIXEL}" alt="b">', {})
    (part,) = inlined.parts
    assert part.content == b"\x89PNG\r\n\x1a\n"
    assert (part.content_type, part.file_id) == ("image/png", "")
    assert part.filename.endswith(".png")
    assert inlined.html == f'<p>a</p><img src="cid:{part.content_id}" alt="b">'


def test_our_stored_files_become_parts_of_the_mail() -> None:
    file = StoredFile("9", "a.png", "image/png", 3)
    html = '<img src="/crm/file/9?a=1&amp;b=2"><img src="/crm/file/10">'
    inlined = inline_images(html, {"/crm/file/9?a=1&b=2": file})
    (part,) = inlined.parts
    assert (part.file_id, part.filename, part.content_type) == ("9", "a.png", "image/png")
    assert inlined.html == f'<img src="cid:{part.content_id}">'


def test_the_same_image_is_sent_once_and_always_under_the_same_id() -> None:
    html = f'<img src="data:image/png;base64,{PIXEL}">' * 2
    first, second = inline_images(html, {}), inline_images(html, {})
    assert len(first.parts) == 1
    assert first == second


def test_images_of_the_web_stay_and_those_of_another_mail_do_not() -> None:
    html = '<img src="https://example.com/a.png"><img src="cid:x@y">'
    inlined = inline_images(html, {})
    assert inlined.html == '<img src="https://example.com/a.png">'
    assert (inlined.parts, inlined.unusable) == ((), 0)


def test_what_a_picture_is_its_content_tells() -> None:
    known = {
        b"\x89PNG\r\n\x1a\n": "png",
        b"\xff\xd8\xff\xe0": "jpeg",
        b"GIF89a": "gif",
        b"RIFF\x10\n\x00\x00WEBPVP8 ": "webp",
    }
    for content, kind in known.items():
        data = base64.b64encode(content).decode()
        (part,) = inline_images(f'<img src="data:image/bmp;base64,{data}">', {}).parts
        assert part.content_type == f"image/{kind}"


@pytest.mark.parametrize(
    "address",
    [
        "data:image/png;base64,bm8gaW1hZ2U=",
        "data:image/png;base64,not-base64",
        "data:image/png,%89PNG",
        "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
        "data:image/png;base64,",
        "data:text/html;base64,iVBORw0KGgo=",
        "data:",
    ],
)
def test_what_is_no_picture_is_left_out_and_counted(address: str) -> None:
    inlined = inline_images(f'<p>a</p><img src="{address}">', {})
    assert (inlined.html, inlined.parts, inlined.unusable) == ("<p>a</p>", (), 1)


@pytest.mark.parametrize("words", [' class=""', ' href="x"', ' style="a(b"', ' id=""'])
def test_a_text_that_looks_like_attributes_is_kept_and_takes_an_ordinary_time(words: str) -> None:
    text = words * 15_000
    began = time.process_time()
    for clean in (sanitise, mail_safe):
        assert clean(f'<p class="">{text}</p>').startswith(f"<p>{text[:6]}")
    assert time.process_time() - began < IN_TIME
