"""The promises of a mail engine, kept by the sandbox and, when one is given, by a real one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from limepkg_email.sandbox import Sandbox, SandboxOptions
from limepkg_email.testing.engine_contract import EngineApi, EngineContract

_URL = os.environ.get("LIMEPKG_EMAIL_TEST_ENGINE_URL", "")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory: Path = tmp_path_factory.mktemp("engine")
    with Sandbox(SandboxOptions(directory=directory, webhook_base_delay=0.05)) as sandbox:
        yield sandbox


class TestSandboxContract(EngineContract):
    @pytest.fixture
    def engine_url(self, sandbox: Sandbox) -> str:
        return sandbox.url

    @pytest.fixture
    def engine_token(self, sandbox: Sandbox) -> str:
        return sandbox.token

    @pytest.fixture
    def engine_account(self, sandbox: Sandbox) -> str:
        api = EngineApi(sandbox.url, sandbox.token, "support")
        if api.request("GET", "").status_code == 404:
            login = {"auth": {"user": "support@example.com", "pass": "secret"}, "host": "mx"}
            account = {"account": "support", "name": "Support", "email": "support@example.com"}
            api.post("/account", {**account, "imap": login, "smtp": login})
        api.close()
        return "support"

    @pytest.fixture
    def engine_settings_may_change(self) -> bool:
        return True


if _URL:

    class TestEmailEngineContract(EngineContract):
        """Against a throw-away instance that somebody runs; its webhook settings are changed."""

        @pytest.fixture
        def engine_url(self) -> str:
            return _URL.rstrip("/").removesuffix("/v1")

        @pytest.fixture
        def engine_token(self) -> str:
            return os.environ["LIMEPKG_EMAIL_TEST_ENGINE_TOKEN"]

        @pytest.fixture
        def engine_account(self) -> str:
            return os.environ["LIMEPKG_EMAIL_TEST_ENGINE_ACCOUNT"]

        @pytest.fixture
        def engine_settings_may_change(self) -> bool:
            return os.environ.get("LIMEPKG_EMAIL_TEST_ENGINE_WEBHOOKS") == "1"
