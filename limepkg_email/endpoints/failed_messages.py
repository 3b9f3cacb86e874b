"""Mails that could not be imported: the list, the raw mail, trying again, discarding."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields, validate

from limepkg_email.accounts.accounts import read_accounts
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import identity, limit
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.receipts import MOST_ON_A_PAGE, page_of
from limepkg_email.endpoints.resource import Resource
from limepkg_email.incoming.failed import ItemOutcome, discard, raw, retry
from limepkg_email.incoming.receipt_search import (
    MOST_COUNTED,
    ReceiptEntry,
    ReceiptFilter,
    search,
)
from limepkg_email.models import Disposition

MOST_AT_ONCE = 500
"""Mails that one request may retry or discard."""

blueprint = Resource(
    "failed_messages",
    __name__,
    tag="Failed message",
    description="Mails that could not be imported.",
)


class FailedQuery(ma.Schema):
    """Which part of the list."""

    limit = limit(50, MOST_ON_A_PAGE)
    offset = fields.Integer(load_default=0, validate=validate.Range(0, MOST_COUNTED))
    before = identity(
        load_default=None,
        metadata={"description": "The list goes on behind this receipt; `next` of a page."},
    )


class FailedSchema(ma.Schema):
    """A mail that could not be imported; `id` is that of its receipt."""

    id = fields.Integer()
    subject = fields.String()
    sender = fields.String()
    message_id = fields.String()
    received = fields.String(
        metadata={"description": "The mail's own date, or when it failed if it has none."}
    )
    failed_at = fields.DateTime(format="iso", metadata={"description": "The last attempt."})
    reason = fields.String()
    attempts = fields.Integer()
    next_try = fields.DateTime(format="iso", allow_none=True)
    in_failed_folder = fields.Boolean(
        metadata={"description": "It was moved to the failed folder of its mailbox."}
    )


class FailedPageSchema(ma.Schema):
    """A page of failed mails, the latest failure first."""

    items = fields.List(fields.Nested(FailedSchema))
    total = fields.Integer()
    total_is_exact = fields.Boolean(
        metadata={"description": f"False if there are more than {MOST_COUNTED}."}
    )
    next = fields.Integer(
        allow_none=True,
        metadata={"description": "Give it as `before` to go on; null at the end."},
    )


class FailedChosenInput(ma.Schema):
    """Which failed mails, by the ids of their receipts."""

    ids = fields.List(
        identity(strict=True), required=True, validate=validate.Length(1, MOST_AT_ONCE)
    )


class FailedOutcomeSchema(ma.Schema):
    """What happened to one of the mails."""

    id = fields.Integer()
    outcome = fields.String(
        metadata={
            "description": "`queued`, `discarded`, `not_found`, or the disposition that the mail"
            " has already, such as `imported`."
        }
    )
    message = fields.String()


class FailedOutcomesSchema(ma.Schema):
    """An outcome for each of the ids, in their order."""

    items = fields.List(fields.Nested(FailedOutcomeSchema))


@blueprint.route("/failed-messages/<int:account_id>/")
@requires("email.admin")
@blueprint.arguments(FailedQuery, location="query")
@blueprint.response(200, FailedPageSchema)
def failed_messages(query: dict[str, Any], account_id: int) -> dict[str, object]:
    """Give the mails of an account that could not be imported."""
    acting = services()
    with acting.application.database.connect() as connection:
        account = read_accounts(connection).by_id(account_id).engine_account
        wanted = ReceiptFilter(
            account=account, disposition=Disposition.FAILED.value, before=query["before"]
        )
        page = search(connection, wanted, limit=query["limit"], offset=query["offset"], traces=True)
    folder = acting.config.failed_folder
    return page_of(page, (_shown(each, folder) for each in page.items))


@blueprint.route("/failed-message/<int:receipt_id>/raw")
@requires("email.admin")
@blueprint.doc(
    responses={
        "200": {
            "description": "The mail as it was transmitted.",
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
)
def raw_message(receipt_id: int) -> Response:
    """Give a failed mail as a file; who reads one is noted in the audit log.

    Answers 409 for a mail that did not fail, or is larger than `max_message_size`.
    """
    response = Response(raw(services(), receipt_id), content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{receipt_id}.eml"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.route("/failed-messages/retry/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(FailedChosenInput)
@blueprint.response(202, FailedOutcomesSchema)
def retry_failed(chosen: dict[str, Any]) -> dict[str, list[ItemOutcome]]:
    """Import failed mails once more, wherever they lie by now.

    The work follows: a mail that is imported then goes back to its inbox, another one has one
    attempt more and the new reason.
    """
    return {"items": retry(services(), list(dict.fromkeys(chosen["ids"])))}


@blueprint.route("/failed-messages/discard/", methods=["POST"])
@requires("email.admin")
@blueprint.arguments(FailedChosenInput)
@blueprint.response(200, FailedOutcomesSchema)
def discard_failed(chosen: dict[str, Any]) -> dict[str, list[ItemOutcome]]:
    """Let failed mails be: nothing tries to import them again. They stay in their mailboxes."""
    return {"items": discard(services(), list(dict.fromkeys(chosen["ids"])))}


def _shown(entry: ReceiptEntry, failed_folder: str) -> dict[str, object]:
    facts = [each.get("facts", {}) for each in entry.trace]
    dates = [str(each["date"]) for each in facts if each.get("date")]
    names = ("id", "subject", "sender", "message_id", "reason", "attempts", "next_try")
    return {
        **{name: getattr(entry, name) for name in names},
        "received": dates[0] if dates else entry.seen_at.isoformat(),
        "failed_at": entry.seen_at,
        "in_failed_folder": any(each.get("folder") == failed_folder for each in facts),
    }
