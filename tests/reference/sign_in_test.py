"""Who makes a request to the bundled CRM."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from limepkg_email.errors import EmailIntegrationError
from limepkg_email.reference import ReferenceHost
from limepkg_email.reference.sign_in import csrf_token, sign_in
from limepkg_email.testing.plugin import MakeReferenceHost

PASSWORD = "long enough"


@pytest.fixture
def app(reference_host: ReferenceHost) -> Flask:
    made = Flask("crm")
    made.secret_key = "secret"
    reference_host.init_app(made)
    users = reference_host.application("demo").users
    users.add("anna", password=PASSWORD)

    @made.post("/<application>/sign-in")
    def enter(application: str) -> str:
        found = sign_in(application, users, "anna", PASSWORD)
        assert found is not None
        return csrf_token()

    @made.route("/<application>/who", methods=["GET", "POST"])
    def who(application: str) -> str:
        return reference_host.current_application().user.name

    @made.errorhandler(EmailIntegrationError)
    def fail(error: EmailIntegrationError) -> tuple[str, int]:
        return error.code, error.status

    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def token(client: FlaskClient) -> str:
    return client.post("/demo/sign-in").text


def test_nobody_is_unauthorized(client: FlaskClient) -> None:
    assert client.get("/demo/who").status_code == 401


def test_application_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert client.get("/other/who").status_code == 404


def test_api_key_needs_no_session(client: FlaskClient, reference_host: ReferenceHost) -> None:
    key = reference_host.application("demo").users.add_api_key("anna")
    assert client.get("/demo/who", headers={"x-api-key": key}).text == "anna"
    assert client.post("/demo/who", headers={"x-api-key": key}).text == "anna"
    assert client.get("/demo/who", headers={"x-api-key": "wrong"}).status_code == 401


def test_wrong_api_key_is_not_saved_by_a_session(client: FlaskClient, token: str) -> None:
    assert client.get("/demo/who", headers={"x-api-key": "wrong"}).status_code == 401


def test_session_reads_without_a_token(client: FlaskClient, token: str) -> None:
    assert client.get("/demo/who").text == "anna"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 403),
        ({"data": {"csrf_token": "wrong"}}, 403),
        ({"json": {}}, 403),
        ({"json": {}, "headers": {"Origin": "https://evil.example"}}, 403),
        ({"json": {}, "headers": {"Origin": "null"}}, 403),
        ({"data": {"a": "b"}, "headers": {"Origin": "http://localhost"}}, 403),
        ({"json": {}, "headers": {"Origin": "http://localhost"}}, 200),
        ({"data": {"csrf_token": "TOKEN"}}, 200),
        ({"json": {}, "headers": {"X-CSRF-Token": "TOKEN"}}, 200),
    ],
    ids=str,
)
def test_session_changes_only_from_our_own_pages(
    client: FlaskClient, token: str, options: dict[str, dict[str, str]], status: int
) -> None:
    filled: dict[str, Any] = {
        name: {key: token if value == "TOKEN" else value for key, value in given.items()}
        for name, given in options.items()
    }
    assert client.post("/demo/who", **filled).status_code == status


def test_session_ends_with_a_new_password(
    client: FlaskClient, token: str, reference_host: ReferenceHost
) -> None:
    reference_host.application("demo").users.set_password("anna", "another one")
    assert client.get("/demo/who").status_code == 401


def test_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.post("/demo/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_session_of_one_application_is_none_of_another(
    make_reference_host: MakeReferenceHost, client: FlaskClient, token: str
) -> None:
    with client.session_transaction() as session:
        [known] = session["limepkg_reference_users"].values()
        session["limepkg_reference_users"] = {"other": known}
    assert client.get("/demo/who").status_code == 401
