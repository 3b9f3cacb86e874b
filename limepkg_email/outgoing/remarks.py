"""What we say ourselves to customers in a relayed mail, in the languages of the built-in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
# Written by the import below the text, for people who can look into the mailbox.
_IMPORT_NOTE = re.compile(r"<p><em>Not imported, see the mailbox: ([^<>]*)</em></p>\Z")


def without_import_note(html: str) -> tuple[str, tuple[str, ...]]:
    """Take the import's note about files that it left out off a body; gives their names too.

    Nothing is lost should a sender have written such a note: its names are told all the same.
    """
    note = _IMPORT_NOTE.search(html)
    return (html[: note.start()], (decoded(note[1]),)) if note else (html, ())


def about_left_out(names: Sequence[str], author: str, language: str) -> str:
    """Say in html which files did not go along, an empty name for one that nobody knows."""
    if not names:
        return ""
    sentence, and_more, nameless = _LEFT_OUT[known_language(language)]
    shown = ", ".join(one_line(each, 4 * 255) or nameless for each in names[:_NAMED])
    if len(names) > _NAMED:
        shown = and_more.format(names=shown, count=len(names) - _NAMED)
    return f"<p><em>{escaped(sentence.format(names=shown, author=author))}</em></p>"
