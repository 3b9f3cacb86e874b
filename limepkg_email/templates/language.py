"""Languages as templates name them: `en` or `sv-FI`."""

from __future__ import annotations

from limepkg_email.errors import InvalidInput

BAD_LANGUAGE = "A language is written as in `en` or `sv-FI`."
_MAX_LANGUAGE = 16


def check_language(language: str) -> None:
    """Raise `InvalidInput` for what is no language."""
    if not is_language(written(language)):
        raise InvalidInput(BAD_LANGUAGE, errors={"language": [BAD_LANGUAGE]})


def is_language(language: str) -> bool:
    """Tell whether this is how `written` writes a language."""
    parts = language.split("-")
    plain = language.isascii() and all(each.isalnum() for each in parts)
    return (
        plain and parts[0].isalpha() and len(parts[0]) in (2, 3) and len(language) <= _MAX_LANGUAGE
    )


def written(language: str) -> str:
    """Write a language the one way in which it is stored: `sv_fi` is `sv-FI`."""
    first, *rest = language.strip().replace("_", "-").split("-")
    return "-".join((first.lower(), *(each.upper() if len(each) == 2 else each for each in rest)))


def short(language: str) -> str:
    """Give the language without its region."""
    return written(language).partition("-")[0]
