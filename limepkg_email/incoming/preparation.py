"""From the engine's description of a mail to one that is ready to become objects.

Everything here happens before the transaction: it may use the network and takes its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount
from limepkg_email.addresses import display_name, is_valid, normalise
from limepkg_email.engine.types import Message
from limepkg_email.errors import EngineNotFound
from limepkg_email.incoming.arrival import Arrival
from limepkg_email.incoming.body import CUT, LEFT_OUT, Body, build_body, with_note
from limepkg_email.incoming.files import Files, fetch_files
from limepkg_email.incoming.identity import content_key, effective_message_id, mail_key
from limepkg_email.incoming.objects import PreparedMail
from limepkg_email.incoming.participants import participants
from limepkg_email.incoming.receipts import Mail
from limepkg_email.incoming.removed import note_removed
from limepkg_email.incoming.subjects import has_forward_prefix
from limepkg_email.incoming.trace import Trace
from limepkg_email.incoming.verdict import Verdict
from limepkg_email.services import Services
from limepkg_email.text import one_line

_SUBJECT_LENGTH = 512
_TOLERATED_FUTURE = timedelta(minutes=5)


def identify(account: str, message: Message) -> Mail:
    """Give what identifies the mail, for its receipt."""
    return Mail(
        account=account,
        mail_key=mail_key(message),
        content_key=content_key(message),
        engine_id=one_line(message.id, 512),
        message_id=one_line(effective_message_id(message), 998),
        subject=one_line(message.subject, _SUBJECT_LENGTH),
        sender=one_line(message.from_.address or message.from_.name, 320),
    )


def complete(services: Services, account: str, message: Message, trace: Trace) -> Message:
    """Fetch headers and text that the webhook did not carry; nothing for an ordinary mail."""
    try:
        if not message.headers:
            trace.note("fetch", "headers and text, which the notification lacked", "fetched")
            fetched = services.engine.message(account, message.id)
            return replace(
                fetched,
                special_use=message.special_use,
                is_auto_reply=message.is_auto_reply or fetched.is_auto_reply,
                is_bounce=message.is_bounce or fetched.is_bounce,
            )
        if message.text.complete or not message.text.id:
            return message
        if message.size > services.config.max_message_size:
            return message
        trace.note("fetch", "the rest of the text", "fetched")
        whole = services.engine.text(account, message.text.id)
        return replace(
            message,
            text=replace(message.text, plain=whole.plain, html=whole.html, has_more=whole.has_more),
        )
    except EngineNotFound:
        # Moved or deleted meanwhile: what the notification carried must not be lost.
        trace.note("fetch", "the mail is not in its folder any more; imported as notified", "gone")
        return message


def prepare(
    services: Services,
    accounts: AccountBook,
    account: ConnectedAccount,
    message: Message,
    arrival: Arrival,
    verdict: Verdict,
    trace: Trace,
    keep: Callable[[], None],
) -> PreparedMail:
    """Build the body, list the people and fetch the files of a mail that is to be imported.

    `keep` is called now and then, as this takes its time.
    """
    body = build_body(
        message.text,
        max_size=services.config.max_body_size,
        forwarded=has_forward_prefix(message.subject),
    )
    note_removed(message.text.html, body, trace)
    files = fetch_files(services, account.engine_account, message, body.content_ids, trace, keep)
    sender = normalise(message.from_.address)
    return PreparedMail(
        account=account,
        message=message,
        message_id=effective_message_id(message),
        date=_date(services, message, arrival, trace),
        earlier=arrival.earlier,
        subject=one_line(message.subject, _SUBJECT_LENGTH),
        body=_with_notes(body, files),
        verdict=verdict,
        people=participants(
            message, accounts.own_addresses, services.config.max_followers_per_mail, trace
        ),
        files=files,
        sender=sender if is_valid(sender) else "",
        sender_name=display_name(message.from_.name) or message.from_.address,
    )


def _with_notes(body: Body, files: Files) -> Body:
    if body.truncated:
        body = with_note(body, CUT)
    if not files.left_out:
        return body
    names = ", ".join(files.left_out[:20])
    more = f" and {len(files.left_out) - 20} more" if len(files.left_out) > 20 else ""
    return with_note(body, f"{LEFT_OUT}{names}{more}")


def _date(services: Services, message: Message, arrival: Arrival, trace: Trace) -> datetime:
    now = services.clock()
    if message.date is None:
        return now
    if arrival.sign and not arrival.earlier:
        # Among the mail of 1970 nobody would see it.
        return arrival.at or now
    if message.date > now + _TOLERATED_FUTURE:
        # A forged date must not keep a message on top for ever.
        given = message.date.isoformat()
        trace.note("date", f"lies in the future: {given}", "future_date", date=given)
        return now
    return message.date
