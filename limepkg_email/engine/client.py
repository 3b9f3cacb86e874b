"""The client for EmailEngine: one method for each call that the package uses.

Success answers of EmailEngine can hide that nothing happened; where an answer shows it, the method
raises, and where it does not, its docstring says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Any, Final

import requests

from limepkg_email.engine.oauth2 import OAuth2Apps
from limepkg_email.engine.reading import integer, items, mapping, text
from limepkg_email.engine.transport import Transport, segment
from limepkg_email.engine.types import (
    EngineAccount,
    License,
    Mailbox,
    Message,
    MessagePage,
    MoveResult,
    NewAccount,
    OutboxEntry,
    SubmitResult,
    Text,
)
from limepkg_email.errors import EngineNotFound, EngineRejected

PAGE_SIZE = 1000
"""Entries per page in lists that are read as a whole; EmailEngine refuses more."""
TOO_LARGE = "TooLarge"
"""The `engine_code` of an `EngineRejected` for a download above the caller's limit."""
_CHUNK = 65_536


class EngineClient:
    """Talks to one EmailEngine; may be shared by all threads of a process.

    `timeout` is seconds to connect and seconds of silence until giving up; EmailEngine itself gives
    a command up after 10 s. `retries` is how often a call that does no harm when done twice is
    repeated after a lost connection or 502, 503 or 504. `session_factory` may return a session with
    a proxy or certificates. Raises `ConfigurationError` for an unusable URL or token.

    Every method can raise `EngineUnavailable` (not reachable, time-out, no worker for the account),
    `EngineBusy`, `EngineAuth`, `EngineNotFound` (account, folder, mail), `EngineRejected` (with
    `errors` per field) and `EngineError` (500, retryable, and what is not EmailEngine at all).
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: tuple[float, float] = (3.05, 30),
        retries: int = 2,
        session_factory: Callable[[], requests.Session] = requests.Session,
    ) -> None:
        self._http = Transport(
            url, token, timeout=timeout, retries=retries, session_factory=session_factory
        )
        self.oauth2: Final = OAuth2Apps(self._http, self._pages)
        """The calls about OAuth2 applications."""

    def __repr__(self) -> str:
        return f"<EngineClient: {self._http.where}>"

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads; using the client again opens new ones."""
        self._http.close()

    # Server

    def settings_get(self, *keys: str) -> dict[str, Any]:
        """Return the named settings; a secret is shown as `True` only. Unknown keys are refused."""
        return dict(self._http.json("GET", "/v1/settings", query=dict.fromkeys(keys, True)))

    def settings_set(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Change settings and return the names of those changed."""
        answer = self._http.json("POST", "/v1/settings", body=dict(values), repeat=True)
        return tuple(text(key) for key in items(answer.get("updated")))

    def license(self) -> License:
        """Return the state of the licence.

        When it is `suspended`, EmailEngine's workers have stopped although the server answers.
        """
        return License.parse(self._http.json("GET", "/v1/license"))

    # Accounts

    def create_account(self, values: Mapping[str, Any]) -> NewAccount:
        """Register an account; one of the same id is overwritten. No login is tried before.

        Without `account` in the values EmailEngine makes up an id. Not repeated by itself.
        """
        answer = self._http.json("POST", "/v1/account", body=dict(values))
        return NewAccount(text(answer.get("account")), answer.get("state") == "existing")

    def account(self, account: str) -> EngineAccount:
        """Return one account."""
        return EngineAccount.parse(self._http.json("GET", _account(account)))

    def accounts(
        self, *, query: str | None = None, state: str | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[EngineAccount]:
        """Yield all accounts, page by page; `query` looks in id, name and e-mail address.

        An account with a wrong password is missed by any `state`, as it flips.
        """
        filters = {"query": query, "state": state}
        for entry in self._pages("/v1/accounts", "accounts", page_size, filters):
            yield EngineAccount.parse(entry)

    def update_account(self, account: str, values: Mapping[str, Any]) -> None:
        """Change top-level keys of an account; blocks need `partial` to be merged.

        New credentials and `notifyFrom` take effect with `reconnect` only.
        """
        self._http.json("PUT", _account(account), body=dict(values), repeat=True)

    def delete_account(self, account: str) -> bool:
        """Delete an account with its outbox; return False if there was none."""
        try:
            self._http.json("DELETE", _account(account), repeat=True)
        except EngineNotFound:
            return False
        return True

    def reconnect(self, account: str) -> None:
        """Make an account log in anew, with its present credentials."""
        path = f"{_account(account)}/reconnect"
        self._http.json("PUT", path, body={"reconnect": True}, repeat=True)

    def authentication_form(self, values: Mapping[str, Any]) -> str:
        """Make a link to the hosted form on which a person connects a mailbox; give its address.

        It serves once, within 24 hours, and its data can be read by whoever has it. It ends in the
        browser's GET of `redirectUrl` with `account` and `state` added, with a wrong password as
        well. An unknown `type` is dropped silently.
        """
        path = "/v1/authentication/form"
        url = text(self._http.json("POST", path, body=dict(values), repeat=True).get("url"))
        if not url:
            raise EngineRejected(
                "The mail engine gave no address of a form.",
                request=f"POST {path}",
                engine_status=200,
            )
        return url

    # Folders

    def mailboxes(self, account: str) -> tuple[Mailbox, ...]:
        """Return the folders of an account."""
        answer = self._http.json("GET", f"{_account(account)}/mailboxes")
        return tuple(Mailbox.parse(mapping(item)) for item in items(answer.get("mailboxes")))

    def create_mailbox(self, account: str, path: str) -> bool:
        """Make sure that a top-level folder exists; return whether it was created now.

        Call `touch_inbox` some seconds later, or the INBOX can be silent for minutes.
        """
        answer = self._http.json(
            "POST", f"{_account(account)}/mailbox", body={"path": [path]}, repeat=True
        )
        return answer.get("created") is True

    def touch_inbox(self, account: str) -> None:
        """Make EmailEngine listen to the INBOX again.

        It listens to the folder used last and can stay there for 15 minutes. To be called some
        seconds after the work on another folder.
        """
        query = {"path": "INBOX", "pageSize": 1}
        self._http.json("GET", f"{_account(account)}/messages", query=query)

    # Mails

    def messages(self, account: str, path: str, page: int = 0, page_size: int = 20) -> MessagePage:
        """Return one page of a folder, newest first; past the end it is empty.

        `page_size` is at most 1000. In the second after a move the old content can still be shown.
        """
        query = {"path": path, "page": page, "pageSize": page_size}
        answer = self._http.json("GET", f"{_account(account)}/messages", query=query)
        return MessagePage.parse(answer, path=path)

    def search(
        self,
        account: str,
        path: str,
        terms: Mapping[str, Any],
        page: int = 0,
        page_size: int = 20,
    ) -> MessagePage:
        """Return one page of the mails in a folder that match all terms.

        Dates are compared by the second or by the day, depending on the mail server: check them
        again. `emailId` and `threadId` find nothing where the server has no object ids.
        """
        answer = self._http.json(
            "POST",
            f"{_account(account)}/search",
            query={"path": path, "page": page, "pageSize": page_size},
            body={"search": dict(terms)},
            repeat=True,
        )
        return MessagePage.parse(answer, path=path)

    def message(
        self, account: str, engine_id: str, *, text: bool = True, max_bytes: int | None = None
    ) -> Message:
        """Return a mail with its headers and, unless `text` is false, its text.

        Plain text and html are each cut to `max_bytes`. Does not mark the mail as read.
        """
        query = {"textType": "*", "maxBytes": max_bytes} if text else None
        return Message.parse(self._http.json("GET", _message(account, engine_id), query=query))

    def text(self, account: str, text_id: str, *, max_bytes: int | None = None) -> Text:
        """Return the text of a mail by the id in `Message.text`; the answer has no id or sizes."""
        path = f"{_account(account)}/text/{segment(text_id)}"
        query = {"textType": "*", "maxBytes": max_bytes}
        return Text.parse(self._http.json("GET", path, query=query))

    def source(self, account: str, engine_id: str, *, max_size: int) -> bytes:
        """Return a mail as it was transmitted (RFC 5322).

        Raises `EngineRejected` with the code `TOO_LARGE` if it has more than `max_size` bytes.
        """
        buffer = io.BytesIO()
        self._download(f"{_message(account, engine_id)}/source", buffer, max_size)
        return buffer.getvalue()

    def attachment(self, account: str, attachment_id: str, *, max_size: int) -> bytes:
        """Return the content of an attachment; see `download_attachment` for large ones."""
        buffer = io.BytesIO()
        self.download_attachment(account, attachment_id, buffer, max_size=max_size)
        return buffer.getvalue()

    def download_attachment(
        self, account: str, attachment_id: str, target: IO[bytes], *, max_size: int
    ) -> int:
        """Write the content of an attachment to a file, piece by piece; return its size in bytes.

        Raises `EngineRejected` with the code `TOO_LARGE` if it has more than `max_size` bytes, and
        `EngineNotFound` if it is empty: that is how EmailEngine answers for an id that does not
        exist. What was written before an error stays in the file.
        """
        path = f"{_account(account)}/attachment/{segment(attachment_id)}"
        return self._download(path, target, max_size)

    def add_flags(self, account: str, engine_id: str, flags: Sequence[str]) -> None:
        r"""Add flags such as `\Seen` to a mail; an unknown id goes unnoticed."""
        body = {"flags": {"add": list(flags)}}
        self._http.json("PUT", _message(account, engine_id), body=body, repeat=True)

    def update_flags_bulk(
        self, account: str, path: str, search: Mapping[str, Any], add: Sequence[str]
    ) -> None:
        """Add flags to all mails of a folder that match the search; none is fine as well."""
        self._http.json(
            "PUT",
            f"{_account(account)}/messages",
            query={"path": path},
            body={"search": dict(search), "update": {"flags": {"add": list(add)}}},
            repeat=True,
        )

    def move(
        self, account: str, engine_id: str, path: str, *, source: str | None = None
    ) -> MoveResult:
        """Move a mail from the folder `source` to another one, where it gets a new id.

        On Gmail's API folders are labels: there a mail keeps the label of a source that is not
        named, and lies in both. Elsewhere the id says where the mail is.

        Raises `EngineNotFound` if the answer has no new id: then the mail has been moved already,
        or the folder does not exist. Not repeated by itself, since the second answer would hide
        the new id; after `EngineUnavailable` look where the mail is.
        """
        place = _message(account, engine_id)
        body = {"path": path, "source": source} if source else {"path": path}
        answer = self._http.json("PUT", f"{place}/move", body=body)
        moved = text(answer.get("id"))
        if not moved:
            raise EngineNotFound(
                f"The mail {engine_id} or the folder {path!r} does not exist.",
                request=f"PUT {place}/move",
                engine_status=200,
            )
        return MoveResult(text(answer.get("path")) or path, moved, integer(answer.get("uid")))

    def delete_message(
        self, account: str, engine_id: str, *, force: bool = False
    ) -> MoveResult | None:
        """Move a mail to the Trash and return where it is, or None if it is gone for good.

        With `force`, and for a mail in the Trash, it is gone at once. Raises `EngineNotFound` if
        the answer shows that nothing was moved. Not repeated by itself.
        """
        place = _message(account, engine_id)
        answer = self._http.json("DELETE", place, query={"force": True} if force else None)
        if answer.get("deleted") is True:
            return None
        moved = mapping(answer.get("moved"))
        if not text(moved.get("message")):
            raise EngineNotFound(
                f"The mail {engine_id} does not exist.",
                request=f"DELETE {place}",
                engine_status=200,
            )
        return MoveResult(text(moved.get("destination")), text(moved.get("message")))

    # Sending

    def submit(
        self, account: str, payload: Mapping[str, Any], idempotency_key: str | None = None
    ) -> SubmitResult:
        """Queue a mail; whether it was sent is told by webhooks.

        With a key, remembered per account for a day at least, a mail is queued once however often
        this is called; another payload under a used key is silently not sent. Without a key the
        call is not repeated after a lost answer. Refused by `EngineRejected` for addresses that
        are none, and by `EngineNotFound` with the code `ReferenceNotFound` for a reply to a mail
        that does not exist. Recipients are not required, although nothing can come of it.
        """
        answer = self._http.json(
            "POST",
            f"{_account(account)}/submit",
            body=dict(payload),
            repeat=bool(idempotency_key),
            headers={"Idempotency-Key": idempotency_key.encode()} if idempotency_key else None,
        )
        return SubmitResult.parse(answer)

    def outbox(
        self, account: str | None = None, *, page_size: int = PAGE_SIZE
    ) -> Iterator[OutboxEntry]:
        """Yield what waits in the outbox, of one account or of all.

        EmailEngine cannot filter by account, so all pages are read. Failed mails are in it only
        with newer versions; remember them from the webhook instead.
        """
        seen: set[str] = set()
        for item in self._pages("/v1/outbox", "messages", page_size, {}):
            entry = OutboxEntry.parse(item)
            # What is sent meanwhile shifts the pages, so that an entry can come twice.
            if entry.queue_id not in seen and account in (None, entry.account):
                seen.add(entry.queue_id)
                yield entry

    def outbox_entry(self, queue_id: str) -> OutboxEntry:
        """Return one waiting mail; a sent or failed one is `EngineNotFound`."""
        return OutboxEntry.parse(self._http.json("GET", _queued(queue_id)))

    def cancel(self, queue_id: str) -> bool:
        """Remove a mail from the outbox; return False if it was not there (any more).

        Not repeated by itself: the second answer would claim that the mail had left.
        """
        return self._http.json("DELETE", _queued(queue_id)).get("deleted") is True

    def _pages(
        self, path: str, key: str, page_size: int, filters: Mapping[str, object]
    ) -> Iterator[Mapping[str, Any]]:
        page, pages = 0, 1
        while page < pages:
            query = {"page": page, "pageSize": page_size, **filters}
            answer = self._http.json("GET", path, query=query)
            found = items(answer.get(key))
            if not found:
                return
            yield from map(mapping, found)
            page, pages = page + 1, integer(answer.get("pages"))

    def _download(self, path: str, target: IO[bytes], max_size: int) -> int:
        request, size = f"GET {path}", 0
        with self._http.open("GET", path, stream=True) as response:
            for chunk in response.iter_content(_CHUNK):
                size += len(chunk)
                if size > max_size:
                    raise EngineRejected(
                        f"The download has more than {max_size} bytes.",
                        request=request,
                        engine_status=response.status_code,
                        engine_code=TOO_LARGE,
                    )
                target.write(chunk)
        if not size:
            raise EngineNotFound(
                "There is nothing to download under this id.", request=request, engine_status=200
            )
        return size


def _account(account: str) -> str:
    return f"/v1/account/{segment(account)}"


def _message(account: str, engine_id: str) -> str:
    place = f"{_account(account)}/message"
    return f"{place}/{segment(engine_id)}"


def _queued(queue_id: str) -> str:
    return f"/v1/outbox/{segment(queue_id)}"
