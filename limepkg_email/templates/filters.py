"""The filters of templates: each one's result is accounted for before it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial

from jinja2 import Undefined
from markupsafe import Markup, escape

from limepkg_email.markup import plain_text
from limepkg_email.templates.budget import Budget, Refused
from limepkg_email.text import cut

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
}


@dataclass(frozen=True, slots=True)
class Locale:
    """How days and times are written: in which language, for people in which time zone."""

    language: str = "en"
    zone: tzinfo = UTC

    def date(self, moment: datetime, language: str = "") -> str:
        """Write the day, as in `22 November 2026`; by numbers in languages that are not known."""
        local = moment.astimezone(self.zone)
        months = _MONTHS.get((language or self.language)[:2].lower())
        if months is None:
            return local.date().isoformat()
        return f"{local.day} {months.split()[local.month - 1]} {local.year}"

    def time(self, moment: datetime) -> str:
        """Write the time of day, as in `14:05`, and say so if it is UTC."""
        local = moment.astimezone(self.zone)
        return f"{local:%H:%M} UTC" if self.zone is UTC else f"{local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one rendering."""

    budget: Budget
    locale: Locale

    def by_name(self) -> Mapping[str, Callable[..., object]]:
        """Give the filters by the names that templates use."""
        return {
            "escape": self.escape,
            "e": self.escape,
            "default": self.default,
            "d": self.default,
            "upper": partial(self.changed, str.upper),
            "lower": partial(self.changed, str.lower),
            "title": partial(self.changed, str.title),
            "trim": partial(self.changed, str.strip),
            "date": self.date,
            "time": self.time,
            "truncate": self.truncate,
            "join": self.join,
            "replace": self.replace,
            "nl2br": self.nl2br,
        }

    def text(self, value: object) -> str:
        """Give the value as a text that is not escaped yet."""
        if isinstance(value, Markup):
            self.budget.make(len(value))
            return plain_text(str(value))
        match value:
            case str():
                return value
            case Undefined() | bool() | int() | float():
                return str(value)
            case datetime():
                return f"{self.locale.date(value)} {self.locale.time(value)}"
            case None:
                return ""
        raise Refused("A list is not a text; use the filter `join`.")

    def changed(self, change: Callable[[str], str], value: object) -> str:
        """Give the text changed by a function that at most trebles it."""
        text = self.text(value)
        self.budget.make(len(text))
        return change(text)

    def escape(self, value: object) -> Markup:
        """Escape the value; one that is HTML stays as it is."""
        if isinstance(value, Markup):
            return value
        text = self.text(value)
        self.budget.make(len(text))
        return escape(text)

    def default(self, value: object, otherwise: object = "", boolean: bool = False) -> object:
        """Give another value for one that is missing, or with `boolean` also for an empty one."""
        missing = isinstance(value, Undefined) or value is None
        return otherwise if missing or (boolean and not value) else value

    def date(self, value: object, language: str = "") -> object:
        """Write the day of a moment."""
        return value if isinstance(value, Undefined) else self.locale.date(_moment(value), language)

    def time(self, value: object) -> object:
        """Write the time of day of a moment."""
        return value if isinstance(value, Undefined) else self.locale.time(_moment(value))

    def truncate(self, value: object, length: int = 255, end: str = "…") -> str:
        """Cut a text that is longer than `length` characters."""
        text, end = self.text(value), self.text(end)
        length = max(0, int(length))
        self.budget.make(min(len(text), length) + len(end))
        return text if len(text) <= length else cut(text, max(0, length - len(end))).rstrip() + end

    def join(self, values: object, between: object = "") -> str:
        """Join the texts of a list, with another between them."""
        if isinstance(values, Undefined):
            return str(values)
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise Refused("The filter `join` needs a list.")
        texts, glue = [self.text(each) for each in values], self.text(between)
        self.budget.make(sum(map(len, texts)) + len(glue) * len(texts))
        return glue.join(texts)

    def replace(self, value: object, old: object, new: object = "") -> str:
        """Replace a text within the value by another, everywhere."""
        text, old_text, new_text = self.text(value), self.text(old), self.text(new)
        if not old_text:
            raise Refused("The filter `replace` needs a text to look for.")
        self.budget.make(len(text) + text.count(old_text) * len(new_text))
        return text.replace(old_text, new_text)

    def nl2br(self, value: object) -> Markup:
        """Write the line breaks of a text as HTML."""
        text = self.text(value).strip()
        self.budget.make(len(text) * 6)
        return Markup(str(escape(text)).replace("\n", "<br>\n"))  # noqa: S704 - escaped just now


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise Refused("The filters `date` and `time` need a date.")
    return value
