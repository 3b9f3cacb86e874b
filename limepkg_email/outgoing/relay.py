"""A follower's reply is sent on to the other followers, each of whom gets a mail of their own.

The relayed mails are message followers of the incoming message itself, so that it shows who got it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import AccountBook, ConnectedAccount
from limepkg_email.addresses import display_name, normalise
from limepkg_email.conversations.invitations import invitations
from limepkg_email.db import plugin_connection
from limepkg_email.errors import NotFound
from limepkg_email.host import Files, Objects, StoredFile, UnitOfWork
from limepkg_email.incoming.sanitiser import with_remote_images
from limepkg_email.mail_html import mail_safe
from limepkg_email.markup import decoded
from limepkg_email.outgoing.automatic import (
    Dispatch,
    Letter,
    guid_of,
    still_to_send,
    without_flood,
    write_mails,
    written_once,
)
from limepkg_email.outgoing.draft import OutgoingFile
from limepkg_email.outgoing.mime import FILE
from limepkg_email.outgoing.problems import MAX_FILES_TOGETHER, content_type_of
from limepkg_email.outgoing.recipients import Target
from limepkg_email.outgoing.remarks import about_cut, about_left_out, without_import_notes
from limepkg_email.outgoing.situation import Occasion, Situation, read_situation
from limepkg_email.outgoing.wording import compose_text
from limepkg_email.query import Equals, Order, Query
from limepkg_email.schema.setup import installation_of
from limepkg_email.services import Services
from limepkg_email.text import one_line

KIND = "relay"
_SUBMITTED = "auto-generated"
"""A relayed mail says a person's words, but no program is to answer or pass on what we send."""

WITHIN = timedelta(hours=2)
"""The time in which one address gets at most `max_relays_per_address` mails. People write fewer;
two programs that answer each other through us and hide what they are must come to rest."""

_IMAGE = re.compile(r"<img\b[^>]*>")
_EMBEDDED = re.compile(r' src="cid:([^"]*)"')
_ALT = re.compile(r' alt="([^"]*)"')


@dataclass(frozen=True, slots=True)
class _Kept:
    """Ids of the stored files of the message: attached ones, and images by content id."""

    documents: tuple[str, ...]
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Enclosed:
    """What goes along, and what does not; `shown` gives the new content id of an image."""

    attachments: tuple[Mapping[str, str], ...] = ()
    shown: Mapping[str, str] | None = None
    left_out: tuple[str, ...] = ()


def relay(services: Services, occasion: Occasion) -> int:
    """Send a person's reply on to those followers who did not get it; gives how many mails.

    Doing it again sends nothing twice, whatever was lost in between.
    """
    application = services.application
    installation = installation_of(application)
    with (
        application.unit_of_work() as work,
        plugin_connection(application, work) as connection,
    ):
        situation = read_situation(services, work, connection, occasion, installation)
        if situation is None:
            return 0
        account = _account(situation.accounts, situation)
        targets = _targets(situation)
        if account is None or not targets or not _by_a_person(situation):
            return 0
        targets = _without_invited(work.objects, connection, targets)
        if not targets:
            return 0
        kept = _kept(work.objects, situation.message.id)
    letters = _letters(services, situation, account, targets, kept)
    dispatch = Dispatch(
        KIND, _SUBMITTED, account, _sender(situation, account), situation.installation
    )

    def write(work: UnitOfWork, connection: Connection) -> int:
        new = still_to_send(work, connection, letters)
        most = services.config.max_relays_per_address
        new = without_flood(connection, KIND, new, most, services.clock() - WITHIN)
        if new:
            conversation, message = situation.conversation.id, situation.message.id
            write_mails(services, work.objects, connection, dispatch, conversation, message, new)
        return len(new)

    return written_once(services, write)


def _account(accounts: AccountBook, situation: Situation) -> ConnectedAccount | None:
    """Give the account that the conversation runs through, else the one that got the mail."""
    usable = {each.id: each for each in accounts.accounts if each.enabled}
    found = usable.get(int(str(situation.conversation["account"] or 0)))
    if found is None:
        receiving = accounts.by_engine_account(situation.occasion.account)
        found = usable.get(receiving.id) if receiving else None
    return found if found is not None and found.relay else None


def _by_a_person(situation: Situation) -> bool:
    return (situation.message["source"], situation.message["machine"]) == ("email", "no")


def _targets(situation: Situation) -> list[Target]:
    """Choose the followers whom the mail itself did not reach, and to whom it was not relayed."""
    author = normalise(str(situation.message["authoraddress"] or ""))
    reached = {*situation.occasion.also, *situation.accounts.own_addresses, author}
    return [
        each
        for each in situation.followers
        if each.email not in reached and each.follower not in situation.roles
    ]


def _without_invited(
    objects: Objects, connection: Connection, targets: Sequence[Target]
) -> list[Target]:
    """Leave out those to whom nothing of ours has left yet: they know of no conversation."""
    invited = invitations(objects, connection, [each.follower for each in targets])
    return [each for each in targets if each.follower not in invited]


def _sender(situation: Situation, account: ConnectedAccount) -> str:
    mailbox = display_name(account.name) or account.email
    return display_name(f"{situation.author} via {mailbox}")


def _kept(objects: Objects, message: int) -> _Kept:
    here, order = Equals("conversationmessage", message), (Order("id"),)
    documents = objects.query(Query("document", here, order, properties=("document",)))
    images = objects.query(Query("embeddedfile", here, order, properties=("contentid", "file")))
    return _Kept(
        tuple(str(each["document"]) for each in documents if each["document"]),
        {str(each["contentid"]): str(each["file"]) for each in images if each["file"]},
    )


def _letters(
    services: Services,
    situation: Situation,
    account: ConnectedAccount,
    targets: Sequence[Target],
    kept: _Kept,
) -> list[Letter]:
    noted = without_import_notes(str(situation.message["visiblebody"] or ""))
    body = mail_safe(with_remote_images(noted.html))
    enclosed = _enclosed(services, body, kept, situation.message.id)
    body = _with_images(body, enclosed.shown or {})
    left_out = (*enclosed.left_out, *noted.left_out)
    remark = about_cut(situation.author, account.language) if noted.cut else ""
    remark += about_left_out(left_out, situation.author, account.language)
    texts = compose_text(services, KIND, account, situation, targets, body + remark)
    return [
        Letter(_guid(situation, target), target, text, enclosed.attachments)
        for target, text in zip(targets, texts, strict=True)
    ]


def _guid(situation: Situation, target: Target) -> str:
    message, engine_id = situation.message.id, situation.occasion.engine_id
    return guid_of(KIND, situation.installation, message, engine_id, target.follower)


def _enclosed(services: Services, body: str, kept: _Kept, message: int) -> _Enclosed:
    """Choose the images that the body shows and the files that fit, in this order."""
    limit = services.config.max_attachment_size
    room = max(limit, MAX_FILES_TOGETHER)
    attachments: list[Mapping[str, str]] = []
    shown: dict[str, str] = {}
    left_out: list[str] = []
    sources = {_content_id(each) for each in _EMBEDDED.findall(body)}
    wanted = [(kept.images[each], each) for each in sorted(sources) if each in kept.images]
    for file_id, content_id in [*wanted, *((each, "") for each in kept.documents)]:
        file = _described(services.application.files, file_id)
        if file is None or file.size > min(limit, room):
            if not content_id:
                left_out.append(file.filename if file else "")
            continue
        room -= file.size
        attachment = _attachment(file)
        if content_id:
            shown[content_id] = f"image{len(shown) + 1}.{message}@limepkg-email.invalid"
            attachment |= {"cid": shown[content_id], "contentDisposition": "inline"}
        attachments.append(attachment)
    return _Enclosed(tuple(attachments), shown, tuple(left_out))


def _described(files: Files, file_id: str) -> StoredFile | None:
    try:
        return files.describe(file_id)
    except NotFound:
        return None


def _attachment(file: StoredFile) -> dict[str, str]:
    kind = content_type_of(OutgoingFile(file.filename, file.content_type, file.id, file.size))
    return {"filename": one_line(file.filename, 255), "contentType": kind, FILE: file.id}


def _content_id(source: str) -> str:
    return unquote(decoded(source))


def _with_images(body: str, shown: Mapping[str, str]) -> str:
    """Let the body show the images that go along, and tell what the others would have shown."""

    def put(image: re.Match[str]) -> str:
        source = _EMBEDDED.search(image[0])
        if source is None:
            return image[0]
        new = shown.get(_content_id(source[1]))
        if new is None:
            alt = _ALT.search(image[0])
            return alt[1] if alt else ""
        return image[0].replace(source[0], f' src="cid:{new}"', 1)

    return _IMAGE.sub(put, body)
