"""Why a mail is here: sentences about one receipt and what followed, from stored facts only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from limepkg_email.addresses import normalise
from limepkg_email.errors import InvalidInput
from limepkg_email.host import Objects
from limepkg_email.incoming.trace import Step
from limepkg_email.models import Disposition
from limepkg_email.query import And, Equals, In, Query

WITHHELD = "withheld"
"""The code of an entry about something that the reader may not see."""
UNCODED = "note"
"""The code of a decision that another version of the package wrote in words of its own."""


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One fact about a mail: a stable `code`, a plain `sentence`, and the values in it."""

    code: str
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)


_STRATEGIES = {
    "reference": "It refers to {evidence}, a mail of conversation {conversation}.",
    "referenced before": (
        "Mails of conversation {conversation} refer to it as {evidence}, so it belongs there."
    ),
    "provider thread": (
        "The mailbox puts it into one thread with conversation {conversation} ({evidence})."
    ),
    "subject": (
        "Conversation {conversation} has its subject and its sender, which is weak evidence:"
        " {evidence}."
    ),
}
_VERDICTS = {
    "human": "It was taken for the mail of a person: no sign of a machine is about it.",
    "autoreply": "It was recognised as an automatic reply ({reason}).",
    "bulk": "It was recognised as bulk mail ({reason}).",
    "bounce": "It was recognised as a delivery report ({reason}).",
}
_SENTENCES = {
    "received": "It was found in the folder {folder}, dated {date}.",
    "older_but_unread": "It is older than the connection of the account, but it was unread.",
    "arrived_later_by_received": (
        "It is dated {date}, before the connection of the account, but a mail server received it"
        " later; the time of arrival counts."
    ),
    "arrived_later_by_mailbox": (
        "It is dated {date}, before the connection of the account, but did not lie in the mailbox"
        " then; the time of arrival counts."
    ),
    "fetched": "What the notification lacked of it was fetched from the mailbox.",
    "gone": "It had left its folder, so it was imported as it was announced.",
    "future_date": "Its date lies in the future ({date}); the time of arrival counts instead.",
    "filter_accepted": "The filter {filter} let it in: {reason}",
    "filter_skipped": "The filter {filter} kept it out: {reason}",
    "also_refers": "It refers to further conversations: {conversations}.",
    "sender_answers": "The sender may join, because they answer a mail that was sent from here.",
    "sender_follows": "The sender may join, because they follow the conversation.",
    "sender_domain": "The sender may join, because a follower has an address of the same domain.",
    "sender_unknown": (
        "It refers to conversation {conversation} but did not join it: {sender} is unknown there."
    ),
    "joined_deleted": "It belongs to conversation {conversation}, which was deleted.",
    "subject_undecided": (
        "{count} recent conversations have its subject and sender; one alone would have been taken."
    ),
    "weak_evidence": "Only subject and sender speak for this; it can be moved elsewhere.",
    "new_conversation": "It began a new conversation.",
    "matched": "{address} is the {limetype} {object}.",
    "person_created": "{address} was unknown, so the {limetype} {object} was made.",
    "unmatched": "{address} belongs to nobody the CRM knows.",
    "followed": "These followed the conversation already: {addresses}.",
    "no_address": "{address} cannot be used as an address.",
    "followers_left_out": "{count} more addresses did not become followers: {addresses}.",
    "file_too_large": "The file {file} was left out, because it is above the limits.",
    "file_gone": "The file {file} was not in the mailbox any more.",
    "sanitised": "Parts that could do harm were taken out of its text: {removed}.",
    "remote_images": "Images from the web are shown only after a click: {count}.",
    "history_folded": "The quoted history below its text is folded away.",
    "body_cut": "Its text is longer than what is kept.",
    "no_autoreply_wanted": "No automatic reply was sent, because the mail asks for none.",
    "parked": "It was moved to the folder {folder}.",
}
_DISPOSITIONS = {
    Disposition.IMPORTED: "It came through {account} and was imported.",
    Disposition.SECOND_SIGHTING: "It came through {account} too, but had been imported already.",
    Disposition.FILTERED: "It came through {account} and was not imported: {reason}.",
    Disposition.OWN: "It was found in {account}, but was sent from here: {reason}.",
    Disposition.FAILED: "It came through {account} and could not be imported: {reason}",
    Disposition.TOO_OLD: "It was found in {account}, too old to be imported.",
    Disposition.BEFORE_ACTIVATION: "It is older than the connection of {account}.",
}
_NO_FOLLOWERS = frozenset({"no_address", "followers_left_out"})


def entries_of(steps: Iterable[Step]) -> list[TraceEntry]:
    """Turn the stored decisions into entries; those stored without a code keep their own words."""
    return [_entry(each) for each in steps]


def disposition_entry(
    disposition: str, account: str, reason: str, attempts: int, code: str = ""
) -> TraceEntry:
    """Say what became of the mail in an account, and at which attempt."""
    given = {"account": account, "reason": reason, "attempts": attempts}
    sentence = _DISPOSITIONS[Disposition(disposition)].format(**given)
    if attempts > 1:
        sentence += f" This took {attempts} attempts."
    return TraceEntry(code or disposition, sentence, {"disposition": disposition, **given})


def as_seen_by(
    objects: Objects,
    entries: Sequence[TraceEntry],
    *,
    conversation: object = None,
    author: str = "",
    administrator: bool = False,
) -> list[TraceEntry]:
    """Withhold the entries about conversations and people that the acting user may not see.

    An address of the mail is shown to who sees the follower of the message's `conversation` that it
    is, and the `author` with the message. What names addresses that became no follower is shown to
    who sees any of the others. An `administrator` sees every address, as receipts show them, and
    the entries without a code, of which nobody can tell what they name. One statement for each
    limetype that is spoken of, and one for the addresses.
    """
    named: dict[str, set[int]] = {}
    for each in entries:
        for limetype, id in _objects_of(each):
            named.setdefault(limetype, set()).add(id)
    visible = {(limetype, id) for limetype in named for id in _seen(objects, limetype, named)}
    if not administrator:
        entries = _without_strangers(objects, entries, conversation, author)
    return [
        each
        if set(_objects_of(each)) <= visible and (administrator or each.code != UNCODED)
        else _withheld()
        for each in entries
    ]


def _without_strangers(
    objects: Objects, entries: Sequence[TraceEntry], conversation: object, author: str
) -> list[TraceEntry]:
    named = {address for each in entries for address in _addresses_of(each)}
    if not named:
        return list(entries)
    here = And((Equals("conversation", conversation), In("email", sorted(named))))
    found = objects.query(Query("follower", here, properties=("email",))) if conversation else []
    seen = {normalise(str(each["email"])) for each in found}
    shown = {*seen, normalise(author)}
    return [
        each
        if _addresses_of(each) <= shown or (seen and each.code in _NO_FOLLOWERS)
        else _withheld()
        for each in entries
    ]


def _entry(step: Step) -> TraceEntry:
    code, facts = str(step.get("code", "")), step.get("facts", {})
    sentence = _sentence(code, facts)
    if sentence is None:
        return TraceEntry(UNCODED, str(step.get("detail", "")), {"step": step.get("step", "")})
    return TraceEntry(code, sentence, facts)


def _sentence(code: str, facts: Mapping[str, Any]) -> str | None:
    make: Callable[[Mapping[str, Any]], str | None] = _BY_FACT.get(code, lambda _: None)
    template = make(facts) or _SENTENCES.get(code)
    if template is None:
        return None
    try:
        return template.format(**{name: _words(value) for name, value in facts.items()})
    except KeyError:  # written by another version
        return None


_BY_FACT: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "joined": lambda facts: _STRATEGIES.get(str(facts.get("strategy"))),
    "verdict": lambda facts: _VERDICTS.get(str(facts.get("kind"))),
}


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} ({count})" for name, count in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return str(value)


def _objects_of(entry: TraceEntry) -> list[tuple[str, int]]:
    """Give the objects that an entry names, by limetype and id."""
    facts = entry.details
    found = [("conversation", each) for each in facts.get("conversations", ())]
    if facts.get("conversation"):
        found.append(("conversation", facts["conversation"]))
    if facts.get("limetype"):
        found.append((str(facts["limetype"]), facts["object"]))
    return found


def _addresses_of(entry: TraceEntry) -> set[str]:
    """Give the addresses that an entry names, but for those that the object in it stands for."""
    facts = entry.details
    if facts.get("limetype") == "follower":
        return set()
    found = [facts.get("address"), facts.get("sender"), *facts.get("addresses", ())]
    return {normalise(str(each)) for each in found if each}


def _seen(objects: Objects, limetype: str, named: Mapping[str, set[int]]) -> set[int]:
    query = Query(limetype, In("id", sorted(named[limetype])), properties=())
    try:
        return {each.id for each in objects.query(query)}
    except InvalidInput:  # the limetype is not there any more
        return set()


def _withheld() -> TraceEntry:
    return TraceEntry(WITHHELD, "There is more, about something that you may not see.")
