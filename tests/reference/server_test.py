"""The demo's server with browsers that do not wait."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from threading import Event

from flask import Flask, Response

from limepkg_email.reference.server import WebServer

PATIENCE = 10.0


class Answer:
    """An answer that is not over before its reader is gone."""

    def __init__(self) -> None:
        self.gone, self.closed = Event(), Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"half"
        self.gone.wait(PATIENCE)

    def close(self) -> None:
        self.closed.set()


def test_answer_is_closed_although_the_browser_has_reset_the_connection() -> None:
    answer, app = Answer(), Flask("host")
    # With its length there is no mark of the end, at which the loss would be noticed.
    headers = {"Content-Length": "4"}
    app.add_url_rule("/", view_func=lambda: Response(answer, headers=headers))  # type: ignore[arg-type]
    with WebServer(app, "127.0.0.1", 0) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as browser:
            browser.sendall(b"GET / HTTP/1.1\r\nHost: crm\r\n\r\n")
            got = b""
            while not got.endswith(b"half"):
                got += browser.recv(1000)
            # Closing now resets the connection instead of ending it.
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        answer.gone.set()
        assert answer.closed.wait(PATIENCE)
