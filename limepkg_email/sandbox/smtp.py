"""The SMTP door: any mail program can deliver to the mailboxes of the sandbox."""

import asyncio
import logging
import threading
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from limepkg_email.sandbox.delivery import Delivery
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.routing import Routing, Verdict

_LOGGER = logging.getLogger(__name__)


class _Handler:
    """Answers the commands of one server."""

    def __init__(self, delivery: Delivery, routing: Routing) -> None:
        self._delivery = delivery
        self._routing = routing

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        verdict = self._routing.judge(address, f"smtp|{envelope.mail_from or ''}")
        if verdict.refusal is not None:
            return verdict.refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        raw = (
            content if isinstance(content, bytes) else str(content or "").encode("utf-8", "replace")
        )
        queue_id = self._delivery.new_queue_id()
        recipients = list(dict.fromkeys(envelope.rcpt_tos))
        client = str(session.host_name or "unknown").replace("\r", "").replace("\n", "")
        try:
            await asyncio.to_thread(self._deliver, raw, envelope, recipients, queue_id, client)
        except (OSError, LookupError):
            _LOGGER.exception("mail could not be stored")
            return "451 4.3.0 Error: could not be stored"
        return f"250 2.0.0 Ok: queued as {queue_id}"

    def _deliver(
        self, raw: bytes, envelope: Envelope, recipients: list[str], queue_id: str, client: str
    ) -> None:
        verdicts = [
            Verdict(recipient, bounces=self._routing.bounces(recipient)) for recipient in recipients
        ]
        self._delivery.deliver(
            raw,
            sender=str(envelope.mail_from or ""),
            verdicts=verdicts,
            queue_id=queue_id,
            client=client,
        )


class _Server(SMTP):
    """A server that takes lines of any length: hostile mail has to get in to be of use."""

    line_length_limit = 64 * 1024 * 1024


class SmtpDoor:
    """An SMTP server in a thread of its own."""

    def __init__(self, delivery: Delivery, routing: Routing, options: SandboxOptions) -> None:
        self._handler = _Handler(delivery, routing)
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self.port = 0

    def start(self) -> None:
        """Listen."""
        self._thread = threading.Thread(target=self._run, name="sandbox-smtp", daemon=True)
        self._thread.start()
        self._ready.wait(10)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop to listen and cut off who is connected."""
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)
        self._loop = self._thread = None

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        try:
            self._server = loop.run_until_complete(
                loop.create_server(self._session, self._options.host, self._options.smtp_port or 0)
            )
            self.port = int(self._server.sockets[0].getsockname()[1])
        except OSError as error:
            self._failure = error
            self._ready.set()
            loop.close()
            return
        self._ready.set()
        loop.run_forever()
        self._server.close()
        self._finish(loop)

    def _finish(self, loop: asyncio.AbstractEventLoop) -> None:
        async def cancel_all() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        loop.run_until_complete(cancel_all())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _session(self) -> Any:
        return _Server(
            self._handler,
            data_size_limit=self._options.size_limit,
            enable_SMTPUTF8=True,
            hostname=self._options.mail_host,
            ident="Sandbox ESMTP",
            loop=self._loop,
            timeout=60,
        )
