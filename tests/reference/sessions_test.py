"""Signing in to the bundled CRM and out again."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from limepkg_email.reference.attempts import MOST, Attempts
from tests.installation import NOW, Installation
from tests.reference.browser import Browser


def test_visitor_signs_in_and_comes_to_the_page_asked_for(app: Flask) -> None:
    browser = Browser(app.test_client())
    sent = browser.get("/demo/people?q=anna")
    assert sent.location == "/demo/sign-in?next=/demo/people?q%3Danna"
    assert browser.sign_in("alva", next="/demo/people?q=anna").location == "/demo/people?q=anna"
    assert "Alva Ek" in browser.get("/demo/people").text


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "/demo/\\evil"])
def test_sign_in_leads_to_no_other_site(app: Flask, next_: str) -> None:
    assert Browser(app.test_client()).sign_in("alva", next=next_).location == "/demo/tickets"


def test_wrong_password_is_asked_for_again(app: Flask) -> None:
    answer = Browser(app.test_client()).sign_in("alva", password="wrong enough")
    assert answer.status_code == 401
    assert "do not fit" in answer.text
    assert 'value="alva"' in answer.text


def test_whoever_guesses_passwords_has_to_wait(app: Flask, installation: Installation) -> None:
    thief, owner = Browser(app.test_client()), Browser(app.test_client())
    owner.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    for _ in range(MOST):
        assert thief.sign_in("alva", password="wrong enough").status_code == 401
        installation.clock.advance(10)
    refused = thief.sign_in("alva", next="/demo/people")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "200")
    assert "Too many attempts. Try again in 4 minutes." in refused.text
    assert 'value="/demo/people"' in refused.text
    assert thief.get("/demo/tickets").status_code == 302, "the right password does not help"
    assert thief.sign_in("rita").status_code == 302, "another login"
    assert owner.sign_in("alva").status_code == 302, "another address"
    installation.clock.advance(200)
    assert thief.sign_in("alva", password="wrong enough").status_code == 401
    assert thief.sign_in("alva").headers["Retry-After"] == "10"
    installation.clock.advance(300)
    assert thief.sign_in("alva").status_code == 302


def test_the_right_password_forgets_the_wrong_ones(app: Flask) -> None:
    visitor = Browser(app.test_client())
    for _ in range(2):
        for _ in range(MOST - 1):
            assert visitor.sign_in("alva", password="wrong enough").status_code == 401
        assert visitor.sign_in("alva").status_code == 302


def test_attempts_at_the_same_time_are_counted_too() -> None:
    attempts = Attempts(lambda: NOW)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: attempts.begin(("demo", "alva", "192.0.2.1")), range(50)))
    assert sorted(waits) == [0] * MOST + [300] * (50 - MOST)


def test_made_up_logins_do_not_fill_the_memory() -> None:
    attempts = Attempts(lambda: NOW)
    for number in range(30_000):
        attempts.begin(("demo", f"{number}" * 1000, "192.0.2.1"))
    assert len(attempts) <= 10_000


def test_form_without_the_token_is_refused(app: Flask, browser: Browser) -> None:
    visitor = app.test_client()
    assert visitor.post("/demo/sign-in", data={"login": "alva"}).status_code == 403
    assert browser.client.post("/demo/sign-out").status_code == 403
    same_origin = {"Origin": "http://localhost"}
    new = browser.client.post("/demo/tickets/new", data={"subject": "x"}, headers=same_origin)
    assert new.status_code == 403


def test_sign_out_ends_the_session(browser: Browser) -> None:
    assert browser.post("/demo/tickets", "/demo/sign-out").location == "/demo/sign-in"
    assert browser.get("/demo/tickets").status_code == 302


def _new_ticket(browser: Browser, **headers: str) -> TestResponse:
    values = {"subject": "Lunch", "recipients": "a@example.org", "account": "1", "key": "k"}
    return browser.client.post(
        "/demo/tickets/new",
        data={**values, "text": "<Long> text"},
        content_type="multipart/form-data",
        headers=headers,
    )


def test_text_comes_back_when_it_is_sent_after_the_session(browser: Browser) -> None:
    browser.post("/demo/tickets", "/demo/sign-out")
    answer = _new_ticket(browser, Origin="http://localhost")
    assert answer.status_code == 403
    assert "sign in in another tab" in answer.text
    assert "&lt;Long&gt; text</textarea>" in answer.text
    for name, value in (("subject", "Lunch"), ("recipients", "a@example.org"), ("account", "1")):
        assert f'name="{name}" value="{value}"' in answer.text
    assert "Alva" not in answer.text


def test_text_comes_back_with_a_new_token_to_whoever_has_signed_in_anew(browser: Browser) -> None:
    answer = _new_ticket(browser, Origin="http://localhost")
    assert answer.status_code == 403
    assert "send it again" in answer.text
    token = re.findall(r'name="csrf_token" value="([^"]+)"', answer.text)[-1]
    fields = {"subject": "Lunch", "text": "Long", "csrf_token": token}
    assert browser.client.post("/demo/tickets/new", data=fields).status_code == 302


def test_text_of_another_site_is_not_shown(browser: Browser) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}):
        answer = _new_ticket(browser, **headers)
        assert answer.status_code == 403
        assert "Long" not in answer.text
