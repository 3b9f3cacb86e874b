"""Making a mail's subject and HTML from a template, without trusting whoever wrote the template.

Jinja2's sandbox keeps templates away from Python, and `structure` from everything that is not in
its list; `budget` bounds time and memory, which the sandbox does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from traceback import walk_tb
from typing import cast

from jinja2 import Template as Compiled
from jinja2 import TemplateRuntimeError, TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from limepkg_email.errors import TemplateError
from limepkg_email.mail_html import mail_safe
from limepkg_email.templates.budget import Budget, Limits, Refused
from limepkg_email.templates.context import Values
from limepkg_email.templates.filters import Filters, Locale
from limepkg_email.templates.missing import Marked, Missing, noting
from limepkg_email.templates.structure import LOOP, Grammar, Problem
from limepkg_email.text import one_line

MAX_SUBJECT = 512
"""Longest subject, in characters; longer ones are cut."""
# Filters whose names cannot be written in a template: what the author wrote otherwise.
_COUNTED = "counted in loops"
_JOINED = "joined by ~"
_SOUGHT = "sought by in"
# Not `odd`, `even` or `divisibleby`: their `%` formats texts, to any length.
_TESTS = ("defined", "undefined", "none", "number", "string")
_LONGEST_REPETITION = 10_000
_GREATEST_NUMBER = 10**15
_FAILURES = (
    TemplateRuntimeError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    NameError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """What an author wrote: subject, HTML body, and the language that dates are written in."""

    subject: str
    body: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A subject in one line, and sanitised HTML with its styles inlined.

    `missing` are the names that were written although they have no value.
    """

    subject: str
    html: str
    missing: tuple[str, ...] = ()


def render(
    source: TemplateSource,
    values: Values,
    *,
    strict: bool = True,
    locale: Locale | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    clock: Callable[[], float] = time.monotonic,
) -> Rendered:
    """Render the template; raises `TemplateError` with field, line and reason.

    Writing a missing value is an error, unless `strict` is off: then a visible mark stands for it.
    """
    locale = locale or Locale(source.language)
    budget = Budget(limits, clock)
    outcomes: dict[str, str] = {}
    missing: dict[str, None] = {}
    undefined = Missing if strict else noting(missing)
    for field, text in (("subject", source.subject), ("body", source.body)):
        environment = _Environment(budget, limits, locale, undefined, html=field == "body")
        outcomes[field] = _rendered(environment, field, text, values)
    subject = one_line(outcomes["subject"], MAX_SUBJECT)
    return Rendered(subject, mail_safe(outcomes["body"]), tuple(missing))


def check(
    source: TemplateSource,
    values: Values,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> None:
    """Refuse a template that cannot be rendered, or that uses names nobody knows.

    Everything that is wrong is named at once, in `TemplateError.errors`. `values` are examples of
    every value, with which the template is tried.
    """
    errors: dict[str, list[str]] = {}
    for field, text in (("subject", source.subject), ("body", source.body)):
        found = _problems(field, text, limits)
        if found:
            errors[field] = [each.sentence for each in found]
    if errors:
        raise template_error(errors)
    render(source, values, limits=limits)


def template_error(errors: Mapping[str, Iterable[str]]) -> TemplateError:
    """Make the error that says all the sentences, each with its field."""
    listed = {field: list(dict.fromkeys(sentences)) for field, sentences in errors.items()}
    message = " ".join(
        f"{field.capitalize()}: {each}" for field, sentences in listed.items() for each in sentences
    )
    return TemplateError(message, errors=listed)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox of one field of one template."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset("+-")

    def __init__(
        self,
        budget: Budget,
        limits: Limits,
        locale: Locale,
        undefined: type[Undefined] = Missing,
        *,
        html: bool,
    ) -> None:
        super().__init__(
            autoescape=html,
            undefined=undefined,
            finalize=self._shown,
            optimized=False,
            loader=None,
            cache_size=0,
        )
        self.budget = budget
        self.limits = limits
        self.offered = Filters(budget, locale)
        self.filters = dict(self.offered.by_name())
        self.tests = {name: self.tests[name] for name in _TESTS}
        self.globals = {}
        self.grammar = Grammar(frozenset(self.filters), frozenset(self.tests), limits)
        self.filters |= {_COUNTED: self._counted, _JOINED: self._joined, _SOUGHT: _sought}

    def getattr(self, obj: object, attribute: str) -> object:
        """Give a part of a value; nothing else has attributes here, whatever Python says."""
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """Give a part of a value, or an item of a list."""
        if isinstance(obj, _Part):
            value = obj.values.get(str(argument))
            return self.undefined(name=f"{obj.name}.{argument}") if value is None else value
        if isinstance(obj, Undefined):
            return self.undefined(name=f"{obj._undefined_name}.{argument}")
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, int):
            return (
                obj[argument] if -len(obj) <= argument < len(obj) else self.undefined(name="item")
            )
        return self.undefined(name=str(argument)[:100])

    def is_safe_callable(self, _: object) -> bool:
        """Call nothing."""
        return False

    def call_binop(self, _: Context, operator: str, left: object, right: object) -> object:
        """Calculate with numbers, join texts; both within bounds."""
        self.budget.tick()
        for each in (left, right):
            if isinstance(each, Marked):
                return each
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self._joined([left, right])
        if operator == "*" and isinstance(left, str) != isinstance(right, str):
            return self._repeated(left, right)
        for each in (left, right):
            if isinstance(each, Undefined):
                str(each)  # says what is missing
            if not isinstance(each, (int, float)):
                raise Refused(f"`{operator}` calculates with numbers only.")
        result = self.binop_table[operator](left, right)
        if abs(result) > _GREATEST_NUMBER:
            raise Refused("The result is too large a number.")
        return result

    def call_unop(self, _: Context, operator: str, arg: object) -> object:
        """Change the sign of numbers."""
        if isinstance(arg, Marked):
            return arg
        return self.unop_table[operator](arg)

    def _repeated(self, left: object, right: object) -> str:
        text, times = (left, right) if isinstance(left, str) else (right, left)
        if not isinstance(times, int) or len(str(text)) * times > _LONGEST_REPETITION:
            raise Refused(f"A text can be repeated up to {_LONGEST_REPETITION:,} characters.")
        return self.offered.text(text) * times

    def _counted(self, items: object, line: int) -> Iterable[object]:
        if isinstance(items, Missing):
            str(items)
        if isinstance(items, _Part) or not isinstance(items, Iterable):
            raise Refused("A loop needs a list.")
        return self.budget.counted(items, line)

    def _joined(self, values: Iterable[object]) -> str:
        texts = [each if isinstance(each, str) else self.offered.text(each) for each in values]
        self.budget.make(sum(map(len, texts)))
        if self.autoescape and any(isinstance(each, Markup) for each in texts):
            return Markup("").join(texts)
        return "".join(map(self.offered.text, texts))

    def _shown(self, value: object) -> object:
        if isinstance(value, _Part):
            raise Refused(f"`{value.name}` is more than one text; write one of its parts.")
        if isinstance(value, Marked) or (self.autoescape and isinstance(value, Markup)):
            return value
        return self.offered.text(value)


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    values: Mapping[str, str | int | datetime | None]


def _rendered(environment: _Environment, field: str, text: str, values: Values) -> str:
    template = _compiled(environment, field, text)
    known = {name: _Part(name, part) for name, part in values.items() if part is not None}
    pieces: list[str] = []
    try:
        for piece in template.generate(known):
            environment.budget.write(len(piece))
            pieces.append(piece)
    except Refused as error:
        problem = Problem(_line_of(error) or environment.budget.line, str(error))
        raise template_error({field: [problem.sentence]}) from error
    except _FAILURES as error:
        problem = Problem(_line_of(error), f"This cannot be worked out: {_reason(error)}")
        raise template_error({field: [problem.sentence]}) from error
    return "".join(pieces)


def _compiled(environment: _Environment, field: str, text: str) -> Compiled:
    tree = _parsed(environment, field, text)
    forbidden, _ = environment.grammar.problems(tree)
    if forbidden:
        raise template_error({field: [each.sentence for each in forbidden]})
    for loop in tree.find_all(nodes.For):
        line = nodes.Const(loop.lineno, lineno=loop.lineno)
        loop.iter = _filter(cast("nodes.Expr", loop.iter), _COUNTED, [line])
    for compared in tree.find_all(nodes.Compare):
        if any(each.op in ("in", "notin") for each in compared.ops):
            compared.expr = _filter(compared.expr, _SOUGHT, [])
    _replace_joins(tree)
    tree.set_environment(environment)
    try:
        return Compiled.from_code(environment, environment.compile(tree), environment.globals)
    except (TemplateSyntaxError, SyntaxError, RecursionError) as error:
        raise template_error({field: ["The template is nested too deep."]}) from error


def _problems(field: str, text: str, limits: Limits) -> list[Problem]:
    budget = Budget(limits, time.monotonic)
    environment = _Environment(budget, limits, Locale(), html=True)
    try:
        tree = _parsed(environment, field, text)
    except TemplateError as error:
        return [Problem(0, each) for each in error.errors[field]]
    forbidden, unknown = environment.grammar.problems(tree)
    return sorted((*forbidden, *unknown), key=lambda each: each.line)


def _parsed(environment: _Environment, field: str, text: str) -> nodes.Template:
    if len(text) > environment.limits.source:
        sentence = f"A template has at most {environment.limits.source:,} characters."
        raise template_error({field: [sentence]})
    try:
        return environment._parse(text, None, None)
    except TemplateSyntaxError as error:
        message = (error.message or "This is not written as a template is.").rstrip(".") + "."
        sentence = Problem(error.lineno, message[0].upper() + message[1:]).sentence
        raise template_error({field: [sentence]}) from error
    except RecursionError as error:
        raise template_error({field: ["The template is nested too deep."]}) from error
    except ValueError as error:
        raise template_error({field: ["The template has a number that is too long."]}) from error


def _replace_joins(tree: nodes.Node) -> None:
    # `a ~ b` is not among the operators that the sandbox lets one watch.
    for parent in [tree, *tree.find_all(nodes.Node)]:
        for name, value in parent.iter_fields():
            if isinstance(value, nodes.Concat):
                setattr(parent, name, _join_of(value))
            elif isinstance(value, list):
                value[:] = [_join_of(x) if isinstance(x, nodes.Concat) else x for x in value]


def _join_of(node: nodes.Concat) -> nodes.Filter:
    return _filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED, [])


def _filter(node: nodes.Expr, name: str, arguments: list[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(node, name, arguments, [], None, None, lineno=node.lineno)


def _sought(value: object) -> object:
    # Python looks for nothing but texts in a text, a mark included.
    return str(value) if isinstance(value, Undefined) else value


def _line_of(error: BaseException) -> int:
    lines = [
        line
        for frame, line in walk_tb(error.__traceback__)
        if "__jinja_exception__" in frame.f_globals
    ]
    return lines[-1] if lines else 0


def _reason(error: Exception) -> str:
    match error:
        case ZeroDivisionError():
            return "something is divided by zero."
        case TemplateRuntimeError():
            return (error.message or "something is missing.").rstrip(".") + "."
        case TypeError() | ValueError() | AttributeError():
            return "a value or filter is used in a way that it does not allow."
    return "the calculation fails."
