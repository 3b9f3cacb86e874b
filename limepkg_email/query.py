"""The vocabulary in which the package asks a host for limeobjects: small frozen values, no strings.

A host translates a `Query` into its own database language. The vocabulary is deliberately small: a
host author has to implement nine conditions and an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Equals:
    """The property has this value; `None` finds objects where it is empty."""

    property: str
    value: object


@dataclass(frozen=True, slots=True)
class In:
    """The property has one of these values; no value finds nothing.

    With `ignore_case` strings are compared without regard to case, as mail addresses are.
    """

    property: str
    values: Sequence[object]
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The string property starts with this text (case-insensitively)."""

    property: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Contains:
    """The string property contains this text (case-insensitively)."""

    property: str
    text: str


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The property is greater than or equal to the value."""

    property: str
    value: object


@dataclass(frozen=True, slots=True)
class LessThan:
    """The property is less than the value."""

    property: str
    value: object


@dataclass(frozen=True, slots=True)
class And:
    """Every condition holds; no condition at all holds for every object."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one condition holds; no condition at all holds for no object."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition


Condition = Equals | In | StartsWith | Contains | AtLeast | LessThan | And | Or | Not


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by this property; the property `id` exists on every limetype."""

    property: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which objects of a limetype are wanted, in which order, and which of their properties.

    `properties` limits what is read (`None` reads all); `id` always comes along.
    """

    limetype: str
    where: Condition = And()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    properties: tuple[str, ...] | None = None
