"""The one error that the API answers with."""

from http import HTTPStatus

from limepkg_email.sandbox.json_types import Json

_NAMES = {504: "Gateway Time-out"}


class ApiError(Exception):
    """An answer that is not a success: status, message and the extra keys of the body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> Json:
        """The JSON body of the answer."""
        name = _NAMES.get(self.status) or HTTPStatus(self.status).phrase
        return {"statusCode": self.status, "error": name, "message": self.message, **self.extra}


def account_not_found() -> ApiError:
    """404 for an account that does not exist."""
    return ApiError(404, "Account record was not found for requested ID")


def message_not_found() -> ApiError:
    """404 for a message that is not where its id says."""
    return ApiError(404, "Requested message was not found", code="MessageNotFound")


def folder_not_found() -> ApiError:
    """404 for a folder that does not exist."""
    return ApiError(404, "Requested mailbox folder was not found", code="FolderNotFound")


def malformed_id() -> ApiError:
    """500, as the real engine answers an id that it cannot take apart."""
    return ApiError(500, "An internal server error occurred", code="ERR_BUFFER_OUT_OF_BOUNDS")


def worker_not_available() -> ApiError:
    """503 while the engine is suspended."""
    return ApiError(
        503,
        "No active handler for requested account. Try again later.",
        code="WorkerNotAvailable",
    )
