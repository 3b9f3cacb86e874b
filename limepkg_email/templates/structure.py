"""What a template is made of, checked before anything runs: an allow-list of Jinja2's nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite

from jinja2 import nodes

from limepkg_email.templates.budget import Limits
from limepkg_email.templates.context import KNOWN

LOOP = ("index", "index0", "first", "last", "length", "revindex", "revindex0")
"""What may be asked about a loop, as in `loop.first`."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List,
    nodes.Tuple, nodes.Keyword, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub,
    nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.Getattr, nodes.Getitem,
    nodes.If, nodes.For,
)  # fmt: skip
_SENTENCES: Mapping[type[nodes.Node], str] = {
    nodes.Call: "Nothing can be called in a template; filters such as `|upper` can be used.",
    nodes.Pow: "Powers cannot be calculated in a template.",
    nodes.Slice: "Parts of a text cannot be cut out with `[:]`; use the filter `truncate`.",
    nodes.Macro: "Macros cannot be defined in a template.",
    nodes.CallBlock: "Macros cannot be called in a template.",
    nodes.Include: "Other templates cannot be included.",
    nodes.Import: "Other templates cannot be imported.",
    nodes.FromImport: "Other templates cannot be imported.",
    nodes.Extends: "Other templates cannot be extended.",
    nodes.Block: "Blocks cannot be defined in a template.",
    nodes.Assign: "Values cannot be set in a template.",
    nodes.AssignBlock: "Values cannot be set in a template.",
    nodes.With: "Values cannot be set in a template.",
    nodes.FilterBlock: "Filters can be used on values only, as in `{{ user.name|upper }}`.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a template, in which line; `name` is the unknown name, if it is one."""

    line: int
    message: str
    name: str = ""

    @property
    def sentence(self) -> str:
        """The sentence to show to the author."""
        return f"Line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class _Place:
    node: nodes.Node
    depth: int = 0
    loops: int = 0
    bound: frozenset[str] = frozenset()

    def inside(self, node: nodes.Node) -> _Place:
        return _Place(node, self.depth + 1, self.loops, self.bound)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The filters and tests there are, and the limits of nesting."""

    filters: frozenset[str]
    tests: frozenset[str]
    limits: Limits

    def problems(self, template: nodes.Template) -> tuple[list[Problem], list[Problem]]:
        """Give what must not run at all, and which names are unknown, in the order of lines.

        Walks without recursion: the nesting is the author's.
        """
        forbidden: list[Problem] = []
        unknown: list[Problem] = []
        waiting, number = [_Place(template)], 0
        while waiting:
            place = waiting.pop()
            number += 1
            if number > self.limits.parts:
                sentence = f"A template has at most {self.limits.parts:,} parts."
                return [Problem(_line_of(place.node), sentence)], unknown
            if place.depth > self.limits.depth or place.loops > self.limits.loops:
                forbidden.append(Problem(_line_of(place.node), self._too_deep(place)))
                continue
            forbidden.extend(self._forbidden(place))
            unknown.extend(_unknown(place))
            waiting.extend(_below(place))
        return sorted(forbidden, key=_line), sorted(unknown, key=_line)

    def _too_deep(self, place: _Place) -> str:
        if place.loops > self.limits.loops:
            return f"Loops can be nested {self.limits.loops} deep, no deeper."
        return f"Expressions and blocks can be nested {self.limits.depth} deep, no deeper."

    def _forbidden(self, place: _Place) -> Iterator[Problem]:
        node = place.node
        if not isinstance(node, _ALLOWED):
            sentence = _SENTENCES.get(type(node), "This is not possible in a template.")
            yield Problem(_line_of(node), sentence)
        match node:
            case nodes.Const(value=float(number)) if not isfinite(number):
                yield Problem(_line_of(node), "The number is too large.")
            case nodes.Filter(name=name) if name not in self.filters:
                yield Problem(_line_of(node), _no("filter", name, self.filters), name)
            case nodes.Test(name=name) if name not in self.tests:
                yield Problem(_line_of(node), _no("test", name, self.tests), name)
            case nodes.Getattr(attr=attribute) | nodes.Getitem(arg=nodes.Const(value=attribute)):
                if str(attribute).startswith("_"):
                    name = _written(node)
                    yield Problem(_line_of(node), f"`{name}` cannot be used in a template.", name)
                elif isinstance(node, nodes.Getattr) and not isinstance(node.node, nodes.Name):
                    name = _written(node)
                    yield Problem(
                        _line_of(node), f"There is no `{name}`: a text has no parts.", name
                    )
            case nodes.For(recursive=True):
                yield Problem(_line_of(node), "Loops cannot call themselves.")
            case nodes.For():
                yield from _bad_targets(node)


def _below(place: _Place) -> Iterable[_Place]:
    node = place.node
    if not isinstance(node, nodes.For):
        return (place.inside(each) for each in node.iter_child_nodes())
    targets = frozenset(_target_names(node.target)) | {"loop"}
    inner = _Place(node, place.depth, place.loops + 1, place.bound | targets)
    inside = [inner.inside(each) for each in (*node.body, *([node.test] if node.test else []))]
    return [place.inside(node.iter), *(place.inside(each) for each in node.else_), *inside]


def _unknown(place: _Place) -> Iterator[Problem]:
    match place.node:
        case nodes.Name(name=name) if name not in place.bound and name not in KNOWN:
            yield Problem(_line_of(place.node), _no("value", name, KNOWN), name)
        case nodes.Getattr(node=nodes.Name(name=base), attr=attribute):
            yield from _unknown_part(place, base, attribute)
        case nodes.Getitem(node=nodes.Name(name=base), arg=nodes.Const(value=str(attribute))):
            yield from _unknown_part(place, base, attribute)


def _unknown_part(place: _Place, base: str, attribute: str) -> Iterator[Problem]:
    if base in place.bound:
        parts: tuple[str, ...] = LOOP if base == "loop" else ()
    elif base in KNOWN:
        parts = KNOWN[base]
    else:
        return  # the name itself is the problem
    if attribute not in parts:
        name = f"{base}.{attribute}"
        offered = [f"{base}.{each}" for each in parts]
        yield Problem(_line_of(place.node), _no("value", name, offered), name)


def _bad_targets(node: nodes.For) -> Iterator[Problem]:
    for name in _target_names(node.target):
        if name in KNOWN or name == "loop":
            yield Problem(_line_of(node), f"A loop cannot give `{name}` another meaning.", name)


def _target_names(target: nodes.Node) -> Iterator[str]:
    if isinstance(target, nodes.Name):
        yield target.name
    for each in target.find_all(nodes.Name):
        yield each.name


def _written(node: nodes.Getattr | nodes.Getitem) -> str:
    part = node.attr if isinstance(node, nodes.Getattr) else "[…]"
    base = node.node
    if isinstance(base, nodes.Name):
        return f"{base.name}.{part}"
    if isinstance(base, nodes.Getattr) and isinstance(base.node, nodes.Name):
        return f"{base.node.name}.{base.attr}.{part}"
    return f"….{part}"


def _no(kind: str, name: str, offered: Iterable[str]) -> str:
    close = get_close_matches(name[:100], sorted(offered), n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"There is no {kind} `{name[:100]}`.{hint}"


def _line(problem: Problem) -> int:
    return problem.line


def _line_of(node: nodes.Node) -> int:
    return node.lineno or 0
