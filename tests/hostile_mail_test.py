"""Mail that no sender should make: imported or visibly failed, and the next mail goes on."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select

from limepkg_email.incoming.receipts import RECEIPTS
from tests.stack import SUPPORT, Stack, running

HEAD = b"From: anna@example.org\r\nTo: support@example.com\r\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("hostile")
    config = {"max_message_size": 1_000_000}
    with running(directory, f"sqlite:///{directory}/crm.sqlite", config=config) as found:
        yield found


def nested(depth: int) -> bytes:
    lines = [HEAD + b"Subject: nested\r\nMIME-Version: 1.0\r\n"]
    for level in range(depth):
        lines.append(f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n'.encode())
        lines.append(f"--b{level}\r\n".encode())
    lines.append(b"Content-Type: text/plain\r\n\r\ndeep\r\n")
    lines.extend(f"--b{level}--\r\n".encode() for level in reversed(range(depth)))
    return b"".join(lines)


def with_file(name: str, content: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "anna@example.org", SUPPORT, "file"
    mail.set_content("See the file.")
    mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes()


MAILS = {
    "empty": b"",
    "only a line": b"hello",
    "no headers at all": b"\r\nJust text.\r\n",
    "no from, date and id": b"Subject: who\r\n\r\ntext\r\n",
    "nuls": HEAD + b"Subject: a\x00b\r\n\r\nte\x00xt\x00\r\n",
    "wrong charset": HEAD
    + b"Subject: =?nope?B?////?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xe5\r\n",
    "lying charset": HEAD
    + b"Subject: \xe5\xe4\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>\xe5\xe4\xf6\r\n",
    "ten thousand recipients": b"From: anna@example.org\r\nTo: "
    + b",\r\n ".join(b"user%d@example.org" % number for number in range(10_000))
    + b"\r\nSubject: crowd\r\n\r\ntext\r\n",
    "a header of a megabyte": HEAD
    + b"X-Big: "
    + b"x" * 1_000_000
    + b"\r\nSubject: big\r\n\r\nt\r\n",
    "a subject of a megabyte": HEAD + b"Subject: " + b"s" * 1_000_000 + b"\r\n\r\ntext\r\n",
    "nested two hundred deep": nested(200),
    "hostile file name": with_file("..\\..\\etc/pass\x07wd\u202efdp.exe", b"x"),
    "file over the limit": with_file("huge.pdf", b"x" * 2_000_000),
    "empty file": with_file("empty.pdf", b""),
    "broken base64": HEAD
    + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64\r\n",
    "boundary that never comes": HEAD
    + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nno parts here\r\n',
    "header injection": HEAD + b"Subject: =?utf-8?Q?a=0D=0ABcc:_evil@example.org?=\r\n\r\ntext\r\n",
    "deep html": HEAD
    + b"Content-Type: text/html\r\n\r\n"
    + b"<div>" * 50_000
    + b"text"
    + b"</div>" * 50_000
    + b"\r\n",
}


@pytest.mark.parametrize("name", MAILS)
def test_hostile_mail_is_accounted_for_and_the_next_mail_goes_on(stack: Stack, name: str) -> None:
    before = len(dispositions(stack))
    with smtplib.SMTP(*stack.sandbox.smtp_address, timeout=30) as door:
        door.sendmail("anna@example.org", [SUPPORT], MAILS[name])
        door.sendmail(
            "anna@example.org", [SUPPORT], HEAD + f"Subject: after {name}\r\n\r\nok\r\n".encode()
        )
    stack.settle(3)
    made = dispositions(stack)[before:]
    assert made == ["imported", "imported"], made


def test_note_names_the_file_that_was_too_large(stack: Stack) -> None:
    stack.deliver(with_file("gigantic.pdf", b"x" * 2_000_000))
    stack.settle(3)
    message = stack.installation.all("conversationmessage")[-1]
    assert "gigantic.pdf" in str(message["body"])
    assert "See the file." in str(message["body"])


def dispositions(stack: Stack) -> list[str]:
    with stack.installation.services.application.database.connect() as connection:
        return list(connection.scalars(select(RECEIPTS.c.disposition).order_by(RECEIPTS.c.id)))
