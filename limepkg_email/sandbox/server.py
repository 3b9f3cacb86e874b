"""The sandbox as a whole: it starts and stops what runs."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from types import TracebackType
from typing import TYPE_CHECKING, Self

from limepkg_email.sandbox.app import create_app
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.http_server import Application, HttpServer
from limepkg_email.sandbox.json_types import Json, to_bytes
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.services import Services, build

if TYPE_CHECKING:
    from limepkg_email.sandbox.smtp import SmtpDoor

_FILE = "sandbox.sqlite3"


class SandboxError(Exception):
    """The control API refused what was asked of it."""


class Sandbox:
    """A mail engine, its mail servers and its mailboxes in one process."""

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self._database: Database | None = None
        self._services: Services | None = None
        self._http: HttpServer | None = None
        self._smtp: SmtpDoor | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open the mailboxes and begin to listen, to deliver and to tell."""
        if self._http is not None:
            return
        options = self.options
        options.directory.mkdir(parents=True, exist_ok=True)
        self._http = HttpServer(options.host, options.port, _not_ready)
        self._database = Database(options.directory / _FILE)
        self._services = build(options, self._database, self.url)
        application: Application = create_app(self._services).wsgi_app
        self._http.application = application
        if options.smtp_port is not None:
            # Only the door needs aiosmtpd, which is not there without the extra `demo`.
            from limepkg_email.sandbox.smtp import SmtpDoor

            self._smtp = SmtpDoor(self._services.delivery, self._services.routing, options)
            self._smtp.start()
        self._services.webhooks.start()
        self._services.outbox.start()
        self._http.start()

    def stop(self) -> None:
        """Stop everything; the next start goes on where this one stops."""
        if self._smtp is not None:
            self._smtp.stop()
        if self._http is not None:
            self._http.stop()
        if self._services is not None:
            self._services.outbox.stop()
            self._services.webhooks.stop()
        if self._database is not None:
            self._database.close()
        self._smtp = self._http = self._services = self._database = None

    @property
    def url(self) -> str:
        """The address of the API and of the pages, without a slash at its end."""
        if self._http is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://{self.options.host}:{self._http.port}"

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Host and port of the SMTP door."""
        if self._smtp is None:
            raise RuntimeError("the sandbox has no SMTP door")
        return self.options.host, self._smtp.port

    @property
    def token(self) -> str:
        """The access token of the API."""
        return self.options.token

    def control(
        self, method: str, path: str, body: Json | bytes | None = None, *, timeout: float = 60.0
    ) -> Json:
        """Ask the control API, for example `control("POST", "/suspend")`; gives its answer."""
        data = body if body is None or isinstance(body, bytes) else to_bytes(body)
        request = urllib.request.Request(  # noqa: S310 - our own http address
            f"{self.url}/control/{path.lstrip('/')}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
                found: Json = json.loads(response.read())
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise SandboxError(f"{error.code}: {error.read().decode('utf-8')}") from error

    def wait_until_idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing moves any more; False when it still does."""
        answer = self.control("POST", "/idle", {"timeout": timeout}, timeout=timeout + 30)
        return bool(answer["idle"])


def _not_ready(_environment: object, _start_response: object) -> list[bytes]:
    raise RuntimeError("the sandbox is not started")
