"""A small threaded WSGI server: HTTP/1.1 keep-alive, every answer in one write.

Flask's development server closes the connection after each answer, and most others send head and
body apart, which costs a delayed acknowledgement per answer on a reused connection. This one does
neither, and it can close a connection instead of answering, which a sandbox needs.
"""

import contextlib
import io
import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

_LOGGER = logging.getLogger(__name__)
_MAX_HEAD = 65_536
_MAX_BODY = 200 * 1024 * 1024
_IDLE_SECONDS = 75.0
# The application sets this in the environment to have the connection closed without an answer.
DROP = "sandbox.drop"

Environment: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


class _BadRequestError(Exception):
    """What was sent is no HTTP request."""


class HttpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves one WSGI application, a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, application: Application) -> None:
        self.application = application
        self._open_sockets: set[socket.socket] = set()
        self._connection_threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._loop: threading.Thread | None = None
        super().__init__((host, port), _Connection)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread."""
        self._loop = threading.Thread(
            target=self.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-http",
            daemon=True,
        )
        self._loop.start()

    def stop(self) -> None:
        """Stop to listen, close all connections and wait for their threads."""
        self.shutdown()
        if self._loop is not None:
            self._loop.join(timeout=5)
        self.server_close()
        with self._lock:
            sockets, threads = list(self._open_sockets), list(self._connection_threads)
        for open_socket in sockets:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, keeping count of it."""
        thread = threading.current_thread()
        with self._lock:
            self._open_sockets.add(request)
            self._connection_threads.add(thread)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open_sockets.discard(request)
                self._connection_threads.discard(thread)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Connections break; that is nobody's error."""
        _LOGGER.debug("connection broke", exc_info=True)


class _Connection(socketserver.StreamRequestHandler):
    """The requests that come over one connection."""

    server: HttpServer
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer requests until one side has had enough."""
        try:
            while self._one_request():
                pass
        except _BadRequestError:
            self.connection.sendall(
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
        except (OSError, ValueError):
            _LOGGER.debug("connection ended", exc_info=True)

    def _one_request(self) -> bool:
        line = self.rfile.readline(_MAX_HEAD)
        if line in (b"\r\n", b"\n"):
            line = self.rfile.readline(_MAX_HEAD)
        if not line:
            return False
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1"):
            raise _BadRequestError
        headers = self._headers()
        body = self._body(headers)
        keep = words[2] == "HTTP/1.1"
        wish = headers.get("connection", "").lower()
        keep = wish != "close" if keep else wish == "keep-alive"
        environment = self._environment(words[0], words[1], headers, body)
        answer = self._run(environment, words[0], keep=keep)
        if answer is None:
            return False
        self.connection.sendall(answer)
        return keep

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        size = 0
        while True:
            line = self.rfile.readline(_MAX_HEAD)
            size += len(line)
            if line in (b"\r\n", b"\n"):
                return headers
            if not line or size > _MAX_HEAD:
                raise _BadRequestError
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        text = headers.get("content-length") or "0"
        if not text.isdigit() or int(text) > _MAX_BODY:
            raise _BadRequestError
        return self.rfile.read(int(text))

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            length = int(self.rfile.readline(_MAX_HEAD).partition(b";")[0], 16)
            size += length
            if size > _MAX_BODY:
                raise _BadRequestError
            if length == 0:
                while self.rfile.readline(_MAX_HEAD) not in (b"\r\n", b"\n", b""):
                    pass
                return b"".join(chunks)
            chunks.append(self.rfile.read(length))
            self.rfile.readline(_MAX_HEAD)

    def _environment(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> Environment:
        if target.startswith(("http://", "https://")):
            target = "/" + target.split("/", 3)[3] if target.count("/") >= 3 else "/"
        path, _, query = target.partition("?")
        environment: Environment = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "RAW_URI": target,
            "REQUEST_URI": target,
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in headers.items():
            if name == "content-type":
                environment["CONTENT_TYPE"] = value
            elif name not in ("content-length", "transfer-encoding"):
                environment["HTTP_" + name.upper().replace("-", "_")] = value
        return environment

    def _run(self, environment: Environment, method: str, *, keep: bool) -> bytes | None:
        started: list[Any] = []

        def start_response(status: str, headers: Any, _exc_info: Any = None) -> None:
            started[:] = [status, headers]

        chunks = self.server.application(environment, start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        if environment.get(DROP):
            return None
        status, headers = started
        lines = [f"HTTP/1.1 {status}"]
        lines += [f"{name}: {value}" for name, value in headers if name.lower() != "content-length"]
        code = int(status[:3])
        if code not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            lines.append(f"Content-Length: {len(body)}")
        if not keep:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        return head if method == "HEAD" else head + body
