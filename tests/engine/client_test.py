"""The client against a server that gives the answers of a real EmailEngine, or none."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from limepkg_email.engine.client import TOO_LARGE, EngineClient
from limepkg_email.errors import (
    EngineNotFound,
    EngineRejected,
    EngineUnavailable,
)

from .conftest import TOKEN, Answer, ScriptedServer, capture, captured_answer

Make = Callable[..., EngineClient]
Call = Callable[[EngineClient], Any]


# What is asked


CALLS: list[tuple[str, Call]] = [
    ("account-create", lambda c: c.create_account(request_body("account-create"))),
    ("account-delete", lambda c: c.delete_account("noconn")),
    ("account-get-support", lambda c: c.account("support")),
    ("account-reconnect", lambda c: c.reconnect("support")),
    ("account-update", lambda c: c.update_account("support", request_body("account-update"))),
    ("license-unlicensed", lambda c: c.license()),
    ("mailbox-create", lambda c: c.create_mailbox("support", "Lime CRM Integration Failed")),
    ("mailboxes-list", lambda c: c.mailboxes("support")),
    ("message-delete-to-trash", lambda c: c.delete_message("support", "AAAAAQAAAAo")),
    ("message-delete-force", lambda c: c.delete_message("support", "AAAAAQAAAAs", force=True)),
    ("message-flags-add-seen", lambda c: c.add_flags("support", "AAAAAQAAAAw", ["\\Seen"])),
    ("message-move", lambda c: c.move("support", "AAAAAQAAAA4", "Lime CRM Integration Failed")),
    (
        "messages-bulk-update",
        lambda c: c.update_flags_bulk(
            "support",
            "INBOX",
            {"header": {"Message-ID": "<reply-1@example.org>"}},
            ["\\Seen", "\\Flagged"],
        ),
    ),
    ("outbox-delete", lambda c: c.cancel("1a207d92100a1436225")),
    ("outbox-get", lambda c: c.outbox_entry("1a207d92100a1436225")),
    ("settings-post", lambda c: c.settings_set(request_body("settings-post"))),
    ("submit-simple", lambda c: c.submit("john", request_body("submit-simple"))),
]


def request_body(name: str) -> Any:
    return capture(name)["request"]["body"]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[name for name, _ in CALLS])
def test_call_is_sent_as_captured(
    name: str, call: Call, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer(name))
    call(client)
    expected = capture(name)["request"]
    (asked,) = server.asked
    assert (asked.method, asked.path) == (expected["method"], expected["path"])
    assert asked.body == expected.get("body")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_ids_and_folders_are_quoted(server: ScriptedServer, client: EngineClient) -> None:
    client.message("a/b?c#d å", "../x%2F", text=False)
    client.messages("a", "Mapp/å & \udc80", page=2)
    assert server.asked[0].path == "/v1/account/a%2Fb%3Fc%23d%20%C3%A5/message/..%2Fx%252F"
    assert server.asked[1].path == (
        "/v1/account/a/messages?path=Mapp%2F%C3%A5%20%26%20%ED%B2%80&page=2&pageSize=20"
    )


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_ids_that_would_address_something_else_are_not_found(
    odd: str, server: ScriptedServer, client: EngineClient
) -> None:
    for call in (client.account, client.outbox_entry, client.mailboxes, client.cancel):
        with pytest.raises(EngineNotFound):
            call(odd)
    with pytest.raises(EngineNotFound):
        client.delete_message("support", odd)
    assert client.delete_account(odd) is False
    assert server.asked == []


def test_url_may_have_a_path_and_a_final_slash(server: ScriptedServer, make_client: Make) -> None:
    make_client(f"{server.url}/engine/").license()
    assert server.asked[0].path == "/engine/v1/license"


# What is answered


def test_settings_are_read_by_name(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("settings-get-fresh"))
    found = client.settings_get("webhooks", "serviceSecret")
    assert server.asked[0].path == "/v1/settings?webhooks=true&serviceSecret=true"
    assert found["serviceSecret"] is True
    assert found["webhooks"] is None


def test_settings_set_tells_what_was_updated(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("settings-post"))
    assert client.settings_set({"webhooksEnabled": True})[:2] == ("webhooksEnabled", "webhooks")


def test_suspended_licence_is_visible(server: ScriptedServer, client: EngineClient) -> None:
    server.will(
        captured_answer("license-unlicensed"), captured_answer("unlicensed-stopped-license")
    )
    assert client.license().suspended is False
    assert client.license().suspended is True


def test_new_account_tells_whether_it_replaced_one(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("account-create"), captured_answer("account-create-existing-id"))
    assert client.create_account({}).existing is False
    assert client.create_account({}).existing is True


def test_account_with_a_wrong_password_is_known_by_its_last_error(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("account-get-badpass"), captured_answer("account-get-oauth2"))
    account = client.account("badpass")
    assert (account.state, account.last_error_code) == ("connecting", "AUTHENTICATIONFAILED")
    assert account.notify_from == datetime(2026, 11, 22, 6, 56, 48, 466000, tzinfo=UTC)
    assert (client.account("oauthacc").app, account.app) == ("AAABogITAF4AAAAB", "")


def test_accounts_are_read_page_by_page_to_the_end(
    server: ScriptedServer, client: EngineClient
) -> None:
    first, last = captured_answer("accounts-list-page0"), captured_answer("accounts-list-page2")
    server.will(first, first, last)
    assert [entry.account for entry in client.accounts(page_size=2)][-1] == "support"
    assert [asked.path for asked in server.asked] == [
        f"/v1/accounts?page={page}&pageSize=2" for page in range(3)
    ]


def test_deleting_an_account_that_is_gone_is_no_error(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("account-delete"), captured_answer("account-delete-again"))
    assert client.delete_account("noconn") is True
    assert client.delete_account("noconn") is False


def test_folders_have_roles(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("mailboxes-list"))
    roles = {mailbox.path: mailbox.special_use for mailbox in client.mailboxes("support")}
    assert roles["Trash"] == "\\Trash"


def test_folder_that_exists_is_not_created_again(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("mailbox-create"), captured_answer("mailbox-create-existing"))
    assert client.create_mailbox("support", "x") is True
    assert client.create_mailbox("support", "x") is False


def test_list_and_search_give_mails_that_know_their_folder(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(
        captured_answer("messages-list-page0"),
        captured_answer("messages-list-past-end"),
        captured_answer("search-header-message-id"),
    )
    page = client.messages("support", "INBOX", page_size=3)
    assert (page.total, page.page, page.pages, len(page.messages)) == (14, 0, 5, 2)
    assert {mail.path for mail in page.messages} == {"INBOX"}
    assert client.messages("support", "INBOX", page=99).messages == ()
    found = client.search("support", "INBOX", {"header": {"Message-ID": "<full-1@example.org>"}})
    assert {mail.message_id for mail in found.messages} == {"<full-1@example.org>"}
    assert server.asked[2].body == {"search": {"header": {"Message-ID": "<full-1@example.org>"}}}


def test_message_comes_with_its_text(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("message-get-texttype-all"))
    mail = client.message("support", "AAAAAQAAAAw", max_bytes=1_000_000)
    assert server.asked[0].path == capture("message-get-texttype-all")["request"]["path"].replace(
        "*", "%2A"
    )
    assert mail.text.plain.startswith("Hej!")
    assert mail.seems_like_new


def test_text_is_read_by_its_id(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("text-get"))
    assert client.text("support", "AAAAAQ", max_bytes=9).plain.startswith("Hej!")
    assert server.asked[0].path == "/v1/account/support/text/AAAAAQ?textType=%2A&maxBytes=9"


def test_source_and_attachment_are_read_as_bytes(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(Answer(body=b"From: x\r\n"), Answer(body=b"\x89PNG"))
    assert client.source("support", "A", max_size=100) == b"From: x\r\n"
    assert client.attachment("support", "B", max_size=4) == b"\x89PNG"
    assert [asked.path for asked in server.asked] == [
        "/v1/account/support/message/A/source",
        "/v1/account/support/attachment/B",
    ]


def test_large_attachment_is_written_to_a_file_in_pieces(
    server: ScriptedServer, client: EngineClient
) -> None:
    pieces: list[int] = []

    class File(io.BytesIO):
        def write(self, piece: Any) -> int:
            pieces.append(len(piece))
            return super().write(piece)

    content = bytes(range(256)) * 4096
    server.will(Answer(body=content))
    target = File()
    assert client.download_attachment("a", "b", target, max_size=len(content)) == len(content)
    assert target.getvalue() == content
    assert max(pieces) <= 65_536


def test_download_above_the_limit_is_given_up(server: ScriptedServer, client: EngineClient) -> None:
    server.will(Answer(body=b"x" * 1_000_000), Answer(body=b"x"))
    with pytest.raises(EngineRejected) as caught:
        client.attachment("a", "b", max_size=1000)
    assert caught.value.engine_code == TOO_LARGE
    assert client.attachment("a", "b", max_size=1) == b"x"


def test_attachment_that_does_not_exist_is_not_found(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("attachment-404"))
    with pytest.raises(EngineNotFound):
        client.attachment("support", "AAAAAQAAAAw5", max_size=100)


def test_download_that_breaks_off_is_no_success(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(Answer(body=b"x" * 1000, cut=10))
    with pytest.raises(EngineUnavailable):
        client.attachment("support", "A", max_size=10_000)


def test_moved_mail_has_its_new_place(server: ScriptedServer, client: EngineClient) -> None:
    server.will(captured_answer("message-move"))
    moved = client.move("support", "AAAAAQAAAA4", "Lime CRM Integration Failed")
    assert (moved.path, moved.id, moved.uid) == ("Lime CRM Integration Failed", "AAAAAgAAAAE", 1)


def test_a_move_names_its_source_if_it_is_known(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("message-move"), captured_answer("message-move"))
    client.move("support", "AAAAAQAAAA4", "Archive")
    client.move("support", "AAAAAQAAAA4", "Archive", source="INBOX")
    assert [each.body for each in server.asked] == [
        {"path": "Archive"},
        {"path": "Archive", "source": "INBOX"},
    ]


@pytest.mark.parametrize("name", ["message-move-404-folder", "message-move-again-stale-id"])
def test_move_without_a_new_id_is_not_found_although_answered_200(
    name: str, server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer(name))
    with pytest.raises(EngineNotFound, match="AAAAAQAAAA4"):
        client.move("support", "AAAAAQAAAA4", "No Such Folder")


def test_deleted_mail_is_in_the_trash_or_gone(server: ScriptedServer, client: EngineClient) -> None:
    server.will(
        captured_answer("message-delete-to-trash"),
        captured_answer("message-delete-force"),
        captured_answer("message-delete-again"),
    )
    trashed = client.delete_message("support", "A")
    assert trashed is not None
    assert (trashed.path, trashed.id) == ("Trash", "AAAAAwAAAAE")
    assert client.delete_message("support", "A", force=True) is None
    with pytest.raises(EngineNotFound):
        client.delete_message("support", "A")


def test_submitted_mail_has_its_ids(server: ScriptedServer, client: EngineClient) -> None:
    server.will(
        captured_answer("submit-idempotent-first"),
        captured_answer("submit-idempotent-repeat"),
        captured_answer("submit-reply-missing-ignored"),
    )
    first = client.submit("john", {"text": "x"}, "crm-4711-1")
    again = client.submit("john", {"text": "x"}, "crm-4711-1")
    assert server.asked[0].headers["idempotency-key"] == "crm-4711-1"
    assert (first.idempotent_hit, again.idempotent_hit) == (False, True)
    assert (first.message_id, first.queue_id) == (again.message_id, again.queue_id)
    assert first.message_id.startswith("<")
    assert first.send_at == datetime(2026, 11, 22, 7, 3, 47, 693000, tzinfo=UTC)
    assert first.reference_missing is False
    assert client.submit("john", {"text": "x"}).reference_missing is True
    assert "idempotency-key" not in server.asked[2].headers


def test_outbox_is_filtered_by_account_and_names_no_entry_twice(
    server: ScriptedServer, client: EngineClient
) -> None:
    answer = captured_answer("outbox-list-retrying")
    answer.body["pages"] = 2
    answer.body["messages"][1]["account"] = "lisa"
    server.will(answer, answer, captured_answer("outbox-list"))
    assert [entry.queue_id for entry in client.outbox("john")] == ["1a202117821d3b96f30"]
    (waiting,) = client.outbox()
    assert (waiting.status, waiting.attempts_made, waiting.attempts) == ("queued", 0, 10)
    assert waiting.recipients == ("anna@example.org",)


def test_outbox_tells_failed_from_retrying_mails(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("outbox-list-failed"), captured_answer("outbox-list-retrying"))
    refused = {entry.subject: entry for entry in client.outbox()}["rejected at once"]
    assert refused.gave_up
    assert refused.error_status_code == 550
    greylisted = {entry.subject: entry for entry in client.outbox()}["greylisted"]
    assert not greylisted.gave_up


def test_cancel_tells_whether_the_mail_was_still_there(
    server: ScriptedServer, client: EngineClient
) -> None:
    server.will(captured_answer("outbox-delete"), captured_answer("outbox-delete-again"))
    assert client.cancel("1a207d92100a1436225") is True
    assert client.cancel("1a207d92100a1436225") is False


def test_touching_the_inbox_lists_one_mail_of_it(
    server: ScriptedServer, client: EngineClient
) -> None:
    client.touch_inbox("support")
    assert server.asked[0].path == "/v1/account/support/messages?path=INBOX&pageSize=1"
