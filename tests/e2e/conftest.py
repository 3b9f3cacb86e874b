from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from limepkg_email.reference.demo import Demo
from limepkg_email.reference.seed import ADMINISTRATOR, AGENT
from limepkg_email.web_components import Manifest
from tests.e2e.crm import Crm


@pytest.fixture
def crm(page: Page, built: Manifest, demo: Demo) -> Iterator[Crm]:
    """The CRM in a browser; nobody is signed in yet. Nothing may go wrong on its pages."""
    found = Crm(page, demo)
    yield found
    assert found.wrong == []


@pytest.fixture
def agent(crm: Crm) -> Crm:
    crm.sign_in(AGENT[0])
    return crm


@pytest.fixture
def admin(crm: Crm) -> Crm:
    crm.sign_in(ADMINISTRATOR[0])
    return crm
