from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest

from .crm import NOW, PREFIX, Crm, Person

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def message(crm: Crm, html: str, **values: Any) -> int:
    conversation = crm.conversation()
    given = {"subject": "Hello", "visiblebody": html, "body": html, **values}
    return crm.mail(conversation, crm.add("follower", conversation=conversation), **given)


def picture(crm: Crm, of: int, content_type: str = "image/png", cid: str = "logo@x") -> int:
    stored = crm.application.files.create("logo.png", content_type, io.BytesIO(PNG))
    return crm.add("embeddedfile", contentid=cid, file=stored.id, conversationmessage=of)


def directives(response: Any) -> dict[str, str]:
    policy = response.headers["Content-Security-Policy"].split(";")
    return {each.split()[0]: " ".join(each.split()[1:]) for each in policy}


def test_the_body_is_a_page_under_a_policy_of_its_own(crm: Crm, agent: Person) -> None:
    found = agent.get(f"/message/{message(crm, '<p>Hello <b>you</b></p>')}/body")
    assert found.status_code == 200
    assert found.mimetype == "text/html"
    assert found.text.startswith("<!DOCTYPE html>")
    assert "<p>Hello <b>you</b></p>" in found.text
    assert directives(found) == {
        "default-src": "'none'",
        "img-src": "'self' data:",
        "style-src": "'unsafe-inline'",
        "sandbox": "allow-same-origin allow-popups allow-popups-to-escape-sandbox",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<form action='https://evil.example'><input name=q></form>",
        "<iframe src='https://evil.example'></iframe>",
        "<svg onload=alert(1)></svg>",
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<base href='https://evil.example'>",
        "<div style='background:url(https://evil.example/x)'>x</div>",
        "<style>@import 'https://evil.example'</style>",
        "</body></html><script>alert(1)</script>",
    ],
)
def test_what_slipped_into_the_database_is_harmless_on_display(
    crm: Crm, agent: Person, hostile: str
) -> None:
    """Sanitised on import, but the CRM, its plugins and its importers write to the database too."""
    found = agent.get(f"/message/{message(crm, hostile)}/body", images="1")
    shown = found.text.partition("<body>")[2]
    for part in ("<script", "onerror", "javascript:", "<form", "<input", "<iframe", "<svg",
                 "<meta", "<base", "evil.example", "<style"):  # fmt: skip
        assert part not in shown


def test_the_subject_cannot_leave_the_title(crm: Crm, agent: Person) -> None:
    evil = "</title><script>alert(1)</script>"
    assert "<script" not in agent.get(f"/message/{message(crm, 'x', subject=evil)}/body").text


def test_images_from_the_web_load_only_when_asked_for(crm: Crm, agent: Person) -> None:
    live = '<img src="https://pics.example/a.png" alt="A" width="100">'
    kept = live.replace("https:", "remote:https:")
    for html in (live, kept):  # as the CRM's own users write it, as the import keeps it
        path = f"/message/{message(crm, html)}/body"
        before, after = agent.get(path), agent.get(path, images="true")
        assert 'data-remote="https://pics.example/a.png"' in before.text
        # Not even a scheme that no browser loads: it would complain of each image.
        assert " src=" not in before.text
        assert 'src="https://pics.example/a.png"' in after.text
        assert directives(before)["img-src"] == "'self' data:"
        assert directives(after)["img-src"] == "'self' data: https: http:"


def test_a_message_shows_its_own_pictures(crm: Crm, agent: Person) -> None:
    shown = message(crm, '<p><img src="cid:logo@x"><img src="cid:other@x" alt="O"></p>')
    file = picture(crm, shown)
    found = agent.get(f"/message/{shown}/body").text
    assert "cid:" not in found
    address = found.partition(f'src="{PREFIX}')[2].partition('"')[0]
    assert address.startswith(f"/embedded-file/{file}/")
    # The page is confined, so a browser sends no cookie for what is in it.
    response = crm.nobody().get(address)
    assert agent.get(f"/embedded-file/{file}").data == PNG
    assert (response.status_code, response.mimetype, response.data) == (200, "image/png", PNG)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert directives(response) == {"default-src": "'none'", "sandbox": ""}
    assert response.headers["Cache-Control"] == "private, max-age=3600"
    assert response.content_length == len(PNG)


def test_the_address_of_a_picture_ends_and_cannot_be_changed(crm: Crm, agent: Person) -> None:
    shown = message(crm, '<img src="cid:logo@x">')
    file, other = picture(crm, shown), picture(crm, shown, cid="other")
    page = agent.get(f"/message/{shown}/body").text
    _, _, id_, until, signature = page.partition(f'src="{PREFIX}')[2].partition('"')[0].split("/")
    nobody = crm.nobody()
    for changed in (
        f"{other}/{until}/{signature}",
        f"{id_}/{int(until) + 1}/{signature}",
        f"{id_}/{until}/{signature[:-1]}",
        f"{id_}/{until}/\u00ff",
    ):
        assert nobody.get(f"/embedded-file/{changed}").status_code == 404
    assert nobody.get(f"/embedded-file/{file}").status_code == 401
    for passed, status in ((0.9, 200), (2, 404)):
        crm.now = NOW + timedelta(hours=passed)
        assert nobody.get(f"/embedded-file/{id_}/{until}/{signature}").status_code == status


@pytest.mark.parametrize("cid", ["<logo@x>", "logo@x", "l%C3%B6go@x", "a&b@x"])
def test_content_ids_are_found_however_they_are_written(crm: Crm, agent: Person, cid: str) -> None:
    bare = cid.strip("<>")
    shown = message(crm, f'<img src="cid:{bare.replace("&", "&amp;")}">')
    stored = bare.replace("%C3%B6", "ö")
    file = picture(crm, shown, cid=f"<{stored}>" if cid[0] == "<" else stored)
    assert f"/embedded-file/{file}" in agent.get(f"/message/{shown}/body").text


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/pdf", "image/x-odd"])
def test_only_harmless_pictures_are_given(crm: Crm, agent: Person, kind: str) -> None:
    file = picture(crm, message(crm, "x"), kind)
    assert agent.get(f"/embedded-file/{file}").status_code == 404


def test_the_visible_part_leaves_out_what_was_said_before(crm: Crm, agent: Person) -> None:
    shown = message(crm, "", visiblebody="<p>new</p>", body="<p>new</p><p>old</p>")
    path = f"/message/{shown}/body"
    assert "old" not in agent.get(path).text
    assert "<html data-more>" in agent.get(path).text
    assert "old" in agent.get(path, part="complete").text
    assert "<html>" in agent.get(path, part="complete").text
    assert agent.get(path, part="half").status_code == 422


def test_a_mail_that_says_nothing_new_is_shown_complete(crm: Crm, agent: Person) -> None:
    shown = message(crm, "", visiblebody="", body="<p>old</p>")
    assert "old" in agent.get(f"/message/{shown}/body").text


def test_an_empty_message_is_an_empty_page(crm: Crm, agent: Person) -> None:
    shown = message(crm, "", visiblebody=None, body=None, subject=None)
    found = agent.get(f"/message/{shown}/body")
    assert (found.status_code, "<body></body>" in found.text) == (200, True)


def test_a_plain_mail_follows_the_dark_mode_and_a_coloured_one_keeps_its_paper(
    crm: Crm, agent: Person
) -> None:
    plain = agent.get(f"/message/{message(crm, '<p>red? no colour</p>')}/body").text
    assert "color-scheme:light dark" in plain
    coloured = message(crm, '<p style="color:#000">black</p>')
    assert "color-scheme:light;" in agent.get(f"/message/{coloured}/body").text


def test_a_plain_mail_has_the_theme_that_the_page_around_it_asks_for(
    crm: Crm, agent: Person
) -> None:
    path = f"/message/{message(crm, '<p>Hello</p>')}/body"
    assert "data-theme" not in agent.get(path).text.partition("<style>")[0]
    for theme in ("dark", "light"):
        assert f'<html data-theme="{theme}">' in agent.get(path, theme=theme).text
    assert agent.get(path, theme='"><script>').status_code == 422
    coloured = message(crm, '<p style="color:#000">black</p>')
    shown = agent.get(f"/message/{coloured}/body", theme="dark").text
    assert "color-scheme:light;" in shown
    assert "dark" not in shown.partition("<style>")[2]


def test_words_and_numbers_stay_whole_and_what_has_no_end_may_break(
    crm: Crm, agent: Person
) -> None:
    link = "https://shop.example/" + "track?id=a&amp;b=" * 20
    html = f'<table title="{"t" * 60}"><tr><td>148 080.00</td><td>{link}</td></tr></table>'
    found = agent.get(f"/message/{message(crm, html)}/body").text
    assert "overflow-wrap:break-word" in found
    assert "<td>148 080.00</td>" in found
    assert "t" * 60 in found
    shown = found.partition("080.00</td><td>")[2].partition("</td>")[0]
    assert shown.replace("<wbr>", "") == link
    pieces = shown.replace("&amp;", "&").split("<wbr>")
    assert max(map(len, pieces)) <= 40


def test_html_that_would_take_for_ever_to_parse_is_shown_as_text(crm: Crm, agent: Person) -> None:
    found = agent.get(f"/message/{message(crm, '<div>' * 5000 + 'deep')}/body")
    assert (found.status_code, "deep" in found.text) == (200, True)
    assert found.text.count("<div>") < 10


def test_who_may_not_see_the_object_sees_neither_body_nor_picture(crm: Crm) -> None:
    shown = message(crm, "secret")
    file = picture(crm, shown)
    reader = crm.person("reader")
    assert reader.get(f"/message/{shown}/body").status_code == 200
    with crm.engine.begin() as connection:
        connection.exec_driver_sql(
            """UPDATE crm_role SET access = '{"*": "r", "conversationmessage": ""}'"""
            " WHERE name = 'reader'"
        )
    assert reader.get(f"/message/{shown}/body").status_code == 404
    assert reader.get(f"/embedded-file/{file}").status_code == 404


def test_what_does_not_exist_is_not_found(crm: Crm, agent: Person) -> None:
    lost = crm.add("embeddedfile", contentid="x")
    for path in ("/message/4711/body", "/embedded-file/4711", f"/embedded-file/{lost}"):
        assert agent.get(path).status_code == 404, path
    assert agent.get(f"/message/{10**30}/body").status_code in (404, 422)
