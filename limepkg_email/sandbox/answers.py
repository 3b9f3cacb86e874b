"""Reading requests and writing answers, the same way in every endpoint."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request

from limepkg_email.sandbox.errors import ApiError
from limepkg_email.sandbox.json_types import to_bytes

JSON_TYPE = "application/json; charset=utf-8"


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    response = Response(to_bytes(body), status, content_type=JSON_TYPE)
    response.headers["Cache-Control"] = "no-cache"
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def error_answer(error: ApiError) -> Response:
    """The answer for an error."""
    return answer(error.body(), error.status, error.headers)


def body() -> Any:
    """The JSON body of the request; an absent one is an empty object."""
    data = request.get_data()
    if not data:
        return {}
    try:
        return json.loads(data)
    except ValueError as error:
        raise ApiError(400, "Invalid request payload JSON format") from error


def query() -> dict[str, str]:
    """The query of the request without the token."""
    return {key: value for key, value in request.args.items() if key != "access_token"}
