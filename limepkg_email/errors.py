"""The tree of errors that the package raises, and nothing else.

Every error knows the HTTP status it becomes (`status`), the stable `code` that an API client can
test, and whether trying the same thing again later can help (`retryable`). They are caught at three
edges only: the HTTP error handler, the job runner and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ConfigurationError(Exception):
    """A configuration key is unknown, missing or ill-typed; the message names the key.

    Stands outside `EmailIntegrationError` on purpose, so that no edge swallows it: a process with a
    wrong configuration must not start.
    """


class EmailIntegrationError(Exception):
    """Base of every error that can happen while the package does its work."""

    code = "error"
    status = 500
    retryable = False

    def __init__(
        self, message: str = "", *, errors: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(message or (self.__doc__ or self.code).splitlines()[0])
        self.errors: Mapping[str, Sequence[str]] = errors or {}
        """Sentences per field of the request, for errors that bad input causes."""

    @property
    def message(self) -> str:
        """The sentence to show to whoever caused the error."""
        return str(self.args[0])


class Unauthorized(EmailIntegrationError):
    """Sign in first."""

    code = "unauthorized"
    status = 401


class Forbidden(EmailIntegrationError):
    """You do not have the permission that this needs."""

    code = "forbidden"
    status = 403


class NotFound(EmailIntegrationError):
    """There is no such thing, or you may not see it."""

    code = "not_found"
    status = 404


class Conflict(EmailIntegrationError):
    """The present state does not allow this."""

    code = "conflict"
    status = 409


class InvalidInput(EmailIntegrationError):
    """Some of the values cannot be used; `errors` says which and why."""

    code = "invalid_input"
    status = 422


class TemplateError(InvalidInput):
    """The template cannot be used; `errors` says for each field in which line, and why."""

    code = "template_error"


class BadRequest(EmailIntegrationError):
    """The request cannot be read."""

    code = "bad_request"
    status = 400


class SetupRequired(EmailIntegrationError):
    """The data model is not installed; run `flask email setup`."""

    code = "setup_required"
    status = 503
    retryable = True


class DatabaseUnavailable(EmailIntegrationError):
    """The database cannot be reached; try again later."""

    code = "database_unavailable"
    status = 503
    retryable = True


class HookError(EmailIntegrationError):
    """An extension raised an error; the message names the extension."""

    code = "hook_error"


class ImportRefused(EmailIntegrationError):
    """The mail cannot be imported, and trying again by itself would not help.

    The message is the reason that administrators see in the receipt.
    """

    code = "import_refused"
    status = 422


class EngineError(EmailIntegrationError):
    """The mail engine did not do what it was asked to do.

    `request` is method and path, `engine_status` the HTTP status (0 when there was no answer),
    `engine_code` EmailEngine's own code when it sent one.
    """

    code = "engine_error"
    status = 502

    def __init__(
        self,
        message: str = "",
        *,
        request: str = "",
        engine_status: int = 0,
        engine_code: str = "",
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message, errors=errors)
        self.request = request
        self.engine_status = engine_status
        self.engine_code = engine_code


class EngineUnavailable(EngineError):
    """The mail engine cannot be reached or has no worker for the account; try again later."""

    code = "engine_unavailable"
    status = 503
    retryable = True


class EngineBusy(EngineError):
    """The mail engine asks to wait for `delay` seconds."""

    code = "engine_busy"
    status = 503
    retryable = True

    def __init__(self, message: str = "", *, delay: float = 30.0, **context: object) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.delay = delay


class EngineRejected(EngineError):
    """The mail engine refused the request as invalid."""

    code = "engine_rejected"


class EngineNotFound(EngineError):
    """The mail engine does not have the account, folder or message."""

    code = "engine_not_found"
    status = 404


class EngineAuth(EngineError):
    """The mail engine refused the access token; check `emailengine_token`.

    Retryable, because it says nothing about the mail: once the token is right again all goes on.
    """

    code = "engine_auth"
    status = 502
    retryable = True


class InvalidSignature(EmailIntegrationError):
    """The webhook's signature is missing or does not match its body."""

    code = "invalid_signature"
    status = 401
