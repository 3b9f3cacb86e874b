"""The bundled CRM on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from limepkg_email.reference import ReferenceApplication, ReferenceHost
from limepkg_email.reference.access import Access, Role
from limepkg_email.reference.app import create_app
from limepkg_email.testing.plugin import CopiedDatabase, MakeReferenceHost
from tests.installation import Installation, installed
from tests.reference.browser import PASSWORD, Browser

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


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        found.connect("support", "support@example.com")
        users = found.services.application.users  # type: ignore[attr-defined]
        users.add("alva", name="Alva Ek", password=PASSWORD)
        users.add("rita", name="Rita", password=PASSWORD, role="reader")
        users.add_role(Role("guest", (), Access({"*": "crud", "document": ""})))
        users.add("gustav", password=PASSWORD, role="guest")
        yield found


@pytest.fixture
def app(installation: Installation) -> Flask:
    return create_app(installation.host, installation.integration, secret_key="secret")


@pytest.fixture
def browser(app: Flask) -> Browser:
    found = Browser(app.test_client())
    assert found.sign_in("alva").status_code == 302
    return found
