"""The automatic reply to a new conversation: one mail per follower, and never a flood.

It is a message of its own in the conversation, from the account's template.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.addresses import display_name
from limepkg_email.db import locking, plugin_connection
from limepkg_email.host import Objects, UnitOfWork
from limepkg_email.outgoing.automatic import (
    Dispatch,
    Letter,
    guid_of,
    still_to_send,
    without_flood,
    write_mails,
    written_once,
)
from limepkg_email.outgoing.content import MessageText
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.situation import Occasion, Situation, read_situation
from limepkg_email.outgoing.wording import compose_text
from limepkg_email.schema.setup import installation_of
from limepkg_email.services import Services
from limepkg_email.text import one_line

KIND = "autoreply"
WITHIN = timedelta(hours=2)
"""The time in which one address gets at most `max_autoreplies_per_address`."""

_SUBMITTED = "auto-replied"
_ANSWERED = ("from", "replyto")
_LOCK = 6_873_126_457_310_441
_NOBODY = re.compile(
    r"(?:no|do-?not|donot|ne|inte|ei|kein)[-_.]?(?:reply|repl|svara|antwort)"
    r"|(?:mailer-?daemon|mail-?daemon|postmaster|abuse|root)@|bounces?[+=@-]"
    r"|(?:owner-[^@]*|[^@]*-(?:request|owner|bounces?))@"
)


def auto_reply(services: Services, occasion: Occasion) -> int:
    """Answer the mail that began a conversation, to each of its followers; gives how many mails.

    Every follower gets at most one in the conversation, every address at most the
    configured number in `WITHIN`.
    """
    application = services.application
    installation = installation_of(application)
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        situation = read_situation(services, work, connection, occasion, installation)
    if situation is None:
        return 0
    account = situation.accounts.by_engine_account(occasion.account)
    targets = _targets(situation)
    if account is None or not _answers(account) or not targets:
        return 0
    texts = compose_text(services, KIND, account, situation, targets)
    letters = [
        Letter(guid_of(KIND, installation, situation.conversation.id, target.email), target, text)
        for target, text in zip(targets, texts, strict=True)
    ]
    return written_once(
        services,
        lambda work, connection: _write(services, work, connection, situation, account, letters),
    )


def is_nobody(address: str) -> bool:
    """Tell whether behind the normalised address no person reads an answer: noreply and daemons."""
    return _NOBODY.match(address) is not None


def _answers(account: ConnectedAccount) -> bool:
    return account.enabled and account.autoreply_template is not None


def _targets(situation: Situation) -> list[Target]:
    """Choose the followers of the mail; none when there is nobody to whom an answer would go."""
    own = situation.accounts.own_addresses
    found = [
        each
        for each in situation.followers
        if each.follower in situation.roles and each.email not in own and not is_nobody(each.email)
    ]
    roles = {situation.roles[each.follower] for each in found if each.follower is not None}
    return found if roles.intersection(_ANSWERED) else []


def _write(
    services: Services,
    work: UnitOfWork,
    connection: Connection,
    situation: Situation,
    account: ConnectedAccount,
    letters: Sequence[Letter],
) -> int:
    if locking(connection):
        # One at a time: two that count at once would both find room for one more.
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    new = still_to_send(work, connection, letters)
    most = services.config.max_autoreplies_per_address
    new = without_flood(connection, KIND, new, most, services.clock() - WITHIN)
    if not new:
        return 0
    message = _add_message(services, work.objects, situation, account, new[0].text)
    dispatch = Dispatch(
        KIND, _SUBMITTED, account, display_name(account.name), situation.installation
    )
    conversation = situation.conversation.id
    write_mails(services, work.objects, connection, dispatch, conversation, message, new)
    return len(new)


def _add_message(
    services: Services,
    objects: Objects,
    situation: Situation,
    account: ConnectedAccount,
    text: MessageText,
) -> int:
    date = situation.message["date"]
    now = services.clock()
    return objects.add(
        "conversationmessage",
        {
            "subject": text.subject,
            "body": text.content.html,
            "visiblebody": text.content.html,
            "preview": text.content.preview,
            # Not before the mail that it answers, whose sender's clock may be fast.
            "date": max(now, date) if isinstance(date, datetime) else now,
            "source": KIND,
            "unread": False,
            "machine": "no",
            "authorname": one_line(account.name, 256),
            "authoraddress": one_line(account.email, 320),
            "conversation": situation.conversation.id,
        },
    )
