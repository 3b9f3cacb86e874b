"""`limepkg-email …`, as whoever tries the demo types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from limepkg_email.cli import main
from limepkg_email.reference.demo import SAMPLES, STATE_FILE, SUPPORT, free_port
from limepkg_email.sandbox import Sandbox, SandboxOptions

MAIL = str(SAMPLES / "01-question.eml")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = SandboxOptions(directory=tmp_path / "engine", smtp_port=0, token="t" * 32)
    with Sandbox(options) as found:
        (tmp_path / STATE_FILE).write_text(json.dumps({"smtp": list(found.smtp_address)}))
        yield found


def send(directory: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["send", MAIL, "--directory", str(directory), *words])


def test_a_mail_is_sent_to_the_demo(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.control("POST", "/mailboxes", {"address": SUPPORT, "name": "Support"})
    assert send(tmp_path).output == f"Sent to {SUPPORT}.\n"


def test_a_refusal_is_told_as_the_server_said_it(tmp_path: Path, sandbox: Sandbox) -> None:
    refused = send(tmp_path, "--to", "broken")
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: The demo refused the mail: broken: 550 ")
    assert "{" not in refused.output


def test_a_demo_that_is_away_is_said_to_be_away(tmp_path: Path) -> None:
    smtp = ["127.0.0.1", free_port("127.0.0.1", 0)]
    (tmp_path / STATE_FILE).write_text(json.dumps({"smtp": smtp}))
    assert "The demo does not answer" in send(tmp_path).output


def test_without_a_demo_the_way_to_start_one_is_told(tmp_path: Path) -> None:
    assert "make run" in send(tmp_path).output
