"""Endpoints about accounts, their folders and submission."""

from flask import Blueprint, Response, request

from limepkg_email.sandbox import account_fields, submit_fields
from limepkg_email.sandbox.answers import answer, body, query
from limepkg_email.sandbox.form import Forms
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.stored import Content, Folder
from limepkg_email.sandbox.validation import BOOLEAN, Field, check


def blueprint(services: Services, forms: Forms) -> Blueprint:
    """The endpoints."""
    routes = Blueprint("accounts", __name__, url_prefix="/v1")
    _add_accounts(routes, services, forms)
    _add_folders(routes, services)
    _add_submission(routes, services)
    return routes


def _add_accounts(routes: Blueprint, services: Services, forms: Forms) -> None:
    accounts = services.accounts

    @routes.get("/accounts")
    def list_accounts() -> Response:
        values = account_fields.check_list(query())
        return answer(
            accounts.list(
                query=values.get("query", ""),
                state=values.get("state", ""),
                page=values["page"],
                page_size=values["pageSize"],
            )
        )

    @routes.post("/account")
    def create_account() -> Response:
        values = account_fields.check_create(body())
        oauth2 = values.get("oauth2")
        if isinstance(oauth2, dict) and oauth2.get("authorize"):
            return answer(
                {"redirect": forms.consent_url(values, str(oauth2.get("redirectUrl", "")))}
            )
        return answer(accounts.create(values))

    @routes.get("/account/<account>")
    def get_account(account: str) -> Response:
        check(query(), {"quota": BOOLEAN})
        return answer(accounts.show(accounts.get(account)))

    @routes.put("/account/<account>")
    def update_account(account: str) -> Response:
        accounts.update(account, account_fields.check_update(body()))
        return answer({"account": account})

    @routes.delete("/account/<account>")
    def delete_account(account: str) -> Response:
        accounts.delete(account)
        return answer({"account": account, "deleted": True})

    @routes.put("/account/<account>/reconnect")
    def reconnect(account: str) -> Response:
        wanted = check(body(), {"reconnect": BOOLEAN}).get("reconnect", False)
        accounts.get(account)
        if wanted:
            accounts.reconnect(account)
        return answer({"reconnect": wanted})

    @routes.post("/authentication/form")
    def authentication_form() -> Response:
        return answer({"url": forms.url(body())})


def _add_folders(routes: Blueprint, services: Services) -> None:
    accounts, mailboxes, mail = services.accounts, services.mailboxes, services.mail

    @routes.get("/account/<account>/mailboxes")
    def list_folders(account: str) -> Response:
        values = check(query(), {"counters": BOOLEAN})
        found = accounts.require_worker(account, command="mailboxes")
        return answer(
            {
                "mailboxes": [
                    _folder(services, folder, counters=values.get("counters", False))
                    for folder in mailboxes.folders(found.mailbox)
                ]
            }
        )

    @routes.post("/account/<account>/mailbox")
    def create_folder(account: str) -> Response:
        path = check(body(), {"path": Field("any", required=True)})["path"]
        found = accounts.require_worker(account)
        joined = "/".join(path) if isinstance(path, list) else str(path)
        created = mail.create_folder(found.mailbox, joined)
        return answer({"path": joined, "created": created})

    @routes.delete("/account/<account>/mailbox")
    def delete_folder(account: str) -> Response:
        path = check(query(), {"path": Field("string", required=True)})["path"]
        found = accounts.require_worker(account)
        return answer({"path": path, "deleted": mail.delete_folder(found.mailbox, path)})


def _add_submission(routes: Blueprint, services: Services) -> None:
    accounts, mailboxes = services.accounts, services.mailboxes

    @routes.post("/account/<account>/submit")
    def submit(account: str) -> Response:
        values = submit_fields.check_submit(body())
        found = accounts.require_submission(account)
        key = request.headers.get("Idempotency-Key", "")
        return answer(services.submission.submit(found, values, key))

    @routes.post("/account/<account>/message")
    def upload(account: str) -> Response:
        values = submit_fields.check_upload(body())
        found = accounts.require_worker(account)
        letter = services.submission.letter(found, values)
        folder = mailboxes.folder(found.mailbox, values["path"])
        if folder is None:
            mailboxes.create_folder(found.mailbox, values["path"])
            folder = mailboxes.folder(found.mailbox, values["path"])
        if folder is None:
            raise LookupError(values["path"])
        content = Content.of(letter.raw)
        with services.database.transaction():
            message = services.mail.add(
                folder, mailboxes.store(content), content, flags=values.get("flags") or ()
            )
        shown: Json = {
            "id": message.id,
            "path": folder.path,
            "uid": message.uid,
            "uidValidity": str(folder.uid_validity),
            "messageId": letter.message_id,
        }
        return answer(shown)


def _folder(services: Services, folder: Folder, *, counters: bool) -> Json:
    messages, unseen = services.mailboxes.counts(folder)
    shown: Json = {"path": folder.path, "delimiter": "/", "listed": True}
    if folder.path == "INBOX":
        shown.update(name="INBOX", specialUse="\\Inbox", specialUseSource="name", subscribed=True)
    else:
        shown.update(subscribed=True, name=folder.name)
        if "/" in folder.path:
            shown["parentPath"] = folder.path.rpartition("/")[0]
        if folder.special_use:
            shown.update(specialUse=folder.special_use, specialUseSource="extension")
    shown.update(noInferiors=False, messages=messages, uidNext=folder.uid_next)
    if counters:
        shown["status"] = {"messages": messages, "unseen": unseen}
    return shown
