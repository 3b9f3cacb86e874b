"""The control API: causing faults, delivering mail, looking inside, waiting for quiet.

It needs no token, because it is only meant for the machine on which the sandbox runs.
"""

import base64
import time
from collections.abc import Mapping

from flask import Blueprint, Response, request

from limepkg_email.sandbox import views
from limepkg_email.sandbox.account_record import Account
from limepkg_email.sandbox.answers import answer, body, query
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.stored import Mailbox, StoredMessage
from limepkg_email.sandbox.validation import BOOLEAN, STRING, Field, check

_IDLE_POLL = 0.005
_DELIVER: Mapping[str, Field] = {
    "mailbox": Field("string", required=True),
    "sender": STRING,
    "exact": BOOLEAN,
}
_MAILBOX: Mapping[str, Field] = {
    "address": Field("email", required=True),
    "name": STRING,
    "objectIds": BOOLEAN,
}
_OPTIONS: Mapping[str, Field] = {"completeHeaders": BOOLEAN}
_STATE: Mapping[str, Field] = {
    "state": Field(
        "string",
        required=True,
        choices=("connected", "connecting", "authenticationError", "connectError", "disconnected"),
    ),
    "error": Field("object", nullable=True),
}


def blueprint(services: Services) -> Blueprint:
    """The endpoints."""
    routes = Blueprint("control", __name__, url_prefix="/control")
    _add_faults(routes, services)
    _add_mail(routes, services)
    _add_mailboxes(routes, services)
    _add_engine(routes, services)
    return routes


def _add_faults(routes: Blueprint, services: Services) -> None:
    faults = services.faults

    @routes.get("/faults")
    def show_faults() -> Response:
        return answer(faults.show())

    @routes.post("/faults")
    def add_fault() -> Response:
        return answer({"id": faults.add(body()).id})

    @routes.delete("/faults")
    def clear_faults() -> Response:
        faults.clear()
        services.webhooks.wake()
        return answer({"cleared": True})

    @routes.delete("/faults/<int:id_>")
    def remove_fault(id_: int) -> Response:
        return answer({"removed": faults.remove(id_)})

    @routes.post("/webhooks/faults")
    def webhook_faults() -> Response:
        faults.order_webhook_faults(body())
        return answer(faults.show()["webhooks"])

    @routes.post("/webhooks/pause")
    def pause_webhooks() -> Response:
        faults.webhooks_paused = True
        return answer({"paused": True})

    @routes.post("/webhooks/resume")
    def resume_webhooks() -> Response:
        faults.webhooks_paused = False
        services.webhooks.wake()
        return answer({"paused": False})

    @routes.get("/webhooks")
    def list_webhooks() -> Response:
        rows = services.database.rows(
            "SELECT id, account, event, event_id, attempts, due, body FROM webhook"
            " ORDER BY due, id LIMIT 1000"
        )
        shown = [{**dict(row), "body": row["body"].decode("utf-8")} for row in rows]
        return answer({"total": services.webhooks.waiting(), "webhooks": shown})

    @routes.post("/webhooks/retry")
    def retry_webhooks() -> Response:
        changed = services.database.run("UPDATE webhook SET due = queued WHERE attempts > 0")
        services.webhooks.wake()
        return answer({"retried": changed})


def _add_mail(routes: Blueprint, services: Services) -> None:
    @routes.post("/deliver")
    def deliver() -> Response:
        values = check(query(), _DELIVER)
        address = values["mailbox"]
        if values.get("exact"):
            message = services.delivery.deliver_exactly(request.get_data(), address)
        else:
            verdict = services.routing.judge(address, "control")
            if verdict.refusal and verdict.code != 550:
                raise ApiError(400, verdict.refusal)
            delivered = services.delivery.deliver(
                request.get_data(),
                sender=values.get("sender", ""),
                verdicts=[verdict],
                queue_id=services.delivery.new_queue_id(),
            )
            if not delivered:
                return answer({"bounced": True})
            message = delivered[0]
        return answer(
            {
                "id": message.id,
                "uid": message.uid,
                "path": message.path,
                "messageId": message.summary.get("messageId"),
                "size": message.size,
            }
        )


def _add_mailboxes(routes: Blueprint, services: Services) -> None:
    mailboxes = services.mailboxes

    @routes.get("/mailboxes")
    def list_mailboxes() -> Response:
        return answer({"mailboxes": [_mailbox(services, one) for one in mailboxes.all()]})

    @routes.post("/mailboxes")
    def add_mailbox() -> Response:
        values = check(body(), _MAILBOX)
        mailbox = mailboxes.ensure(values["address"], values.get("name", ""))
        if "objectIds" in values:
            mailboxes.set_object_ids(mailbox, values["objectIds"])
        return answer(_mailbox(services, mailboxes.get(mailbox.id)))

    @routes.get("/mailboxes/<address>/messages")
    def list_messages(address: str) -> Response:
        values = check(query(), {"raw": BOOLEAN, "path": STRING})
        mailbox = mailboxes.find(address)
        if mailbox is None:
            raise ApiError(404, "No such mailbox")
        messages = mailboxes.in_mailbox(mailbox.id)
        return answer(
            {
                "messages": [
                    _message(services, message, raw=values.get("raw", False))
                    for message in messages
                    if values.get("path") in (None, message.path)
                ]
            }
        )

    @routes.get("/addresses")
    def list_addresses() -> Response:
        return answer({"rules": services.routing.rules()})

    @routes.post("/addresses")
    def add_address() -> Response:
        services.routing.add_rule(body())
        return answer({"rules": services.routing.rules()})

    @routes.delete("/addresses")
    def clear_addresses() -> Response:
        services.routing.clear_rules()
        return answer({"rules": []})


def _add_engine(routes: Blueprint, services: Services) -> None:
    accounts = services.accounts

    @routes.post("/suspend")
    def suspend() -> Response:
        accounts.suspend(suspended=True)
        return answer({"suspended": True})

    @routes.post("/resume")
    def resume() -> Response:
        accounts.suspend(suspended=False)
        return answer({"suspended": False})

    @routes.post("/options")
    def options() -> Response:
        for key, value in check(body(), _OPTIONS).items():
            services.settings.set_own(key, value)
        return answer({"completeHeaders": services.delivery.completes_headers})

    @routes.put("/accounts/<account>/state")
    def account_state(account: str) -> Response:
        values = check(body(), _STATE)
        found: Account = accounts.get(account)
        with services.database.transaction():
            accounts.set_state(found, values["state"], values.get("error"))
        return answer({"account": account, "state": values["state"]})

    @routes.post("/reset")
    def reset() -> Response:
        keep_settings = check(body(), {"keepSettings": BOOLEAN}).get("keepSettings", False)
        services.faults.clear()
        services.database.clear()
        if not keep_settings:
            services.settings.reset()
        return answer({"reset": True})

    @routes.post("/idle")
    def idle() -> Response:
        timeout = float(check(body(), {"timeout": Field("any", default=10)})["timeout"])
        return answer(wait_until_idle(services, timeout))


def wait_until_idle(services: Services, timeout: float) -> Json:
    """Wait until all deliveries and webhooks have succeeded or failed for good.

    Webhooks that somebody holds back (paused, or the engine suspended) do not count: waiting for
    them would never end.
    """
    deadline = time.monotonic() + timeout
    while True:
        suspended = services.accounts.suspended
        paused = services.faults.webhooks_paused or suspended
        # In this order: a delivery that ends between the two has left its webhooks by then.
        deliveries = 0 if suspended else services.outbox.waiting()
        webhooks = services.webhooks.waiting()
        done = deliveries == 0 and (paused or webhooks == 0) and not services.webhooks.in_flight
        if done or time.monotonic() > deadline:
            return {"idle": done, "webhooks": webhooks, "deliveries": deliveries}
        time.sleep(_IDLE_POLL)


def _mailbox(services: Services, mailbox: Mailbox) -> Json:
    folders: list[Json] = []
    for folder in services.mailboxes.folders(mailbox.id):
        messages, unseen = services.mailboxes.counts(folder)
        folders.append({"path": folder.path, "messages": messages, "unseen": unseen})
    return {
        "address": mailbox.address,
        "name": mailbox.name,
        "objectIds": mailbox.object_ids,
        "accounts": [account.id for account in services.accounts.of_mailbox(mailbox.id)],
        "folders": folders,
    }


def _message(services: Services, message: StoredMessage, *, raw: bool) -> Json:
    detail = services.mailboxes.detail(message)
    shown = views.full(message, detail, ["*"])
    if "text" in shown:
        shown["text"] = {**shown["text"], **views.texts(detail)}
    if raw:
        shown["raw"] = base64.b64encode(services.mailboxes.raw(message)).decode("ascii")
    return shown
