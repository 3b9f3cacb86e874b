"""Which conversation a mail belongs to: ordered strategies, of which the first hit wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from limepkg_email.addresses import domain
from limepkg_email.host import Objects
from limepkg_email.incoming.public_providers import PUBLIC_PROVIDERS
from limepkg_email.incoming.subjects import has_reply_prefix, normalise
from limepkg_email.incoming.trace import Trace
from limepkg_email.query import And, AtLeast, Contains, Equals, In, Order, Query
from limepkg_email.thread_index import Entry, message_id_digest, provider_thread_digest

Known = Mapping[str, Entry]
"""What the thread index knows of the mail's signs, by digest."""

SUBJECT_WINDOW = timedelta(days=30)
_RECENT_OF_SENDER = 100
_MOST_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a mail can be matched, as digests of the thread index, the strongest first."""

    own: str
    references: tuple[str, ...]
    provider_thread: str | None

    @classmethod
    def of(
        cls, account: str, message_id: str, references: tuple[str, ...], thread_id: str
    ) -> Signs:
        """Digest what a mail carries."""
        return cls(
            own=message_id_digest(message_id),
            references=tuple(message_id_digest(each) for each in references),
            provider_thread=provider_thread_digest(account, thread_id) if thread_id else None,
        )

    def all(self) -> tuple[str, ...]:
        """Give every digest."""
        rest = (self.provider_thread,) if self.provider_thread else ()
        return (self.own, *self.references, *rest)


@dataclass(slots=True)
class Candidate:
    """A conversation that the mail may belong to, and which strategy found it first.

    `ours` says that the mail refers to one that was sent from there, `sign` is the digest by which
    it was found.
    """

    conversation: int
    strategy: str
    ours: bool = False
    sign: str = ""


def by_signs(signs: Signs, known: Known, trace: Trace) -> list[Candidate]:
    """Find conversations through references, then through the provider's thread id.

    The likeliest comes first; of those that the sender may join and that still exist, it wins.
    """
    order = [(each, "reference") for each in signs.references]
    order.append((signs.own, "referenced before"))
    if signs.provider_thread:
        order.append((signs.provider_thread, "provider thread"))
    found: dict[int, Candidate] = {}
    for digest, strategy in order:
        entry = known[digest]
        if entry.conversation is not None:
            new = Candidate(entry.conversation, strategy, sign=digest)
            first = found.setdefault(entry.conversation, new)
            first.ours |= entry.outgoing
    candidates = list(found.values())
    if len(candidates) > 1:
        others = sorted(each.conversation for each in candidates[1:])
        trace.note(
            "threading",
            f"also refers to the conversations {others}",
            "also_refers",
            conversations=others,
        )
    return candidates[:_MOST_CANDIDATES]


def may_join(objects: Objects, candidate: Candidate, sender: str, trace: Trace) -> bool:
    """Tell whether the sender belongs to the conversation; otherwise anybody could enter it.

    They do when they answer a mail of ours, follow the conversation, or share the domain of
    somebody who does, unless it is that of a public mail provider.
    """
    if candidate.ours:
        trace.note("sender", "answers a mail that was sent from here", "sender_answers")
        return True
    if _follows(objects, candidate.conversation, sender):
        trace.note("sender", "is a follower of the conversation", "sender_follows")
        return True
    if _knows_domain(objects, candidate.conversation, domain(sender)):
        trace.note("sender", "shares its domain with a follower", "sender_domain")
        return True
    trace.note(
        "sender",
        f"is unknown to conversation {candidate.conversation}: not joined",
        "sender_unknown",
        conversation=candidate.conversation,
        sender=sender,
    )
    return False


def _follows(objects: Objects, conversation: int, sender: str) -> bool:
    where = And((Equals("conversation", conversation), Equals("email", sender)))
    return bool(objects.query(Query("follower", where, limit=1, properties=("email",))))


def _knows_domain(objects: Objects, conversation: int, wanted: str) -> bool:
    if not wanted or wanted in PUBLIC_PROVIDERS:
        return False
    where = And((Equals("conversation", conversation), Contains("email", "@" + wanted)))
    found = objects.query(Query("follower", where, limit=50, properties=("email",)))
    return any(domain(str(each["email"])) == wanted for each in found)


def by_subject(
    objects: Objects, account: int, sender: str, subject: str, now: datetime, trace: Trace
) -> Candidate | None:
    """Find the one recent conversation of the account with this subject and this follower.

    The weakest evidence, only for a mail with a reply prefix: never by subject alone.
    """
    wanted = normalise(subject)
    if not wanted or not sender or not has_reply_prefix(subject):
        return None
    following = objects.query(
        Query(
            "follower",
            Equals("email", sender),
            order_by=(Order("id", descending=True),),
            limit=_RECENT_OF_SENDER,
            properties=("conversation",),
        )
    )
    ids = sorted({each["conversation"] for each in following if each["conversation"]}, key=str)
    if not ids:
        return None
    recent = objects.query(
        Query(
            "conversation",
            And(
                (
                    In("id", ids),
                    Equals("account", account),
                    AtLeast("lastmessagedate", now - SUBJECT_WINDOW),
                )
            ),
            properties=("subject",),
        )
    )
    same = [each.id for each in recent if normalise(str(each["subject"] or "")) == wanted]
    if len(same) != 1:
        trace.note(
            "threading",
            f"{len(same)} recent conversations have this subject and sender",
            "subject_undecided",
            count=len(same),
        )
        return None
    trace.note("threading", "weak evidence: subject and sender only", "weak_evidence")
    return Candidate(same[0], "subject")
