"""What we say ourselves to customers in a relayed mail, in the languages of the built-in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from limepkg_email.incoming.body import CUT, LEFT_OUT
from limepkg_email.markup import decoded, escaped
from limepkg_email.templates.defaults import known_language
from limepkg_email.text import one_line

_NAMED = 20
_LEFT_OUT: Mapping[str, tuple[str, str, str]] = {
    "en": (
        "Not attached, because too large: {names}. You can ask {author} for them.",
        "{names} and {count} more",
        "a file",
    ),
    "sv": (
        "Inte bifogat, för stort: {names}. Du kan be {author} om det.",
        "{names} och {count} till",
        "en fil",
    ),
}
_CUT: Mapping[str, str] = {
    "en": "The text goes on. You can ask {author} for the rest.",
    "sv": "Texten fortsätter. Du kan be {author} om resten.",
}
# Written by the import below the text, for people who can look into the mailbox.
_IMPORT_NOTES = re.compile(
    rf"(<p><em>{escaped(CUT)}</em></p>)?(?:<p><em>{escaped(LEFT_OUT)}([^<>]*)</em></p>)?\Z"
)


@dataclass(frozen=True, slots=True)
class Noted:
    """A body without the import's notes, and what they said: files left out, and text cut off."""

    html: str
    left_out: tuple[str, ...] = ()
    cut: bool = False


def without_import_notes(html: str) -> Noted:
    """Take the import's notes off a body.

    Nothing is lost should a sender have written such notes: what they say is told all the same.
    """
    note = _IMPORT_NOTES.search(html)
    if note is None:
        return Noted(html)
    left_out = (decoded(note[2]),) if note[2] else ()
    return Noted(html[: note.start()], left_out, bool(note[1]))


def about_cut(author: str, language: str) -> str:
    """Say in html that the author wrote more than this."""
    sentence = _CUT[known_language(language)].format(author=author)
    return f"<p><em>{escaped(sentence)}</em></p>"


def about_left_out(names: Sequence[str], author: str, language: str) -> str:
    """Say in html which files did not go along, an empty name for one that nobody knows."""
    if not names:
        return ""
    sentence, and_more, nameless = _LEFT_OUT[known_language(language)]
    shown = ", ".join(one_line(each, 4 * 255) or nameless for each in names[:_NAMED])
    if len(names) > _NAMED:
        shown = and_more.format(names=shown, count=len(names) - _NAMED)
    return f"<p><em>{escaped(sentence.format(names=shown, author=author))}</em></p>"
