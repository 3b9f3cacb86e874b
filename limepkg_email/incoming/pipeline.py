"""A mail becomes limeobjects: the ordered steps, in one transaction, exactly once.

The webhook, the recovery and a manual run all come through `import_message` and the same receipt,
so no order, repetition or race of them can lose or double a mail.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from limepkg_email import event_log
from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount, read_accounts
from limepkg_email.addresses import normalise
from limepkg_email.db import plugin_connection
from limepkg_email.engine.types import Message
from limepkg_email.errors import Conflict, ImportRefused
from limepkg_email.event_log import Level
from limepkg_email.hooks import Imported, MessageAction, ParentReference, collect
from limepkg_email.host import Objects, UnitOfWork
from limepkg_email.incoming import matching, receipts
from limepkg_email.incoming import objects as limeobjects
from limepkg_email.incoming.announcing import announce
from limepkg_email.incoming.arrival import Arrival, asking, judge
from limepkg_email.incoming.bounce import read_bounce
from limepkg_email.incoming.filters import decide
from limepkg_email.incoming.objects import PreparedMail
from limepkg_email.incoming.preparation import complete, identify, prepare
from limepkg_email.incoming.receipts import Mail, Sighting, Sightings
from limepkg_email.incoming.trace import Trace
from limepkg_email.incoming.verdict import machine_verdict, wants_no_automatic_answer
from limepkg_email.models import Disposition
from limepkg_email.outgoing.headers import MARKER, is_marked
from limepkg_email.outgoing.situation import Occasion
from limepkg_email.outgoing.status import apply_bounce
from limepkg_email.query import And, Equals
from limepkg_email.schema.setup import installation_of
from limepkg_email.services import Services
from limepkg_email.tasks.jobs import ClaimedJob, NewJob, enqueue, extend, finish, supersede
from limepkg_email.thread_index import assign, enter, release

_logger = logging.getLogger(__name__)

MARK_SEEN = "limepkg_email.tasks.tasks.mark_seen"
RELAY_MESSAGE = "limepkg_email.tasks.tasks.relay_message"
AUTO_REPLY = "limepkg_email.tasks.tasks.auto_reply"
RUN_MESSAGE_ACTION = "limepkg_email.tasks.tasks.run_message_action"
_SEEN_DELAY = timedelta(seconds=1)
_UNLINKED = "bounce of a mail that was not sent from here"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail; no disposition when it was none of our business."""

    disposition: Disposition | None
    reason: str = ""
    imported: Imported | None = None


@dataclass(frozen=True, slots=True)
class _Import:
    """One run of the pipeline: what its steps share."""

    services: Services
    accounts: AccountBook
    account: ConnectedAccount
    mail: Mail
    trace: Trace
    job: ClaimedJob | None


def import_message(
    services: Services,
    engine_account: str,
    message: Message,
    job: ClaimedJob | None = None,
    *,
    anywhere: bool = False,
) -> Outcome:
    """Import one mail, or find that it has been; finishes `job` in the same transaction.

    Only mail in the inbox counts, unless it is looked for `anywhere`, as the recovery does in the
    failed folder. Raises `ImportRefused` for an account that is not connected here, retryable
    errors when engine or database are away, and whatever a broken extension raises.
    """
    if not anywhere and not in_inbox(message):
        return _unrelated(services, job, f"not in the inbox but in {message.path!r}")
    mail = identify(engine_account, message)
    with services.application.database.connect() as connection:
        accounts = read_accounts(connection)
        earlier = None if message.seems_like_new else receipts.sightings(connection, mail)
    account = accounts.by_engine_account(engine_account)
    if account is None:
        raise ImportRefused(f"The account {engine_account!r} is not connected to this application.")
    if not account.enabled:
        # Without a receipt the recovery finds the mail when the account is enabled again.
        return _unrelated(services, job, "the account is disabled")
    if earlier is not None and earlier.settled:
        return _unrelated(services, job, "has a receipt already")
    run = _Import(services, accounts, account, mail, Trace(), job)
    return _import(run, message)


def in_inbox(message: Message) -> bool:
    """Tell whether the mail lies in the inbox, where mail for the CRM arrives."""
    return message.special_use == "\\Inbox" or message.path.upper() == "INBOX"


def _import(run: _Import, message: Message) -> Outcome:
    services, account, trace = run.services, run.account, run.trace
    message = complete(services, account.engine_account, message, trace)
    arrival = _arrival(run, message)
    if arrival.earlier and not (message.unseen and account.import_unread):
        return _settle(run, Disposition.BEFORE_ACTIVATION, "older than the activation")
    if MARKER.lower() in message.headers and is_marked(
        message, installation_of(services.application)
    ):
        return _settle(run, Disposition.OWN, "carries the mark of mail that is sent from here")
    verdict = machine_verdict(message)
    noted = {"kind": verdict.kind, "reason": verdict.reason}
    trace.note("verdict", f"{verdict.kind}: {verdict.reason}", "verdict", **noted)
    if verdict.kind == "bounce":
        reason = _bounce(run, message)
        return _settle(run, Disposition.FILTERED, reason, unlinked=reason == _UNLINKED)
    decision = decide(services, message, trace)
    if decision is not None and decision.skipped:
        return _settle(run, Disposition.FILTERED, decision.reason)
    keeper = _Keeper(services, run.job)
    prepared = prepare(
        services, run.accounts, account, message, arrival, verdict, trace, keeper.keep
    )
    return _transact(run, prepared)


def _arrival(run: _Import, message: Message) -> Arrival:
    """Judge whether the mail came before the account was connected, and note what told it."""
    services, account = run.services, run.account
    lay_there = asking(services.engine, account.engine_account, message)
    arrival = judge(message, account.activated_at, services.clock(), lay_there)
    if arrival.earlier and message.unseen and account.import_unread:
        run.trace.note("activation", "older than the activation, but unread", "older_but_unread")
    elif arrival.sign and not arrival.earlier:
        date = message.date.isoformat() if message.date else ""
        said = f"dated {date}, but arrived after the activation ({arrival.sign})"
        run.trace.note("activation", said, f"arrived_later_by_{arrival.sign}", date=date)
    return arrival


class _Keeper:
    """Keeps the job for as long as the network takes, lest another worker begins it as well."""

    def __init__(self, services: Services, job: ClaimedJob | None) -> None:
        self._services = services
        self._job = job
        self._until = job.lease_until if job else None

    def keep(self) -> None:
        """Prolong the lease if it is half over; raises `LeaseLost`."""
        now, lease = self._services.clock(), self._services.config.lease
        if self._job is None or self._until is None or self._until - now > lease / 2:
            return
        self._until = now + lease
        with self._services.application.database.begin() as connection:
            extend(connection, self._job, self._until)


def _bounce(run: _Import, message: Message) -> str:
    report = read_bounce(message)
    linked = apply_bounce(
        run.services,
        message_ids=report.message_ids,
        recipient=report.recipient,
        action=report.action,
        status=report.status,
        text=report.text,
    )
    if linked:
        return f"bounce: delivery to {report.recipient or 'a recipient'} {report.action}"
    _logger.warning(
        "a bounce could not be linked to a sent message",
        extra={"account": run.mail.account, "engine_id": run.mail.engine_id},
    )
    return _UNLINKED


def _unrelated(services: Services, job: ClaimedJob | None, reason: str) -> Outcome:
    if job is not None:
        with services.application.database.begin() as connection:
            finish(connection, job, services.clock(), reason)
    return Outcome(None, reason)


def _settle(
    run: _Import, disposition: Disposition, reason: str, *, unlinked: bool = False
) -> Outcome:
    """Write the receipt of a mail that makes no objects; the log tells of an unlinked bounce."""
    with run.services.application.database.begin() as connection:
        if _earlier(run, connection).settled:
            return _repeated(run, connection)
        try:
            _write(run, connection, disposition, reason)
        except Conflict:  # another worker has just written it
            return _repeated(run, connection)
        if unlinked:
            account, now = run.mail.account, run.services.clock()
            text = f"{run.account.email}: A delivery report is about no mail sent from here."
            event_log.note(connection, now, Level.WARNING, "bounce_unlinked", text, account=account)
    return Outcome(disposition, reason)


def _earlier(run: _Import, connection: Connection) -> Sightings:
    """Read what is known of the mail, and finish the jobs that failed with it before.

    That is undone with the transaction if the mail is not imported now either.
    """
    found = receipts.sightings(connection, run.mail)
    if found.own is not None and not found.settled:
        failed = receipts.failed_jobs(connection, run.mail)
        supersede(connection, failed, run.services.clock())
    return found


def _repeated(run: _Import, connection: Connection) -> Outcome:
    if run.job is not None:
        finish(connection, run.job, run.services.clock(), "has a receipt already")
    return Outcome(None, "has a receipt already")


def _write(
    run: _Import,
    connection: Connection,
    disposition: Disposition,
    reason: str,
    conversation: int | None = None,
    message: int | None = None,
) -> None:
    _record(run, connection, disposition, reason, conversation, message)
    if run.job is not None:
        finish(connection, run.job, run.services.clock(), disposition.value)


def _record(
    run: _Import,
    connection: Connection,
    disposition: Disposition,
    reason: str,
    conversation: int | None,
    message: int | None,
) -> None:
    receipts.record(
        connection,
        run.mail,
        disposition,
        run.services.clock(),
        reason=reason,
        trace=run.trace.steps,
        conversation=conversation,
        conversationmessage=message,
    )


def _transact(run: _Import, mail: PreparedMail) -> Outcome:
    """Do everything about one mail in one transaction; no network from here to the commit."""
    application = run.services.application
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        shared = work.connection is not None
        result = _import_within(run, mail, work, connection)
        if result.imported is not None:
            imported = result.imported
            work.after_commit(lambda: announce(run.services, imported))
    if not shared and run.job is not None and result.imported is not None:
        with application.database.begin() as connection:
            finish(connection, run.job, run.services.clock(), Disposition.IMPORTED.value)
    if result.disposition is Disposition.IMPORTED:
        run.services.wake()
    return result


def _import_within(
    run: _Import, mail: PreparedMail, work: UnitOfWork, connection: Connection
) -> Outcome:
    signs = matching.Signs.of(
        run.mail.account,
        mail.message_id,
        mail.message.references(),
        mail.message.thread_id,
    )
    known = enter(connection, signs.all())
    earlier = _earlier(run, connection)
    if _never_came_to_be(run, work, earlier.own):
        receipts.reopen(connection, run.mail)
    elif earlier.settled:
        return _repeated(run, connection)
    if known[signs.own].outgoing:
        _write(run, connection, Disposition.OWN, "sent from here")
        return Outcome(Disposition.OWN, "sent from here")
    if earlier.elsewhere is not None:
        enqueue(connection, _mark_seen(mail), run.services.clock())
        _write(
            run,
            connection,
            Disposition.SECOND_SIGHTING,
            f"imported through the account {earlier.elsewhere.account}",
            earlier.elsewhere.conversation,
            earlier.elsewhere.conversationmessage,
        )
        return Outcome(Disposition.SECOND_SIGHTING)
    conversation = _find_conversation(run, mail, work.objects, connection, signs, known)
    if conversation is None and mail.verdict.kind == "autoreply":
        reason = "automatic reply that belongs to no conversation"
        _write(run, connection, Disposition.FILTERED, reason)
        return Outcome(Disposition.FILTERED, reason)
    return _make_objects(run, mail, work, connection, signs, conversation)


def _never_came_to_be(run: _Import, work: UnitOfWork, earlier: Sighting | None) -> bool:
    """Tell whether an earlier try of this job wrote the receipt of an import and then no objects.

    Happens only where objects live in a database of their own, which commits after the package's.
    """
    if work.connection is not None or run.job is None or run.job.attempts == 1:
        return False
    if earlier is None or earlier.disposition != Disposition.IMPORTED:
        return False
    # The number alone can belong to another message by now.
    made = And(
        (
            Equals("id", earlier.conversationmessage),
            Equals("emailengineid", limeobjects.engine_id(run.mail.engine_id)),
        )
    )
    return work.objects.count("conversationmessage", made) == 0


def _find_conversation(
    run: _Import,
    mail: PreparedMail,
    objects: Objects,
    connection: Connection,
    signs: matching.Signs,
    known: matching.Known,
) -> int | None:
    """Find the conversation that the mail joins, and note the mail on it."""
    candidates = matching.by_signs(signs, known, run.trace)
    for each in candidates:
        if not matching.may_join(objects, each, mail.sender, run.trace):
            continue
        if _joined(run, mail, objects, each):
            return each.conversation
        release(connection, signs.all(), each.conversation)
    if not candidates and run.services.config.join_by_subject:
        weak = matching.by_subject(
            objects, run.account.id, mail.sender, mail.subject, run.services.clock(), run.trace
        )
        if weak is not None and _joined(run, mail, objects, weak):
            return weak.conversation
    run.trace.note("threading", "new conversation", "new_conversation")
    return None


def _joined(
    run: _Import, mail: PreparedMail, objects: Objects, candidate: matching.Candidate
) -> bool:
    there = limeobjects.touch_conversation(objects, candidate.conversation, mail)
    found = f"{candidate.strategy}: {candidate.conversation}"
    run.trace.note(
        "threading",
        found if there else f"{found}, which was deleted",
        "joined" if there else "joined_deleted",
        strategy=candidate.strategy,
        conversation=candidate.conversation,
        evidence=mail.evidence_of(candidate.sign),
    )
    return there


def _make_objects(
    run: _Import,
    mail: PreparedMail,
    work: UnitOfWork,
    connection: Connection,
    signs: matching.Signs,
    conversation: int | None,
) -> Outcome:
    objects = work.objects
    parent: ParentReference | None = None
    new = conversation is None
    if conversation is None:
        parent, conversation = limeobjects.new_conversation(run.services, objects, mail)
    message = limeobjects.add_message(
        run.services, objects, connection, conversation, mail, run.trace, new=new
    )
    assign(connection, signs.all(), conversation)
    imported = limeobjects.outcome(mail, parent, conversation, message)
    enqueue(connection, _follow_up(run, mail, imported), run.services.clock())
    _record(run, connection, Disposition.IMPORTED, "", conversation, message)
    if run.job is not None:
        if work.connection is None:
            # The objects are committed after this: until then the job must not look done.
            extend(connection, run.job, run.services.clock() + run.services.config.lease)
        else:
            finish(connection, run.job, run.services.clock(), Disposition.IMPORTED.value)
    return Outcome(Disposition.IMPORTED, imported=imported)


def _follow_up(run: _Import, mail: PreparedMail, imported: Imported) -> list[NewJob]:
    jobs = _mark_seen(mail) + _automatic_mail(run, mail, imported)
    services = run.services
    actions: list[MessageAction] = collect(
        services.hooks.message_actions(application=services.application)
    )
    jobs.extend(
        NewJob(RUN_MESSAGE_ACTION, {"action": each.name, **_as_payload(imported)})
        for each in actions
    )
    return jobs


def _mark_seen(mail: PreparedMail) -> list[NewJob]:
    if not mail.message.unseen:
        return []
    # The delay lets one request mark all mails of a burst; it counts mails in the inbox, and
    # the number of one in another folder, such as Gmail's archive, is another mail's there.
    uid = mail.message.uid if mail.message.path.upper() == "INBOX" else 0
    mark = {"account": mail.account.engine_account, "message": mail.message.id, "uid": uid}
    return [NewJob(MARK_SEEN, mark, delay=_SEEN_DELAY)]


def _automatic_mail(run: _Import, mail: PreparedMail, imported: Imported) -> list[NewJob]:
    """Ask for what a person's mail sets off by itself; the jobs find out to whom, if to anybody."""
    if mail.verdict.kind != "human" or mail.earlier:
        # What came before the account was connected has been dealt with elsewhere.
        return []
    if not imported.new_conversation:
        if not any(each.relay for each in run.accounts.accounts):
            return []
        payload = _occasion(run, mail, imported).as_payload()
        return [NewJob(RELAY_MESSAGE, payload, key=f"relay:{imported.conversationmessage}")]
    if mail.account.autoreply_template is None or mail.sender in run.accounts.own_addresses:
        return []
    if wants_no_automatic_answer(mail.message):
        run.trace.note("automatic reply", "none, the mail asks for that", "no_autoreply_wanted")
        return []
    payload = _occasion(run, mail, imported).as_payload()
    return [NewJob(AUTO_REPLY, payload, key=f"autoreply:{imported.conversation}")]


def _occasion(run: _Import, mail: PreparedMail, imported: Imported) -> Occasion:
    named = (mail.message.from_, *mail.message.reply_to, *mail.message.to, *mail.message.cc)
    known = {each.email for each in mail.people} | run.accounts.own_addresses
    also = sorted({normalise(each.address) for each in named if each.address} - known)
    return Occasion(
        account=imported.account,
        conversation=imported.conversation,
        conversationmessage=imported.conversationmessage,
        engine_id=limeobjects.engine_id(mail.message.id),
        at=run.services.clock(),
        also=tuple(also),
    )


def _as_payload(imported: Imported) -> dict[str, object]:
    return {name: getattr(imported, name) for name in Imported.__slots__}
