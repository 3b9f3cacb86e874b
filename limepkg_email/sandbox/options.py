"""What a sandbox can be told when it is made."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def system_clock() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Where a sandbox listens, where it keeps its mail, and how long it waits for what.

    All delays are seconds. The defaults are the ones a real engine has, except where waiting
    would serve nobody (a mail is announced at once).
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 0
    smtp_port: int | None = 0  # None: no SMTP door
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    public_url: str | None = None  # first value of the `serviceUrl` setting

    webhook_base_delay: float = 5.0  # doubled after every failed try
    webhook_attempts: int = 10
    webhook_timeout: float = 30.0
    webhook_resend_delay: float = 0.5  # before the empty repetition inside one try
    arrival_delay: float = 0.0  # from arrival to the announcing webhook

    delivery_base_delay: float = 5.0  # doubled after every failed try
    delivery_attempts: int = 10
    bounce_delay: float = 0.5  # from acceptance to the delivery report
    sent_copy_delay: float = 2.0  # from the copy in Sent to its webhook
    greylist_tries: int = 2

    connect_delay: float = 0.0  # a new account is `init`/`connecting` for so long
    size_limit: int = 50 * 1024 * 1024
    hosted_domains: tuple[str, ...] = ("example.com", "example.org", "example.net")
    mail_host: str = "mx.example.com"
    object_ids: bool = False  # new mailboxes have `emailId` and `threadId`
    page_name: str = "Sandbox mail"

    clock: Callable[[], datetime] = system_clock
