"""Endpoints about messages: reading, searching, changing."""

from collections.abc import Mapping
from urllib.parse import quote

from flask import Blueprint, Response

from limepkg_email.sandbox import errors, ids, search, views
from limepkg_email.sandbox.account_record import Account
from limepkg_email.sandbox.answers import answer, body, query
from limepkg_email.sandbox.json_types import Json, dumps
from limepkg_email.sandbox.messages import find_part
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.stored import Folder, StoredMessage
from limepkg_email.sandbox.validation import BOOLEAN, PAGING, STRING, STRINGS, Field, check

_PATH = Field("string", required=True, label="SpecialPath")
_LISTING: Mapping[str, Field] = {
    "path": _PATH,
    "cursor": STRING,
    "documentStore": BOOLEAN,
    **PAGING,
}
_FLAG_CHANGE: Mapping[str, Field] = {
    "flags": Field("object", keys={"add": STRINGS, "delete": STRINGS, "set": STRINGS}),
    "labels": Field("object", keys={"add": STRINGS, "delete": STRINGS, "set": STRINGS}),
}
_READING: Mapping[str, Field] = {
    "maxBytes": Field("integer", minimum=0),
    "textType": Field("string", choices=("html", "plain", "*")),
    "webSafeHtml": BOOLEAN,
    "embedAttachedImages": BOOLEAN,
    "preProcessHtml": BOOLEAN,
    "markAsSeen": BOOLEAN,
    "documentStore": BOOLEAN,
}


def blueprint(services: Services) -> Blueprint:
    """The endpoints."""
    routes = Blueprint("mail", __name__, url_prefix="/v1/account/<account>")
    api = _MailApi(services)
    for rule, method, handler in (
        ("/messages", "GET", api.listing),
        ("/search", "POST", api.search),
        ("/messages", "PUT", api.bulk_update),
        ("/messages/move", "PUT", api.bulk_move),
        ("/messages/delete", "PUT", api.bulk_delete),
        ("/message/<message>", "GET", api.get),
        ("/message/<message>", "PUT", api.update),
        ("/message/<message>", "DELETE", api.delete),
        ("/message/<message>/move", "PUT", api.move),
        ("/message/<message>/source", "GET", api.source),
        ("/text/<text>", "GET", api.text),
        ("/attachment/<attachment>", "GET", api.attachment),
    ):
        routes.add_url_rule(
            rule, endpoint=f"{handler.__name__}", view_func=handler, methods=[method]
        )
    return routes


class _MailApi:
    """The handlers, one for each endpoint."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._mailboxes = services.mailboxes
        self._mail = services.mail

    def listing(self, account: str) -> Response:
        values = check(query(), _LISTING)
        found = self._services.accounts.require_worker(account)
        folder = self._folder(found, values["path"])
        page, size = _page(values), values["pageSize"]
        total, _ = self._mailboxes.counts(folder)
        messages = self._mailboxes.messages(folder, limit=size, offset=page * size)
        return answer(_listing(messages, total, page, size))

    def search(self, account: str) -> Response:
        values = check(query(), {**_LISTING, "useOutlookSearch": BOOLEAN, "exposeQuery": BOOLEAN})
        terms = search.check_terms(_only(body(), ("search",)).get("search", {}))
        found = self._services.accounts.require_worker(account)
        folder = self._folder(found, values["path"])
        page, size = _page(values), values["pageSize"]
        messages = search.find(self._mailboxes, folder, terms)
        chosen = messages[page * size : (page + 1) * size]
        return answer(_listing(chosen, len(messages), page, size))

    def get(self, account: str, message: str) -> Response:
        values = check(query(), _READING)
        found = self._message(account, message)
        if found is None:
            raise errors.message_not_found()
        if values.get("markAsSeen"):
            self._mail.set_flags(found, {*found.flags, "\\Seen"})
            found = self._mailboxes.by_row(found.row_id) or found
        detail = self._mailboxes.detail(found)
        shown = views.full(found, detail, ["*"])
        kind = values.get("textType") or ("*" if values.get("webSafeHtml") else "")
        if kind and "text" in shown:
            limit = values.get("maxBytes") or None
            texts = views.texts(detail, kind=kind, limit=limit)
            if values.get("webSafeHtml"):
                texts = views.web_safe(texts, found, self._mailboxes.original(found))
            shown["text"] = {**shown["text"], **texts}
        views.add_properties(found, detail, shown)
        return answer(shown)

    def text(self, account: str, text: str) -> Response:
        values = check(query(), _READING)
        found = self._message(account, text)
        if found is None:
            raise errors.message_not_found()
        return answer(
            views.texts(
                self._mailboxes.detail(found),
                kind=values.get("textType", "*"),
                limit=values.get("maxBytes") or None,
            )
        )

    def source(self, account: str, message: str) -> Response:
        found = self._message(account, message)
        if found is None:
            raise errors.message_not_found()
        return Response(self._mailboxes.raw(found), content_type="message/rfc822")

    def attachment(self, account: str, attachment: str) -> Response:
        found = self._message(account, attachment)
        if found is None:
            raise errors.message_not_found()
        number = ids.split_id(attachment)[2].decode("ascii", "replace")
        part = find_part(self._mailboxes.original(found), number)
        if part is None:
            # As the real engine: nothing, politely.
            return Response(
                b"",
                content_type="application/octet-stream",
                headers={"Content-Disposition": "attachment"},
            )
        disposition = "attachment"
        if part.filename:
            entities = "".join(
                character
                if " " <= character <= "~" and character not in "&<>\"'"
                else f"&#x{ord(character):X};"
                for character in part.filename
            )
            disposition += f"; filename=\"{entities}\"; filename*=utf-8''{quote(part.filename)}"
        content_type = part.content_type
        if content_type.startswith("text/"):
            content_type += f"; charset={part.type_parameters.get('charset', 'utf-8')}"
        return Response(
            part.data(),
            headers={"Content-Type": content_type, "Content-Disposition": disposition},
        )

    def update(self, account: str, message: str) -> Response:
        changes = check(body(), _FLAG_CHANGE)
        found = self._message(account, message)
        if found is not None:
            self._change_flags(found, changes)
        # Said also of a message that does not exist.
        return answer(_flag_answer(changes))

    def move(self, account: str, message: str) -> Response:
        path = check(body(), {"path": Field("string", required=True), "source": STRING})["path"]
        found = self._message(account, message)
        moved: Json = {"path": path}
        if found is not None:
            target = self._mailboxes.folder(found.mailbox, path)
            if target is not None:
                new = self._mail.move(found, target)
                moved.update(path=target.path, id=new.id, uid=new.uid)
        return answer(moved)

    def delete(self, account: str, message: str) -> Response:
        force = check(query(), {"force": BOOLEAN}).get("force", False)
        found = self._message(account, message)
        if found is None:
            moved: Json = {"destination": "Trash"}
            return answer({"deleted": False} if force else {"deleted": False, "moved": moved})
        trash = self._mailboxes.folder(found.mailbox, "\\Trash")
        if force or trash is None or found.folder_id == trash.id:
            self._mail.delete(found)
            return answer({"deleted": True})
        new = self._mail.move(found, trash)
        moved = {"destination": trash.path, "message": new.id}
        return answer({"deleted": False, "moved": moved})

    def bulk_update(self, account: str) -> Response:
        values = _only(body(), ("search", "update"))
        changes = check(values.get("update", {}), _FLAG_CHANGE)
        for message in self._bulk(account, values):
            self._change_flags(message, changes)
        return answer(_flag_answer(changes))

    def bulk_move(self, account: str) -> Response:
        values = _only(body(), ("search", "path", "source"))
        path = check(
            {k: v for k, v in values.items() if k != "search"},
            {"path": Field("string", required=True), "source": STRING},
        )["path"]
        found = self._bulk(account, values)
        shown: Json = {"path": path}
        target = self._mailboxes.folder(self._account(account).mailbox, path)
        if target is not None:
            pairs = self._move_all(found, target)
            if pairs:
                shown["idMap"] = pairs
        return answer(shown)

    def bulk_delete(self, account: str) -> Response:
        force = check(query(), {"path": _PATH, "force": BOOLEAN}).get("force", False)
        found = self._bulk(account, _only(body(), ("search",)), force_allowed=True)
        trash = self._mailboxes.folder(self._account(account).mailbox, "\\Trash")
        if force or trash is None or any(message.folder_id == trash.id for message in found):
            with self._services.database.transaction():
                for message in found:
                    self._mail.delete(message)
            return answer({"deleted": True})
        pairs = self._move_all(found, trash)
        moved: Json = {"destination": trash.path}
        if pairs:
            moved["idMap"] = pairs
        return answer({"deleted": False, "moved": moved})

    def _bulk(
        self, account: str, values: Json, *, force_allowed: bool = False
    ) -> list[StoredMessage]:
        fields: dict[str, Field] = {"path": _PATH}
        if force_allowed:
            fields["force"] = BOOLEAN
        path = check(query(), fields)["path"]
        terms = search.check_terms(values.get("search", {}))
        found = self._services.accounts.require_worker(account)
        return search.find(self._mailboxes, self._folder(found, path), terms)

    def _move_all(self, messages: list[StoredMessage], target: Folder) -> list[list[str]]:
        with self._services.database.transaction():
            return [
                [message.id, self._mail.move(message, target).id] for message in reversed(messages)
            ]

    def _change_flags(self, message: StoredMessage, changes: Json) -> None:
        flags = set(message.flags)
        wanted = changes.get("flags") or {}
        if "set" in wanted:
            flags = set(wanted["set"])
        flags |= set(wanted.get("add") or [])
        flags -= set(wanted.get("delete") or [])
        self._mail.set_flags(message, flags)

    def _account(self, account: str) -> Account:
        return self._services.accounts.get(account)

    def _folder(self, account: Account, path: str) -> Folder:
        folder = self._mailboxes.folder(account.mailbox, path)
        if folder is None:
            raise errors.folder_not_found()
        return folder

    def _message(self, account: str, message: str) -> StoredMessage | None:
        found = self._services.accounts.require_worker(account)
        try:
            code, uid, _ = ids.split_id(message)
        except ids.MalformedIdError as error:
            raise errors.malformed_id() from error
        return self._mailboxes.by_id(found.mailbox, code, uid)


def _only(value: object, keys: tuple[str, ...]) -> Json:
    return check(value, dict.fromkeys(keys, Field("any")))


def _flag_answer(changes: Json) -> Json:
    return {
        group: {key: True for key in ("add", "delete", "set") if key in wanted}
        for group, wanted in changes.items()
    }


def _page(values: Json) -> int:
    cursor = str(values.get("cursor", ""))
    if cursor.startswith("imap_"):
        digits = "".join(c for c in ids.decode(cursor[5:]).decode("ascii", "ignore") if c.isdigit())
        return int(digits or 0)
    return int(values["page"])


def _cursor(page: int) -> str:
    return "imap_" + ids.encode(dumps({"page": page}).encode())


def _listing(messages: list[StoredMessage], total: int, page: int, size: int) -> Json:
    pages = max(1, -(-total // size))
    return {
        "total": total,
        "page": page,
        "pages": pages,
        "nextPageCursor": _cursor(page + 1) if page + 1 < pages else None,
        "prevPageCursor": _cursor(min(page - 1, pages - 1)) if page > 0 else None,
        "messages": [views.list_item(message) for message in messages],
    }
