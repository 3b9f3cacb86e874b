from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask

import limepkg_email
from limepkg_email import ConfigurationError, EmailIntegration, hookimpl
from limepkg_email.errors import NotFound, SetupRequired, Unauthorized
from limepkg_email.limetypes import Limetype, Property
from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost
from limepkg_email.schema.setup import run_setup
from limepkg_email.tasks.inline import InlineRunner
from tests.endpoints.conftest import any_crm, crm, installed_file, make_crm
from tests.endpoints.crm import CONFIG, SECRETS, Crm, statements

__all__ = ["any_crm", "crm", "installed_file", "make_crm"]


def reference_host(app: Flask | None, directory: Path, **wrong: object) -> ReferenceHost:
    options = ReferenceApplicationOptions(
        database_url=f"sqlite:///{directory / 'crm.sqlite'}",
        files_directory=directory,
        config={**CONFIG, **wrong},
        secrets=SECRETS,
    )
    return ReferenceHost(app, {"crm": options})


def test_a_host_mounts_it_in_ten_lines(tmp_path: Path) -> None:
    app = Flask(__name__)
    app.secret_key = "made up"
    host = reference_host(app, tmp_path)
    host.create_databases()
    email = EmailIntegration(host)
    email.register_blueprint(app, url_prefix="/<application>/limepkg-email")
    run_setup(email.anonymous_services("crm"))
    email.start()
    assert app.test_client().get("/crm/limepkg-email/health").json == {"status": "ok"}
    email.stop()
    host.close()


@pytest.mark.parametrize("begin", ["register_blueprint", "start"])
def test_a_wrong_configuration_stops_the_start_and_names_the_key(
    tmp_path: Path, begin: str
) -> None:
    host = reference_host(None, tmp_path, recovery_intervall=3)
    email = EmailIntegration(host, load_entry_points=False)
    with pytest.raises(ConfigurationError, match="crm: recovery_intervall"):
        email.register_blueprint(Flask("x")) if begin == "register_blueprint" else email.start()
    host.close()


def test_a_failed_start_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    host = reference_host(None, tmp_path, emailengine_url="no address")
    with pytest.raises(ConfigurationError, match="emailengine_url"):
        EmailIntegration(host, load_entry_points=False).start()
    assert threading.active_count() == before
    host.close()


def test_it_starts_before_setup_and_again_after_it_was_stopped(tmp_path: Path) -> None:
    host = reference_host(None, tmp_path)
    host.create_databases()
    email = EmailIntegration(host, load_entry_points=False)
    before = threading.active_count()
    for _ in range(2):
        email.start()
        assert threading.active_count() > before
        email.stop()
        deadline = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before
    host.close()


def test_background_services_act_as_the_system_user_and_are_found_without_a_query(
    crm: Crm,
) -> None:
    services = crm.integration.services("crm")
    assert services.application.user.can("email.admin")
    assert services.application.user.name == "emailengine@lime"
    with statements(crm.engine) as executed:
        assert crm.integration.services("crm") is services
        crm.integration.anonymous_services("crm")
    assert executed == []


def test_without_the_system_user_background_work_waits_for_setup(tmp_path: Path) -> None:
    host = reference_host(None, tmp_path)
    host.create_databases()
    email = EmailIntegration(host, load_entry_points=False)
    with pytest.raises(SetupRequired):
        email.services("crm")
    run_setup(email.anonymous_services("crm"))
    assert email.services("crm").application.user.can("email.admin")
    host.close()


def test_an_unknown_application_is_not_found(crm: Crm) -> None:
    for services in (crm.integration.services, crm.integration.anonymous_services):
        with pytest.raises(NotFound):
            services("other")


def test_services_of_a_request_act_as_who_signed_in(crm: Crm) -> None:
    key = crm.person("agent", "maria").key
    with crm.app.test_request_context("/crm/x", headers={"x-api-key": key}):
        assert crm.integration.request_services().application.user.name == "Maria"
    with crm.app.test_request_context("/crm/x"), pytest.raises(Unauthorized):
        crm.integration.request_services()


def test_a_job_is_announced_to_the_runner(crm: Crm) -> None:
    woken: list[str] = []

    def work(application: str) -> int:
        woken.append(application)
        return 0

    crm.runner.start(work, lambda: ["crm"])
    crm.runner.paused = False
    crm.integration.services("crm").wake()
    assert woken == ["crm"]


def test_without_a_runner_a_wake_up_is_no_error(tmp_path: Path) -> None:
    host = reference_host(None, tmp_path)
    EmailIntegration(host, load_entry_points=False).anonymous_services("crm").wake()
    host.close()


def test_two_integrations_share_nothing(tmp_path: Path) -> None:
    class Extension:
        @hookimpl
        def limetypes(self) -> Iterable[Limetype]:
            return [Limetype("ticket", "Ticket", "Tickets", (Property("name", "string"),))]

    host = reference_host(None, tmp_path)
    host.create_databases()
    plain = EmailIntegration(host, load_entry_points=False)
    extended = EmailIntegration(host, extensions=[Extension()], load_entry_points=False)
    application = host.application("crm")
    names = {each.name for each in plain.register_limetypes(application)}
    assert {each.name for each in extended.register_limetypes(application)} == {*names, "ticket"}
    host.close()


def test_extensions_hear_of_the_start_once(tmp_path: Path) -> None:
    heard: list[EmailIntegration] = []

    class Extension:
        @hookimpl
        def startup(self, integration: EmailIntegration) -> None:
            heard.append(integration)

    host = reference_host(None, tmp_path)
    host.create_databases()
    email = EmailIntegration(
        host, runner=InlineRunner(paused=True), extensions=[Extension()], load_entry_points=False
    )
    email.start()
    email.stop()
    assert heard == [email]
    host.close()


def test_what_lime_style_loaders_ask_for_is_there(crm: Crm) -> None:
    email = crm.integration
    assert email.default_config()["vacuum_cleaner_grace_period"] == 2.0
    assert "emailengine_token" not in email.default_config()
    parents = [{"limetype": "helpdesk", "title": "title", "relation": ""}]
    assert email.default_config()["conversation_parents"] == parents
    assert email.get_task_modules() == ["limepkg_email.tasks.tasks"]
    schedules = [each.name for each in email.register_scheduled_tasks()]
    assert schedules == ["job_sweep", "retention", "counting", "settle_sends", "recovery"]
    assert email.register_web_components() == []
    assert [Path(each).name for _, each in email.register_static_content()] in (["components"], [])
    assert sorted(each.name for each in Path(email.register_translations()).glob("*.po"))
    factories = email.register_feed_item_factories(crm.application)
    assert list(factories) == ["conversationmessage"]


def test_the_defaults_are_a_valid_configuration(tmp_path: Path, crm: Crm) -> None:
    host = reference_host(None, tmp_path, **crm.integration.default_config())
    EmailIntegration(host, load_entry_points=False).check()
    host.close()


def test_the_public_names_are_there() -> None:
    assert all(hasattr(limepkg_email, name) for name in limepkg_email.__all__)
    with pytest.raises(AttributeError):
        limepkg_email.nothing  # noqa: B018
