"""The pages of the bundled CRM, as somebody with a browser uses them."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from limepkg_email.query import Equals
from limepkg_email.reference import ReferenceApplication, ReferenceHost, pages
from limepkg_email.reference.app import create_app
from limepkg_email.reference.pages.administration import SECTIONS
from tests.installation import Installation
from tests.reference.browser import PASSWORD, Browser
from tests.statements import counted

OURS = "/static/(?:crm|limepkg-email)/"


def _begin(browser: Browser, **changed: Any) -> TestResponse:
    values = {
        "subject": "Your booking",
        "recipients": "Anna Andersson <anna@example.org>",
        "account": "1",
        "text": "We have a table for you.",
        "key": "k1",
        **changed,
    }
    return browser.post("/demo/tickets/new", "/demo/tickets/new", **values)


# --- tickets ------------------------------------------------------------------------------------


def test_tickets_are_found_by_title_and_status(
    browser: Browser, installation: Installation
) -> None:
    installation.add("helpdesk", title="Broken <b>screen</b>")
    installation.add("helpdesk", title="Old keyboard", status="closed")
    assert "Broken &lt;b&gt;screen&lt;/b&gt;" in browser.get("/demo/tickets").text
    assert "keyboard" not in browser.get("/demo/tickets").text
    assert "keyboard" in browser.get("/demo/tickets?status=closed").text
    assert "keyboard" in browser.get("/demo/tickets?status=all&q=KEYB").text
    assert "No ticket fits" in browser.get("/demo/tickets?q=%00%ED%A0%80nothing").text


def test_long_list_comes_in_pages(browser: Browser, installation: Installation) -> None:
    for number in range(41):
        installation.add("helpdesk", title=f"Ticket no. {number}")
    first, second = browser.get("/demo/tickets"), browser.get("/demo/tickets?page=2")
    assert "Ticket no. 40" in first.text
    assert "Ticket no. 0<" not in first.text
    assert "Ticket no. 0<" in second.text
    assert "Page 2 of 2, 41 in all" in second.text
    assert browser.get("/demo/tickets?page=9999&status=x").status_code == 200
    assert browser.get("/demo/tickets?page=-1").status_code == 200


def test_ticket_with_the_latest_message_comes_first(
    browser: Browser, installation: Installation
) -> None:
    page = _begin(browser, subject="Was written to").location
    installation.add("helpdesk", title="Began later")
    texts = browser.get("/demo/tickets").text
    assert texts.index("Began later") < texts.index("Was written to")
    conversation = installation.one("conversation")
    later = {"lastmessagedate": installation.services.clock() + timedelta(hours=1)}
    with installation.services.application.unit_of_work() as work:
        work.objects.update("conversation", conversation.id, later)
    texts = browser.get("/demo/tickets").text
    assert texts.index("Was written to") < texts.index("Began later")
    assert page


def test_list_is_sorted_by_what_it_shows_when_an_old_message_begins_a_new_ticket(
    browser: Browser, installation: Installation
) -> None:
    _begin(browser, subject="Was split off")
    _begin(browser, subject="Was written to", key="k2")
    now, (first, second) = installation.services.clock(), installation.all("conversation")
    with installation.services.application.unit_of_work() as work:
        for each, hours in ((first, 1), (second, 2)):
            at = now - timedelta(hours=hours)
            work.objects.update("conversation", each.id, {"lastmessagedate": at})
    text = browser.get("/demo/tickets").text
    times = re.findall(r'<td class="when"><time datetime="([^"]+)"', text)
    assert len(times) == 2
    assert times == sorted(times, reverse=True)


def test_list_of_tickets_costs_the_same_however_long_it_is(
    browser: Browser, installation: Installation
) -> None:
    def cost() -> int:
        with counted(installation.services.application.database) as statements:
            assert browser.get("/demo/tickets").status_code == 200
        return len(statements)

    person = installation.add("person", firstname="A")
    _begin(browser)
    installation.add("helpdesk", title="t", person=person)
    cost()
    before = cost()
    for number in range(20):
        installation.add("helpdesk", title="t", person=person)
        _begin(browser, key=f"more {number}")
    assert cost() == before


def test_tickets_are_found_by_requester_and_number(
    browser: Browser, installation: Installation
) -> None:
    anna = installation.add("person", firstname="Anna", lastname="Andersson")
    ticket = installation.add("helpdesk", title="Hers", person=anna)
    installation.add("helpdesk", title="Another")
    for text in ("anna andersson", f"#{ticket}", str(ticket)):
        found = browser.get("/demo/tickets?" + urlencode({"q": text})).text
        assert "Hers" in found, text
        assert "Another" not in found, text


def test_tickets_are_found_by_whoever_writes_about_them(
    browser: Browser, installation: Installation
) -> None:
    anna = installation.add("person", firstname="Anna", lastname="Berg", email="anna@x.se")
    installation.add("helpdesk", title="Another")
    _begin(browser, recipients="Anna Berg <anna@x.se>", subject="A table")
    for text in ("berg", "anna@x.se", "ANNA x.se"):
        found = browser.get("/demo/tickets?" + urlencode({"q": text})).text
        assert "A table" in found, text
        assert "Another" not in found, text
    tickets = browser.get(f"/demo/person/{anna}/").text.partition('id="tickets"')[2]
    assert "A table" in tickets


def test_status_is_changed(browser: Browser, installation: Installation) -> None:
    page = f"/demo/helpdesk/{installation.add('helpdesk', title='t')}/"
    assert browser.post(page, page + "status", status="closed").status_code == 302
    assert installation.one("helpdesk")["status"] == "closed"
    assert browser.post(page, page + "status", status="nonsense").status_code == 422


def test_reader_sees_but_cannot_change(app: Flask, installation: Installation) -> None:
    browser = Browser(app.test_client())
    browser.sign_in("rita")
    page = f"/demo/helpdesk/{installation.add('helpdesk', title='t')}/"
    assert "no mail account from which you may send" in browser.get(page).text
    assert browser.post(page, page + "status", status="closed").status_code == 403
    assert _begin(browser).status_code == 403


def test_ticket_can_begin_without_a_mail(browser: Browser, installation: Installation) -> None:
    answer = _begin(browser, recipients="", subject=" Call Bo ", text="He asked for it.")
    assert "He asked for it." in browser.get(answer.location).text
    assert installation.one("helpdesk")["title"] == "Call Bo"
    assert _begin(browser, recipients="", subject=" ").status_code == 422


# --- mail ---------------------------------------------------------------------------------------


def test_ticket_begins_with_a_mail_and_is_answered(
    browser: Browser, installation: Installation
) -> None:
    page = _begin(browser).location
    shown = browser.get(page).text
    assert "We have a table for you." in shown
    assert "Anna Andersson" in shown
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in shown
    form = {"account": "1", "text": "Shall we keep it?", "key": "k2", "has_followers": "1"}
    conversation = installation.one("conversation").id
    follower = installation.one("follower").id
    values = {**form, "conversation": str(conversation), "followers": [str(follower)]}
    for _ in range(2):
        assert browser.post(page, page + "answer", **values).status_code == 302
    assert len(installation.all("conversationmessage")) == 2
    assert "Shall we keep it?" in browser.get(page).text
    assert "Anna Andersson" in browser.get("/demo/tickets").text


def test_refused_mail_keeps_what_was_written(browser: Browser, installation: Installation) -> None:
    answer = _begin(browser, recipients="nobody", text="What I wrote")
    assert answer.status_code == 422
    assert "What I wrote" in answer.text
    assert 'value="nobody"' in answer.text
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert installation.all("helpdesk") == []
    assert "Correct what is marked." in answer.text
    with_file = _begin(browser, recipients="nobody", files=(BytesIO(b"x"), "plan.txt"))
    assert "and choose the files again" in with_file.text
    page = f"/demo/helpdesk/{installation.add('helpdesk', title='t')}/"
    refused = browser.post(page, page + "answer", account="1", text="", recipients="a@x.se")
    assert refused.status_code == 422


def test_files_go_along_and_can_be_opened(browser: Browser, installation: Installation) -> None:
    page = _begin(browser, files=(BytesIO(b"<script>"), "../plan ä.html")).location
    document = installation.one("document")
    assert f"/demo/document/{document.id}/" in browser.get(page).text
    assert (
        f"/demo/file/{document['document']}" in browser.get(f"/demo/document/{document.id}/").text
    )
    answer = browser.get(f"/demo/file/{document['document']}")
    assert answer.data == b"<script>"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "plan" in answer.headers["Content-Disposition"]


def test_messages_are_marked_as_read(browser: Browser, installation: Installation) -> None:
    page = _begin(browser).location
    conversation = installation.one("conversation").id
    with installation.services.application.unit_of_work() as work:
        work.objects.update("conversation", conversation, {"unread": True})
        work.objects.update_where(
            "conversationmessage", Equals("conversation", conversation), {"unread": True}
        )
    assert 'aria-label="Unread"' in browser.get("/demo/tickets").text
    assert "Mark as read" in browser.get(page).text
    assert browser.post(page, page + "read").status_code == 302
    assert 'aria-label="Unread"' not in browser.get("/demo/tickets").text


def test_crm_without_mail_says_so(installation: Installation) -> None:
    browser = Browser(create_app(installation.host, secret_key="secret").test_client())
    browser.sign_in("alva")
    page = f"/demo/helpdesk/{installation.add('helpdesk', title='t')}/"
    assert "Email is not set up" in browser.get(page).text
    assert browser.post(page, page + "answer", account="1", text="x").status_code == 404
    assert "Mail to" not in browser.get("/demo/tickets/new").text


def test_conversations_can_be_looked_for(browser: Browser, app: Flask) -> None:
    _begin(browser)
    found = browser.get("/demo/conversations?q=BOOK").json
    assert [(each["subject"], each["ticket"]) for each in found["items"]] == [("Your booking", 1)]
    assert browser.get("/demo/conversations?q=nothing").json == {"items": []}
    assert Browser(app.test_client()).get("/demo/conversations").status_code == 302


def test_new_conversation_can_begin_on_a_ticket_that_has_one(
    browser: Browser, installation: Installation
) -> None:
    page = _begin(browser).location
    assert 'name="conversation"' in browser.get(page).text
    assert 'name="conversation"' not in browser.get(page + "?conversation=new").text
    browser.post(page, page + "answer", account="1", text="x", recipients="b@x.se", subject="Else")
    assert len(installation.all("conversation")) == 2
    shown = browser.get(page).text
    assert 'aria-label="Conversations of the ticket"' in shown
    assert "Else" in shown


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "disposition", "policy"),
    [
        ("image/png", "inline", "default-src 'none'; sandbox"),
        ("application/pdf", "inline", "default-src 'none'"),
        ("image/svg+xml", "attachment", "default-src 'none'; sandbox"),
        ("text/html", "attachment", "default-src 'none'; sandbox"),
        ("application/octet-stream", "attachment", "default-src 'none'; sandbox"),
    ],
)
def test_file_cannot_act_as_a_page_of_ours(
    browser: Browser, installation: Installation, content_type: str, disposition: str, policy: str
) -> None:
    stored = installation.services.application.files.create("f", content_type, BytesIO(b"x"))
    installation.add("document", document=stored.id)
    answer = browser.get(f"/demo/file/{stored.id}")
    assert answer.mimetype == content_type
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert answer.headers["Content-Security-Policy"] == policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content_length == 1


def test_file_is_only_for_those_who_see_its_object(
    app: Flask, browser: Browser, installation: Installation
) -> None:
    stored = installation.services.application.files.create("f", "image/png", BytesIO(b"x"))
    path = f"/demo/file/{stored.id}"
    assert browser.get(path).status_code == 404
    installation.add("document", document=stored.id)
    assert browser.get(path).status_code == 200
    guest, visitor = Browser(app.test_client()), Browser(app.test_client())
    guest.sign_in("gustav")
    assert guest.get(path).status_code == 404
    assert visitor.get(path).status_code == 302


# --- administration -----------------------------------------------------------------------------


@pytest.fixture
def administrator(app: Flask, installation: Installation) -> Browser:
    users = installation.services.application.users  # type: ignore[attr-defined]
    users.add("ada", name="Ada Min", password=PASSWORD, role="administrator")
    found = Browser(app.test_client())
    found.sign_in("ada")
    return found


@pytest.mark.parametrize("name", [each.name for each in SECTIONS])
def test_administration_is_for_administrators(
    browser: Browser, administrator: Browser, name: str
) -> None:
    shown = administrator.get(f"/demo/admin/{name}")
    assert shown.status_code == 200
    assert 'aria-label="Administration"' in shown.text
    refused = browser.get(f"/demo/admin/{name}")
    assert refused.status_code == 403
    assert "for administrators" in refused.text
    assert "/demo/admin/" in administrator.get("/demo/tickets").text
    assert "/demo/admin/" not in browser.get("/demo/tickets").text


def test_every_page_of_the_administration_has_its_script(administrator: Browser) -> None:
    for each in SECTIONS:
        text = administrator.get(f"/demo/admin/{each.name}").text
        if each.component:
            assert f'data-component="{each.component}"' in text
            assert "This part is not built" in text
        for path in re.findall(r'<script type="module" src="([^"]+)"', text):
            assert administrator.get(path).status_code == 200, path
    assert administrator.get("/demo/admin/nothing").status_code == 404
    assert administrator.get("/demo/admin/").location == "/demo/admin/setup"


def test_modules_import_only_modules_that_exist() -> None:
    folder = Path(pages.__file__).parent / "static"
    for module in folder.rglob("*.js"):
        for path in re.findall(r'from "([^"]+)"', module.read_text()):
            assert (module.parent / path).is_file(), f"{module.name}: {path}"


# --- theme --------------------------------------------------------------------------------------


def test_theme_stays_as_chosen_until_the_system_decides_again(browser: Browser) -> None:
    assert "data-theme" not in browser.get("/demo/tickets").text
    for chosen, shown in (("dark", "force-dark"), ("light", "force-light")):
        answer = browser.post("/demo/people", "/demo/theme", theme=chosen, back="/demo/people")
        assert answer.location == "/demo/people"
        assert f'data-theme="{shown}"' in browser.get("/demo/tickets").text
    browser.post("/demo/people", "/demo/theme", theme="", back="https://evil.example/")
    assert "data-theme" not in browser.get("/demo/tickets").text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/demo/\\evil"])
def test_theme_leads_to_no_other_site(browser: Browser, back: str) -> None:
    answer = browser.post("/demo/people", "/demo/theme", theme="dark", back=back)
    assert answer.location == "/demo/"


# --- everything else ----------------------------------------------------------------------------


def test_people_are_found_and_shown_with_their_tickets(
    browser: Browser, installation: Installation
) -> None:
    company = installation.add("company", name="Andersson Garden")
    anna = installation.add(
        "person", firstname="Anna", lastname="Andersson", email="anna@x.se", company=company
    )
    installation.add("person", firstname="Bo")
    installation.add("helpdesk", title="Her ticket", person=anna)
    found = browser.get("/demo/people?q=ANNA@").text
    assert "Andersson Garden" in found
    assert "Bo<" not in found
    assert "Her ticket" in browser.get(f"/demo/person/{anna}/").text
    _begin(browser, recipients="anna@x.se", subject="With her")
    assert "With her" in browser.get(f"/demo/person/{anna}/").text
    assert "Anna Andersson" in browser.get("/demo/helpdesk/1/").text


PAGES = (
    "/demo/tickets",
    "/demo/tickets/new",
    "/demo/people",
    "/demo/helpdesk/1/",
    "/demo/person/1/",
)


@pytest.mark.parametrize("path", [*PAGES, "/demo/helpdesk/4711/", "/demo/nothing/1/"])
def test_page_runs_and_loads_only_files_of_ours(
    browser: Browser, installation: Installation, path: str
) -> None:
    installation.add("helpdesk", title="t", person=installation.add("person", firstname="A"))
    _begin(browser)
    answer = browser.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert re.search(r"<style|\sstyle=|\son\w+=|https?://", answer.text) is None
    assert re.findall(rf"<script(?! type=\"module\" src=\"{OURS})[^>]*>", answer.text) == []


def test_nonce_for_styles_is_new_with_every_page(browser: Browser) -> None:
    nonces = set()
    for _ in range(2):
        answer = browser.get("/demo/tickets")
        found = re.search(r'name="csp-nonce" content="([^"]+)"', answer.text)
        assert found is not None
        assert f"style-src 'self' 'nonce-{found[1]}'" in answer.headers["Content-Security-Policy"]
        nonces.add(found[1])
    assert len(nonces) == 2


@pytest.mark.parametrize("path", PAGES)
def test_every_field_of_a_page_has_a_label(
    browser: Browser, installation: Installation, path: str
) -> None:
    installation.add("helpdesk", title="t", person=installation.add("person", firstname="A"))
    text = browser.get(path).text
    fields = re.findall(
        r'<(?:input|select|textarea)\b(?![^>]*type="(?:hidden|checkbox)")[^>]*>', text
    )
    ids = [re.search(r'id="([^"]+)"', each) for each in fields]
    assert [each for each in ids if each is None or f'for="{each[1]}"' not in text] == []


def test_missing_things_have_a_page(browser: Browser) -> None:
    for path in ("/demo/helpdesk/4711/", "/demo/nothing/1/", "/demo/file/nothing"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "Back to the tickets" in answer.text
    assert browser.get("/other/tickets").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/demo/no/such/page", 404),
        ("POST", "/demo/people", 405),
        ("GET", "/demo/a/b/c/d", 404),
    ],
)
def test_pages_for_errors_are_the_same_with_and_without_the_package(
    app: Flask, installation: Installation, method: str, path: str, status: int
) -> None:
    bare = create_app(installation.host, secret_key="secret")
    one, other = (each.test_client().open(path, method=method) for each in (app, bare))
    assert one.status_code == other.status_code == status
    assert one.mimetype == "text/html"
    assert one.data == other.data
    assert list(one.headers) == list(other.headers)


def test_unexpected_error_has_a_plain_page(app: Flask) -> None:
    def fail() -> str:
        raise RuntimeError("secret detail")

    app.add_url_rule("/fail", view_func=fail)
    answer = app.test_client().get("/fail")
    assert answer.status_code == 500
    assert "Internal Server Error" in answer.text
    assert "secret detail" not in answer.text


def test_database_that_is_away_is_told_with_its_page(
    reference_host: ReferenceHost, reference_application: ReferenceApplication, tmp_path: Path
) -> None:
    client = create_app(reference_host, secret_key="secret").test_client()
    key = reference_application.users.add_api_key("emailengine@lime")
    reference_host.close()
    (tmp_path / "crm.sqlite").rename(tmp_path / "gone")
    (tmp_path / "crm.sqlite").mkdir()
    answer = client.get("/demo/tickets", headers={"x-api-key": key})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "try again later" in answer.text


def test_front_page_leads_to_the_tickets(browser: Browser) -> None:
    assert browser.get("/").location == "/demo/"
    assert browser.get("/demo/").location == "/demo/tickets"
    assert browser.get("/static/crm/crm.css").mimetype == "text/css"
