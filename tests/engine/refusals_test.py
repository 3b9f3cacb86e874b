"""What a server refuses becomes the error that it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import (
    ConfigurationError,
    EngineAuth,
    EngineBusy,
    EngineError,
    EngineNotFound,
    EngineRejected,
    EngineUnavailable,
)

from .conftest import TOKEN, Answer, ScriptedServer, captured_answer

Make = Callable[..., EngineClient]
Call = Callable[[EngineClient], Any]


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("error-401-bad-token", EngineAuth, ""),
        ("error-404-unknown-account", EngineNotFound, ""),
        ("message-get-404", EngineNotFound, "MessageNotFound"),
        ("outbox-get-404", EngineNotFound, ""),
        ("submit-reply-missing-reference", EngineNotFound, "ReferenceNotFound"),
        ("message-get-bad-id", EngineNotFound, "ERR_BUFFER_OUT_OF_BOUNDS"),
        ("error-mailboxes-account-auth-error", EngineUnavailable, "NotYetConnected"),
        ("error-mailboxes-oauth2-unreachable", EngineUnavailable, "Timeout"),
        ("unlicensed-stopped-mailboxes", EngineUnavailable, "WorkerNotAvailable"),
    ],
)
def test_refusal_becomes_the_error_it_means(
    name: str, error: type[EngineError], code: str, server: ScriptedServer, make_client: Make
) -> None:
    answer = captured_answer(name)
    server.will(answer)
    with pytest.raises(error) as caught:
        make_client(retries=0).account("x")
    assert type(caught.value) is error
    assert caught.value.engine_code == code
    assert caught.value.engine_status == answer.status
    assert caught.value.request == "GET /v1/account/x"
    assert answer.body["message"] in caught.value.message


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("error-400-validation", "name"),
        ("account-update-400", "nosuchfield"),
        ("search-bad", "nosuch"),
        ("settings-post-unknown-key", "webhookz"),
        ("submit-400-bad-address", "address"),
    ],
)
def test_invalid_request_names_its_fields(
    name: str, key: str, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer(name))
    with pytest.raises(EngineRejected) as caught:
        client.submit("x", {})
    (sentence,) = caught.value.errors[key]
    assert sentence in caught.value.message
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "delay"),
    [
        (captured_answer("error-429-rate-limited-token"), 51.0),
        (Answer(429, {"statusCode": 429}, {"X-RateLimit-Reset": "7"}), 7.0),
        (Answer(429, {"ttl": None}, {"Retry-After": "12"}), 12.0),
        (Answer(429, b"slow down", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 30.0),
        (Answer(429, {"ttl": 1e999}), 3600.0),
        (Answer(429, {"ttl": -1}), 30.0),
        (Answer(429, {"ttl": 0.1}), 1.0),
    ],
)
def test_rate_limit_tells_how_long_to_wait_and_is_not_slept_away(
    answer: Answer, delay: float, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(answer)
    with pytest.raises(EngineBusy) as caught:
        client.account("x")
    assert caught.value.delay == delay
    assert len(server.asked) == 1


def test_unknown_route_is_no_missing_account(server: ScriptedServer, client: EngineClient) -> None:
    # Else a wrong URL would look as if all accounts had been deleted.
    for answer in (captured_answer("error-404-route"), Answer(404, {"message": "Not found"})):
        server.will(answer)
        with pytest.raises(EngineError) as caught:
            client.delete_account("x")
        assert type(caught.value) is EngineError
        assert not caught.value.retryable


def test_internal_error_can_be_tried_again_but_is_no_outage(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(Answer(500, {"statusCode": 500, "message": "An internal server error occurred"}))
    with pytest.raises(EngineError) as caught:
        client.account("x")
    assert type(caught.value) is EngineError
    assert caught.value.retryable
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[]", b"\xff\xfe", b"[" * 200_000])
def test_answer_that_is_not_from_emailengine_is_no_success(
    body: bytes, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(Answer(body=body))
    with pytest.raises(EngineUnavailable):
        client.account("x")


def test_redirect_is_not_followed(server: ScriptedServer, client: EngineClient) -> None:
    server.will(Answer(302, b"", {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(EngineError, match="302"):
        client.account("x")
    assert len(server.asked) == 1


def test_token_is_in_no_message_even_if_the_engine_quotes_it(
    server: ScriptedServer, client: EngineClient
) -> None:
    fields = [{"key": "x", "message": f"bad {TOKEN}"}]
    server.will(Answer(400, {"statusCode": 400, "message": f"no {TOKEN}", "fields": fields}))
    with pytest.raises(EngineRejected) as caught:
        client.account("x")
    assert TOKEN not in f"{caught.value!r} {caught.value.message} {dict(caught.value.errors)}"
    assert TOKEN not in repr(client)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("", "t"),
        ("127.0.0.1:3000", "t"),
        ("ftp://x", "t"),
        ("http://", "t"),
        ("http://x/?a=b", "t"),
        ("http://x", ""),
        ("http://x", "secret\nInjected: yes"),
        ("http://x", "secret å"),
    ],
)
def test_unusable_url_or_token_is_a_configuration_error(url: str, token: str) -> None:
    with pytest.raises(ConfigurationError, match="emailengine_") as caught:
        EngineClient(url, token)
    assert "secret" not in str(caught.value)


def test_payload_that_is_no_json_is_not_sent(server: ScriptedServer, client: EngineClient) -> None:
    with pytest.raises(EngineError) as caught:
        client.submit("john", {"x": float("nan")})
    assert not caught.value.retryable
    assert server.asked == []
