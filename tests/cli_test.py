"""`limepkg-email …`, as whoever tries the demo types it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

from limepkg_email.cli import main
from limepkg_email.reference.demo import APPLICATION, SAMPLES, STATE_FILE, SUPPORT, free_port
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


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    ports = [word for name in ("port", "engine-port", "smtp-port") for word in (f"--{name}", "0")]
    words = ["demo", "--directory", str(tmp_path), "--no-samples", "--api-key", "admin", *ports]
    program = [sys.executable, "-c", "from limepkg_email.cli import main; main()", *words]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.terminate()


def test_the_demo_prints_a_key_with_which_a_program_gets_in(
    tmp_path: Path, demo: subprocess.Popen[str]
) -> None:
    assert demo.stdout is not None
    line = next(each for each in demo.stdout if "x-api-key" in each)
    assert line.startswith("Key of admin for x-api-key: ")
    url = json.loads((tmp_path / STATE_FILE).read_text())["url"]
    headers = {"x-api-key": line.split()[-1]}
    address = f"{url}/{APPLICATION}/limepkg-email/account/"
    with urlopen(Request(address, headers=headers), timeout=60) as answer:
        assert [each["email"] for each in json.load(answer)["items"]] == [SUPPORT]
