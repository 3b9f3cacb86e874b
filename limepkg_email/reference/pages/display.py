"""How values look on a page: instants, initials, the colour that stands for a person."""

from __future__ import annotations

from datetime import datetime

from markupsafe import Markup, escape

_HUES = 8


def moment(value: datetime | None) -> Markup:
    """Show an instant briefly; the whole of it is in the element's attributes."""
    if value is None:
        return Markup("")
    exact = value.isoformat(timespec="seconds")
    shown = f"{value.day} {value:%b %Y, %H:%M}"
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, escape(shown))


def initials(name: str) -> str:
    """Give the letters that stand for a person; `people.js` makes the same ones."""
    words = [each for each in name.split() if each[0].isalnum()]
    letters = [word[0] for word in (words if len(words) < 2 else (words[0], words[-1]))]
    return "".join(letters).upper() or "?"


def hue(name: str) -> int:
    """Give the number of a person's colour; `people.js` gives the same one."""
    return sum(ord(each) for each in name) % _HUES
