"""What holds for tests of several folders: a real Chromium, the built front end, a demo to look at.

`browser`, `context` and `page` come from pytest-playwright, other fixtures from the package's own
plugin. Each test has a context, and with it cookies and a storage, of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import expect

from limepkg_email.reference.demo import Demo, DemoOptions
from limepkg_email.web_components import Manifest, manifest

PATIENCE = 40_000
"""Milliseconds that a page may take on a loaded machine; nothing waits longer than it needs to."""

_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The programs to look for. The shell is the same browser without what only a window needs, which
takes a quarter less time."""
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests in a real browser a second chance, which the report tells of.

    Several programs take part in them, and a loaded machine can make any of them wait for long.
    """
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium; outside CI its absence skips the tests, in CI it fails them."""
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a browser: Chromium is not installed", pytrace=False)
        pytest.skip("Chromium is not installed")
    expect.set_options(timeout=PATIENCE)
    return {"executable_path": chromium, "args": list(_SWITCHES)}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """A desk's window; tests of phones change it."""
    return {"viewport": {"width": 1280, "height": 1000}, "locale": "en-GB"}


@pytest.fixture(scope="session")
def built() -> Manifest:
    """The front end of this checkout, which the continuous integration must have built."""
    found = manifest()
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("the front end is not built: run `make frontend`")
    assert found is not None, "the front end is not built"
    return found


class Demos:
    """The demo of one file's tests, begun when the first of them needs it."""

    def __init__(self, begin: Callable[[], Demo]) -> None:
        self._begin = begin
        self._running = ExitStack()
        self._demo: Demo | None = None

    def running(self) -> Demo:
        """Give the demo, with what the tests before have left there."""
        if self._demo is None:
            self._demo = self._running.enter_context(self._begin())
        return self._demo

    def end(self) -> None:
        self._demo = None
        self._running.close()


@pytest.fixture(scope="module")
def samples() -> bool:
    """Whether the demo has its sample mails; a file can say no."""
    return True


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory, samples: bool) -> Iterator[Demos]:
    def begin() -> Demo:
        directory = tmp_path_factory.mktemp("demo")
        options = DemoOptions(
            directory=directory, port=0, engine_port=0, smtp_port=0, samples=samples
        )
        return Demo(options)

    found = Demos(begin)
    yield found
    found.end()


@pytest.fixture
def demo(request: pytest.FixtureRequest, demos: Demos) -> Demo:
    """A demo for the tests of one file.

    A second try gets a demo of its own: in the first one there may be half of what it does.
    """
    if getattr(request.node, "execution_count", 1) > 1:
        demos.end()
    return demos.running()
