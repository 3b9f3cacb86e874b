"""The OpenAPI document as it is served: paths as they are called, who may call them, examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Flask

from limepkg_email.endpoints.fields import GREATEST_ID
from limepkg_email.endpoints.methods import METHODS
from limepkg_email.endpoints.permissions import access_of

_KEY = "key"
_SECURITY = {
    _KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "A key of a user, where the CRM gives such keys; a browser in which the user"
        " is signed in to the CRM needs none.",
    }
}
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def permissions(app: Flask, prefix: str, names: set[str]) -> dict[tuple[str, str], str]:
    """Give the permission of each (path, method) of the blueprints of these names."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] not in names:
            continue
        access = access_of(app.view_functions[rule.endpoint])
        path = _CONVERTER.sub(r"{\1}", rule.rule.removeprefix(prefix))
        for method in (rule.methods or set()) & set(METHODS):
            found[path, method] = access.permission
    return found


def describe(
    document: dict[str, Any],
    prefix: str,
    base_url: str,
    access: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """Make the document of one application out of what flask-smorest found.

    `prefix` is the rule below which the endpoints are mounted, `base_url` the same for this
    application: it becomes the server, so that paths read as in the documentation.
    """
    document = _with_patterns_of_json_schema(document)
    rule = _CONVERTER.sub(r"{\1}", prefix)
    paths = {path.removeprefix(rule): item for path, item in document["paths"].items()}
    for path, item in paths.items():
        item["parameters"] = _of_the_path(item.get("parameters", []))
        for method, operation in _operations(item):
            _say_who(operation, access[path, method])
            _show(operation, examples().get(f"{method} {path}", {}))
    components = {**document["components"], "securitySchemes": _SECURITY}
    return {
        **document,
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": components,
    }


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Give recorded calls by method and path: `request`, `status` and `response`."""
    text = files("limepkg_email.endpoints").joinpath("examples.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def _operations(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in METHODS:
        if method.lower() in item:
            yield method, item[method.lower()]


def _with_patterns_of_json_schema(value: Any) -> Any:
    """Write the end of a text as ECMA 262 does, which JSON Schema's patterns follow."""
    if isinstance(value, list):
        return [_with_patterns_of_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: each.replace(r"\Z", "$")
        if name == "pattern" and isinstance(each, str)
        else _with_patterns_of_json_schema(each)
        for name, each in value.items()
    }


def _of_the_path(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [each for each in parameters if each["name"] != "application"]
    for each in found:
        if each["schema"].get("type") == "integer":
            each["schema"]["maximum"] = GREATEST_ID
    return found


def _say_who(operation: dict[str, Any], permission: str) -> None:
    if not permission:
        operation["security"] = []
        return
    operation["security"] = [{_KEY: []}]
    operation["x-permission"] = permission
    description = operation.get("description", "")
    operation["description"] = f"{description}\n\nNeeds `{permission}`.".strip()
    for status, meaning in (("401", "Nobody is signed in."), ("403", "Without the permission.")):
        operation["responses"].setdefault(status, _error(meaning))


def _error(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _show(operation: dict[str, Any], example: Mapping[str, Any]) -> None:
    if "request" in example:
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            content["application/json"]["example"] = example["request"]
    if "response" in example:
        answer = operation["responses"].get(str(example["status"]), {})
        if "application/json" in answer.get("content", {}):
            answer["content"]["application/json"]["example"] = example["response"]
