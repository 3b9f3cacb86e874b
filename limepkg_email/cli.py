"""The console script `limepkg-email`: the demo, and mails for it."""

from __future__ import annotations

import json
import logging
import signal
import smtplib
from pathlib import Path
from threading import Event

import click

from limepkg_email import __version__
from limepkg_email.errors import ConfigurationError, EmailIntegrationError

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-data"),
    show_default=True,
    help="Where the demo keeps its data.",
)


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Try the email integration on your own machine."""


@main.command()
@_directory
@click.option("--fresh", is_flag=True, help="Forget the data of earlier runs.")
@click.option("--port", default=8080, show_default=True, help="Port of the CRM.")
@click.option("--engine-port", default=8090, show_default=True, help="Port of the mail sandbox.")
@click.option("--smtp-port", default=2525, show_default=True, help="Port that takes mails.")
@click.option("--samples/--no-samples", default=True, help="Deliver the sample mails.")
@click.option("--database", default="", help="Address of an empty PostgreSQL database.")
@click.option(
    "--api-key", default="", metavar="LOGIN", help="Make and print a key for the header x-api-key."
)
@click.option("--verbose", is_flag=True, help="Show the log.")
def demo(
    directory: Path,
    fresh: bool,
    port: int,
    engine_port: int,
    smtp_port: int,
    samples: bool,
    database: str,
    api_key: str,
    verbose: bool,
) -> None:
    """Run a small CRM, a mail engine and a worker; Ctrl-C ends all of them."""
    from limepkg_email.reference.demo import Demo, DemoOptions

    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR)
    ended = Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    options = DemoOptions(
        directory=directory.absolute(),
        port=port,
        engine_port=engine_port,
        smtp_port=smtp_port,
        fresh=fresh,
        samples=samples,
        database_url=database,
    )
    click.echo("Starting the CRM, the mail sandbox and the worker …")
    try:
        with Demo(options) as running:
            _welcome(running, directory)
            if api_key:
                click.echo(f"\nKey of {api_key} for x-api-key: {running.api_key(api_key)}")
            ended.wait()
            click.echo("\nEnding …")
    except (EmailIntegrationError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("eml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", multiple=True, help="Instead of the addresses in the file.")
@_directory
def send(eml: Path, to: tuple[str, ...], directory: Path) -> None:
    """Send a mail from an .eml file to the running demo."""
    from limepkg_email.reference.demo import STATE_FILE, send_file

    try:
        state = json.loads((directory / STATE_FILE).read_text())
        host, port = state["smtp"]
        reached = send_file(eml, (host, port), list(to))
    except FileNotFoundError:
        raise click.ClickException("No demo has run here yet: start it with `make run`.") from None
    except smtplib.SMTPException as error:  # an OSError as well
        raise click.ClickException(f"The demo refused the mail: {_refusal(error)}") from error
    except OSError as error:
        raise click.ClickException(f"The demo does not answer: {error}") from error
    click.echo(f"Sent to {', '.join(reached)}.")


def _refusal(error: smtplib.SMTPException) -> str:
    """Say what the server answered, for each recipient if it refused them."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            said = [f"{to}: {code} {_line(text)}" for to, (code, text) in refused.items()]
            return "; ".join(said)
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=text):
            return f"{code} {_line(text)}"
    return str(error)


def _line(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _welcome(running: object, directory: Path) -> None:
    from limepkg_email.reference.demo import APPLICATION, SUPPORT, Demo
    from limepkg_email.reference.seed import ADMINISTRATOR, AGENT, PASSWORD

    assert isinstance(running, Demo)  # noqa: S101 - the import is late
    click.echo("\nWhat became of the mails so far:\n")
    for each in running.fates():
        where = f" (conversation {each.conversation})" if each.conversation else ""
        reason = f": {each.reason}" if each.reason else ""
        subject = each.subject or "(no subject)"
        click.echo(f"  {each.disposition:15} {subject[:48]:48} {each.sender}{where}{reason}")
    host, port = running.smtp
    same = "" if directory == Path("demo-data") else f" --directory {directory}"
    click.echo(
        f"""
Open this address:   {running.url}/{APPLICATION}/
Sign in as:          {AGENT[0]} (agent) or {ADMINISTRATOR[0]} (administrator)
Password:            {PASSWORD}
Customers' mail:     {running.engine_url}/

Send a mail of your own to {SUPPORT}
  with any mail program:  SMTP server {host}, port {port}, no encryption, no password
  with one command:       .venv/bin/limepkg-email send{same} FILE.eml

Ctrl-C ends everything; the data stays in {directory} (`--fresh` forgets it)."""
    )
