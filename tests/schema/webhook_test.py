from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.webhook import SIGNATURE_HEADER, UnknownEvent, parse_event, verify
from limepkg_email.errors import EngineUnavailable
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.schema.setup import is_installed, run_setup
from limepkg_email.schema.webhook import EVENTS, settings
from limepkg_email.services import Services

from .sample import configuration

SECRET = "another secret"
URL = "http://127.0.0.1:9/crm/limepkg-email/webhook/"
Delivery = tuple[str | None, bytes]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    options = SandboxOptions(directory=tmp_path / "sandbox", smtp_port=None)
    with Sandbox(options) as sandbox, EngineClient(sandbox.url, sandbox.token) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[tuple[str, Queue[Delivery]]]:
    """The address of a server that takes webhooks, and the queue it puts them in."""
    deliveries: Queue[Delivery] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            deliveries.put((self.headers[SIGNATURE_HEADER], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/webhook/", deliveries
    server.shutdown()
    thread.join()
    server.server_close()


def with_webhook(services: Services, engine: EngineClient, **values: object) -> Services:
    config = configuration(**{"webhook_url": URL} | values)
    return replace(services, engine=engine, config=config)


def test_setup_registers_the_webhook_once(services: Services, engine: EngineClient) -> None:
    services = with_webhook(services, engine)
    assert run_setup(services, dry_run=True).steps[-1] == f"Register the webhook {URL}."
    assert engine.settings_get("webhooks") == {"webhooks": None}
    run_setup(services)
    wanted = settings(services.config)
    assert engine.settings_get(*wanted) == wanted
    assert run_setup(services).steps == ()


def test_setup_says_which_other_webhook_it_takes_the_place_of(
    services: Services, engine: EngineClient
) -> None:
    engine.settings_set({"webhooks": "http://127.0.0.1:9/former/", "webhooksEnabled": True})
    steps = run_setup(with_webhook(services, engine)).steps
    assert steps[-1] == f"Register the webhook {URL} instead of http://127.0.0.1:9/former/."


def test_setup_mends_settings_that_somebody_changed(
    services: Services, engine: EngineClient
) -> None:
    services = with_webhook(services, engine)
    run_setup(services)
    engine.settings_set({"notifyHeaders": ["subject"]})
    assert run_setup(services).steps == (f"Register the webhook {URL}.",)
    assert engine.settings_get("notifyHeaders") == {"notifyHeaders": ["*"]}


def test_without_a_webhook_url_the_engine_is_left_alone(
    services: Services, engine: EngineClient
) -> None:
    run_setup(with_webhook(services, engine, webhook_url=""))
    assert engine.settings_get("webhooks") == {"webhooks": None}


def test_webhooks_are_signed_with_our_secret_even_after_it_was_changed(
    services: Services, engine: EngineClient, receiver: tuple[str, Queue[Delivery]]
) -> None:
    url, deliveries = receiver
    run_setup(with_webhook(services, engine, webhook_url=url))
    changed = with_webhook(services, engine, webhook_url=url, emailengine_service_secret=SECRET)
    assert run_setup(changed).steps == ()
    engine.create_account({"account": "support", "name": "Support", "email": "support@example.com"})
    signature, body = deliveries.get(timeout=10)
    verify(SECRET, body, signature)


def test_an_engine_that_is_down_does_not_hide_the_plan_but_ends_the_setup(
    services: Services, engine: EngineClient
) -> None:
    with EngineClient("http://127.0.0.1:1", "token", retries=0) as nowhere:
        services = with_webhook(services, nowhere)
        assert "cannot be reached" in run_setup(services, dry_run=True).steps[-1]
        with pytest.raises(EngineUnavailable):
            run_setup(services)
    # All else is done, so that the next run only has to register.
    assert is_installed(services)
    steps = run_setup(with_webhook(services, engine)).steps
    assert steps == (f"Register the webhook {URL}.",)


@pytest.mark.parametrize("event", EVENTS)
def test_only_events_that_we_understand_are_asked_for(event: str) -> None:
    parsed = parse_event({"account": "support", "event": event, "data": {}})
    assert not isinstance(parsed, UnknownEvent)


def test_the_text_in_a_webhook_is_never_longer_than_what_is_kept() -> None:
    assert settings(configuration(max_body_size=1000))["notifyTextSize"] == 1000
    assert settings(configuration())["notifyTextSize"] == 500_000
