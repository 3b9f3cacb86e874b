"""The words of an automatic mail: the account's template, filled for each who gets it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.errors import TemplateError
from limepkg_email.outgoing.content import Content, MessageText, text_from
from limepkg_email.outgoing.problems import MAX_SUBJECT
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.situation import Situation
from limepkg_email.services import Services
from limepkg_email.templates.context import (
    ConversationValues,
    MessageValues,
    PersonValues,
    Values,
    context_for,
)
from limepkg_email.templates.defaults import Purpose, built_in
from limepkg_email.templates.rendering import Rendered, TemplateSource, render
from limepkg_email.templates.serving import source_for
from limepkg_email.text import one_line

_logger = logging.getLogger(__name__)


def compose_text(
    services: Services,
    purpose: str,
    account: ConnectedAccount,
    situation: Situation,
    targets: Sequence[Target],
    body: str = "",
) -> list[MessageText]:
    """Write the mail to each target with the account's template; `body` is sanitised html.

    The template sees a word in place of the body, so that a long one is not worked through for each
    recipient. One that cannot be rendered gives way to the built-in text.
    """
    chosen = account.relay_template if purpose == "relay" else account.autoreply_template
    source = source_for(services, chosen, purpose, account.language)
    word, text = f"body-{uuid4().hex}" if body else "", text_from(body)
    written: list[MessageText] = []
    for target in targets:
        rendered = _rendered(source, purpose, _values(account, situation, target, word))
        if word not in rendered.html:
            # Left out, or changed by a filter, which needs the real one.
            rendered = _rendered(source, purpose, _values(account, situation, target, body))
        plain = text_from(rendered.html).replace(word, text)
        subject = rendered.subject or one_line(str(situation.message["subject"] or ""), MAX_SUBJECT)
        written.append(MessageText(subject, Content(rendered.html.replace(word, body), plain)))
    return written


def _rendered(source: TemplateSource, purpose: str, values: Values) -> Rendered:
    try:
        return render(source, values)
    except TemplateError as error:
        _logger.warning("a template for automatic mail failed: %s", error.message)
        return render(built_in(Purpose(purpose), source.language), {**values, "parent": None})


def _values(account: ConnectedAccount, situation: Situation, target: Target, body: str) -> Values:
    message, date = situation.message, situation.message["date"]
    sender = PersonValues(account.name, account.email)
    return context_for(
        conversation=ConversationValues(
            situation.conversation.id, str(situation.conversation["subject"] or "")
        ),
        parent=situation.parent,
        recipient=PersonValues(target.name, target.email),
        account=sender,
        user=sender,
        message=MessageValues(
            subject=str(message["subject"] or ""),
            preview=str(message["preview"] or ""),
            body=body,
            date=date if isinstance(date, datetime) else None,
            author=situation.author,
        ),
    )
