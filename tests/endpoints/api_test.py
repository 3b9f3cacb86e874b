"""What holds for every endpoint."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort
from sqlalchemy.exc import OperationalError

from limepkg_email import EmailIntegration
from limepkg_email.endpoints.api import RESOURCES
from limepkg_email.endpoints.permissions import SMALL, access_of, public, requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.errors import DatabaseUnavailable, EngineBusy
from limepkg_email.reference import ReferenceHost
from limepkg_email.reference.access import NO_ACCESS, Role
from limepkg_email.tasks.inline import InlineRunner

from .crm import PREFIX, Crm, Person, options

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def found_endpoints(app: Flask) -> dict[tuple[str, str], str]:
    documented = {each.name for each in RESOURCES if each.documented}
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in documented:
            for method in (rule.methods or set()) & METHODS:
                path = rule.rule.removeprefix("/<application>/limepkg-email")
                found[method, path] = access_of(app.view_functions[rule.endpoint]).permission
    return found


def test_an_endpoint_without_a_declaration_cannot_be_registered() -> None:
    blueprint = Resource("open", __name__, tag="Open", description="")
    with pytest.raises(TypeError, match="declares no permission"):
        blueprint.route("/open")(lambda: "")


def test_before_setup_everything_but_setup_says_so(tmp_path: Path) -> None:
    crm = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path)
    response = crm.person().get("/feed/", limetype="helpdesk", id=1)
    assert (response.status_code, response.json["code"]) == (503, "setup_required")
    assert response.headers["Retry-After"]
    assert crm.nobody().get("/health").status_code == 200
    crm.host.close()


@pytest.mark.parametrize("path", ["/feed", "/health", "/openapi.json", "/unread", "/nothing"])
def test_a_path_answers_the_same_with_and_without_a_slash_at_its_end(crm: Crm, path: str) -> None:
    with_slash, without = crm.nobody().get(path + "/"), crm.nobody().get(path)
    assert with_slash.status_code == without.status_code
    assert with_slash.status_code < 300 or with_slash.status_code >= 400
    assert with_slash.json.get("code") == without.json.get("code")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("POST", "/nothing/at/all", 404, "not_found"),
        ("DELETE", "/feed/", 405, "method_not_allowed"),
        ("GET", "/message/no-number/body", 404, "not_found"),
    ],
)
def test_what_does_not_exist_is_answered_in_the_one_shape(
    crm: Crm, method: str, path: str, status: int, code: str
) -> None:
    response = crm.nobody().send(method, path)
    assert (response.status_code, response.json["code"]) == (status, code)
    assert set(response.json) == {"code", "message", "errors", "request_id"}


def test_a_refused_method_tells_which_are_allowed(crm: Crm) -> None:
    assert crm.nobody().send("PUT", "/feed").headers["Allow"] == "GET"


def test_an_application_that_does_not_exist_is_not_found(crm: Crm) -> None:
    key = crm.person().key
    client = crm.app.test_client()
    for path in ("/feed/?limetype=helpdesk&id=1", "/health", "/unread/"):
        response: Any = client.get("/other/limepkg-email" + path, headers={"x-api-key": key})
        assert (response.status_code, response.json["code"]) == (404, "not_found"), path


def test_a_body_that_is_no_json_is_a_bad_request(agent: Person) -> None:
    response = agent.send("POST", "/read/", data="{", content_type="application/json")
    assert (response.status_code, response.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"'])
def test_a_body_that_is_no_object_is_invalid(agent: Person, body: str) -> None:
    response = agent.send("POST", "/read/", data=body, content_type="application/json")
    assert response.status_code == 422


def test_wrong_values_are_named_field_by_field(agent: Person) -> None:
    response = agent.post("/read/", conversation="x", messages=[1, "y"], unknown=1)
    assert (response.status_code, response.json["code"]) == (422, "invalid_input")
    assert response.json["errors"] == {
        "conversation": ["Not a valid integer."],
        "messages.1": ["Not a valid integer."],
        "unknown": ["Unknown field."],
    }


def test_unknown_arguments_in_a_query_are_refused(agent: Person) -> None:
    response = agent.get("/feed/", limetype="helpdesk", id=1, sort="x")
    assert (response.status_code, response.json["errors"]) == (422, {"sort": ["Unknown field."]})


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_only_json_changes_anything(agent: Person, content_type: str | None) -> None:
    response = agent.send("POST", "/read/", data='{"conversation":1}', content_type=content_type)
    assert (response.status_code, response.json["code"]) == (415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_refused(agent: Person) -> None:
    body = b'{"conversation": 1, "x": "' + b"x" * SMALL + b'"}'
    response = agent.send("POST", "/read/", data=body, content_type="application/json")
    assert (response.status_code, response.json["code"]) == (413, "request_entity_too_large")


def test_a_forged_post_with_a_cookie_is_refused_by_the_host(crm: Crm) -> None:
    from limepkg_email.reference.sign_in import sign_in

    users = crm.host.application("crm").users
    users.add("eve", role="agent", password="a long password")

    @crm.app.post("/sign-in")
    def enter() -> str:
        sign_in("crm", users, "eve", "a long password")
        return ""

    browser = Person(crm.app.test_client())
    browser.client.post("/sign-in")
    assert browser.get("/unread/", limetype="helpdesk", ids="1").status_code == 200
    assert browser.post("/read/", conversation=1).status_code == 403
    own = {"Origin": "http://localhost"}
    assert browser.send("POST", "/read/", json={"conversation": 1}, headers=own).status_code == 404


def test_a_callers_request_id_is_kept_if_it_is_a_sane_one(crm: Crm) -> None:
    nobody = crm.nobody()
    given = nobody.send("GET", "/feed/", headers={"X-Request-Id": "abc-1"})
    assert given.json["request_id"] == "abc-1"
    odd = nobody.send("GET", "/feed/", headers={"X-Request-Id": "<script>"})
    assert len(odd.json["request_id"]) == 32


def failing(error: BaseException) -> Flask:
    app = Flask("crm")
    blueprint = Resource("failing", __name__, tag="Failing", description="")

    @blueprint.route("/fail")
    @public("a test")
    def fail() -> None:
        raise error

    app.register_blueprint(blueprint)
    return app


def test_an_unexpected_error_is_logged_under_the_id_that_the_caller_sees(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        response: Any = failing(ValueError("secret")).test_client().get("/fail")
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert response.json["request_id"] in caplog.text
    assert "ValueError: secret" in caplog.text


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (EngineBusy(delay=12.2), "13"),
        (DatabaseUnavailable(), "5"),
        (OperationalError("SELECT 1", {}, Exception("secret")), "5"),
    ],
)
def test_what_is_unavailable_says_when_to_try_again(error: Exception, retry_after: str) -> None:
    response = failing(error).test_client().get("/fail")
    assert (response.status_code, response.headers["Retry-After"]) == (503, retry_after)
    assert "secret" not in response.text


def host_app() -> Flask:
    """A host with pages of its own for errors, and one of them by the exception's class."""
    app = Flask("host")

    @app.get("/page")
    def page() -> str:
        return "page"

    @app.get("/broken")
    def broken() -> str:
        raise ValueError

    @app.post("/upload")
    def upload() -> str:
        abort(413)

    return app


REQUESTS = [
    ("GET", "/nothing"),
    ("GET", "/crm/nothing"),
    ("DELETE", "/page"),
    ("GET", "/page/"),
    ("GET", "/broken"),
    ("POST", "/upload"),
    ("GET", "/page"),
]


@pytest.mark.parametrize("with_handler", [False, True])
def test_the_hosts_own_pages_stay_as_they_are_to_the_byte(
    tmp_path: Path, with_handler: bool
) -> None:
    plain, mounted = host_app(), host_app()
    if with_handler:
        for app in (plain, mounted):
            app.register_error_handler(404, lambda error: ("<h1>The host's 404</h1>", 404))
            app.register_error_handler(Exception, lambda error: ("<h1>The host's</h1>", 500))
    host = ReferenceHost(mounted, {"crm": options(f"sqlite:///{tmp_path / 'x'}", tmp_path)})
    EmailIntegration(host, load_entry_points=False).register_blueprint(mounted)
    for method, path in REQUESTS:
        expected = plain.test_client().open(path, method=method)
        response = mounted.test_client().open(path, method=method)
        assert response.data == expected.data, path
        assert response.status_code == expected.status_code
        assert response.headers.to_wsgi_list() == expected.headers.to_wsgi_list()
    ours: Any = mounted.test_client().get(PREFIX + "/feed/9")
    assert (ours.status_code, ours.json["code"]) == (404, "not_found")
    host.close()


def test_ours_are_in_json_even_where_the_host_has_a_page_for_the_status(tmp_path: Path) -> None:
    app = failing(ValueError())
    app.register_error_handler(500, lambda error: ("the host's", 500))
    app.register_error_handler(404, lambda error: ("the host's", 404))
    assert app.test_client().get("/fail").get_json()["code"] == "internal_error"


def test_the_document_describes_every_endpoint(crm: Crm) -> None:
    document = crm.nobody().get("/openapi.json").json
    assert document["info"]["title"] == "Email Integration API"
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method.upper() in METHODS
    }
    assert document["servers"] == [{"url": "/crm/limepkg-email"}]
    expected = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path))
        for method, path in found_endpoints(crm.app)
    }
    assert described == expected
    for operations in document["paths"].values():
        for method in METHODS & {each.upper() for each in operations}:
            assert operations[method.lower()]["summary"].endswith(".")


def test_the_document_needs_no_schema_that_it_does_not_have(crm: Crm) -> None:
    text = crm.nobody().get("/openapi.json").text
    document = crm.nobody().get("/openapi.json").json
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


def test_the_integration_can_be_mounted_under_another_path(tmp_path: Path) -> None:
    app = Flask("crm")
    host = ReferenceHost(app, {"crm": options(f"sqlite:///{tmp_path / 'x'}", tmp_path)})
    integration = EmailIntegration(host, runner=InlineRunner(), load_entry_points=False)
    integration.register_blueprint(app, url_prefix="/<application>/mail")
    assert app.test_client().get("/crm/mail/health").status_code == 200
    host.close()


def test_an_app_takes_one_integration(crm: Crm) -> None:
    with pytest.raises(ValueError, match="mounted"):
        crm.integration.register_blueprint(crm.app)


def test_a_declaration_survives_the_decorators_around_it() -> None:
    @requires("email.admin", files=True)
    def view() -> None: ...

    access = access_of(view)
    assert (access.permission, access.files) == ("email.admin", True)


def test_one_of_several_permissions_is_enough(crm: Crm) -> None:
    users = crm.host.application("crm").users
    users.add_role(Role("clerk", ("email.admin",), NO_ACCESS))
    users.add_role(Role("guest", (), NO_ACCESS))
    clerk, guest, reader = (crm.person(each) for each in ("clerk", "guest", "reader"))
    for path in ("/user/account/", "/time-zone/", "/task/"):
        assert [each.get(path).status_code for each in (clerk, reader, guest)] == [200, 200, 403]
        assert guest.get(path).json["message"].endswith("email.use or email.admin.")
        operation = crm.nobody().get("/openapi.json").json["paths"][path]["get"]
        assert operation["x-permission"] == "email.use or email.admin"
    assert clerk.get("/draft/").status_code == 403
    assert clerk.get("/user/account/").json["items"] == [], "it may not send from any"
