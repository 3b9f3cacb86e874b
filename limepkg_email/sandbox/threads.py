"""Conversations in a mailbox as a mail program shows them: grouped by `References`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.mailboxes import Mailboxes
from limepkg_email.sandbox.stored import StoredMessage

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
# A page shows the newest mails only; a sandbox may hold thousands.
SHOWN = 400


@dataclass(frozen=True, slots=True)
class Thread:
    """Mails that answer each other, oldest first."""

    messages: tuple[StoredMessage, ...]

    @property
    def newest(self) -> StoredMessage:
        """The mail that came last."""
        return self.messages[-1]

    @property
    def subject(self) -> str:
        """The subject of the first mail."""
        return str(self.messages[0].summary.get("subject", "")) or "(no subject)"

    @property
    def unseen(self) -> int:
        """How many of the mails were not read yet."""
        return sum("\\Seen" not in message.flags for message in self.messages)

    @property
    def people(self) -> str:
        """Who wrote, each once."""
        names = [
            person.get("name") or person.get("address", "")
            for person in (message.summary.get("from", {}) for message in self.messages)
        ]
        return ", ".join(dict.fromkeys(name for name in names if name)) or "(nobody)"

    def is_in(self, path: str) -> bool:
        """Whether one of the mails lies in this folder."""
        return any(message.path == path for message in self.messages)


def references(message: StoredMessage, detail: Json) -> list[str]:
    """The Message-IDs that a mail refers to, oldest first."""
    headers = dict(reversed(detail["headers"]))
    found = _MESSAGE_ID.findall(headers.get("references", "")[:20_000])
    found += _MESSAGE_ID.findall(str(message.summary.get("inReplyTo", "")))
    return list(dict.fromkeys(found))


def group(mailboxes: Mailboxes, mailbox_id: int) -> list[Thread]:
    """The conversations of a mailbox, the one with the newest mail first."""
    messages = mailboxes.in_mailbox(mailbox_id)[-SHOWN:]
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for message in messages:
        own = _own_name(message)
        for other in references(message, mailboxes.detail(message)):
            leader[find(other)] = find(own)
    found: dict[str, list[StoredMessage]] = {}
    for message in messages:
        found.setdefault(find(_own_name(message)), []).append(message)
    threads = [Thread(tuple(_in_order(group))) for group in found.values()]
    return sorted(threads, key=lambda thread: thread.newest.row_id, reverse=True)


def _in_order(messages: Sequence[StoredMessage]) -> list[StoredMessage]:
    return sorted(messages, key=lambda message: (message.arrived, message.row_id))


def _own_name(message: StoredMessage) -> str:
    return str(message.summary.get("messageId") or f"row-{message.row_id}")
