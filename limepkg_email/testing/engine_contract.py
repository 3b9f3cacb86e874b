"""What any mail engine must do: the same promises for the sandbox and for a real EmailEngine.

A subclass gives the fixtures `engine_url`, `engine_token` and `engine_account`, the id of a
connected account that is not used for anything else. Only HTTP is used.
"""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator

import pytest
import requests

from limepkg_email.testing.engine_api import (
    SECRET,
    EngineApi,
    ReceivedWebhook,
    WebhookReceiver,
    announces,
    letter,
)

_TIMEOUT = 30


class EngineContract:
    """The promises. Subclass it, give the fixtures, and run it."""

    @pytest.fixture
    def engine_url(self) -> str:
        """The address of the engine, without `/v1`."""
        raise NotImplementedError

    @pytest.fixture
    def engine_token(self) -> str:
        """A token for everything."""
        raise NotImplementedError

    @pytest.fixture
    def engine_account(self) -> str:
        """The id of a connected account that only these tests use."""
        raise NotImplementedError

    @pytest.fixture
    def engine_settings_may_change(self) -> bool:
        """Whether webhooks may be turned on for these tests."""
        return False

    @pytest.fixture
    def api(self, engine_url: str, engine_token: str, engine_account: str) -> Iterator[EngineApi]:
        """The API."""
        api = EngineApi(engine_url, engine_token, engine_account)
        yield api
        api.close()

    @pytest.fixture
    def failed_folder(self, api: EngineApi) -> Iterator[str]:
        """A folder beside the inbox."""
        path = f"Contract {uuid.uuid4().hex[:8]}"
        api.post("mailbox", {"path": [path]})
        yield path
        api.delete("mailbox", path=path)

    @pytest.fixture
    def receiver(
        self, api: EngineApi, engine_settings_may_change: bool
    ) -> Iterator[WebhookReceiver]:
        """A receiver of all webhooks."""
        if not engine_settings_may_change:
            pytest.skip("the settings of this engine are not ours to change")
        with WebhookReceiver() as receiver:
            api.post(
                "/settings",
                {
                    "webhooksEnabled": True,
                    "webhooks": receiver.url,
                    "webhookEvents": ["*"],
                    "notifyHeaders": ["*"],
                    "notifyText": True,
                    "inboxNewOnly": False,
                    "serviceSecret": SECRET,
                },
            )
            yield receiver
            api.post("/settings", {"webhooksEnabled": False})

    def test_no_token_is_401(self, engine_url: str) -> None:
        response = requests.get(f"{engine_url}/v1/accounts", timeout=_TIMEOUT)
        assert response.status_code == 401
        assert response.json() == {
            "statusCode": 401,
            "error": "Unauthorized",
            "message": "Missing authentication",
        }

    def test_wrong_token_is_401(self, engine_url: str) -> None:
        headers = {"Authorization": f"Bearer {'0' * 64}"}
        response = requests.get(f"{engine_url}/v1/accounts", headers=headers, timeout=_TIMEOUT)
        assert (response.status_code, response.json()["message"]) == (401, "Bad token")

    def test_token_in_the_query_works(self, engine_url: str, engine_token: str) -> None:
        query = {"access_token": engine_token}
        response = requests.get(f"{engine_url}/v1/accounts", params=query, timeout=_TIMEOUT)
        assert response.status_code == 200

    def test_unknown_route_is_html_404(self, api: EngineApi) -> None:
        response = api.request("GET", "/nosuch")
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")

    def test_health_needs_no_token(self, engine_url: str) -> None:
        response = requests.get(f"{engine_url}/health", timeout=_TIMEOUT)
        assert response.json() == {"success": True}

    def test_unknown_account_is_404(self, api: EngineApi) -> None:
        response = api.request("GET", "/account/no-such-account")
        assert response.status_code == 404
        assert response.json()["message"] == "Account record was not found for requested ID"

    def test_unknown_key_is_400_and_named(self, api: EngineApi) -> None:
        response = api.request("GET", "/settings", params={"bogus": "true"})
        assert response.status_code == 400
        assert response.json()["message"] == "Invalid input"
        assert response.json()["fields"] == [{"message": '"bogus" is not allowed', "key": "bogus"}]

    def test_page_size_is_limited(self, api: EngineApi) -> None:
        response = api.request("GET", "/accounts", params={"pageSize": 1001})
        assert response.status_code == 400
        assert response.json()["fields"][0]["key"] == "pageSize"

    def test_page_past_the_end_is_empty(self, api: EngineApi) -> None:
        found = api.get("/accounts", page=999)
        assert (found["accounts"], found["page"]) == ([], 999)

    def test_account_is_shown_without_secrets(self, api: EngineApi) -> None:
        account = api.get("")
        assert account["account"] == api.account
        assert account["state"] == "connected"
        assert {"name", "email", "notifyFrom", "type", "counters"} <= set(account)
        assert account.get("imap", {}).get("auth", {}).get("pass", "******") == "******"

    def test_account_is_found_by_query(self, api: EngineApi) -> None:
        found = api.get("/accounts", query=api.account)
        assert api.account in [account["account"] for account in found["accounts"]]

    def test_serviceSecret_is_never_shown(self, api: EngineApi) -> None:  # noqa: N802
        assert api.get("/settings", serviceSecret="true") == {"serviceSecret": True}

    def test_inbox_is_listed_first(self, api: EngineApi) -> None:
        inbox = api.get("mailboxes")["mailboxes"][0]
        assert (inbox["path"], inbox["specialUse"]) == ("INBOX", "\\Inbox")
        assert {"delimiter", "name", "subscribed", "messages", "uidNext"} <= set(inbox)

    def test_counters_are_given_when_asked_for(self, api: EngineApi) -> None:
        inbox = api.get("mailboxes", counters="true")["mailboxes"][0]
        assert set(inbox["status"]) == {"messages", "unseen"}

    def test_creating_a_folder_twice_is_safe(self, api: EngineApi, failed_folder: str) -> None:
        again = api.post("mailbox", {"path": [failed_folder]})
        assert again == {"path": failed_folder, "created": False}

    def test_deleting_a_folder_twice_is_safe(self, api: EngineApi) -> None:
        path = f"Contract {uuid.uuid4().hex[:8]}"
        api.post("mailbox", {"path": [path]})
        assert api.delete("mailbox", path=path) == {"path": path, "deleted": True}
        assert api.delete("mailbox", path=path) == {"path": path, "deleted": False}

    def test_list_needs_a_path(self, api: EngineApi) -> None:
        response = api.request("GET", "messages")
        assert response.status_code == 400
        assert response.json()["fields"] == [
            {"message": '"SpecialPath" is required', "key": "path"}
        ]

    def test_list_of_an_unknown_folder_is_404(self, api: EngineApi) -> None:
        response = api.request("GET", "messages", params={"path": "No Such Folder"})
        assert (response.status_code, response.json()["code"]) == (404, "FolderNotFound")

    def test_list_of_an_empty_folder_has_one_page(self, api: EngineApi, failed_folder: str) -> None:
        assert api.get("messages", path=failed_folder) == {
            "total": 0,
            "page": 0,
            "pages": 1,
            "nextPageCursor": None,
            "prevPageCursor": None,
            "messages": [],
        }

    def test_uploaded_mail_is_listed(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        assert len(uploaded["id"]) == 11
        (item,) = api.get("messages", path=failed_folder)["messages"]
        assert item["id"] == uploaded["id"]
        assert item["messageId"] == uploaded["messageId"]
        assert item["from"] == {"name": "Anna Andersson", "address": "anna@example.org"}
        assert item["replyTo"] == [item["from"]]
        assert item["to"] == [{"name": "", "address": "support@example.com"}]
        assert item["unseen"] is True
        assert not {"path", "headers", "sender", "cc", "inReplyTo", "flagged"} & set(item)

    def test_mail_has_text_only_when_asked_for(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        short = api.get(f"message/{uploaded['id']}")
        assert set(short["text"]) == {"id", "encodedSize"}
        assert short["headers"]["message-id"] == [uploaded["messageId"]]
        long = api.get(f"message/{uploaded['id']}", textType="*")
        assert long["text"]["plain"].strip() == "Is it open today?"
        assert long["text"]["hasMore"] is False
        text = api.get(f"text/{short['text']['id']}")
        assert text["plain"].strip() == "Is it open today?"

    def test_max_bytes_cuts_the_text(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        text = api.get(f"message/{uploaded['id']}", textType="*", maxBytes=5)["text"]
        assert (text["plain"], text["hasMore"]) == ("Is it", True)

    def test_web_safe_html_has_no_script(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder, html="<p>Hi</p><script>alert(1)</script>")
        text = api.get(f"message/{uploaded['id']}", webSafeHtml="true")["text"]
        assert text["webSafe"] is True
        assert "<p>Hi</p>" in text["html"]
        assert "script" not in text["html"]

    def test_unknown_message_is_404(self, api: EngineApi) -> None:
        response = api.request("GET", "message/AAAAAQAA__8")
        assert (response.status_code, response.json()["code"]) == (404, "MessageNotFound")

    def test_malformed_message_id_is_500(self, api: EngineApi) -> None:
        assert api.request("GET", "message/zzz").status_code == 500

    def test_attachment_comes_back_as_sent(self, api: EngineApi, failed_folder: str) -> None:
        content = bytes(range(256)) * 20
        file = {
            "filename": "förslag.pdf",
            "content": base64.b64encode(content).decode(),
            "contentType": "application/pdf",
        }
        uploaded = api.upload(failed_folder, attachments=[file])
        (entry,) = api.get(f"message/{uploaded['id']}")["attachments"]
        assert entry["filename"] == "förslag.pdf"
        assert entry["contentType"] == "application/pdf"
        response = api.request("GET", f"attachment/{entry['id']}")
        assert response.content == content
        assert response.headers["content-type"] == "application/pdf"
        assert "utf-8''f%C3%B6rslag.pdf" in response.headers["content-disposition"]

    def test_source_is_the_raw_mail(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        source = api.request("GET", f"message/{uploaded['id']}/source")
        assert uploaded["messageId"].encode() in source.content

    def test_flags_are_changed(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        answer = api.put(f"message/{uploaded['id']}", {"flags": {"add": ["\\Seen"]}})
        assert answer == {"flags": {"add": True}}
        item = api.get(f"message/{uploaded['id']}")
        assert "\\Seen" in item["flags"]
        assert "unseen" not in item

    def test_flags_of_an_unknown_message_succeed_all_the_same(self, api: EngineApi) -> None:
        answer = api.put("message/AAAAAQAA__8", {"flags": {"add": ["\\Seen"]}})
        assert answer == {"flags": {"add": True}}

    def test_move_gives_a_new_id(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload()
        moved = api.put(f"message/{uploaded['id']}/move", {"path": failed_folder})
        assert set(moved) == {"path", "id", "uid"}
        assert moved["id"] != uploaded["id"]
        assert api.request("GET", f"message/{uploaded['id']}").status_code == 404
        assert api.get(f"message/{moved['id']}")["path"] == failed_folder

    def test_move_of_a_stale_id_has_no_id_in_its_answer(
        self, api: EngineApi, failed_folder: str
    ) -> None:
        uploaded = api.upload()
        api.put(f"message/{uploaded['id']}/move", {"path": failed_folder})
        again = api.put(f"message/{uploaded['id']}/move", {"path": failed_folder})
        assert again == {"path": failed_folder}

    def test_move_to_an_unknown_folder_does_nothing(
        self, api: EngineApi, failed_folder: str
    ) -> None:
        uploaded = api.upload(failed_folder)
        moved = api.put(f"message/{uploaded['id']}/move", {"path": "No Such Folder"})
        assert "id" not in moved
        assert api.get(f"message/{uploaded['id']}")["path"] == failed_folder

    def test_search_finds_by_message_id(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        api.upload(failed_folder)
        found = api.search(failed_folder, {"header": {"Message-ID": uploaded["messageId"]}})
        assert found == [uploaded["id"]]

    def test_search_terms_are_anded(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder, subject="Boats")
        api.upload(failed_folder, subject="Cars")
        terms = {"from": "anna@example.org", "subject": "boat", "unseen": True}
        assert api.search(failed_folder, terms) == [uploaded["id"]]
        assert api.search(failed_folder, {**terms, "seen": True}) == []

    def test_search_by_uid_and_date(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        newer = api.upload(failed_folder)
        assert api.search(failed_folder, {"uid": f"{newer['uid']}:*"}) == [newer["id"]]
        since = {"since": "2020-01-01"}
        assert api.search(failed_folder, since) == [newer["id"], uploaded["id"]]

    def test_unknown_search_term_is_400(self, api: EngineApi) -> None:
        body = {"search": {"or": [{"subject": "a"}]}}
        response = api.request("POST", "search", params={"path": "INBOX"}, json=body)
        assert response.status_code == 400
        assert response.json()["fields"] == [{"message": '"search.or" is not allowed', "key": "or"}]

    def test_bulk_move_maps_ids(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload()
        search = {"header": {"Message-ID": uploaded["messageId"]}}
        body = {"search": search, "path": failed_folder}
        moved = api.put("messages/move", body, path="INBOX")
        ((old, new),) = moved["idMap"]
        assert old == uploaded["id"]
        assert api.get(f"message/{new}")["path"] == failed_folder
        assert api.put("messages/move", body, path="INBOX") == {"path": failed_folder}

    def test_delete_moves_to_trash_and_then_deletes(
        self, api: EngineApi, failed_folder: str
    ) -> None:
        uploaded = api.upload(failed_folder)
        first = api.delete(f"message/{uploaded['id']}")
        assert first["deleted"] is False
        assert first["moved"]["destination"] == "Trash"
        assert api.delete(f"message/{first['moved']['message']}") == {"deleted": True}

    def test_forced_delete_deletes_at_once(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        assert api.delete(f"message/{uploaded['id']}", force="true") == {"deleted": True}

    def test_submission_checks_addresses(self, api: EngineApi) -> None:
        body = {"to": [{"address": "not an address"}], "subject": "x", "text": "x"}
        response = api.request("POST", "submit", json=body)
        assert response.status_code == 400
        assert response.json()["fields"] == [
            {"message": '"to[0].address" must be a valid email', "key": "address"}
        ]

    def test_submission_refuses_large_attachments(self, api: EngineApi) -> None:
        body = {
            **letter(),
            "dryRun": True,
            "attachments": [{"filename": "a", "content": "A" * 5_242_884}],
        }
        assert api.request("POST", "submit", json=body).status_code == 400

    def test_dry_run_gives_the_mail_and_sends_nothing(self, api: EngineApi) -> None:
        body = {**letter(), "dryRun": True, "headers": {"X-Crm": "4711"}}
        answer = api.post("submit", body)
        preview = base64.b64decode(answer["preview"])
        assert answer["response"] == "Dry run"
        assert answer["messageId"].encode() in preview
        assert b"X-Crm: 4711\r\n" in preview

    def test_html_alone_gets_a_text(self, api: EngineApi) -> None:
        body = {**letter(), "dryRun": True, "html": "<p>Hello <b>you</b></p>"}
        del body["text"]
        preview = base64.b64decode(api.post("submit", body)["preview"])
        assert b"text/plain" in preview
        assert b"Hello you" in preview

    def test_submission_is_queued_once_for_a_key(self, api: EngineApi) -> None:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        # Far away, so that nothing is ever sent.
        body = {**letter(), "sendAt": "2099-01-01T00:00:00.000Z"}
        first = api.post("submit", body, headers=key)
        other = api.post("submit", {**body, "subject": "Another"}, headers=key)
        try:
            assert first["response"] == "Queued for delivery"
            assert first["idempotency"]["status"] == "MISS"
            assert other["idempotency"]["status"] == "HIT"
            assert other["queueId"] == first["queueId"]
            entry = api.get(f"/outbox/{first['queueId']}")
            assert entry["subject"] == body["subject"]
            assert entry["progress"] == {"status": "queued"}
        finally:
            assert api.delete(f"/outbox/{first['queueId']}") == {"deleted": True}
        assert api.delete(f"/outbox/{first['queueId']}") == {"deleted": False}
        assert api.request("GET", f"/outbox/{first['queueId']}").status_code == 404

    def test_outbox_has_no_account_filter(self, api: EngineApi) -> None:
        response = api.request("GET", "/outbox", params={"account": api.account})
        assert response.status_code == 400

    def test_reply_takes_over_thread_and_subject(self, api: EngineApi, failed_folder: str) -> None:
        uploaded = api.upload(failed_folder)
        body = {
            "reference": {"message": uploaded["id"], "action": "reply"},
            "text": "Yes",
            "dryRun": True,
        }
        preview = base64.b64decode(api.post("submit", body)["preview"])
        assert b"Subject: Re: A question" in preview
        assert f"In-Reply-To: {uploaded['messageId']}".encode() in preview
        assert b"anna@example.org" in preview

    def test_reply_to_a_missing_mail_is_404(self, api: EngineApi) -> None:
        reference = {"message": "AAAAAQAA__8", "action": "reply"}
        response = api.request("POST", "submit", json={**letter(), "reference": reference})
        assert (response.status_code, response.json()["code"]) == (404, "ReferenceNotFound")

    def test_form_link_is_given(self, api: EngineApi) -> None:
        answer = api.post("/authentication/form", {"redirectUrl": "https://crm.example.com/done"})
        assert "/accounts/new?data=" in answer["url"]
        response = api.request("POST", "/authentication/form", json={})
        assert response.json()["fields"] == [
            {"message": '"redirectUrl" is required', "key": "redirectUrl"}
        ]

    def test_oauth2_app_lives_and_dies(self, api: EngineApi) -> None:
        app = {
            "name": "Contract",
            "provider": "outlook",
            "authority": "common",
            "clientId": "made-up",
            "clientSecret": "made-up",
            "redirectUrl": "https://engine.example.com/oauth",
        }
        created = api.post("/oauth2", app)
        path = f"/oauth2/{created['id']}"
        try:
            shown = api.get(path)
            assert shown["clientSecret"] == "******"
            assert shown["accounts"] == 0
            updated = api.put(path, {"name": "Other"})
            assert updated == {"id": created["id"], "updated": True}
        finally:
            deleted = api.delete(path)
        assert deleted == {"id": created["id"], "deleted": True, "accounts": 0}
        assert api.delete(path)["deleted"] is False
        assert api.request("GET", path).json()["code"] == "NotFound"

    def test_new_mail_is_announced_with_text_and_headers(
        self, api: EngineApi, receiver: WebhookReceiver
    ) -> None:
        uploaded = api.upload()
        event = receiver.wait(lambda one: announces(one, uploaded["messageId"]))
        assert event["account"] == api.account
        assert event["path"] == "INBOX"
        data = event["data"]
        assert data["messageSpecialUse"] == "\\Inbox"
        assert data["seemsLikeNew"] is True
        assert data["text"]["plain"].strip() == "Is it open today?"
        assert data["headers"]["message-id"] == [uploaded["messageId"]]

    def test_webhooks_are_signed(self, api: EngineApi, receiver: WebhookReceiver) -> None:
        uploaded = api.upload(text="Smörgås")
        receiver.wait(lambda one: announces(one, uploaded["messageId"]))
        for one in receiver.received:
            digest = hmac.new(SECRET.encode(), one.body, hashlib.sha256).digest()
            expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            assert one.headers["X-EE-Wh-Signature"] == expected
            assert "Smörgås".encode() in one.body or one.json["event"] != "messageNew"
            assert {"X-EE-Wh-Id", "X-EE-Wh-Event-Id", "X-EE-Wh-Attempts-Made"} <= set(one.headers)

    def test_move_is_a_deletion_and_an_old_new_mail(
        self, api: EngineApi, receiver: WebhookReceiver, failed_folder: str
    ) -> None:
        uploaded = api.upload()
        moved = api.put(f"message/{uploaded['id']}/move", {"path": failed_folder})
        api.get("messages", path=failed_folder)
        gone = receiver.wait(
            lambda one: one["event"] == "messageDeleted" and one["data"]["id"] == uploaded["id"],
            seconds=90,
        )
        assert gone["data"] == {"id": uploaded["id"], "uid": uploaded["uid"]}
        come = receiver.wait(
            lambda one: one["event"] == "messageNew" and one["data"]["id"] == moved["id"],
            seconds=90,
        )
        assert come["data"]["seemsLikeNew"] is False
        assert "messageSpecialUse" not in come["data"]

    def test_refused_webhook_comes_again_with_the_same_event_id(
        self, api: EngineApi, receiver: WebhookReceiver
    ) -> None:
        receiver.answers.append(503)
        uploaded = api.upload()
        deadline = time.monotonic() + 60
        tries: list[ReceivedWebhook] = []
        while len(tries) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
            first = receiver.received[0].headers["X-EE-Wh-Event-Id"] if receiver.received else ""
            tries = [
                one for one in list(receiver.received) if one.headers["X-EE-Wh-Event-Id"] == first
            ]
        assert [one.headers["X-EE-Wh-Attempts-Made"] for one in tries] == ["0", "1"]
        assert tries[0].body == tries[1].body
        receiver.wait(lambda one: announces(one, uploaded["messageId"]))
