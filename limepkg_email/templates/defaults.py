"""The templates that come with the package, one per purpose and language."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from limepkg_email.templates.rendering import TemplateSource

FALLBACK_LANGUAGE = "en"
"""What serves where there is nothing in the wanted language."""


class Purpose(StrEnum):
    """What a template is for."""

    MESSAGE = "message"
    AUTOREPLY = "autoreply"
    RELAY = "relay"


# A message ends with the signature of its author, so its template ends where they begin to write.
_SUBJECT = "{{ conversation.subject }}"
_BUILT_IN: Mapping[str, Mapping[Purpose, tuple[str, str, str]]] = {
    "en": {
        Purpose.MESSAGE: (
            "Message (English)",
            _SUBJECT,
            """<p>Hello{% if recipient.name %} {{ recipient.name }}{% endif %},</p>
<p><br></p>
""",
        ),
        Purpose.AUTOREPLY: (
            "Automatic reply (English)",
            "We have received: " + _SUBJECT,
            """<p>Hello{% if recipient.name %} {{ recipient.name }}{% endif %},</p>
<p>thank you for writing to us. We have received your mail \
{% if conversation.subject %}“{{ conversation.subject }}” {% endif %}\
and somebody will read it and answer you.</p>
<p>If you want to add something, reply to this mail, so that all of it stays together.</p>
<p>Kind regards<br>
{{ account.name or account.email }}</p>
<p style="color: #666666; font-size: 12px">This is an automatic reply.</p>
""",
        ),
        Purpose.RELAY: (
            "Relayed message (English)",
            _SUBJECT,
            """<p style="color: #666666">{{ message.author }} wrote:</p>
<div>{{ message.body }}</div>
""",
        ),
    },
    "sv": {
        Purpose.MESSAGE: (
            "Meddelande (svenska)",
            _SUBJECT,
            """<p>Hej{% if recipient.name %} {{ recipient.name }}{% endif %}!</p>
<p><br></p>
""",
        ),
        Purpose.AUTOREPLY: (
            "Automatiskt svar (svenska)",
            "Vi har tagit emot: " + _SUBJECT,
            """<p>Hej{% if recipient.name %} {{ recipient.name }}{% endif %}!</p>
<p>Tack för att du skriver till oss. Vi har tagit emot ditt mejl \
{% if conversation.subject %}”{{ conversation.subject }}” {% endif %}\
och någon kommer att läsa det och svara dig.</p>
<p>Vill du lägga till något kan du svara på det här mejlet, så hålls allt samlat.</p>
<p>Vänliga hälsningar<br>
{{ account.name or account.email }}</p>
<p style="color: #666666; font-size: 12px">Det här är ett automatiskt svar.</p>
""",
        ),
        Purpose.RELAY: (
            "Vidarebefordrat meddelande (svenska)",
            _SUBJECT,
            """<p style="color: #666666">{{ message.author }} skrev:</p>
<div>{{ message.body }}</div>
""",
        ),
    },
}
LANGUAGES = tuple(_BUILT_IN)
"""The languages that built-in texts exist in."""


def built_in(purpose: Purpose, language: str) -> TemplateSource:
    """Give the built-in text, in English if there is none in the language."""
    _, subject, body = _built_in(purpose, language)
    return TemplateSource(subject, body, known_language(language))


def built_in_name(purpose: Purpose, language: str) -> str:
    """Give the name under which the built-in text is stored."""
    return _built_in(purpose, language)[0]


def known_language(language: str) -> str:
    """Give the language of the built-in text that serves for a language: `sv` for `sv-FI`."""
    short = language.replace("_", "-").partition("-")[0].lower()
    return short if short in _BUILT_IN else FALLBACK_LANGUAGE


def _built_in(purpose: Purpose, language: str) -> tuple[str, str, str]:
    return _BUILT_IN[known_language(language)][purpose]
