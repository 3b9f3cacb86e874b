from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import Engine, select

from limepkg_email import audit, event_log
from limepkg_email.accounts.connecting import connect
from limepkg_email.accounts.form import create_link
from limepkg_email.accounts.listing import AccountEntry, read_entry
from limepkg_email.db import table
from limepkg_email.engine.client import EngineClient
from limepkg_email.models import Run
from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.services import Services
from tests.installation import Installation, installed

REDIRECT = "http://127.0.0.1:1/crm/connected/"
SALES = "sales@example.com"


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One engine for all tests here, which speaks to nobody."""
    with Sandbox(SandboxOptions(directory=tmp_path_factory.mktemp("engine"))) as found:
        yield found


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.control("POST", "/reset", {})
    return shared_sandbox


@dataclass
class House:
    """An installed CRM with an engine, and an administrator who acts."""

    installation: Installation
    sandbox: Sandbox
    services: Services

    @property
    def database(self) -> Engine:
        return self.services.application.database

    @property
    def without_engine(self) -> Services:
        return replace(self.services, engine=EngineClient("http://127.0.0.1:9", "t", retries=0))

    def acting_as(self, login: str, role: str = "reader") -> Services:
        users = self.installation.host.application("demo").users
        users.add(login, name=login.title(), email=f"{login}@example.com", role=role)
        application = self.installation.host.application("demo").as_user(login)
        return replace(self.services, application=application)

    def link(self, **options: Any) -> str:
        """A link to the form."""
        return create_link(self.services, redirect_url=REDIRECT, **options).url

    def fill_in(self, link: str, email: str = SALES, password: str = "right") -> dict[str, str]:
        """Fill the form in as a person; gives what the redirect address says."""
        first = requests.get(link, timeout=10, allow_redirects=False)
        target = first.headers.get("location", link)
        data = {"email": email, "name": "Sales", "password": password, "answer": "allow"}
        page = requests.post(target, data=data, timeout=10).text
        found = re.search(r'id="continue" href="([^"]+)"', page)
        assert found, page
        said = parse_qs(urlsplit(unescape(found[1])).query)
        return {name: value[0] for name, value in said.items()}

    def connected(self, email: str = SALES, password: str = "right", **choices: Any) -> int:
        """Connect a mailbox through the form; gives our account."""
        said = self.fill_in(self.link(email=email, choices=choices), email, password)
        return connect(self.services, said["token"], said["account"])[0].id

    def entry(self, account: int) -> AccountEntry:
        with self.database.connect() as connection:
            return read_entry(connection, account)

    def engine_account(self, account: int) -> dict[str, Any]:
        name = self.entry(account).engine_account
        return self.api("GET", f"/account/{name}").json()  # type: ignore[no-any-return]

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.sandbox.token}"}
        url = f"{self.sandbox.url}/v1{path}"
        return requests.request(method, url, headers=headers, timeout=10, **options)

    def audited(self) -> list[tuple[str, Any]]:
        return [(each.action, each.after) for each in audit.listing(self.services)[0][::-1]]

    def logged(self) -> list[str]:
        return [each.code for each in event_log.listing(self.services)[0][::-1]]

    def runs(self) -> list[str]:
        runs = table(Run)
        with self.database.connect() as connection:
            return list(connection.scalars(select(runs.c.task)))


@pytest.fixture
def house(sandbox: Sandbox, database_url: str, tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        installation = stack.enter_context(
            installed(tmp_path, database_url, engine_url=sandbox.url, engine_token=sandbox.token)
        )
        users = installation.host.application("demo").users
        users.add("boss", name="Boss", email="boss@example.com", role="administrator")
        boss = installation.host.application("demo").as_user("boss")
        services = replace(installation.services, application=boss)
        installation.integration.start()
        stack.callback(installation.integration.stop)
        yield House(installation, sandbox, services)
