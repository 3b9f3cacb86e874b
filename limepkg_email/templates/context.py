"""The values that a template may use: which names there are, and plain values for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType

from markupsafe import Markup

Value = str | int | datetime | None
Values = Mapping[str, Mapping[str, Value] | None]
"""By name what a template may write, such as `values["recipient"]["email"]`.

`None` is a value that is missing. `Markup` is sanitised HTML; every other text is escaped.
"""


@dataclass(frozen=True, slots=True)
class ConversationValues:
    """The conversation, as a template sees it."""

    id: int
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ParentValues:
    """The CRM object on which the conversation hangs; `url` is its page."""

    id: int
    title: str = ""
    limetype: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class PersonValues:
    """Somebody with a name, which may be empty, and a mail address."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class MessageValues:
    """A message: `body` is sanitised HTML, `author` the name or address of who wrote it."""

    subject: str = ""
    preview: str = ""
    body: str = ""
    date: datetime | None = None
    author: str = ""


_PARTS: Mapping[str, type] = {
    "conversation": ConversationValues,
    "parent": ParentValues,
    "recipient": PersonValues,
    "account": PersonValues,
    "user": PersonValues,
    "message": MessageValues,
}
KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(each.name for each in fields(part)) for name, part in _PARTS.items()}
)
"""Every name that a template may use, with its parts."""


def context_for(
    conversation: ConversationValues | None = None,
    parent: ParentValues | None = None,
    recipient: PersonValues | None = None,
    account: PersonValues | None = None,
    user: PersonValues | None = None,
    message: MessageValues | None = None,
) -> Values:
    """Make the values of a template; what is left out is missing."""
    given = {
        "conversation": conversation,
        "parent": parent,
        "recipient": recipient,
        "account": account,
        "user": user,
        "message": message,
    }
    return MappingProxyType({name: _plain(part) for name, part in given.items()})


def _plain(
    part: ConversationValues | ParentValues | PersonValues | MessageValues | None,
) -> Mapping[str, Value] | None:
    if part is None:
        return None
    values: dict[str, Value] = {each.name: getattr(part, each.name) for each in fields(part)}
    if isinstance(part, MessageValues):
        values["body"] = Markup(part.body)  # noqa: S704 - sanitised, as `MessageValues` asks
    return MappingProxyType(values)
