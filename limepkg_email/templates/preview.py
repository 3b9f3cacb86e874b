"""How a template looks with values made up for the purpose, while somebody writes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from limepkg_email.templates.context import (
    ConversationValues,
    MessageValues,
    ParentValues,
    PersonValues,
    Value,
    Values,
    context_for,
)
from limepkg_email.templates.filters import Locale
from limepkg_email.templates.rendering import Rendered, TemplateSource, render

MOCKED: Values = context_for(
    ConversationValues(1, "The delivery of order 4711"),
    ParentValues(1, "Order 4711 is late", "helpdesk", "https://crm.example/helpdesk/1"),
    PersonValues("Alva Lind", "alva.lind@example.com"),
    PersonValues("Support", "support@example.org"),
    PersonValues("Sam Berg", "sam.berg@example.org"),
    MessageValues(
        "The delivery of order 4711",
        "When will the parcel come?",
        "<p>When will the parcel come?</p>",
        datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        "Alva Lind",
    ),
)
"""Examples of all values."""


def preview(
    source: TemplateSource,
    values: Values | None = None,
    *,
    locale: Locale | None = None,
) -> Rendered:
    """Render the template; a value that is missing or unknown is marked as `[parent.title?]`.

    `values` replace examples: a whole name (`{"parent": None}` is a conversation without one) or
    some of its parts. A template that cannot be read raises `TemplateError`.
    """
    return render(source, _mixed(values or {}), strict=False, locale=locale)


def _mixed(values: Values) -> Values:
    mixed: dict[str, Mapping[str, Value] | None] = dict(MOCKED)
    for name, given in values.items():
        if name in mixed:
            mixed[name] = None if given is None else _parts(mixed[name] or {}, given)
    return MappingProxyType(mixed)


def _parts(examples: Mapping[str, Value], given: Mapping[str, Value]) -> Mapping[str, Value]:
    return {**examples, **{name: given[name] for name in given if name in examples}}
