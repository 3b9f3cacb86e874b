"""A real Chromium; outside CI its absence skips the tests, in CI it fails them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from limepkg_email.reference.demo import Demo, DemoOptions
from limepkg_email.web_components import Manifest, manifest
from tests.e2e.crm import Crm

_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        message = "Chromium and its driver are not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a browser: {message}", pytrace=False)
        pytest.skip(message)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for switch in _SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.implicitly_wait(5)
    yield found
    found.quit()


@pytest.fixture(scope="session")
def built() -> Manifest:
    """The front end, which the continuous integration must have built."""
    found = manifest()
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("the front end is not built: run `make frontend`")
    assert found is not None, "the front end is not built"
    return found


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for tests that bring their own mails and leave those of others alone."""
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def crm(browser: webdriver.Chrome, built: Manifest, shared_demo: Demo) -> Crm:
    """The CRM in a browser; nobody is signed in yet."""
    return Crm(browser, shared_demo)
