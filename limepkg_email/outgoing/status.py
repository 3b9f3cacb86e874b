"""What became of a sent mail: events and delivery reports move the state that people see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select

from limepkg_email import event_log
from limepkg_email.addresses import normalise
from limepkg_email.db import plugin_connection
from limepkg_email.engine.webhook import (
    Event,
    MessageBounce,
    MessageComplaint,
    MessageDeliveryError,
    MessageFailed,
    MessageSent,
)
from limepkg_email.event_log import Level
from limepkg_email.host import Objects
from limepkg_email.outgoing.transitions import (
    OUTBOX,
    Report,
    apply,
    locked_entry,
    messagefollower_of,
)
from limepkg_email.query import And, Equals
from limepkg_email.services import Services
from limepkg_email.text import one_line

COMPLAINT = "complaint"
"""The code of the error that says that a recipient reported a mail as unwanted."""
_REPORT_WINDOW = timedelta(days=7)
"""How far back a report without Message-ID is linked by its recipient: servers try for days."""


def apply_delivery_event(services: Services, event: Event) -> bool:
    """Move the state of the mail that the event is about; tells whether it is one of ours.

    Found by the queue id, or by the Message-ID when the event overtakes the answer to the submit.
    Late, doubled and reordered events are harmless.
    """
    match event:
        case MessageSent() | MessageDeliveryError() | MessageFailed():
            report = _report(services, event)
            known = [OUTBOX.c.message_id == event.message_id]
            if event.queue_id:
                known.append(OUTBOX.c.queue_id == event.queue_id)
            return apply(services, and_(OUTBOX.c.account == event.account, or_(*known)), report)
        case MessageBounce():
            return apply_bounce(
                services,
                message_ids=(event.message_id,),
                recipient=event.recipient,
                action=event.action,
                status=event.status,
                text=event.response,
            )
        case MessageComplaint():
            return apply_complaint(services, event)
    return False


def apply_bounce(
    services: Services,
    message_ids: Sequence[str],
    recipient: str,
    action: str,
    status: str,
    text: str,
) -> bool:
    """Note a delivery report (RFC 3464) about a sent mail; tells whether it is about one of ours.

    It is about the first of `message_ids` that is ours: the others may be earlier mails that it
    refers to. Without a Message-ID it is about the newest mail of the last days to its recipient.
    `action` is `failed`, `delayed`, or another one, which says that the mail has at least left.
    """
    state = {"failed": "bounced", "delayed": "delayed"}.get(action.strip().lower())
    report = Report(
        state=state or "sent",
        date=services.clock(),
        reason=text if state else "",
        code=status,
        recipient=recipient,
    )
    given = [each for each in message_ids if each]
    if given:
        return apply(services, _first_of(given), report)
    return apply(services, _latest_to(services, recipient), report)


def apply_complaint(services: Services, event: MessageComplaint) -> bool:
    """Note, once, that a recipient reported a mail as unwanted; tells whether it is one of ours.

    Who complains has got the mail: one that waited for news is sent. The state is not changed by it
    otherwise, but the reason beside `sent` and an error of the message say what happened.
    """
    bare = event.message_id.strip().strip("<>")
    where = and_(OUTBOX.c.account == event.account, OUTBOX.c.message_id == f"<{bare}>")
    date = event.date or services.clock()
    if not apply(services, where, Report(state="sent", date=date)):
        return False
    application = services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        entry = locked_entry(connection, where)
        shown = messagefollower_of(work.objects, entry) if entry is not None else None
        if entry is None or shown is None:
            return True
        recipient = one_line(next(iter(event.recipients), "") or entry.recipient, 320)
        reason = f"{recipient} reported the mail as unwanted."
        error = {
            "conversationmessage": shown["conversationmessage"],
            "code": COMPLAINT,
            "recipient": recipient,
        }
        if _is_known(work.objects, error):
            return True
        work.objects.add("conversationmessageerror", {**error, "text": reason, "date": date})
        event_log.note(
            connection,
            services.clock(),
            Level.WARNING,
            COMPLAINT,
            "A recipient reported a mail as unwanted.",
            account=event.account,
            messagefollower=shown.id,
        )
        if shown["state"] == "sent":
            work.objects.update("messagefollower", shown.id, {"reason": one_line(reason, 1024)})
    return True


def _is_known(objects: Objects, error: Mapping[str, object]) -> bool:
    where = And(tuple(Equals(name, value) for name, value in error.items()))
    return objects.count("conversationmessageerror", where) > 0


def _first_of(message_ids: Sequence[str]) -> ColumnElement[bool]:
    places = {each: place for place, each in reversed(list(enumerate(message_ids)))}
    first = (
        select(OUTBOX.c.guid)
        .where(OUTBOX.c.message_id.in_(list(places)))
        .order_by(case(places, value=OUTBOX.c.message_id))
        .limit(1)
    )
    return OUTBOX.c.guid == first.scalar_subquery()


def _latest_to(services: Services, recipient: str) -> ColumnElement[bool]:
    since = services.clock() - _REPORT_WINDOW
    latest = (
        select(OUTBOX.c.guid)
        .where(
            OUTBOX.c.recipient == normalise(recipient),
            OUTBOX.c.recipient != "",
            OUTBOX.c.created_at > since,
            OUTBOX.c.state.in_(("sent", "delayed")),
        )
        .order_by(OUTBOX.c.created_at.desc(), OUTBOX.c.guid)
        .limit(1)
    )
    return OUTBOX.c.guid == latest.scalar_subquery()


def mark_failed(services: Services, guid: str, reason: str, code: str = "") -> None:
    """Note that a mail cannot be handed to the engine; nothing if the engine has it or had it."""
    waiting = and_(OUTBOX.c.guid == guid, OUTBOX.c.queue_id.is_(None), OUTBOX.c.state == "queued")
    report = Report(state="failed", date=services.clock(), reason=reason, code=code)
    apply(services, waiting, report)


def _report(
    services: Services, event: MessageSent | MessageDeliveryError | MessageFailed
) -> Report:
    state, reason, code = _told(event)
    return Report(
        state=state,
        date=event.date or services.clock(),
        reason=reason,
        code=code,
        queue_id=event.queue_id,
        message_id=event.message_id,
    )


def _told(event: MessageSent | MessageDeliveryError | MessageFailed) -> tuple[str, str, str]:
    match event:
        case MessageSent():
            return "sent", "", ""
        case MessageDeliveryError():
            reason = event.error or event.smtp_response or event.error_code
            return "delayed", reason, str(event.smtp_response_code or event.error_code)
        case MessageFailed():
            return "failed", event.error, ""
