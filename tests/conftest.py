"""What holds for tests of several folders; their fixtures come from the package's own plugin."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests in a real browser a second chance, which the report tells of.

    On a loaded machine a page now and then takes longer than anybody waits for it.
    """
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))
