from collections.abc import Iterator
from pathlib import Path

import pytest

from .crm import Crm, Person


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    """The CRM on SQLite, installed."""
    found = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path)
    found.install()
    yield found
    found.host.close()


@pytest.fixture
def any_crm(database_url: str, tmp_path: Path) -> Iterator[Crm]:
    """The CRM on SQLite and on PostgreSQL, installed."""
    found = Crm(database_url, tmp_path)
    found.install()
    yield found
    found.host.close()


@pytest.fixture
def agent(crm: Crm) -> Person:
    return crm.person("agent")
