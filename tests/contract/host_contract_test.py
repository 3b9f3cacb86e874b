"""The bundled CRM keeps the promises of a host, on each database and with either way to share."""

from __future__ import annotations

from pathlib import Path

import pytest

from limepkg_email.reference import ReferenceApplication, ReferenceHost
from limepkg_email.reference.access import Access, Role
from limepkg_email.testing.host_contract import BOX, ITEM, HostContract, install
from limepkg_email.testing.plugin import CopiedDatabase, MakeReferenceHost


class TestReferenceHost(HostContract):
    @pytest.fixture(params=["shared", "separate"])
    def host(
        self,
        request: pytest.FixtureRequest,
        copied_database: CopiedDatabase,
        tmp_path: Path,
        make_reference_host: MakeReferenceHost,
    ) -> ReferenceHost:
        def prepare(url: str) -> None:
            prepared = make_reference_host(url)
            application = prepared.application("demo")
            application.ensure_system_user(self.system)
            install(application)
            prepared.close()

        database_url = copied_database("host contract", prepare)
        elsewhere = f"sqlite:///{tmp_path}/plugin.sqlite"
        separate = elsewhere if request.param == "separate" else None
        return make_reference_host(database_url, separate_plugin_database=separate)

    @pytest.fixture
    def reader(self, application: ReferenceApplication) -> ReferenceApplication:
        application.users.add("reader", role="reader")
        return application.as_user("reader")

    @pytest.fixture
    def stranger(self, application: ReferenceApplication) -> ReferenceApplication:
        application.users.add_role(Role("stranger", (), Access({"*": "crud", BOX: "", ITEM: ""})))
        application.users.add("stranger", role="stranger")
        return application.as_user("stranger")
