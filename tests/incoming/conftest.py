from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.incoming.recovering import Fragile
from tests.installation import Installation, installed
from tests.stack import Stack, running


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path, database_url) as found:
        found.connect("support", "support@example.com")
        yield found


@pytest.fixture
def fragile() -> Fragile:
    return Fragile()


@pytest.fixture
def stack(database_url: str, tmp_path: Path, fragile: Fragile) -> Iterator[Stack]:
    with running(tmp_path, database_url, extensions=[fragile]) as found:
        found.settle()
        found.sandbox.control("POST", "/webhooks/pause")
        yield found
