"""Where EmailEngine says what happened: check the signature, write one row, answer.

EmailEngine delivers one webhook at a time for all its accounts, so whatever is slow here is slow
for everybody. Nothing here asks the network or reads a mail; a worker does, later.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask import Response, request
from sqlalchemy import exc

from limepkg_email.db import table, upsert
from limepkg_email.endpoints.current import identifier, integration
from limepkg_email.endpoints.permissions import public
from limepkg_email.endpoints.resource import Resource
from limepkg_email.engine.webhook import SIGNATURE_HEADER, require_signature, verify
from limepkg_email.errors import BadRequest, DatabaseUnavailable
from limepkg_email.models import Counter
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import NewJob, enqueue

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes that a webhook may have.

Setup lets EmailEngine send both texts of a mail with at most 500,000 characters each
(`schema.webhook.MAX_TEXT`), which are six bytes each at worst, and all its headers. Most webhooks
are a few kilobytes. A mail that is larger even so is brought by the recovery.
"""

_MESSAGE = "limepkg_email.tasks.tasks.message_to_limeobjects"
_DELIVERY = "limepkg_email.tasks.tasks.delivery_event"
_ACCOUNT = "limepkg_email.tasks.tasks.account_event"

TASKS: Mapping[str, str] = {
    "messageNew": _MESSAGE,
    "messageSent": _DELIVERY,
    "messageDeliveryError": _DELIVERY,
    "messageFailed": _DELIVERY,
    "messageBounce": _DELIVERY,
    "messageComplaint": _DELIVERY,
    "accountAdded": _ACCOUNT,
    "accountDeleted": _ACCOUNT,
    "accountInitialized": _ACCOUNT,
    "authenticationError": _ACCOUNT,
    "authenticationSuccess": _ACCOUNT,
    "connectError": _ACCOUNT,
    "connectSuccess": _ACCOUNT,
}
"""The task that handles an event."""

IGNORED = frozenset(
    {
        "messageDeleted",
        "messageUpdated",
        "messageMissing",
        "mailboxNew",
        "mailboxDeleted",
        "mailboxRenamed",
        "mailboxReset",
        "trackOpen",
        "trackClick",
        "listSubscribe",
        "listUnsubscribe",
        "exportCompleted",
        "exportFailed",
    }
)
"""Events that are known and that nobody handles."""

UNKNOWN = "webhook.unknown:"
"""How the counters of unknown events begin."""

_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]")

blueprint = Resource(
    "webhook", __name__, tag="Webhook", description="Where EmailEngine says what happened."
)


@blueprint.route("/webhook/", methods=["POST"])
@public("EmailEngine has no user; every request must carry the signature of its body.")
def webhook() -> Response:
    """Receive an event from EmailEngine.

    The body must be signed with the service secret in `X-EE-Wh-Signature`. The same body once more
    does nothing.
    """
    services = integration().anonymous_services(identifier())
    request.max_content_length = BODY_LIMIT
    secret, given = (
        services.config.emailengine_service_secret,
        request.headers.get(SIGNATURE_HEADER),
    )
    # Strangers are not worth reading megabytes from.
    require_signature(secret, given)
    body = request.get_data(cache=False)
    # Before anything else: it also refuses the empty body that EmailEngine sends again after a lost
    # connection, and an acknowledgement of that would lose the event.
    verify(secret, body, given)
    event, raw = _read(body)
    if event in IGNORED:
        return Response(status=204)
    try:
        _write(services, event, raw, sha256(body).hexdigest())
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise DatabaseUnavailable from error
    return Response(status=202)


def _write(services: Services, event: str, raw: str, digest: str) -> None:
    """Write the job; the digest of the body tells whether it came before.

    EmailEngine names each event in `X-EE-Wh-Event-Id`, but outside the signature: whoever has
    recorded one webhook could send it again under any number of names. Its repetitions have the
    same body to the byte, and no other event has, since the body holds what happened and when.
    """
    task = TASKS.get(event)
    if task is None:
        _count(services, event)
        return
    job = NewJob(task, raw=raw, event_id=digest)
    with services.application.database.begin() as connection:
        enqueue(connection, [job], services.clock())
    services.wake()


def _read(body: bytes) -> tuple[str, str]:
    """Give the event's name, and the body as JSON that any parser and any database takes."""
    try:
        raw = body.decode()
        content = json.loads(raw)
    except ValueError:
        content = _lenient(body)
        raw = json.dumps(content)
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    return _name(content), raw


def _lenient(body: bytes) -> Any:
    """Read half emojis and control characters too: a mail's subject must not keep it out."""
    try:
        return json.loads(body.decode("utf-8", "surrogatepass"), strict=False)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None


def _name(content: Any) -> str:
    name = content.get("event") if isinstance(content, dict) else None
    if not isinstance(name, str) or not name:
        raise BadRequest("The body names no event.")
    return name


def _count(services: Services, event: str) -> None:
    counter = table(Counter)
    name = UNKNOWN + _UNUSUAL.sub("_", event[:64])
    with services.application.database.begin() as connection:
        connection.execute(
            upsert(connection, counter)
            .values(name=name, value=1)
            .on_conflict_do_update(index_elements=["name"], set_={"value": counter.c.value + 1})
        )
