"""The texts that people read, by key and language; one source for Python and for the browser."""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import read_po

DIRECTORY = Path(__file__).parent
"""Where the catalogues are: a gettext file for each language, without plural forms."""


def languages() -> tuple[str, ...]:
    """Give the languages that there are texts in."""
    return tuple(sorted(each.stem for each in DIRECTORY.glob("*.po")))


def catalogue(language: str) -> dict[str, str]:
    """Read the texts of a language, by keys such as `limepkg_email.confirm.cancel`.

    Raises `KeyError` for a language that there are no texts in.
    """
    if language not in languages():
        raise KeyError(language)
    with (DIRECTORY / f"{language}.po").open("rb") as file:
        messages = read_po(file, abort_invalid=True)
    return {str(each.id): str(each.string) for each in messages if each.id}
