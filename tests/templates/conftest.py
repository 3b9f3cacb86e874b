"""A CRM with an administrator, an agent, somebody who may nothing, and a connected mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.reference.access import NO_ACCESS, Role
from limepkg_email.services import Services
from tests.installation import Installation, installed


@dataclass(frozen=True)
class Office:
    """The people of a CRM, each with the services as they have them."""

    installation: Installation
    account: ConnectedAccount

    @property
    def admin(self) -> Services:
        return self.installation.services

    def acting_as(self, login: str) -> Services:
        application = self.installation.host.application("demo").as_user(login)
        return replace(self.admin, application=application)

    @property
    def agent(self) -> Services:
        return self.acting_as("lisa")

    @property
    def stranger(self) -> Services:
        return self.acting_as("stranger")


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    with installed(tmp_path, database_url) as installation:
        users = installation.host.application("demo").users
        users.add_role(Role("nobody", (), NO_ACCESS))
        users.add("lisa", name="Lisa Berg", email="lisa@example.com")
        users.add("reader", name="Rita", role="reader")
        users.add("stranger", name="Stranger", role="nobody")
        yield Office(installation, installation.connect("support", "support@example.com"))
