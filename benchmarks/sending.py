"""Answering: composing and committing a message against its floor, and handing it to the engine."""

from __future__ import annotations

import json
import tempfile
import uuid
from pathlib import Path

import nh3
from sqlalchemy import Engine, MetaData, insert

from benchmarks.importing import application
from benchmarks.mails import HTML, PLAIN, raw_mail
from benchmarks.measuring import cost
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.outgoing.compose import Draft, submit
from tests.incoming.arriving import arriving
from tests.installation import NOW, Installation
from tests.stack import Stack, running

FOLLOWERS = 2
WARM_UP = 20


def submitted(count: int) -> dict[str, float]:
    """Submit so many answers to two followers each; give processor milliseconds per message."""
    with application() as installation:
        conversation = _conversation(installation)
        draft = _draft(installation, conversation)
        for _ in range(WARM_UP):
            submit(installation.services, draft)
        with cost() as spent:
            for _ in range(count):
                submit(installation.services, draft)
        return {"cpu_ms": spent.cpu / count * 1000, "per_second": count / spent.wall}


def floor(count: int) -> dict[str, float]:
    """Sanitise the HTML and insert the same rows, one transaction per message."""
    with application() as installation:
        _conversation(installation)
        engine = installation.services.application.database
        metadata = MetaData()
        metadata.reflect(engine)
        for _ in range(WARM_UP):
            _insert_rows(engine, metadata)
        with cost() as spent:
            for _ in range(count):
                _insert_rows(engine, metadata)
        return {"cpu_ms": spent.cpu / count * 1000, "per_second": count / spent.wall}


def handed_over(count: int) -> dict[str, float]:
    """Submit answers and let the workers hand the mails to the sandbox until all are sent."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with running(path, f"sqlite:///{path}/crm.sqlite") as stack:
            stack.deliver(raw_mail(0))
            stack.settle()
            conversation = stack.installation.one("conversation").id
            draft = _draft(stack.installation, conversation)
            with cost() as spent:
                for _ in range(count):
                    submit(stack.installation.services, draft)
                _send_all(stack)
            return {"cpu_ms": spent.cpu / count * 1000, "per_second": count / spent.wall}


def _send_all(stack: Stack) -> None:
    stack.settle(10)
    states = {
        each["state"] for each in stack.installation.all("messagefollower") if each["queueid"]
    }
    assert states == {"sent"}, states


def _conversation(installation: Installation) -> int:
    outcome = import_message(
        installation.services, "support", arriving(cc=("lisa@example.net",), html=HTML)
    )
    assert outcome.imported is not None
    return outcome.imported.conversation


def _draft(installation: Installation, conversation: int) -> Draft:
    account = installation.accounts["support"].id
    return Draft(account=account, conversation=conversation, html=HTML, text=PLAIN)


def _insert_rows(engine: Engine, metadata: MetaData) -> None:
    html, tables = nh3.clean(HTML), metadata.tables
    payload = json.dumps({"html": html, "text": PLAIN})
    guids = [str(uuid.uuid4()) for _ in range(FOLLOWERS)]
    with engine.begin() as connection:
        message = connection.execute(
            insert(tables["conversationmessage"]),
            {
                "subject": "Re: Booking",
                "body": html,
                "visiblebody": html,
                "preview": PLAIN[:255],
                "date": NOW,
                "source": "lime",
                "unread": False,
                "machine": "no",
                "conversation": 1,
            },
        ).inserted_primary_key
        assert message is not None
        for number, guid in enumerate(guids, start=1):
            row = {
                "messageid": f"<{guid}@example.com>",
                "role": "to",
                "state": "queued",
                "statedate": NOW,
                "conversationmessage": message[0],
                "follower": number,
            }
            follower = connection.execute(insert(tables["messagefollower"]), row)
            assert follower.inserted_primary_key is not None
            outbox = {
                "guid": guid,
                "messagefollower": follower.inserted_primary_key[0],
                "account": "support",
                "message_id": f"<{guid}@example.com>",
                "recipient": "anna@example.org",
                "payload": payload,
                "state": "queued",
                "state_at": NOW,
                "created_at": NOW,
            }
            connection.execute(insert(tables["limepkg_email_outbox"]), outbox)
            sign = {"digest": guid, "conversation": 1, "outgoing": True}
            connection.execute(insert(tables["limepkg_email_thread"]), sign)
            job = {
                "task": "submit",
                "payload": "{}",
                "key": f"submit:{guid}",
                "state": "queued",
                "attempts": 0,
                "run_at": NOW,
                "created_at": NOW,
            }
            connection.execute(insert(tables["limepkg_email_job"]), job)
