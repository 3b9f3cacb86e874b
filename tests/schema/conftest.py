from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from limepkg_email.clock import utc_now
from limepkg_email.engine.client import EngineClient
from limepkg_email.hooks import create_plugin_manager
from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost
from limepkg_email.services import Services

from .sample import configuration


@pytest.fixture
def services(database_url: str, tmp_path: Path) -> Iterator[Services]:
    """An application of the bundled CRM in which nothing is installed; it registers no webhook."""
    options = ReferenceApplicationOptions(database_url=database_url, files_directory=tmp_path)
    host = ReferenceHost(None, {"crm": options})
    host.create_databases()
    config = configuration()
    with EngineClient(config.emailengine_url, config.emailengine_token) as engine:
        yield Services(
            application=host.application("crm"),
            config=config,
            engine=engine,
            hooks=create_plugin_manager(load_entry_points=False).hook,
            clock=utc_now,
            wake=lambda: None,
        )
    host.close()


def with_extension(services: Services, extension: object) -> Services:
    """The same services, with an extension that contributes."""
    plugins = create_plugin_manager(load_entry_points=False)
    plugins.register(extension)
    return replace(services, hooks=plugins.hook)
