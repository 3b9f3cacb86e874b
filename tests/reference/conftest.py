"""The bundled CRM on each database."""

from __future__ import annotations

import pytest

from limepkg_email.reference import ReferenceApplication, ReferenceHost
from limepkg_email.testing.plugin import CopiedDatabase, MakeReferenceHost

SYSTEM = "emailengine@lime"


@pytest.fixture
def crm_url(copied_database: CopiedDatabase, make_reference_host: MakeReferenceHost) -> str:
    def prepare(url: str) -> None:
        prepared = make_reference_host(url)
        prepared.application("demo").ensure_system_user(SYSTEM)
        prepared.close()

    return copied_database("reference", prepare)


@pytest.fixture
def host(crm_url: str, make_reference_host: MakeReferenceHost) -> ReferenceHost:
    return make_reference_host(crm_url)


@pytest.fixture
def application(host: ReferenceHost) -> ReferenceApplication:
    return host.application("demo").as_user(SYSTEM)
