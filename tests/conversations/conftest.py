from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversations.correspondence import Correspondence
from tests.installation import installed


@pytest.fixture
def mail(database_url: str, tmp_path: Path) -> Iterator[Correspondence]:
    with installed(tmp_path, database_url) as found:
        found.connect("support", "support@example.com")
        yield Correspondence(found)
