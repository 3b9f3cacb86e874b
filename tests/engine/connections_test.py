"""Lost answers, repetitions, and connections that threads share."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.errors import (
    EngineError,
    EngineNotFound,
    EngineUnavailable,
)

from .conftest import Answer, ScriptedServer, captured_answer

Make = Callable[..., EngineClient]
Call = Callable[[EngineClient], Any]


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_refused_connection_is_unavailable_and_says_why(make_client: Make) -> None:
    client = make_client(f"http://user:password@127.0.0.1:{closed_port()}", retries=1)
    with pytest.raises(EngineUnavailable, match="Connection refused") as caught:
        client.account("x")
    assert caught.value.retryable
    assert "password" not in caught.value.message


def test_name_that_does_not_resolve_is_unavailable(make_client: Make) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        make_client("http://engine.invalid", retries=0).account("x")


@pytest.mark.parametrize("retries", [0, 1])
def test_silence_is_unavailable_and_says_how_long(
    retries: int, server: ScriptedServer, make_client: Make
) -> None:
    server.will(*[Answer(delay=0.4)] * (1 + retries))
    client = make_client(timeout=(1, 0.1), retries=retries)
    with pytest.raises(EngineUnavailable, match=r"did not answer within 0\.1 s"):
        client.account("x")


REPEATED: list[Call] = [
    lambda c: c.account("a"),
    lambda c: c.search("a", "INBOX", {"unseen": True}),
    lambda c: c.add_flags("a", "b", ["\\Seen"]),
    lambda c: c.update_flags_bulk("a", "INBOX", {}, ["\\Seen"]),
    lambda c: c.create_mailbox("a", "x"),
    lambda c: c.reconnect("a"),
    lambda c: c.delete_account("a"),
    lambda c: c.submit("a", {"text": "x"}, "key"),
]
NOT_REPEATED: list[Call] = [
    lambda c: c.move("a", "b", "x"),
    lambda c: c.delete_message("a", "b"),
    lambda c: c.submit("a", {"text": "x"}),
    lambda c: c.create_account({"account": "a"}),
    lambda c: c.cancel("q"),
]
LOST = [Answer(drop=True), Answer(503, {"statusCode": 503, "message": "wait"}), Answer(502, b"")]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("call", REPEATED)
def test_call_that_does_no_harm_twice_is_repeated_after_a_lost_answer(
    lost: Answer, call: Call, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(lost)
    call(client)
    first, second = server.asked
    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
    assert second.headers.get("idempotency-key") == first.headers.get("idempotency-key")


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("call", NOT_REPEATED)
def test_call_that_could_do_harm_twice_is_sent_once(
    lost: Answer, call: Call, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(lost)
    with pytest.raises(EngineUnavailable):
        call(client)
    assert len(server.asked) == 1


def test_repetition_ends(server: ScriptedServer, client: EngineClient) -> None:
    server.will(*[Answer(503, {"statusCode": 503, "message": "wait", "code": "NotSyncing"})] * 9)
    with pytest.raises(EngineUnavailable, match="wait"):
        client.account("x")
    assert len(server.asked) == 3


# Connections


def test_connection_is_used_again_also_after_errors_and_refused_downloads(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("error-404-unknown-account"), Answer(), Answer(body=b"x" * 9))
    with pytest.raises(EngineNotFound):
        client.account("x")
    client.account("x")
    client.attachment("x", "y", max_size=9)
    client.account("x")
    assert server.connections == 1


def test_threads_share_the_client_but_no_connection(
    server: ScriptedServer, client: EngineClient
) -> None:
    failures: list[EngineError] = []
    together = threading.Barrier(8, timeout=30)

    def work(number: int) -> None:
        try:
            together.wait()
            for _ in range(10):
                client.account(f"a{number}")
        except EngineError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(server.asked) == 80
    assert server.connections == 8


def test_sessions_of_finished_threads_are_let_go(
    server: ScriptedServer, client: EngineClient
) -> None:
    for _ in range(5):
        thread = threading.Thread(target=client.account, args=("x",))
        thread.start()
        thread.join()
    gc.collect()
    assert len(client._http._sessions) == 0


def test_closed_client_opens_a_new_connection_when_used_again(
    server: ScriptedServer, client: EngineClient
) -> None:
    with client:
        client.account("x")
    client.account("x")
    assert server.connections == 2
