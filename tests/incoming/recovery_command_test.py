"""`flask email recover`, as whoever runs the server types it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.incoming.recovering import later, mail
from tests.stack import Stack, running


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        found.sandbox.control("POST", "/webhooks/pause")
        mail(found, "one")
        later(found)
        yield found


def recover(stack: Stack, *words: str) -> tuple[int, str]:
    app = Flask("crm")
    stack.installation.integration.register_blueprint(app)
    result = app.test_cli_runner().invoke(args=["email", "recover", *words])
    return result.exit_code, result.output


def test_it_says_what_it_found(stack: Stack) -> None:
    assert recover(stack) == (0, "support: 1 listed, 1 imported, 0 unaccounted\n")
    assert recover(stack, "--account", "support") == (
        0,
        "support: 1 listed, 1 known, 0 unaccounted\n",
    )


def test_what_keeps_it_from_the_end_is_told_and_ends_with_1(stack: Stack) -> None:
    stack.sandbox.control("PUT", "/accounts/support/state", {"state": "connectError"})
    code, output = recover(stack)
    assert code == 1
    assert output.startswith("support: 0 unaccounted; stopped: ")


def test_an_account_that_does_not_exist_is_a_mistake_of_the_caller(stack: Stack) -> None:
    code, output = recover(stack, "--account", "nobody")
    assert code == 2
    assert "There is no account nobody." in output
