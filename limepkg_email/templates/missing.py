"""What stands for a value that is missing: an error when a mail is sent, a mark in a preview."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError
from markupsafe import Markup


class Missing(StrictUndefined):
    """A missing value that may be asked for (`{% if parent %}`), yet not written."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __str__(self) -> str:  # type: ignore[override]
        raise UndefinedError(f"`{self._undefined_name}` has no value")


class Marked(Undefined):
    """A missing value that is written as a mark everybody sees."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"[{self._undefined_name}?]"

    def __html__(self) -> str:
        return str(Markup('<mark style="background-color: #fff3a0">{}</mark>').format(str(self)))

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __lt__(self, _: object) -> bool:  # type: ignore[override]
        return False

    __gt__ = __le__ = __ge__ = __lt__  # type: ignore[assignment]


def noting(found: dict[str, None]) -> type[Marked]:
    """Make a `Marked` that enters the names of those that are written, in their order."""

    class Noted(Marked):
        __slots__ = ()

        def __str__(self) -> str:
            found[str(self._undefined_name)] = None
            return super().__str__()

    return Noted
