"""Mail that comes and goes in an installation, and what a test asks about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from limepkg_email.hooks import Imported
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.outgoing.compose import Draft, Submitted, submit
from limepkg_email.query import Equals
from limepkg_email.reference.access import Access, Role
from limepkg_email.services import Services
from tests.incoming.arriving import arriving
from tests.installation import Installation


@dataclass
class Correspondence:
    """An installation with the account `support`."""

    crm: Installation

    @property
    def services(self) -> Services:
        return self.crm.services

    def acting(self, role: str, login: str = "") -> Services:
        """The services of somebody with a role; a `stranger` sees no object at all."""
        application = self.crm.host.application("demo")
        if role == "stranger":
            application.users.add_role(Role("stranger", ("email.use",), Access({})))
        login = login or role
        application.users.add(login, name=login.title(), email=f"{login}@example.com", role=role)
        return replace(self.services, application=application.as_user(login))

    def receive(self, **mail: Any) -> Imported:
        outcome = import_message(self.services, "support", arriving(**mail))
        assert outcome.imported is not None, outcome
        return outcome.imported

    def first(self, message_id: str, sender: str = "anna@example.org", **mail: Any) -> Imported:
        return self.receive(message_id=message_id, sender=sender, **mail)

    def answer(self, to: str, sender: str = "anna@example.org", **mail: Any) -> Imported:
        return self.receive(in_reply_to=to, references=(to,), sender=sender, **mail)

    def send(self, conversation: int, **draft: Any) -> Submitted:
        account = self.crm.accounts["support"].id
        given = {"html": "<p>Yes</p>", **draft}
        return submit(self.services, Draft(account=account, conversation=conversation, **given))

    def message_id(self, submitted: Submitted) -> str:
        """The Message-ID of the only mail of a message from the CRM."""
        (messagefollower,) = submitted.messagefollowers
        return str(self.crm.one("messagefollower", Equals("id", messagefollower))["messageid"])

    def messages(self, conversation: int) -> list[int]:
        found = self.crm.all("conversationmessage", Equals("conversation", conversation))
        return [each.id for each in found]

    def emails(self, conversation: int) -> list[str]:
        found = self.crm.all("follower", Equals("conversation", conversation))
        return sorted(str(each["email"]) for each in found)

    def conversation(self, id: int) -> Any:
        return self.crm.one("conversation", Equals("id", id))

    def consistent(self) -> None:
        """Every message follower's follower is in the conversation of its message, once."""
        messages = {each.id: each["conversation"] for each in self.crm.all("conversationmessage")}
        followers = {each.id: each for each in self.crm.all("follower")}
        for each in self.crm.all("messagefollower"):
            follower = followers[each["follower"]]  # type: ignore[index]
            assert follower["conversation"] == messages[each["conversationmessage"]]  # type: ignore[index]
        addresses = [(each["conversation"], each["email"]) for each in followers.values()]
        assert len(addresses) == len(set(addresses))
