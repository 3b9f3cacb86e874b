"""What became of every mail, and why a message is where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from limepkg_email.accounts.accounts import AccountBook, read_accounts
from limepkg_email.endpoints.current import services
from limepkg_email.endpoints.fields import Instant, identity, limit
from limepkg_email.endpoints.permissions import requires
from limepkg_email.endpoints.resource import Resource
from limepkg_email.incoming.message_trace import MessageTrace, message_trace, receipt_entries
from limepkg_email.incoming.receipt_search import (
    MOST_COUNTED,
    ReceiptEntry,
    ReceiptFilter,
    ReceiptPage,
    read_receipt,
    search,
)
from limepkg_email.models import Disposition

MOST_ON_A_PAGE = 200

blueprint = Resource(
    "receipts", __name__, tag="Receipt", description="What became of every mail, and why."
)


class ReceiptsQuery(ma.Schema):
    """Which receipts; everything together narrows the list."""

    account = identity(load_default=None)
    disposition = fields.String(
        load_default=None, validate=validate.OneOf([each.value for each in Disposition])
    )
    since = Instant(
        format="iso",
        default_timezone=UTC,
        load_default=None,
        metadata={"description": "Seen at this instant or later."},
    )
    until = Instant(
        format="iso",
        default_timezone=UTC,
        load_default=None,
        metadata={"description": "Seen before this instant."},
    )
    text = fields.String(
        load_default="",
        validate=validate.Length(0, 320),
        metadata={
            "description": "A sender's whole address, or the beginning of a subject or a sender;"
            f" looked for among {MOST_COUNTED} receipts, and on from there with `before`."
        },
    )
    before = identity(
        load_default=None,
        metadata={"description": "The list goes on behind this receipt; `next` of a page."},
    )
    limit = limit(50, MOST_ON_A_PAGE)
    offset = fields.Integer(load_default=0, validate=validate.Range(0, MOST_COUNTED))


class ReceiptSchema(ma.Schema):
    """What became of one mail in one account; `account` is null if it is connected no more."""

    id = fields.Integer()
    account = fields.Integer(allow_none=True)
    email = fields.String(metadata={"description": "The address of the account."})
    disposition = fields.String()
    reason = fields.String()
    attempts = fields.Integer()
    next_try = fields.DateTime(format="iso", allow_none=True)
    subject = fields.String()
    sender = fields.String()
    message_id = fields.String()
    conversation = fields.Integer(allow_none=True)
    conversationmessage = fields.Integer(allow_none=True)
    seen_at = fields.DateTime(format="iso")


class ReceiptPageSchema(ma.Schema):
    """A page of receipts, the newest first."""

    items = fields.List(fields.Nested(ReceiptSchema))
    total = fields.Integer()
    total_is_exact = fields.Boolean(
        metadata={"description": f"False if there are more than {MOST_COUNTED}."}
    )
    next = fields.Integer(
        allow_none=True,
        metadata={"description": "Give it as `before` to go on; null at the end."},
    )


class TraceEntrySchema(ma.Schema):
    """One fact; `withheld` is the code of those that the user may not see."""

    code = fields.String()
    sentence = fields.String()
    details = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True))


class ReceiptWithTraceSchema(ReceiptSchema):
    """A receipt and what led to it, in order."""

    entries = fields.List(fields.Nested(TraceEntrySchema))


class MessageTraceSchema(ma.Schema):
    """Why a message is here, in order: how it came, what was decided, who was told."""

    message = fields.Integer()
    conversation = fields.Integer()
    receipts = fields.List(fields.Integer())
    entries = fields.List(fields.Nested(TraceEntrySchema))


@blueprint.route("/receipts/")
@requires("email.admin")
@blueprint.arguments(ReceiptsQuery, location="query")
@blueprint.response(200, ReceiptPageSchema)
def receipts(query: dict[str, Any]) -> dict[str, object]:
    """Give receipts of mails, the newest first."""
    size, skipped, account = query.pop("limit"), query.pop("offset"), query.pop("account")
    with services().application.database.connect() as connection:
        accounts = read_accounts(connection)
        engine_account = None if account is None else accounts.by_id(account).engine_account
        wanted = ReceiptFilter(account=engine_account, **query)
        page = search(connection, wanted, limit=size, offset=skipped)
    return page_of(page, (described(each, accounts) for each in page.items))


@blueprint.route("/receipt/<int:receipt_id>/")
@requires("email.admin")
@blueprint.response(200, ReceiptWithTraceSchema)
def receipt(receipt_id: int) -> dict[str, object]:
    """Give a receipt with everything that is stored about how it came to be."""
    with services().application.database.connect() as connection:
        accounts = read_accounts(connection)
        found = read_receipt(connection, receipt_id)
    return {**described(found, accounts), "entries": receipt_entries(found, accounts)}


@blueprint.route("/message/<int:message_id>/trace/")
@requires("email.use")
@blueprint.response(200, MessageTraceSchema)
def trace(message_id: int) -> MessageTrace:
    """Say why a message is here, from what was stored when it came.

    What it says about conversations and people that the user may not see is withheld.
    """
    return message_trace(services(), message_id)


def described(entry: ReceiptEntry, accounts: AccountBook) -> dict[str, object]:
    """Give a receipt as it is shown, with the account by our own id."""
    account = accounts.by_engine_account(entry.account)
    return {
        **{name: getattr(entry, name) for name in ReceiptEntry.__slots__},
        "account": account.id if account else None,
        "email": account.email if account else "",
    }


def page_of(page: ReceiptPage, items: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Give a page as it is shown."""
    return {
        "items": list(items),
        "total": page.total,
        "total_is_exact": page.total_is_exact,
        "next": page.next,
    }
