"""Two help desks that face each other, and programs that answer everything, come to rest."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from limepkg_email.accounts.accounts import ACCOUNTS
from limepkg_email.outgoing.compose import Draft, Recipient, submit
from limepkg_email.schema.settings import change_settings
from tests.stack import Stack, running

OURS, THEIRS = "support@example.com", "support@example.net"
CARL, DORA = "carl@example.org", "dora@example.org"

_numbers = count(1)


@dataclass
class World:
    """Two installations, each on its own engine, and the post between them and to people.

    `answering` are those whose out-of-office program answers; `polite` ones leave alone what says
    that a program sent it, and say themselves what they are.
    """

    ours: Stack
    theirs: Stack
    answering: tuple[str, ...] = ()
    polite: bool = True
    carried: list[EmailMessage] = field(default_factory=list)
    _seen: set[tuple[int, str, str]] = field(default_factory=set)

    def settle(self, rounds: int) -> None:
        """Carry mail to and fro until there is none."""
        for _ in range(rounds):
            for stack in (self.ours, self.theirs):
                stack.settle(2)
            if not self._carry():
                return
        raise AssertionError(f"no rest after {len(self.carried)} mails")

    def _carry(self) -> int:
        routes: list[tuple[Stack, str, Callable[[EmailMessage], None]]] = [
            (self.ours, THEIRS, lambda mail: deliver(self.theirs, mail, THEIRS)),
            (self.theirs, OURS, lambda mail: deliver(self.ours, mail, OURS)),
        ]
        for stack, own in ((self.ours, OURS), (self.theirs, THEIRS)):
            for person in (CARL, DORA):
                routes.append((stack, person, self._reader(stack, own, person)))
        return sum(self._empty(*route) for route in routes)

    def _reader(self, stack: Stack, own: str, person: str) -> Callable[[EmailMessage], None]:
        def read(mail: EmailMessage) -> None:
            if person not in self.answering or (self.polite and mail["Auto-Submitted"]):
                return
            marks = {"Auto-Submitted": "auto-replied"} if self.polite else {}
            deliver(stack, letter(person, own, "I am away", mail["Message-ID"], marks), own)

        return read

    def _empty(self, stack: Stack, address: str, then: Callable[[EmailMessage], None]) -> int:
        boxes = stack.sandbox.control("GET", "/mailboxes")["mailboxes"]
        if address not in {each["address"] for each in boxes}:
            return 0
        found = 0
        for each in stack.mailbox(address, raw=True):
            mail = message_from_bytes(b64decode(each["raw"]), policy=default)
            mark = (id(stack), address, str(mail["Message-ID"]))
            if mark in self._seen or mail["X-Carried"]:
                continue
            self._seen.add(mark)
            self.carried.append(mail)
            found += 1
            then(mail)
        return found


def letter(
    sender: str, to: str, text: str, answers: str = "", marks: dict[str, str] | None = None
) -> EmailMessage:
    mail = EmailMessage(policy=default)
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = "Re: Booking" if answers else "Booking"
    mail["Message-ID"] = f"<loop-{next(_numbers)}@example.org>"
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    for name, value in (marks or {}).items():
        mail[name] = value
    mail.set_content(text)
    return mail


def deliver(stack: Stack, mail: EmailMessage, to: str) -> None:
    mail["X-Carried"] = "yes"
    stack.deliver(mail.as_bytes(), to=to, sender=mail["From"].addresses[0].addr_spec)


def answering_automatically(stack: Stack) -> None:
    with stack.installation.services.application.database.begin() as connection:
        connection.execute(update(ACCOUNTS).values(autoreply_template=1))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    directories = [tmp_path / "ours", tmp_path / "theirs"]
    for each in directories:
        each.mkdir()
    urls = [f"sqlite:///{each / 'crm.sqlite'}" for each in directories]
    other = running(directories[1], urls[1], copied=False)
    with running(directories[0], urls[0]) as ours, other as theirs:
        with theirs.installation.services.application.database.begin() as connection:
            # The account that every stack begins with must not count as theirs.
            connection.execute(update(ACCOUNTS).values(email="unused@example.net", enabled=False))
        theirs.connect("theirs", THEIRS)
        answering_automatically(ours)
        answering_automatically(theirs)
        yield World(ours, theirs)


def test_two_help_desks_come_to_rest(world: World) -> None:
    account = world.ours.installation.accounts["support"].id
    draft = Draft(account, subject="Order", text="Two desks", recipients=(Recipient(THEIRS),))
    submit(world.ours.installation.services, draft)
    world.settle(5)
    # The mail and one automatic reply to it, which nobody answers.
    assert len(world.carried) == 2
    assert world.carried[1]["Auto-Submitted"] == "auto-replied"
    messages = world.ours.installation.all("conversationmessage")
    assert [(each["source"], each["machine"]) for each in messages] == [
        ("lime", "no"),
        ("email", "autoreply"),
    ]


def test_a_customer_of_both_comes_to_rest(world: World) -> None:
    both = letter(CARL, f"{OURS}, {THEIRS}", "Hello both")
    deliver(world.ours, both, OURS)
    world.theirs.deliver(both.as_bytes(), to=THEIRS, sender=CARL)
    world.settle(5)
    # An automatic reply of each desk to Carl and to the other desk.
    assert len(world.carried) == 4
    answer = letter(CARL, OURS, "One more thing", str(both["Message-ID"]))
    deliver(world.ours, answer, OURS)
    world.settle(5)
    # Relayed once to the other desk, which shows it and passes nothing on.
    assert len(world.carried) == 5
    newest = world.theirs.installation.all("conversationmessage")[-1]
    assert (newest["source"], newest["machine"]) == ("email", "bulk")


@pytest.mark.parametrize(("polite", "most"), [(True, 4), (False, 6)])
def test_somebody_out_of_office_comes_to_rest(world: World, polite: bool, most: int) -> None:
    world.answering, world.polite = (CARL,), polite
    both = letter(CARL, f"{OURS}, {THEIRS}", "Hello both")
    deliver(world.ours, both, OURS)
    world.theirs.deliver(both.as_bytes(), to=THEIRS, sender=CARL)
    world.settle(8)
    assert len(world.carried) == most


def test_two_programs_that_hide_what_they_are_come_to_rest(world: World) -> None:
    change_settings(world.ours.installation.services, {"max_relays_per_address": 4})
    world.ours.installation.integration.settings_changed("demo")
    world.answering, world.polite = (CARL, DORA), False
    deliver(world.ours, letter(CARL, f"{OURS}, {DORA}", "Hello"), OURS)
    world.settle(20)
    # Two automatic replies, and what the cap lets through to each of the two.
    assert len(world.carried) == 2 + 2 * 4
    assert len(world.ours.installation.all("conversation")) == 1
