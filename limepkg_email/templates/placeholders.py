"""The names that authors may write, each with an explanation and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from limepkg_email.services import Services
from limepkg_email.templates.context import KNOWN
from limepkg_email.templates.defaults import known_language
from limepkg_email.templates.filters import Locale
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import TemplateSource, render
from limepkg_email.templates.stored import require

_ENGLISH: Mapping[str, str] = {
    "conversation": "The conversation.",
    "conversation.id": "The number of the conversation.",
    "conversation.subject": "The subject of the conversation.",
    "parent": "What the conversation belongs to, such as a ticket.",
    "parent.id": "The number of what the conversation belongs to.",
    "parent.title": "The title of what the conversation belongs to.",
    "parent.limetype": "The kind of what the conversation belongs to, as the system calls it.",
    "parent.url": "The address of the page of what the conversation belongs to; for colleagues.",
    "recipient": "Who gets the mail.",
    "recipient.name": "The name of who gets the mail; may be empty.",
    "recipient.email": "The mail address of who gets the mail.",
    "account": "The email account that the mail is sent from.",
    "account.name": "The name of the email account, as recipients see it; may be empty.",
    "account.email": "The mail address of the email account.",
    "user": "Who writes; in automatic mail the email account.",
    "user.name": "The name of who writes; in automatic mail that of the email account.",
    "user.email": "The mail address of who writes; in automatic mail that of the email account.",
    "message": "The message that is answered or passed on.",
    "message.subject": "The subject of the message that is answered or passed on.",
    "message.preview": "The first words of the message that is answered or passed on.",
    "message.body": "The whole text of the message, with its formatting.",
    "message.date": "When the message was sent; write only the day with {{ message.date|date }}.",
    "message.author": "The name, or else the mail address, of who wrote the message.",
}
_SWEDISH: Mapping[str, str] = {
    "conversation": "Konversationen.",
    "conversation.id": "Konversationens nummer.",
    "conversation.subject": "Konversationens ämne.",
    "parent": "Det som konversationen hör till, till exempel ett ärende.",
    "parent.id": "Numret på det som konversationen hör till.",
    "parent.title": "Rubriken på det som konversationen hör till.",
    "parent.limetype": "Sorten av det som konversationen hör till, så som systemet kallar den.",
    "parent.url": "Adressen till sidan för det som konversationen hör till; för kollegor.",
    "recipient": "Den som får mejlet.",
    "recipient.name": "Namnet på den som får mejlet; kan vara tomt.",
    "recipient.email": "E-postadressen till den som får mejlet.",
    "account": "E-postkontot som mejlet skickas från.",
    "account.name": "E-postkontots namn, som mottagarna ser det; kan vara tomt.",
    "account.email": "E-postkontots adress.",
    "user": "Den som skriver; i automatiska mejl e-postkontot.",
    "user.name": "Namnet på den som skriver; i automatiska mejl e-postkontots.",
    "user.email": "E-postadressen till den som skriver; i automatiska mejl e-postkontots.",
    "message": "Meddelandet som besvaras eller skickas vidare.",
    "message.subject": "Ämnet på meddelandet som besvaras eller skickas vidare.",
    "message.preview": "De första orden i meddelandet som besvaras eller skickas vidare.",
    "message.body": "Hela texten i meddelandet, med dess formatering.",
    "message.date": "När meddelandet skickades; skriv bara dagen med {{ message.date|date }}.",
    "message.author": "Namnet på den som skrev meddelandet, eller annars e-postadressen.",
}
_EXPLANATIONS = {"en": _ENGLISH, "sv": _SWEDISH}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that a template may write as `{{ name }}`; `example` is what a preview shows."""

    name: str
    explanation: str
    example: str


@dataclass(frozen=True, slots=True)
class PlaceholderGroup:
    """Values of one thing; all of them are missing where there is no such thing."""

    name: str
    explanation: str
    values: tuple[Placeholder, ...]


def list_placeholders(services: Services, language: str | None = None) -> list[PlaceholderGroup]:
    """Give everything that `context.KNOWN` offers to authors, explained in English or Swedish.

    In the language of the user, unless another is named. Needs `email.use` or `email.admin`.
    """
    require(services, "email.use", "email.admin")
    spoken = known_language(language or services.application.language)
    return [_group(name, parts, spoken) for name, parts in KNOWN.items()]


def _group(name: str, parts: tuple[str, ...], language: str) -> PlaceholderGroup:
    values = tuple(_placeholder(f"{name}.{part}", language) for part in parts)
    return PlaceholderGroup(name, _explanation(name, language), values)


def _placeholder(name: str, language: str) -> Placeholder:
    shown = render(
        TemplateSource(f"{{{{ {name} }}}}", "", language), MOCKED, locale=Locale(language)
    )
    return Placeholder(name, _explanation(name, language), shown.subject)


def _explanation(name: str, language: str) -> str:
    return _EXPLANATIONS[language][name]
