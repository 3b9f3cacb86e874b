"""The HTTP server of the demo: Flask's own, in a thread that can be ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_logger = logging.getLogger(__name__)
_PATIENCE = 5.0


class _Handler(WSGIRequestHandler):
    protocol_version = (
        "HTTP/1.1"  # connections are kept: the engine sends one webhook after another
    )

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        _logger.debug("%s: %s", type, message % args if args else message)


class WebServer:
    """Serves an app while the block lasts; port 0 takes a free one."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._server = make_server(
            host, port, _closing(app), threaded=True, request_handler=_Handler
        )
        self._thread = Thread(target=self._server.serve_forever, name="crm", daemon=True)
        self.port: int = self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join(_PATIENCE)
        self._server.server_close()


def _closing(app: Flask) -> WSGIApplication:
    """Have answers closed, with the files they read, even if the browser resets the connection.

    Werkzeug then fails where it empties the connection, before it closes the answer.
    """

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    return served
