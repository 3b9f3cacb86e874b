from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from .crm import Crm, Person


@pytest.fixture(scope="session")
def installed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file in which everything is installed, to be copied."""
    directory = tmp_path_factory.mktemp("installed")
    crm = Crm(f"sqlite:///{directory / 'crm.sqlite'}", directory)
    crm.install()
    crm.host.close()
    return directory / "crm.sqlite"


@pytest.fixture
def make_crm(installed_file: Path, tmp_path: Path) -> Iterator[Callable[..., Crm]]:
    """Makes the CRM on SQLite, installed, with extensions and configuration of the test."""
    made: list[Crm] = []

    def make(**options: Any) -> Crm:
        copyfile(installed_file, tmp_path / "crm.sqlite")
        crm = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path, **options)
        crm.use_what_is_installed()
        made.append(crm)
        return crm

    yield make
    for each in made:
        each.host.close()


@pytest.fixture
def crm(make_crm: Callable[..., Crm]) -> Crm:
    """The CRM on SQLite, installed."""
    return make_crm()


@pytest.fixture
def any_crm(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Crm]:
    """The CRM on SQLite and on PostgreSQL, installed."""
    if database_url.startswith("sqlite"):
        yield request.getfixturevalue("crm")
        return
    found = Crm(database_url, tmp_path)
    found.install()
    yield found
    found.host.close()


@pytest.fixture
def agent(crm: Crm) -> Person:
    return crm.person("agent")
