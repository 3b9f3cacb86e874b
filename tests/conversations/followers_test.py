"""Who follows a conversation."""

from __future__ import annotations

import pytest

from limepkg_email.conversations.followers import add_follower, set_active
from limepkg_email.errors import Forbidden, InvalidInput, NotFound
from limepkg_email.query import Equals
from tests.conversations.correspondence import Correspondence


def test_who_is_switched_off_gets_nothing_until_switched_on(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>", cc=("lisa@example.net",))
    lisa = mail.crm.one("follower", Equals("email", "lisa@example.net")).id
    set_active(mail.services, lisa, active=False)
    assert len(mail.send(one.conversation).messagefollowers) == 1
    set_active(mail.services, lisa, active=True)
    assert len(mail.send(one.conversation).messagefollowers) == 2


def test_somebody_is_added_and_linked_to_who_they_are(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>").conversation
    person = mail.crm.add("person", email="Lisa@Example.net")
    added = add_follower(mail.services, one, " LISA@example.net ", "Lisa\r\nBcc: x")
    found = mail.crm.one("follower", Equals("id", added))
    assert (found["email"], found["person"], found["active"]) == ("lisa@example.net", person, True)
    assert found["name"] == "Lisa Bcc: x"


def test_an_address_that_follows_already_is_one_follower_and_comes_back(
    mail: Correspondence,
) -> None:
    one = mail.first("<one@example.org>").conversation
    anna = mail.crm.one("follower").id
    set_active(mail.services, anna, active=False)
    assert add_follower(mail.services, one, "Anna@Example.org") == anna
    assert mail.crm.one("follower")["active"] is True


@pytest.mark.parametrize("email", ["", "anna", "a b@example.org", "Support@Example.com"])
def test_what_is_no_address_or_our_own_is_refused(mail: Correspondence, email: str) -> None:
    one = mail.first("<one@example.org>").conversation
    with pytest.raises(InvalidInput) as caught:
        add_follower(mail.services, one, email)
    assert list(caught.value.errors) == ["email"]
    assert len(mail.crm.all("follower")) == 1


def test_who_may_not_does_not(mail: Correspondence) -> None:
    one = mail.first("<one@example.org>").conversation
    anna = mail.crm.one("follower").id
    for role, error in (("reader", Forbidden), ("stranger", NotFound)):
        acting = mail.acting(role)
        with pytest.raises(error):
            set_active(acting, anna, active=False)
        with pytest.raises(error):
            add_follower(acting, one, "lisa@example.net")
    with pytest.raises(NotFound):
        set_active(mail.services, 999, active=False)
    with pytest.raises(NotFound):
        add_follower(mail.services, 999, "lisa@example.net")
    assert mail.crm.one("follower")["active"] is True
