"""What becomes of a mail for an address: accepted, refused, put off, or bounced."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass

from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.settings import Settings
from limepkg_email.sandbox.stored import Mailbox
from limepkg_email.sandbox.validation import Field, check

OUTCOMES = ("accept", "bounce", "reject", "greylist")
_RULE: Mapping[str, Field] = {
    "pattern": Field("string", required=True),
    "outcome": Field("string", required=True, choices=OUTCOMES),
    "tries": Field("integer", minimum=1),
}
_NO_USER = "550 5.1.1 <{}>: Recipient address rejected: No such user here"
_NO_RELAY = "550 5.7.1 <{}>: Recipient address rejected: Relay access denied"
_LATER = "451 4.7.1 <{}>: Recipient address rejected: Greylisted, try again later"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of the receiving mail server to one recipient."""

    recipient: str
    refusal: str | None = None
    bounces: bool = False

    @property
    def code(self) -> int:
        """The SMTP code of the answer."""
        return int(self.refusal[:3]) if self.refusal else 250


class Routing:
    """Decides by address; rules ordered by somebody come before the built-in ones."""

    def __init__(
        self,
        database: Database,
        mailboxes: Mailboxes,
        settings: Settings,
        options: SandboxOptions,
    ) -> None:
        self._database = database
        self._mailboxes = mailboxes
        self._settings = settings
        self._options = options

    def judge(self, recipient: str, attempt_key: str) -> Verdict:
        """The verdict on a recipient; `attempt_key` says what counts as a repeated try."""
        outcome, tries = self._outcome(recipient)
        if outcome == "reject":
            return Verdict(recipient, _NO_USER.format(recipient))
        if outcome == "greylist" and self._put_off(f"{attempt_key}|{recipient.lower()}", tries):
            return Verdict(recipient, _LATER.format(recipient))
        if self.mailbox(recipient, create=False) is None and not self.hosts(recipient):
            return Verdict(recipient, _NO_RELAY.format(recipient))
        return Verdict(recipient, bounces=outcome == "bounce")

    def bounces(self, recipient: str) -> bool:
        """Whether mail for the address is accepted now and returned later."""
        return self._outcome(recipient)[0] == "bounce"

    def mailbox(self, recipient: str, *, create: bool = True) -> Mailbox | None:
        """The mailbox that a recipient's mail goes to."""
        found = self._mailboxes.find(recipient)
        if found is None and "+" in recipient:
            # What follows a plus in the local part is a remark, not another mailbox.
            local, _, domain = recipient.rpartition("@")
            found = self._mailboxes.find(f"{local.partition('+')[0]}@{domain}")
        if found is None and create:
            found = self._mailboxes.ensure(recipient)
        return found

    def hosts(self, recipient: str) -> bool:
        """Whether a mailbox for this address is made when mail for it comes."""
        local, _, domain = recipient.rpartition("@")
        domain = domain.lower()
        return bool(local) and any(
            domain == hosted or domain.endswith(f".{hosted}")
            for hosted in self._options.hosted_domains
        )

    def rules(self) -> list[Json]:
        """The ordered rules."""
        return list(self._settings.own("addresses", default=[]))

    def add_rule(self, body: object) -> None:
        """Order what becomes of mail to addresses that match a pattern."""
        rule = check(body, _RULE)
        others = [old for old in self.rules() if old["pattern"] != rule["pattern"]]
        self._settings.set_own("addresses", [rule, *others])

    def clear_rules(self) -> None:
        """Back to the built-in rules."""
        self._settings.set_own("addresses", [])

    def _outcome(self, recipient: str) -> tuple[str, int]:
        address = recipient.lower()
        for rule in self.rules():
            if fnmatch.fnmatchcase(address, rule["pattern"].lower()):
                return rule["outcome"], rule.get("tries", self._options.greylist_tries)
        for outcome in ("bounce", "reject", "greylist"):
            if address.startswith(outcome):
                return outcome, self._options.greylist_tries
        return "accept", 0

    def _put_off(self, key: str, tries: int) -> bool:
        with self._database.transaction():
            made = self._database.number("SELECT tries FROM greylist WHERE key = ?", key)
            if made >= tries:
                return False
            self._database.run("INSERT OR REPLACE INTO greylist VALUES (?, ?)", key, made + 1)
            return True
