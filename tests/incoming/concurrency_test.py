"""Imports at the same time: no mail twice, no thread split, no follower doubled, no deadlock."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from limepkg_email.engine.types import Message
from limepkg_email.incoming.pipeline import import_message
from tests.incoming.arriving import arriving
from tests.installation import Installation

THREADS = 12
WORKERS = 4


def conversation_mails(number: int) -> list[Message]:
    """Three mails of one thread; each names the ones before, and brings the same new follower."""
    ids = [f"<{number}-{place}@example.org>" for place in range(3)]
    return [
        arriving(
            f"Thread {number} mail {place}",
            sender=f"anna{number}@example.org",
            cc=("lisa@example.net",),
            message_id=ids[place],
            in_reply_to=ids[place - 1] if place else "",
            references=tuple(ids[:place]),
        )
        for place in range(3)
    ]


def test_threads_imported_at_once_and_twice_stay_whole(installation: Installation) -> None:
    mails = [mail for number in range(THREADS) for mail in conversation_mails(number)] * 2
    random.Random(7).shuffle(mails)
    services = installation.services
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda mail: import_message(services, "support", mail), mails))

    subjects = Counter(str(each["subject"]) for each in installation.all("conversationmessage"))
    assert set(subjects.values()) == {1}
    assert len(subjects) == THREADS * 3
    assert len(installation.all("conversation")) == THREADS
    followers = Counter(
        (each["conversation"], each["email"]) for each in installation.all("follower")
    )
    assert set(followers.values()) == {1}
    assert len(followers) == THREADS * 2


def test_one_mail_to_two_accounts_at_once_is_imported_once(installation: Installation) -> None:
    installation.connect("sales", "sales@example.com")
    services = installation.services
    mails = [
        (account, arriving(message_id=f"<both-{number}@example.org>", subject=f"Both {number}"))
        for number in range(10)
        for account in ("support", "sales")
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda pair: import_message(services, *pair), mails))
    assert len(installation.all("conversationmessage")) == 10
