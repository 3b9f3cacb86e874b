"""The import of announced mails against its floor, in small and in large databases, and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nh3
from sqlalchemy import Connection, Engine, MetaData, Table, event, insert

from benchmarks.mails import webhook_body
from benchmarks.measuring import cost, peak_memory
from limepkg_email.tasks.jobs import NewJob, enqueue
from tests.installation import NOW, Installation, installed

TASK = "limepkg_email.tasks.tasks.message_to_limeobjects"
WARM_UP = 50


@contextmanager
def application() -> Iterator[Installation]:
    """A new installation with one account, on SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/crm.sqlite"
        with installed(Path(directory), url) as found:
            found.connect("support", "support@example.com")
            found.integration.start()
            yield found
            found.integration.stop()


def announce(installation: Installation, first: int, count: int) -> None:
    """Write the jobs of so many webhooks, as the endpoint does."""
    with installation.services.application.database.begin() as connection:
        for number in range(first, first + count):
            job = NewJob(TASK, raw=webhook_body(number), event_id=f"event-{number}")
            enqueue(connection, [job], NOW)


def import_mails(count: int, *, before: int = 0) -> dict[str, float]:
    """Import so many mails, with so many messages in the database before."""
    with application() as installation:
        if before:
            _fill(installation.services.application.database, before)
        announce(installation, 0, WARM_UP)
        installation.runner.drain()
        announce(installation, WARM_UP, count)
        statements = _count(installation.services.application.database)
        with cost() as spent:
            done = installation.runner.drain()
        memory = peak_memory()  # before the check below reads every message
        assert done >= count, done
        assert len(installation.all("conversationmessage")) >= count
        return {
            "cpu_ms": spent.cpu / count * 1000,
            "per_second": count / spent.wall,
            "statements": statements[0] / count,
            "memory": memory,
        }


def floor(count: int) -> dict[str, float]:
    """Decode, sanitise and insert the same rows, one transaction per mail, and nothing else."""
    with application() as installation:
        engine = installation.services.application.database
        metadata = MetaData()
        metadata.reflect(engine)
        bodies = [webhook_body(number) for number in range(WARM_UP + count)]
        for body in bodies[:WARM_UP]:
            _insert_rows(engine, metadata, body)
        with cost() as spent:
            for body in bodies[WARM_UP:]:
                _insert_rows(engine, metadata, body)
        return {"cpu_ms": spent.cpu / count * 1000, "per_second": count / spent.wall}


def _insert_rows(engine: Engine, metadata: MetaData, body: str) -> None:
    data = json.loads(body)["data"]
    html = nh3.clean(data["text"]["html"])
    people = [data["from"], *data["cc"]]
    with engine.begin() as connection:
        parent = _add(connection, metadata, "helpdesk", title=data["subject"], status="new")
        conversation = _add(
            connection,
            metadata,
            "conversation",
            subject=data["subject"],
            threadid="",
            lastmessagedate=NOW,
            unread=True,
            account=1,
            helpdesk=parent,
        )
        message = _add(
            connection,
            metadata,
            "conversationmessage",
            subject=data["subject"],
            body=html,
            visiblebody=html,
            preview=data["text"]["plain"][:255],
            date=NOW,
            source="email",
            unread=True,
            emailengineid=data["id"],
            uniqueid=data["uid"],
            emailid="",
            machine="no",
            authorname=data["from"]["name"],
            authoraddress=data["from"]["address"],
            conversation=conversation,
        )
        for each in people:
            follower = _add(
                connection,
                metadata,
                "follower",
                email=each["address"],
                name=each["name"],
                active=True,
                conversation=conversation,
            )
            _add(
                connection,
                metadata,
                "messagefollower",
                messageid=data["messageId"],
                role="from",
                state="received",
                statedate=NOW,
                conversationmessage=message,
                follower=follower,
            )
        thread = metadata.tables["limepkg_email_thread"]
        values = {"digest": data["messageId"], "conversation": conversation, "outgoing": False}
        connection.execute(insert(thread), values)
        _add(
            connection,
            metadata,
            "limepkg_email_receipt",
            account="support",
            mail_key=data["messageId"],
            content_key=data["messageId"],
            disposition="imported",
            reason="",
            attempts=1,
            engine_id=data["id"],
            message_id=data["messageId"],
            subject=data["subject"],
            sender=data["from"]["address"],
            conversation=conversation,
            conversationmessage=message,
            trace=[],
            seen_at=NOW,
        )
        _add(
            connection,
            metadata,
            "limepkg_email_job",
            task="limepkg_email.tasks.tasks.mark_seen",
            payload="{}",
            state="queued",
            attempts=0,
            run_at=NOW,
            created_at=NOW,
        )


def _add(connection: Connection, metadata: MetaData, table: str, **values: object) -> int:
    target: Table = metadata.tables[table]
    key = connection.execute(insert(target), values).inserted_primary_key
    assert key is not None
    return int(key[0])


def _count(engine: Engine) -> list[int]:
    """Count the statements from now on, in a list of one number."""
    counted = [0]

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        counted[0] += not statement.startswith("BEGIN")

    event.listen(engine, "before_cursor_execute", note)
    return counted


def _fill(engine: Engine, messages: int) -> None:
    """Put messages, conversations, followers, receipts and thread signs into the database."""
    metadata = MetaData()
    metadata.reflect(engine)
    for first in range(0, messages, 5000):
        numbers = range(first + 1, first + 5001)
        with engine.begin() as connection:
            _fill_with(connection, metadata, numbers)


def _fill_with(connection: Connection, metadata: MetaData, numbers: range) -> None:
    def rows(table: str, make: object) -> None:
        connection.execute(insert(metadata.tables[table]), [make(n) for n in numbers])  # type: ignore[operator]

    rows("helpdesk", lambda n: {"title": f"Old {n}", "status": "new"})
    rows(
        "conversation",
        lambda n: {
            "subject": f"Old {n}",
            "lastmessagedate": NOW,
            "unread": False,
            "account": 1,
            "helpdesk": n,
        },
    )
    rows(
        "conversationmessage",
        lambda n: {
            "subject": f"Old {n}",
            "body": "<p>Old</p>" * 20,
            "visiblebody": "<p>Old</p>",
            "preview": "Old",
            "date": NOW,
            "source": "email",
            "unread": False,
            "conversation": n,
        },
    )
    rows(
        "follower",
        lambda n: {"email": f"old{n}@example.org", "active": True, "conversation": n},
    )
    rows(
        "messagefollower",
        lambda n: {
            "messageid": f"<old-{n}@example.org>",
            "role": "from",
            "state": "received",
            "conversationmessage": n,
            "follower": n,
        },
    )
    rows("person", lambda n: {"firstname": "Old", "email": f"old{n}@example.org"})
    rows(
        "limepkg_email_thread",
        lambda n: {"digest": f"{n:064x}", "conversation": n, "outgoing": False},
    )
    rows(
        "limepkg_email_receipt",
        lambda n: {
            "account": "support",
            "mail_key": f"h:{n:064x}",
            "content_key": f"{n:064x}",
            "disposition": "imported",
            "reason": "",
            "attempts": 1,
            "engine_id": "",
            "message_id": "",
            "subject": "",
            "sender": "",
            "trace": [],
            "seen_at": NOW,
        },
    )


def in_a_process(function: str, *arguments: object, **options: object) -> dict[str, float]:
    """Run a function of this module in a fresh process, so that memory can be compared."""
    call = f"{function}(*{arguments!r}, **{options!r})"
    code = f"import json; from benchmarks.importing import *; print(json.dumps({call}))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found
