"""The commands of an application server: `flask email …`, added to the host's Flask app."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from limepkg_email.accounts.accounts import ConnectedAccount, add_account, read_accounts
from limepkg_email.accounts.connecting import refuse_twice, told
from limepkg_email.erasure import erase, held, in_the_crm
from limepkg_email.errors import EmailIntegrationError, SetupRequired
from limepkg_email.incoming.receipts import RECEIPTS
from limepkg_email.incoming.recovery import recover
from limepkg_email.models import JobState
from limepkg_email.schema.setup import run_setup
from limepkg_email.services import Services
from limepkg_email.tasks import jobs

if TYPE_CHECKING:
    from limepkg_email.plugin import EmailIntegration

_application = click.option(
    "--application", "identifier", default=None, help="Which application; else the only one."
)


def email_commands(integration: EmailIntegration) -> AppGroup:
    """Build the command group `email` for one integration."""
    group = AppGroup("email", help="The email integration.")
    for add in (
        _add_setup,
        _add_account,
        _add_jobs,
        _add_receipts,
        _add_recover,
        _add_erase,
        _add_worker,
    ):
        add(group, integration)
    return group


def _identifier(integration: EmailIntegration, given: str | None) -> str:
    known = list(integration.host.applications())
    if given is None and len(known) == 1:
        return known[0]
    if given not in known:
        raise click.UsageError(f"--application must be one of: {', '.join(known)}")
    return given


def _anonymous(integration: EmailIntegration, given: str | None) -> Services:
    return integration.anonymous_services(_identifier(integration, given))


def _installed(integration: EmailIntegration, given: str | None) -> Services:
    services = _anonymous(integration, given)
    try:
        integration.require_installed(services)
    except SetupRequired as error:
        raise click.ClickException(error.message) from error
    return services


def _add_setup(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("setup", help="Install or extend the data model; a second run changes nothing.")
    @click.option("--dry-run", is_flag=True, help="Only say what would be done.")
    @_application
    def setup(dry_run: bool, identifier: str | None) -> None:
        services = _anonymous(integration, identifier)
        try:
            report = run_setup(services, dry_run=dry_run)
        except EmailIntegrationError as error:
            raise click.ClickException(error.message) from error
        for step in report.steps or ("Nothing to do.",):
            click.echo(step)


def _add_account(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("add-account", help="Import the mail of a mailbox that EmailEngine knows.")
    @click.argument("engine_account")
    @_application
    def add(engine_account: str, identifier: str | None) -> None:
        services = _installed(integration, identifier)
        try:
            account = _connected(services, engine_account)
        except EmailIntegrationError as error:
            raise click.ClickException(error.message) from error
        click.echo(f"{account.email} is connected as account {account.id}.")


def _connected(services: Services, engine_account: str) -> ConnectedAccount:
    """Connect an account of EmailEngine; raises `ConnectedTwice` if its address is another's."""
    known = services.engine.account(engine_account)
    now = services.clock()
    with services.application.database.begin() as connection:
        refuse_twice(connection, known, "Its mail would come twice.")
        return add_account(
            connection,
            engine_account=engine_account,
            email=known.email,
            name=known.name,
            activated_at=now,
            told=told(known, now),
        )


def _add_jobs(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("jobs", help="Count the jobs by state; show or retry the failed ones.")
    @click.option("--failed", is_flag=True, help="List the failed jobs with their reasons.")
    @click.option("--retry", is_flag=True, help="Let every failed job be tried again.")
    @_application
    def show(failed: bool, retry: bool, identifier: str | None) -> None:
        services = _installed(integration, identifier)
        with services.application.database.begin() as connection:
            if retry:
                count = jobs.retry_failed(connection, None, services.clock())
                click.echo(f"Tried again: {count}")
            for state, number in jobs.counts(connection).items():
                click.echo(f"{state}: {number}")
            if failed:
                for entry in jobs.listing(connection, state=JobState.FAILED):
                    click.echo(f"{entry.id} {entry.task} {entry.attempts} tries: {entry.result}")


def _add_receipts(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("receipts", help="Count the mails by disposition, and say why some failed.")
    @_application
    def show(identifier: str | None) -> None:
        services = _installed(integration, identifier)
        by_disposition = select(RECEIPTS.c.disposition, func.count()).group_by(
            RECEIPTS.c.disposition
        )
        failed = select(
            RECEIPTS.c.account, RECEIPTS.c.sender, RECEIPTS.c.subject, RECEIPTS.c.reason
        ).where(RECEIPTS.c.disposition == "failed")
        with services.application.database.connect() as connection:
            for disposition, number in connection.execute(by_disposition):
                click.echo(f"{disposition}: {number}")
            for row in connection.execute(failed.limit(100)):
                click.echo(f"  {row.account}: {row.sender}: {row.subject!r}: {row.reason}")


def _add_recover(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("recover", help="Look for missed and failed mail now.")
    @click.option("--account", "wanted", default=None, help="Its id in EmailEngine; else all.")
    @_application
    def run(wanted: str | None, identifier: str | None) -> None:
        name = _installed(integration, identifier).application.identifier
        services, whole = integration.services(name), True
        with services.application.database.connect() as connection:
            book = read_accounts(connection)
        if wanted is not None and book.by_engine_account(wanted) is None:
            raise click.UsageError(f"There is no account {wanted}.")
        for account in book.accounts:
            if not account.enabled or wanted not in (None, account.engine_account):
                continue
            report = recover(services, account)
            whole = whole and report.complete
            counts = [f"{number} {name}" for name, number in report.counts().items() if number]
            said = ", ".join([*counts, "0 unaccounted"] if not report.unaccounted else counts)
            click.echo(f"{account.engine_account}: {said}{_because(report.error)}")
        if not whole:
            raise click.exceptions.Exit(1)


def _because(error: str) -> str:
    return f"; stopped: {error}" if error else ""


def _add_erase(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("erase", help="Say what is held about an address; remove it with --yes.")
    @click.argument("address")
    @click.option("--yes", is_flag=True, help="Do it.")
    @_application
    def run(address: str, yes: bool, identifier: str | None) -> None:
        name = _installed(integration, identifier).application.identifier
        services = integration.services(name)
        try:
            found = erase(services, address) if yes else held(services, address)
            objects = in_the_crm(services, address)
        except EmailIntegrationError as error:
            raise click.ClickException(error.message) from error
        for each in found:
            click.echo(f"{each.count} {each.what}: {'first: ' if each.stops else ''}{each.becomes}")
        if not found:
            click.echo("Nothing is held about it.")
        for limetype, count in objects.items():
            click.echo(f"{count} {limetype} in the CRM: left alone, remove it there")
        if found and not yes:
            click.echo("Nothing was removed; --yes does it.")


def _add_worker(group: AppGroup, integration: EmailIntegration) -> None:
    @group.command("worker", help="Do the jobs and schedules in this process until it is ended.")
    def worker() -> None:
        ended = Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: ended.set())
        integration.start()
        click.echo("Working; Ctrl-C ends.")
        ended.wait()
        integration.stop()
