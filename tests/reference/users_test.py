"""The users of the bundled CRM and what they may do."""

from __future__ import annotations

from pathlib import Path
from time import thread_time

import pytest

from limepkg_email.errors import Conflict, InvalidInput, NotFound
from limepkg_email.reference import ReferenceApplication
from limepkg_email.testing.plugin import MakeReferenceHost


@pytest.mark.parametrize(
    ("role", "grants", "allowed", "refused"),
    [
        ("administrator", (), ["email.use", "email.admin", "email.send_as:x"], []),
        ("agent", (), ["email.use", "email.send_as:x"], ["email.admin"]),
        ("reader", (), ["email.use"], ["email.admin", "email.send_as:x"]),
        ("reader", ["email.send_as:x"], ["email.send_as:x"], ["email.send_as:y", "email.admin"]),
    ],
    ids=str,
)
def test_role_and_grants_make_the_permissions(
    application: ReferenceApplication,
    role: str,
    grants: list[str],
    allowed: list[str],
    refused: list[str],
) -> None:
    application.users.add("anna", role=role, grants=grants)
    user = application.as_user("anna").user
    assert [each for each in allowed if not user.can(each)] == []
    assert [each for each in refused if user.can(each)] == []


def test_nobody_may_do_anything(application: ReferenceApplication) -> None:
    nobody = application.users
    assert not application.users.by_api_key("")
    assert nobody.by_password("emailengine@lime", "") is None


def test_right_password_signs_in(application: ReferenceApplication) -> None:
    application.users.add("anna", name="Anna", email="anna@x.se", password="long enough")
    found = application.users.by_password("anna", "long enough")
    assert found is not None
    assert (found.name, found.email) == ("Anna", "anna@x.se")
    assert application.users.by_password("anna", "wrong enough") is None
    assert application.users.by_password("nobody", "long enough") is None


def test_the_effort_does_not_tell_which_logins_exist(
    make_reference_host: MakeReferenceHost, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'slow.sqlite'}"
    host = make_reference_host(url, password_method="pbkdf2:sha256:100000")
    users = host.application("demo").users
    users.add("anna", password="long enough")

    def effort(login: str) -> float:
        """The time of the processor, the least of some tries, so that others do not disturb it."""
        tries = []
        for _ in range(5):
            begun = thread_time()
            assert users.by_password(login, "wrong enough") is None
            tries.append(thread_time() - begun)
        return min(tries)

    assert 0.6 < effort("nobody") / effort("anna") < 1.6


def test_system_user_cannot_sign_in_and_is_no_person(application: ReferenceApplication) -> None:
    assert application.users.by_password("emailengine@lime", "") is None
    application.users.add("anna")
    with pytest.raises(Conflict):
        application.ensure_system_user("anna")


def test_taken_login_and_unknown_role_are_refused(application: ReferenceApplication) -> None:
    application.users.add("anna")
    with pytest.raises(Conflict):
        application.users.add("anna")
    with pytest.raises(Conflict):
        application.users.add("bo", role="nosuchrole")
    with pytest.raises(InvalidInput):
        application.users.add("c\0")
    with pytest.raises(InvalidInput):
        application.users.add("dora", password="short")


def test_deactivated_user_is_gone(application: ReferenceApplication) -> None:
    number = application.users.add("anna", password="long enough")
    key = application.users.add_api_key("anna")
    application.users.deactivate("anna")
    assert application.users.by_password("anna", "long enough") is None
    assert application.users.by_api_key(key) is None
    assert application.users.by_id(number) is None
    with pytest.raises(NotFound):
        application.as_user("anna")
    with pytest.raises(NotFound):
        application.users.deactivate("nobody")


def test_api_key_belongs_to_its_user_until_it_is_removed(
    application: ReferenceApplication,
) -> None:
    application.users.add("anna")
    key, other = (application.users.add_api_key("anna", label) for label in ("one", "two"))
    assert key != other
    found = application.users.by_api_key(key)
    assert found is not None
    assert found.login == "anna"
    application.users.remove_api_key(key)
    assert application.users.by_api_key(key) is None
    assert application.users.by_api_key(other) is not None


def test_language_is_the_users_or_the_applications(application: ReferenceApplication) -> None:
    application.users.add("anna", language="sv")
    assert application.as_user("anna").language == "sv"
    assert application.language == "en"
