"""Whether a person or a machine wrote a mail: a table of named rules, the first to hold decides.

`autoreply` is an answer nobody typed, `bounce` a report about the delivery of a mail, `bulk` a mail
that was not written to us personally (list, newsletter, notification). None of them is answered
automatically. A `noreply` sender alone proves nothing: such a notification may need a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from limepkg_email.engine.types import Message

Kind = Literal["human", "autoreply", "bounce", "bulk"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail is taken for; `reason` is the name of the rule that decided."""

    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One sign by which a machine's mail is known."""

    name: str
    kind: Kind
    holds: Callable[[Message], bool]


def machine_verdict(message: Message) -> Verdict:
    """Return the kind of the mail and the rule that says so."""
    for rule in RULES:
        if rule.holds(message):
            return Verdict(rule.kind, rule.name)
    return Verdict("human", "no-sign-of-a-machine")


def wants_no_automatic_answer(message: Message) -> bool:
    """Whether the mail, even if a person wrote it, asks for no automatic answer (MS-OXCMAIL).

    `X-Auto-Response-Suppress` says what the sender's system does not want back, not who wrote the
    mail: Exchange gateways and other CRMs put it on personal mail too. So it is no rule by itself.
    """
    asked = {item.strip() for item in _value(message, "x-auto-response-suppress").split(",")}
    return bool(asked & {"all", "oof", "autoreply"})


_HEADER_LIMIT = 2_000
_DAEMON = re.compile(r"(?:mailer-?daemon|mail-?daemon|postmaster|bounces?[+=-].*)@|mailer-daemon$")
_NO_REPLY = re.compile(r"(?:no|do-?not|donot|ne|inte|ei|kein)[-_.]?(?:reply|repl|svara|antwort)")
# Undelivered, delayed, returned: Postfix, Exim, Exchange, Gmail, qmail and their translations.
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|delayed)|returned mail|mail delivery"
    r"|failure notice|message (?:not delivered|delayed)|non.?remis|unzustellbar|ikke leveret"
    r"|kunde inte levereras|olevererbart|oleverbart|ej levererat|kan ikke leveres|toimittamatta"
    r"|ei voitu toimittaa|onbestelbaar|no se (?:pudo|puede) entregar|non recapitabile|配信不能"
    r"|nie można dostarczyć|warning: message .{1,60} delayed"
)
# Only ever a supporting sign: people write about their holidays too.
_ABSENCE_SUBJECT = re.compile(
    r"(?:automat(?:ic|ed) reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office"
    r"|autosvar|automatiskt? (?:svar|svarsmeddelande)|frånvaro|ej på kontoret|fraværs?"
    r"|ikke til stede"
    r"|automatische (?:antwort|abwesenheit)|abwesenheit|automatisch antwoord|afwezig"
    r"|automaattinen vastaus|poissa|réponse automatique|absence|absent du bureau"
    r"|respuesta automática|fuera de (?:la )?oficina|risposta automatica|fuori sede"
    r"|resposta automática|automatyczna odpowiedź|autoodpowiedź|自動応答|自動返信|不在)"
)


def _value(message: Message, name: str) -> str:
    values = message.headers.get(name)
    return values[0][:_HEADER_LIMIT].strip().lower() if values else ""


def _has(*names: str) -> Callable[[Message], bool]:
    return lambda message: any(_value(message, name) not in ("", "no") for name in names)


def _is(name: str, *tokens: str) -> Callable[[Message], bool]:
    return lambda message: _token(message, name) in tokens


def _token(message: Message, name: str) -> str:
    # "auto-replied; owner-email=…" and "auto-replied (vacation)": parameters and comments follow.
    return re.split(r"[;(\s]", _value(message, name), maxsplit=1)[0]


def _is_report(kind: str) -> Callable[[Message], bool]:
    def holds(message: Message) -> bool:
        content_type = _value(message, "content-type")
        return content_type.startswith("multipart/report") and kind in content_type

    return holds


def _carries(content_type: str) -> Callable[[Message], bool]:
    return lambda message: any(
        attachment.content_type.lower() == content_type for attachment in message.attachments
    )


def _sender(message: Message) -> str:
    return (message.from_.address or message.sender.address)[:_HEADER_LIMIT].strip().lower()


def _from_daemon(message: Message) -> bool:
    return _DAEMON.match(_sender(message)) is not None


def _null_return_path(message: Message) -> bool:
    # RFC 5321 (4.5.5): notifications are sent with an empty reverse-path, so that none answers one.
    return _value(message, "return-path") == "<>"


def _bounce_subject(message: Message) -> bool:
    return _BOUNCE_SUBJECT.search(message.subject[:300].lower()) is not None


def _absence_subject(message: Message) -> bool:
    return _ABSENCE_SUBJECT.match(message.subject[:300].strip().lower()) is not None


def _answers_something(message: Message) -> bool:
    return bool(message.in_reply_to or message.headers.get("in-reply-to"))


def _automatic(message: Message) -> bool:
    return _token(message, "auto-submitted") not in ("", "no")


def _sent_by_machine(message: Message) -> bool:
    # A person who forwards a delivery report wants to talk about it.
    return _null_return_path(message) or _from_daemon(message) or _automatic(message)


def _supported_absence(message: Message) -> bool:
    supported = _has("x-auto-response-suppress")(message) or _automatic(message)
    return _absence_subject(message) and (supported or _answers_something(message))


def _trusted_engine_flag(message: Message) -> bool:
    # EmailEngine also sets it for any X-Auto-Response-Suppress and by subject alone. Where we see
    # the headers, the rules above have already found every better sign.
    return message.is_auto_reply and not message.headers


RULES: tuple[Rule, ...] = (
    Rule("feedback-report", "autoreply", _is_report("feedback-report")),  # RFC 5965
    Rule("read-receipt", "autoreply", _is_report("disposition-notification")),  # RFC 8098
    Rule("delivery-report", "bounce", _is_report("delivery-status")),  # RFC 3464
    Rule("delivery-report-part", "bounce",
         lambda m: _carries("message/delivery-status")(m) and _sent_by_machine(m)),
    Rule("failed-recipients-header", "bounce", _has("x-failed-recipients")),  # Exim, Gmail
    Rule("engine-says-bounce", "bounce",
         lambda m: m.is_bounce and (not m.headers or _sent_by_machine(m))),
    Rule("null-return-path-daemon", "bounce", lambda m: _null_return_path(m) and _from_daemon(m)),
    Rule("null-return-path-bounce-subject", "bounce",
         lambda m: _null_return_path(m) and _bounce_subject(m)),
    Rule("daemon-bounce-subject", "bounce", lambda m: _from_daemon(m) and _bounce_subject(m)),
    Rule("auto-replied", "autoreply", _is("auto-submitted", "auto-replied")),  # RFC 3834
    Rule("precedence-auto-reply", "autoreply",
         _is("precedence", "auto_reply", "auto-reply", "autoreply")),
    Rule("autoreply-header", "autoreply",
         _has("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply",
              "x-autoreply-from", "x-vacation")),
    # Exchange marks absence replies as auto-generated, hence the subject.
    Rule("absence-subject-supported", "autoreply", _supported_absence),
    Rule("list-header", "bulk", _has("list-id", "list-unsubscribe", "list-post")),  # RFC 2369, 2919
    Rule("precedence-bulk", "bulk", _is("precedence", "bulk", "list", "junk")),  # RFC 2076
    Rule("null-return-path", "autoreply", _null_return_path),
    # RFC 3834: no automatic answer. Other help desks mark what their agents write like this, and
    # that must not be folded away.
    Rule("auto-generated", "bulk", _automatic),
    Rule("machine-header", "bulk", _has("x-cron-env", "x-autogenerated", "x-fc-machinegenerated")),
    Rule("suppress-and-no-reply", "bulk",
         lambda m: _has("x-auto-response-suppress")(m) and bool(_NO_REPLY.match(_sender(m)))),
    Rule("engine-says-auto-reply", "autoreply", _trusted_engine_flag),
)  # fmt: skip
"""Bounces first, then answers, then bulk: the strongest sign of each kind stands first."""
