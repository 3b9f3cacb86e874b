"""The tasks, each under its own name: thin functions that call the domain and nothing more."""

from __future__ import annotations

import json
from typing import Any

from limepkg_email.accounts import events, removal_run, sync
from limepkg_email.engine.webhook import AccountEvent, MessageNew, parse_event
from limepkg_email.errors import BadRequest
from limepkg_email.hooks import Imported, MessageAction, collect
from limepkg_email.incoming import failed, failures, recovery_runs, seen
from limepkg_email.incoming.announcing import note_broken_extension
from limepkg_email.incoming.seen import SeenMail
from limepkg_email.outgoing import abandonment, autoreply, relay, send, status
from limepkg_email.outgoing.situation import Occasion
from limepkg_email.services import Services
from limepkg_email.tasks import jobs
from limepkg_email.tasks.jobs import ClaimedJob
from limepkg_email.tasks.registry import FINISHED, TaskRegistry, task
from limepkg_email.tasks.registry import Outcome as TaskOutcome
from limepkg_email.tasks.worker import reason_of

_SEEN_TOGETHER = 500


def _mail_could_not_be_imported(
    services: Services, job: ClaimedJob, payload: Any, error: Exception
) -> None:
    notified = _notified(payload)
    failures.record_failure(services, notified.account, notified.message, error, job)


@task(on_failed=_mail_could_not_be_imported)
def message_to_limeobjects(services: Services, job: ClaimedJob, payload: Any) -> TaskOutcome:
    """Import the mail that a webhook announced."""
    notified = _notified(payload)
    failures.attempt(services, notified.account, notified.message, job)
    return FINISHED


def _notified(payload: Any) -> MessageNew:
    event = parse_event(payload)
    if not isinstance(event, MessageNew):
        raise BadRequest(f"The event {event.event!r} announces no mail.")
    return event


@task()
def mark_seen(services: Services, job: ClaimedJob, payload: Any) -> TaskOutcome:
    """Mark imported mails as seen in their mailboxes: this one and all others that wait for it."""
    database = services.application.database
    with database.begin() as connection:
        others = jobs.claim_alike(connection, job, services.clock(), _SEEN_TOGETHER)
    mails = [SeenMail(**payload), *(SeenMail(**json.loads(each.payload)) for each in others)]
    failed = seen.mark_seen(services.engine, mails)
    pairs = zip([job, *others], mails, strict=True)
    done = [each for each, mail in pairs if mail.account not in failed]
    if done:
        with database.begin() as connection:
            jobs.finish_all(connection, done, services.clock())
    if mails[0].account in failed:
        raise failed[mails[0].account]
    return FINISHED


@task()
def park_message(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Move a mail that could not be imported to the failed folder."""
    failures.park(services, payload["account"], payload["message"], payload.get("mail", ""))


@task()
def touch_inbox(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Let the engine look at the inbox again after work in another folder."""
    services.engine.touch_inbox(payload["account"])


def _failed_mail_given_up(
    services: Services, job: ClaimedJob, payload: Any, error: Exception
) -> None:
    failed.give_up(services, payload["receipt"], error)


@task(on_failed=_failed_mail_given_up)
def retry_failed_mail(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Import a failed mail once more, because an administrator asks for it."""
    failed.try_again(services, payload["receipt"])


def _action_given_up(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
    values = dict(payload)
    name = values.pop("action")
    note_broken_extension(services, f"the action {name!r}", Imported(**values))


def _recovery_given_up(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
    recovery_runs.given_up(services, payload, error)


@task(on_failed=_recovery_given_up)
def recovery_process(services: Services, job: ClaimedJob, payload: Any) -> TaskOutcome:
    """Look through accounts for mail that no webhook brought, and for mail that failed."""
    recovery_runs.work(services, job, payload)
    return FINISHED


@task(on_failed=_action_given_up)
def run_message_action(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Run one action of an extension for an imported mail."""
    values = dict(payload)
    wanted = values.pop("action")
    actions: list[MessageAction] = collect(
        services.hooks.message_actions(application=services.application)
    )
    for each in actions:
        if each.name == wanted:
            each.run(services.application, Imported(**values))


@task()
def relay_message(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Send a follower's reply on to the other followers."""
    relay.relay(services, Occasion.of_payload(payload))


@task()
def auto_reply(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Answer the mail that began a conversation automatically."""
    autoreply.auto_reply(services, Occasion.of_payload(payload))


def _mail_could_not_be_submitted(
    services: Services, job: ClaimedJob, payload: Any, error: Exception
) -> None:
    send.mark_failed(services, payload["guid"], failures.reason_of(error))


@task(on_failed=_mail_could_not_be_submitted)
def submit_message(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Hand one mail of the outbox to the engine."""
    send.submit_outbox(services, payload["guid"])


@task()
def delivery_event(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Note what the engine says became of a mail that was sent."""
    status.apply_delivery_event(services, parse_event(payload))


@task()
def account_event(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Note the state of an account."""
    event = parse_event(payload)
    if isinstance(event, AccountEvent):
        events.note_event(services, event)


def _sync_given_up(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
    sync.give_up(services, _run_of(payload), reason_of(error))


@task(on_failed=_sync_given_up)
def sync_emailengine_to_lime(services: Services, job: ClaimedJob, payload: Any) -> None:
    """Make our applications and accounts equal to the engine's, as a run or without one."""
    sync.run(services, _run_of(payload), job.attempts)


def _deletion_given_up(services: Services, job: ClaimedJob, payload: Any, error: Exception) -> None:
    removal_run.give_up_run(services, payload, reason_of(error))


@task(on_failed=_deletion_given_up)
def delete_accounts(services: Services, job: ClaimedJob, payload: Any) -> TaskOutcome:
    """Delete one of many accounts, and go on with the next one in another job."""
    removal_run.work(services, job, payload, abandonment.give_up)
    return FINISHED


def _run_of(payload: Any) -> str:
    return str(payload.get("run", "")) if isinstance(payload, dict) else ""


def registry() -> TaskRegistry:
    """Give the registry of every task of the package."""
    return TaskRegistry([__name__])
