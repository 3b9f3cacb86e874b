"""Every endpoint works on the demo, and the document's examples are what it really answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import validator_for

from .run import EXAMPLES, walked
from .steps import SPECIFIED
from .walker import Call

DOCUMENT = json.loads((Path(__file__).parents[1] / "golden" / "openapi.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Call]:
    return walked(tmp_path_factory.mktemp("walk"))


def documented() -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method != "parameters"
    }


def test_every_endpoint_of_the_specification_answers_well(found: dict[str, Call]) -> None:
    for endpoint in SPECIFIED:
        assert 200 <= found[endpoint].status < 300, found[endpoint]


def test_the_walk_leaves_no_endpoint_out(found: dict[str, Call]) -> None:
    assert set(found) == documented()


def test_every_answer_is_the_documented_one(found: dict[str, Call]) -> None:
    for call in found.values():
        schema = answer_schema(call.endpoint, call.status)
        if schema is not None:
            validate(schema, call.response)


def test_the_examples_of_the_document_are_calls_as_they_can_be_made() -> None:
    examples = json.loads(EXAMPLES.read_text("utf-8"))
    assert set(examples) == documented(), "run python -m tests.walk"
    for endpoint, example in examples.items():
        request = request_schema(endpoint)
        if request is not None and "request" in example:
            validate(request, example["request"])
        answer = answer_schema(endpoint, example["status"])
        if answer is not None and "response" in example:
            validate(answer, example["response"])


def operation(endpoint: str) -> dict[str, Any]:
    method, path = endpoint.split()
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def request_schema(endpoint: str) -> Any:
    content = operation(endpoint).get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def answer_schema(endpoint: str, status: int) -> Any:
    answer = operation(endpoint)["responses"].get(str(status), {})
    return answer.get("content", {}).get("application/json", {}).get("schema")


def validate(schema: Any, value: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    validator_for(whole).validate(value)
