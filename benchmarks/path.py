"""The whole path: from a raw mail handed to the sandbox to committed objects, in one process."""

from __future__ import annotations

import http.client
import tempfile
from pathlib import Path

from benchmarks.mails import raw_mail
from benchmarks.measuring import cost
from tests.stack import SUPPORT, Stack, running

WARM_UP = 30


def whole_path(count: int) -> dict[str, float]:
    """Deliver so many mails; give the processor milliseconds of everything per mail.

    That is the sandbox's parsing and storing, its webhook, our endpoint, the import, and the
    request that marks the mails as seen; servers and clients of all of them.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with running(path, f"sqlite:///{path}/crm.sqlite") as stack:
            _deliver(stack, 0, WARM_UP)
            with cost() as spent:
                _deliver(stack, WARM_UP, count)
            messages = stack.installation.all("conversationmessage")
            assert len(messages) == WARM_UP + count, len(messages)
            seen = [mail for mail in stack.mailbox(SUPPORT) if "\\Seen" in mail["flags"]]
            assert len(seen) == WARM_UP + count, len(seen)
            return {"cpu_ms": spent.cpu / count * 1000, "per_second": count / spent.wall}


def _deliver(stack: Stack, first: int, count: int) -> None:
    door = http.client.HTTPConnection(stack.sandbox.url.removeprefix("http://"))
    for number in range(first, first + count):
        path = f"/control/deliver?mailbox={SUPPORT}&sender=anna@example.org"
        door.request("POST", path, raw_mail(number))
        answer = door.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
    door.close()
    stack.settle()
