"""Checking request bodies and queries, with the messages that the real engine gives."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from limepkg_email.sandbox.dates import parse_iso
from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import Json

_EMAIL = re.compile(
    r"[^\s@<>,;:()\"\\\[\]]+@(?:[A-Za-z0-9\u0080-\uffff-]+\.)+([A-Za-z\u0080-\uffff-]{2,63})\Z"
)
# Top-level domains that are reserved and therefore not registered.
_UNREGISTERED = frozenset({"test", "example", "invalid", "localhost", "local", "lan", "internal"})
_TRUE = frozenset({"true", "Y", "1"})
_FALSE = frozenset({"false", "N", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """What a value must be: a kind, and limits for some kinds."""

    kind: str = "any"
    required: bool = False
    label: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    keys: "Mapping[str, Field] | None" = None
    item: "Field | None" = None
    default: Any = None
    nullable: bool = False


@dataclass(slots=True)
class _Problems:
    found: list[Json] = field(default_factory=list)

    def add(self, path: str, key: str, message: str) -> None:
        self.found.append({"message": f'"{path}" {message}', "key": key})


def check(values: Any, fields: Mapping[str, Field]) -> Json:
    """The checked values with defaults filled in; raises a 400 that names every fault."""
    problems = _Problems()
    if not isinstance(values, dict):
        problems.add("value", "value", "must be of type object")
        checked: Json = {}
    else:
        checked = _check_object(values, fields, "", problems)
    if problems.found:
        raise invalid(problems.found)
    return checked


def invalid(fields: list[Json]) -> ApiError:
    """The 400 that lists what is wrong."""
    return ApiError(400, "Invalid input", fields=fields)


def is_email(text: str) -> bool:
    """Whether this is an address under a registered top-level domain."""
    match = _EMAIL.match(text)
    return bool(match) and match is not None and match[1].lower() not in _UNREGISTERED


def _check_object(
    values: Json, fields: Mapping[str, Field], prefix: str, problems: _Problems
) -> Json:
    checked: Json = {}
    for key, rule in fields.items():
        label = rule.label if rule.label and not prefix else f"{prefix}{key}"
        if key not in values:
            if rule.required:
                problems.add(label, key, "is required")
            elif rule.default is not None:
                checked[key] = rule.default
            continue
        value = values[key]
        if value is None and rule.nullable:
            checked[key] = None
            continue
        checked[key] = _check_value(value, rule, label, key, problems)
    for key in values:
        if key not in fields:
            problems.add(f"{prefix}{key}", key, "is not allowed")
    return checked


def _check_value(value: Any, rule: Field, label: str, key: str, problems: _Problems) -> Any:
    checker = _CHECKERS[rule.kind]
    return checker(value, rule, label, key, problems)


def _any(value: Any, _rule: Field, _label: str, _key: str, _problems: _Problems) -> Any:
    return value


def _boolean(value: Any, _rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUE | _FALSE:
        return value in _TRUE
    problems.add(label, key, "must be a boolean")
    return None


def _integer(value: Any, rule: Field, label: str, key: str, problems: _Problems) -> Any:
    try:
        number = int(value) if not isinstance(value, bool) else None
    except (ValueError, TypeError):
        number = None
    if number is None:
        problems.add(label, key, "must be a number")
    elif rule.minimum is not None and number < rule.minimum:
        problems.add(label, key, f"must be greater than or equal to {rule.minimum}")
    elif rule.maximum is not None and number > rule.maximum:
        problems.add(label, key, f"must be less than or equal to {rule.maximum}")
    return number


def _string(value: Any, rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if not isinstance(value, str):
        problems.add(label, key, "must be a string")
    elif rule.choices and value not in rule.choices:
        problems.add(label, key, f"must be one of [{', '.join(rule.choices)}]")
    elif not value and (rule.required or rule.minimum):
        problems.add(label, key, "is not allowed to be empty")
    elif rule.maximum is not None and len(value) > rule.maximum:
        problems.add(
            label, key, f"length must be less than or equal to {rule.maximum} characters long"
        )
    return value


def _email(value: Any, _rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if not isinstance(value, str) or not is_email(value):
        problems.add(label, key, "must be a valid email")
    return value


def _uri(value: Any, _rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if not isinstance(value, str) or not re.match(r"https?://[^\s/]+", value):
        problems.add(
            label, key, "must be a valid uri with a scheme matching the http|https pattern"
        )
    return value


def _date(value: Any, _rule: Field, label: str, key: str, problems: _Problems) -> Any:
    try:
        return parse_iso(value)
    except (ValueError, TypeError):
        problems.add(label, key, "must be in ISO 8601 date format")
        return None


def _object(value: Any, rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if not isinstance(value, dict):
        problems.add(label, key, "must be of type object")
        return {}
    return value if rule.keys is None else _check_object(value, rule.keys, f"{label}.", problems)


def _array(value: Any, rule: Field, label: str, key: str, problems: _Problems) -> Any:
    if not isinstance(value, list):
        problems.add(label, key, "must be an array")
        return []
    if rule.item is None:
        return value
    return [
        _check_value(entry, rule.item, f"{label}[{index}]", str(index), problems)
        for index, entry in enumerate(value)
    ]


_CHECKERS: Mapping[str, Callable[[Any, Field, str, str, _Problems], Any]] = {
    "any": _any,
    "boolean": _boolean,
    "integer": _integer,
    "string": _string,
    "email": _email,
    "uri": _uri,
    "date": _date,
    "object": _object,
    "array": _array,
}

BOOLEAN = Field("boolean")
STRING = Field("string")
INTEGER = Field("integer", minimum=0)
DATE = Field("date")
STRINGS = Field("array", item=STRING)
HEADER_LIST = Field(
    "array",
    item=Field("object", keys={"key": Field("string", required=True), "value": STRING}),
)
PAGING: Mapping[str, Field] = {
    "page": Field("integer", label="PageNumber", minimum=0, maximum=1024 * 1024, default=0),
    "pageSize": Field("integer", label="PageSize", minimum=1, maximum=1000, default=20),
}
