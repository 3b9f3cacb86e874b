"""The same mail must look the same as in the captures from a real engine."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.testing.engine_api import EngineApi, WebhookReceiver
from tests.sandbox.conftest import capture, listen

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
HTML = (
    '<p>Hej! Jag vill boka f&ouml;r <b>två</b>.</p><img src="cid:logo@example.org">'
    "<script>alert(1)</script>"
)
# 1000 bytes of base64 in one line, which a mail server breaks after 998 characters.
PDF = base64.b64encode(b"%PDF-1.4\n" + b"0" * 991).decode()
PDF = f"{PDF[:998]}\n {PDF[998:]}"
FULL = f"""\
--mix
Content-Type: multipart/related; boundary="rel"

--rel
Content-Type: multipart/alternative; boundary="alt"

--alt
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Hej! Jag vill boka för två.

Mvh
Anna
--alt
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

{HTML}
--alt--
--rel
Content-Type: image/png; name="logo.png"
Content-Transfer-Encoding: base64
Content-ID: <logo@example.org>
Content-Disposition: inline; filename="logo.png"

{base64.b64encode(PNG).decode()}
--rel--
--mix
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''f%C3%B6rslag.pdf

{PDF}
--mix
Content-Type: text/calendar; method=REQUEST; charset=utf-8
Content-Disposition: attachment; filename="invite.ics"

{"BEGIN:VCALENDAR" + "X" * 158}
--mix--
"""
BODIES = {
    "full": FULL,
    "reply": "One more thing.\n\n> Hej! Jag vill boka\n",
    "autoreply": "I am away until Monday.\n",
    "weird": "<p>only html åäö</p>\n",
    "nomid": "body only, no message-id no subject no date\n",
}
ARRIVAL = datetime(2026, 11, 22, 7, 1, 7, tzinfo=UTC)


def raw_of(name: str) -> bytes:
    """The raw mail that a webhook capture tells of."""
    headers = capture(f"webhook-messageNew-{name}")["body"]["data"]["headers"]
    lines = [f"{key.title()}: {value}" for key, values in headers.items() for value in values]
    charset = "latin-1" if name == "weird" else "utf-8"
    head = "\n".join(lines).encode()
    return head + b"\n\n" + BODIES[name].encode(charset)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EngineApi, Any]]:
    """The mailbox `support` of the captures: 14 mails, the last five as captured."""
    directory: Path = tmp_path_factory.mktemp("golden")
    options = SandboxOptions(directory=directory, clock=lambda: ARRIVAL)
    with Sandbox(options) as sandbox, WebhookReceiver() as receiver:
        api = EngineApi(sandbox.url, sandbox.token, "support")
        listen(api, receiver)
        login = {"auth": {"user": "support@example.com", "pass": "secret"}, "host": "mx"}
        account = {"account": "support", "name": "Support", "email": "support@example.com"}
        api.post("/account", {**account, "imap": login, "notifyFrom": "2020-01-01"})
        order = ["reply", "full", "full", *["nomid"] * 4, "reply", "nomid", "weird", "nomid"]
        for name in [*order, "full", "reply", "autoreply"]:
            sandbox.control("POST", "/deliver?exact=true&mailbox=support@example.com", raw_of(name))
        assert sandbox.wait_until_idle()
        yield api, receiver
        api.close()


def same(found: Any, wanted: Any, path: str = "") -> None:
    """Compare everything but sizes, which depend on how headers were folded."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted), path
        for key, value in wanted.items():
            if key != "size":
                same(found[key], value, f"{path}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for index, value in enumerate(wanted):
            same(found[index], value, f"{path}[{index}]")
    else:
        assert found == wanted, path


@pytest.mark.parametrize("name", ["full", "reply", "autoreply", "nomid", "weird"])
def test_new_mail_is_announced_word_for_word(golden: tuple[EngineApi, Any], name: str) -> None:
    wanted = capture(f"webhook-messageNew-{name}")["body"]
    uid = wanted["data"]["uid"]
    (found,) = [event for event in golden[1].events("messageNew") if event["data"]["uid"] == uid]
    assert list(found) == list(wanted)
    # Which mails the account had met before differs.
    ignored = {"seemsLikeNew": wanted["data"]["seemsLikeNew"]}
    same({**found["data"], **ignored}, wanted["data"])
    assert (found["path"], found["specialUse"]) == (wanted["path"], wanted["specialUse"])


@pytest.mark.parametrize(
    "name",
    [
        "message-get",
        "message-get-maxbytes",
        "message-get-texttype-all",
        "message-get-websafe",
        "message-get-404",
        "message-get-bad-id",
        "text-get",
        "text-get-html-maxbytes",
        "messages-list-past-end",
        "messages-list-400-nopath",
        "messages-list-404-folder",
        "messages-list-special-use",
    ],
)
def test_reading_answers_word_for_word(golden: tuple[EngineApi, Any], name: str) -> None:
    wanted = capture(name)
    response = _repeat(golden[0], wanted)
    assert response.status_code == wanted["response"]["status"]
    same(response.json(), wanted["response"]["body"])


@pytest.mark.parametrize(
    "name",
    [
        "messages-list-page0",
        "messages-list-page1",
        "search-seen-false",
        "search-since",
        "search-uid",
        "search-unseen",
        "search-combined",
        "search-emailId",
    ],
)
def test_listing_answers_word_for_word(golden: tuple[EngineApi, Any], name: str) -> None:
    wanted = capture(name)["response"]["body"]
    found = _repeat(golden[0], capture(name)).json()
    # The captures were cut to the first messages of the page.
    kept = len(wanted["messages"])
    dated = [{**one, "date": ""} for one in found["messages"][:kept]]
    same({**found, "messages": dated}, {**wanted, "messages": _undated(wanted)})


@pytest.mark.parametrize(
    "name", ["search-from-subject", "search-header-in-reply-to", "search-header-message-id"]
)
def test_search_finds_what_the_real_one_finds(golden: tuple[EngineApi, Any], name: str) -> None:
    wanted = capture(name)["response"]["body"]
    found = _repeat(golden[0], capture(name)).json()
    first = found["messages"][0]
    same({**first, "date": ""}, _undated(wanted)[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("attachment-download-png", PNG),
        ("attachment-download-pdf", None),
        ("attachment-download-calendar", None),
        ("attachment-404", b""),
    ],
)
def test_attachments_are_downloaded(
    golden: tuple[EngineApi, Any], name: str, content: bytes | None
) -> None:
    wanted = capture(name)["response"]
    response = _repeat(golden[0], capture(name))
    assert response.status_code == 200
    for header in ("content-type", "content-disposition"):
        assert response.headers[header].lower() == wanted["headers"][header].lower()
    if content is None:
        assert f"<{len(response.content)} bytes>" == wanted["body"]
    else:
        assert response.content == content


def _undated(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "date": ""} for one in body["messages"]]


def _repeat(api: EngineApi, wanted: dict[str, Any]) -> Any:
    request = wanted["request"]
    return api.request(
        request["method"],
        request["path"].removeprefix("/v1"),
        data=json.dumps(request["body"]) if "body" in request else None,
    )
