"""Conditions and queries as SQL: each shape of a query is built once, then only its values change.

A shape is the query without its values, as a tuple that can be compared; `Values` are gathered in
the order in which the shape names them and become the parameters `b0`, `b1` and so on.

Comparisons without regard to case are done by the database's `lower`. On SQLite it knows ASCII
letters only: enough for the mail addresses of `In`, which an index serves, but not for parts of
texts, which `letters.lowered` compares.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, assert_never

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
)

from limepkg_email.errors import InvalidInput
from limepkg_email.query import (
    And,
    AtLeast,
    Condition,
    Contains,
    Equals,
    In,
    LessThan,
    Not,
    Or,
    Order,
    Query,
    StartsWith,
)
from limepkg_email.reference.letters import lowered
from limepkg_email.reference.schema import LimetypeTable, PropertyColumn

Shape = tuple[Any, ...]

GREATEST_IN = 30_000
"""Values that one `In` may have; SQLite takes 32,766 parameters in one statement."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A statement that was built for the shape of a query, and the properties it reads."""

    statement: Select[Any]
    names: tuple[str, ...]


class Parameters:
    """Gathers the values of one condition, checked, in the order of its shape."""

    __slots__ = ("_table", "values")

    def __init__(self, table: LimetypeTable) -> None:
        self._table = table
        self.values: dict[str, Any] = {}

    def add(self, name: str, value: object) -> None:
        """Take the value of a comparison with the property."""
        self.values[f"b{len(self.values)}"] = self._table.compared(name, value)

    def add_pattern(self, name: str, part: str) -> None:
        """Take a part of a text, so that its own wildcards mean nothing."""
        checked = str(self._table.compared(name, part))
        for special in ("\\", "%", "_"):
            checked = checked.replace(special, "\\" + special)
        self.values[f"b{len(self.values)}"] = checked


def shape(condition: Condition, parameters: Parameters) -> Shape:
    """Give the shape of a condition and gather its values."""
    match condition:
        case Equals(name, None):
            return ("empty", name)
        case Equals(name, value) | AtLeast(name, value) | LessThan(name, value):
            parameters.add(name, value)
            return (type(condition), name)
        case In(name, values, ignore_case):
            return _in_shape(name, values, ignore_case, parameters)
        case StartsWith(name, part) | Contains(name, part):
            parameters.add_pattern(name, part)
            return (type(condition), name)
        case And(conditions) | Or(conditions):
            return (type(condition), *[shape(each, parameters) for each in conditions])
        case Not(inner):
            return (Not, shape(inner, parameters))
        case _:
            assert_never(condition)


def _in_shape(
    name: str, values: Sequence[object], ignore_case: bool, parameters: Parameters
) -> Shape:
    present = [each for each in values if each is not None]
    if len(present) > GREATEST_IN:
        raise InvalidInput(f"{name}: more than {GREATEST_IN} values to compare with")
    # The last value is repeated so that few numbers of values, and so few shapes, occur.
    size = _padded(len(present))
    for value in present + present[-1:] * (size - len(present)):
        parameters.add(name, value)
    return (In, name, size, ignore_case, len(present) < len(values))


def _padded(number: int) -> int:
    if number > 1024:
        return min(-(-number // 1024) * 1024, GREATEST_IN)
    return number and 1 << (number - 1).bit_length()


def expression(table: LimetypeTable, found: Shape) -> ColumnElement[bool]:
    """Build the SQL of a shape; raises `InvalidInput` for properties that do not exist."""
    return _expression(table, found, count())


def _expression(table: LimetypeTable, found: Shape, number: Iterator[int]) -> ColumnElement[bool]:
    kind, *rest = found
    if kind is And:
        return and_(true(), *[_expression(table, each, number) for each in rest])
    if kind is Or:
        return or_(false(), *[_expression(table, each, number) for each in rest])
    if kind is Not:
        # An empty property makes a comparison neither true nor false; `IS NOT true` covers both.
        return _expression(table, rest[0], number).is_not(true())
    return _comparison(table.column(rest[0]), kind, rest[1:], number)


def _comparison(
    found: PropertyColumn, kind: Hashable, rest: list[Any], number: Iterator[int]
) -> ColumnElement[bool]:
    column = found.column
    if kind == "empty":
        return column.is_(None)
    if kind is In:
        return _in(found, *rest, number=number)
    if kind is Equals:
        return column == _bind(found, number)
    if kind is AtLeast:
        return column >= _bind(found, number)
    if kind is LessThan:
        return column < _bind(found, number)
    return _like(found, _bind(found, number), anywhere=kind is Contains)


def _in(
    found: PropertyColumn, size: int, ignore_case: bool, empty: bool, *, number: Iterator[int]
) -> ColumnElement[bool]:
    parameters: list[ColumnElement[Any]] = [_bind(found, number) for _ in range(size)]
    column: ColumnElement[Any] = found.column
    if ignore_case and found.textual:
        # The database lowers both sides, because Python and the databases do it differently.
        column, parameters = func.lower(column), [func.lower(each) for each in parameters]
    matching = column.in_(parameters) if parameters else false()
    return or_(matching, found.column.is_(None)) if empty else matching


def _like(
    found: PropertyColumn, parameter: BindParameter[Any], *, anywhere: bool
) -> ColumnElement[bool]:
    if not found.textual:
        raise InvalidInput(f"{found.name} holds no text to search in")
    pattern = "%" + parameter + "%" if anywhere else parameter + "%"
    return lowered(found.column).like(lowered(pattern), escape="\\")


def _bind(found: PropertyColumn, number: Iterator[int]) -> BindParameter[Any]:
    return bindparam(f"b{next(number)}", type_=found.column.type)


def query_shape(query: Query, parameters: Parameters) -> Shape:
    """Give the shape of a query and gather its values."""
    where = shape(query.where, parameters)
    if query.limit is not None:
        parameters.values["limit_"] = query.limit
    if query.offset:
        parameters.values["offset_"] = query.offset
    return (
        Query,
        where,
        query.order_by,
        query.limit is None,
        query.offset == 0,
        query.properties,
    )


def selection(table: LimetypeTable, found: Shape) -> Selection:
    """Build the statement for the shape of a query."""
    _, where, order_by, unlimited, from_start, properties = found
    names = _names(table, properties)
    statement = select(*[table.column(name).column for name in names])
    statement = statement.where(expression(table, where)).order_by(*_order(table, order_by))
    if not unlimited:
        statement = statement.limit(bindparam("limit_"))
    if not from_start:
        statement = statement.offset(bindparam("offset_"))
    return Selection(statement, names)


def _names(table: LimetypeTable, properties: tuple[str, ...] | None) -> tuple[str, ...]:
    wanted = table.columns if properties is None else properties
    return ("id", *dict.fromkeys(name for name in wanted if name != "id"))


def _order(table: LimetypeTable, order_by: Sequence[Order]) -> Iterator[ColumnElement[Any]]:
    for order in order_by:
        column = table.column(order.property).column
        if order.property == "id":
            yield column.desc() if order.descending else column.asc()
            return
        # Empty is the least value, as it is on SQLite anyway.
        yield column.desc().nulls_last() if order.descending else column.asc().nulls_first()
    # Without it, equal objects could change places from page to page.
    yield table.table.c.id.asc()
