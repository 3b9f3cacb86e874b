"""The parts of a running sandbox, put together in one place."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from limepkg_email.sandbox.accounts import Accounts
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.delivery import Delivery
from limepkg_email.sandbox.events import Events
from limepkg_email.sandbox.faults import Faults
from limepkg_email.sandbox.mail import Mail
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.oauth import OAuthApps
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.outbox import Outbox
from limepkg_email.sandbox.routing import Routing
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.submit import Submission
from limepkg_email.sandbox.webhooks import WebhookSender


@dataclass(frozen=True, slots=True)
class ApiCalls:
    """How many API calls went well and how many did not."""

    lock: threading.Lock
    counts: dict[str, int]

    def count(self, *, success: bool) -> None:
        """Count one call."""
        key = "apiCall:success" if success else "apiCall:fail"
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1


@dataclass(frozen=True, slots=True)
class Services:
    """What the endpoints work with."""

    options: SandboxOptions
    url: str
    clock: Callable[[], datetime]
    database: Database
    settings: Settings
    faults: Faults
    mailboxes: Mailboxes
    events: Events
    webhooks: WebhookSender
    apps: OAuthApps
    accounts: Accounts
    mail: Mail
    routing: Routing
    delivery: Delivery
    outbox: Outbox
    submission: Submission
    calls: ApiCalls


def build(options: SandboxOptions, database: Database, url: str) -> Services:
    """All parts, wired to each other, nothing started."""
    clock = options.clock
    settings = Settings(database, options.public_url or url)
    faults = Faults()
    mailboxes = Mailboxes(database, clock, object_ids=options.object_ids)
    events = Events(database, settings, clock)
    webhooks = WebhookSender(database, settings, faults, options, clock)
    events.on_queued = webhooks.wake
    apps = OAuthApps(database, clock)
    accounts = Accounts(database, mailboxes, apps, settings, events, options, clock)
    mail = Mail(database, mailboxes, accounts, settings, events, options, clock)
    routing = Routing(database, mailboxes, settings, options)
    delivery = Delivery(database, mailboxes, mail, routing, settings, options, clock)
    outbox = Outbox(
        database,
        mailboxes,
        accounts,
        mail,
        routing,
        delivery,
        settings,
        events,
        options,
        clock,
    )
    submission = Submission(database, mailboxes, mail, outbox, clock)
    return Services(
        options=options,
        url=url,
        clock=clock,
        database=database,
        settings=settings,
        faults=faults,
        mailboxes=mailboxes,
        events=events,
        webhooks=webhooks,
        apps=apps,
        accounts=accounts,
        mail=mail,
        routing=routing,
        delivery=delivery,
        outbox=outbox,
        submission=submission,
        calls=ApiCalls(threading.Lock(), {}),
    )
