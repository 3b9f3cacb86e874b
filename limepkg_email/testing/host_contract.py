"""What `limepkg_email.host` promises, as tests that any host can be put through.

Subclass `HostContract` in a test module, name the class `Test…` and give the fixture `host`: a
fresh `Host` with at least one application, for each test. The rest has defaults that can be
overridden:

- `system`: the login of a user who may do everything; `ensure_system_user` makes it.
- `reader`: the application as a user who may see objects, but not change them.
- `stranger`: the application as a user who may see no object of the contract's limetypes.

The last two skip their tests unless they are given. The contract installs limetypes of its own,
`contractbox` and `contractitem`, and expects nothing of the host's own ones.
"""

from __future__ import annotations

import pytest

from limepkg_email.errors import NotFound
from limepkg_email.host import Application, Host
from limepkg_email.testing.host.objects import ObjectsContract
from limepkg_email.testing.host.queries import QueriesContract
from limepkg_email.testing.host.sample import BOX, ITEM, install
from limepkg_email.testing.host.stores import FilesContract, LimetypesContract
from limepkg_email.testing.host.work import AccessContract, WorkContract

__all__ = ["BOX", "ITEM", "HostContract", "install"]


class HostContract(
    ObjectsContract, QueriesContract, WorkContract, AccessContract, LimetypesContract, FilesContract
):
    """The promises of a host, its applications, units of work, objects and stores."""

    system = "contract@system"

    @pytest.fixture
    def host(self) -> Host:
        raise NotImplementedError("give the fixture `host`")

    @pytest.fixture
    def application(self, host: Host) -> Application:
        found = host.application(next(iter(host.applications())))
        found.ensure_system_user(self.system)
        acting = found.as_user(self.system)
        install(acting)
        return acting

    @pytest.fixture
    def reader(self) -> Application:
        pytest.skip("the host gives no user who may only read")

    @pytest.fixture
    def stranger(self) -> Application:
        pytest.skip("the host gives no user who sees nothing")

    def test_settings_keep_json(self, application: Application) -> None:
        value = {"a": [1, 2.5, None, True, "Grüße 👋 \0 \ud800"], "b": {}}
        assert application.settings.get("contract") is None
        application.settings.set("contract", value)
        assert application.settings.get("contract") == value
        application.settings.set("contract", [])
        assert application.settings.get("contract") == []
        application.settings.set("contract", None)
        application.settings.set("contract", None)
        assert application.settings.get("contract") is None

    def test_application_tells_who_it_is(self, host: Host, application: Application) -> None:
        assert application.identifier in host.applications()
        assert host.application(application.identifier).identifier == application.identifier
        assert application.language
        assert application.object_url(ITEM, 4711).endswith(("4711", "4711/"))

    def test_unknown_application_is_not_found(self, host: Host) -> None:
        with pytest.raises(NotFound):
            host.application("nosuchapplication")
