"""What stands below every message."""

import pytest

from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.signatures import (
    MAX_SIGNATURE,
    account_signature,
    set_account_signature,
    set_user_signature,
    signature_for,
    user_signature,
)
from tests.templates.conftest import Office, office

__all__ = ["office"]


def test_an_account_has_a_signature_that_administrators_set(office: Office) -> None:
    assert account_signature(office.agent, office.account.id) == ""
    assert set_account_signature(office.admin, office.account.id, "<p>Us</p>") == "<p>Us</p>"
    assert account_signature(office.agent, office.account.id) == "<p>Us</p>"
    with pytest.raises(Forbidden):
        set_account_signature(office.agent, office.account.id, "<p>Me</p>")
    with pytest.raises(Forbidden):
        account_signature(office.stranger, office.account.id)


def test_a_user_sets_ones_own_signature_and_an_administrator_anybodys(office: Office) -> None:
    lisa, reader = office.agent, office.acting_as("reader")
    own = lisa.application.user.id
    set_user_signature(lisa, own, "<p>Lisa</p>")
    assert user_signature(lisa, own) == "<p>Lisa</p>"
    assert user_signature(office.admin, own) == "<p>Lisa</p>"
    with pytest.raises(Forbidden):
        user_signature(reader, own)
    with pytest.raises(Forbidden):
        set_user_signature(reader, own, "<p>Rita</p>")
    with pytest.raises(Forbidden):
        set_user_signature(office.stranger, office.stranger.application.user.id, "<p>x</p>")


def test_the_users_signature_serves_before_the_accounts(office: Office) -> None:
    own = office.agent.application.user.id
    set_account_signature(office.admin, office.account.id, "<p>Us</p>")
    assert signature_for(office.admin, office.account.id, own) == "<p>Us</p>"
    set_user_signature(office.agent, own, "<p>Lisa</p>")
    assert signature_for(office.admin, office.account.id, own) == "<p>Lisa</p>"
    assert signature_for(office.admin, office.account.id, None) == "<p>Us</p>"
    set_user_signature(office.agent, own, "")
    assert signature_for(office.admin, office.account.id, own) == "<p>Us</p>"


def test_a_signature_is_made_harmless(office: Office) -> None:
    html = "<style>p{color:red}</style><p onclick='x()'>Us<script>y</script></p>"
    stored = set_account_signature(office.admin, office.account.id, html)
    assert stored == '<p style="color:red">Us</p>'


@pytest.mark.parametrize("html", ["", " ", "<p></p>", "<p><br></p>", "<script>x</script>"])
def test_a_signature_that_shows_nothing_is_none(office: Office, html: str) -> None:
    assert set_account_signature(office.admin, office.account.id, html) == ""


def test_a_signature_that_is_too_long_is_refused(office: Office) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_account_signature(office.admin, office.account.id, "x" * (MAX_SIGNATURE + 1))
    assert "signature" in caught.value.errors


def test_an_account_that_is_not_there_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        set_account_signature(office.admin, 99, "<p>x</p>")
    with pytest.raises(NotFound):
        signature_for(office.admin, 99, None)
