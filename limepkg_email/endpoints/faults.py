"""How an error becomes an answer: one JSON shape, and only for the package's own endpoints."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, jsonify
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException, default_exceptions

from limepkg_email.endpoints.current import request_id
from limepkg_email.errors import (
    BadRequest,
    DatabaseUnavailable,
    EmailIntegrationError,
    InvalidInput,
)

logger = logging.getLogger(__name__)

RETRY_AFTER = 5
"""Seconds after which to try again what is unavailable, unless the error knows better."""


class ErrorSchema(ma.Schema):
    """An error, whatever its status."""

    code = ma.fields.String(required=True, metadata={"description": "Stable, for programs."})
    message = ma.fields.String(required=True, metadata={"description": "A sentence for people."})
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        required=True,
        metadata={"description": "Sentences per field of the request; `a.0.b` is nested."},
    )
    request_id = ma.fields.String(
        required=True, metadata={"description": "Under this id the request stands in the log."}
    )


def answer_errors(blueprint: Blueprint) -> None:
    """Answer every error that happens inside the blueprint in the package's own shape."""
    # One by one as well: a host's handler for a status would win over ours for all of them.
    for status in default_exceptions:
        blueprint.register_error_handler(status, _http_error)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(EmailIntegrationError, _own_error)
    for unavailable in (exc.OperationalError, exc.InterfaceError, exc.TimeoutError):
        blueprint.register_error_handler(unavailable, _database_error)
    blueprint.register_error_handler(Exception, _unexpected_error)


def flatten(messages: object, path: str = "") -> dict[str, list[str]]:
    """Turn the nested messages of marshmallow into sentences per dotted path."""
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in messages.items():
            below = f"{path}.{name}" if path else str(name)
            # `_schema` is marshmallow's name for the object as a whole.
            found.update(flatten(inner, path if name == "_schema" else below))
        return found
    sentences = messages if isinstance(messages, list) else [messages]
    return {path: [str(each) for each in sentences]}


def _own_error(error: EmailIntegrationError) -> Response:
    response = _answer(error.status, error.code, error.message, error.errors)
    if error.status == 503:
        response.headers["Retry-After"] = str(math.ceil(getattr(error, "delay", RETRY_AFTER)))
    if error.status >= 500:
        logger.warning("%s: %s (request %s)", error.code, error.message, request_id())
    return response


def _http_error(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    messages = getattr(error, "data", {}).get("messages")
    if messages is not None:
        return _own_error(_refused(error.code or 422, messages))
    name = error.name.lower().replace(" ", "_")
    response = _answer(error.code or 500, name, error.description or error.name, {})
    for header, value in error.get_headers():
        if header not in ("Content-Type", "Content-Length"):
            response.headers[header] = value
    return response


def _refused(status: int, messages: Mapping[str, Any]) -> EmailIntegrationError:
    # webargs puts the messages below the place where the values came from.
    inner = {key: value for each in messages.values() for key, value in _named(each).items()}
    if status == 400:
        return BadRequest("The body is not JSON.")
    return InvalidInput(errors=flatten(inner))


def _named(messages: object) -> Mapping[str, Any]:
    return messages if isinstance(messages, Mapping) else {"_schema": messages}


def _database_error(error: exc.SQLAlchemyError) -> Response:
    logger.warning("database: %s (request %s)", type(error).__name__, request_id())
    return _own_error(DatabaseUnavailable())


def _unexpected_error(error: Exception) -> Response:
    logger.error("Unexpected error in request %s", request_id(), exc_info=error)
    sentence = "Something went wrong; the log has the details under the request's id."
    return _answer(500, "internal_error", sentence, {})


def _answer(status: int, code: str, message: str, errors: Mapping[str, Sequence[str]]) -> Response:
    response = jsonify(
        code=code,
        message=message,
        errors={name: list(each) for name, each in errors.items()},
        request_id=request_id(),
    )
    response.status_code = status
    return response
