"""The limeobjects of a mail: parent, conversation, message, followers, files, in few statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from limepkg_email.accounts.accounts import ConnectedAccount
from limepkg_email.config import ConversationParent
from limepkg_email.engine.types import Message
from limepkg_email.errors import HookError, NotFound
from limepkg_email.hooks import Imported, ParentReference
from limepkg_email.host import Objects
from limepkg_email.incoming.body import Body
from limepkg_email.incoming.files import Files
from limepkg_email.incoming.participants import Participant, add_followers, followers_of
from limepkg_email.incoming.trace import Trace
from limepkg_email.incoming.verdict import Verdict
from limepkg_email.query import And, AtLeast, Equals, Not, Query
from limepkg_email.services import Services
from limepkg_email.text import one_line, storable
from limepkg_email.thread_index import message_id_digest

_MACHINE = {"human": "no", "autoreply": "autoreply", "bounce": "bounce", "bulk": "bulk"}


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """A mail with everything about it that needs no database: ready to become objects.

    `earlier` says that it came before its account was connected.
    """

    account: ConnectedAccount
    message: Message
    message_id: str
    date: datetime
    earlier: bool
    subject: str
    body: Body
    verdict: Verdict
    people: tuple[Participant, ...]
    files: Files
    sender: str
    sender_name: str

    @property
    def raises_unread(self) -> bool:
        """Tell whether the mail makes its conversation unread; an automatic reply does not."""
        return self.verdict.kind in ("human", "bulk")

    def evidence_of(self, sign: str) -> str:
        """Give what stands behind a digest of the thread index, to be shown in the trace."""
        carried = (self.message_id, *self.message.references())
        known = {message_id_digest(each): each for each in carried}
        if not sign:
            return f"{self.subject} / {self.sender}"
        return known.get(sign, self.message.thread_id)


def new_conversation(
    services: Services, objects: Objects, mail: PreparedMail
) -> tuple[ParentReference, int]:
    """Make the conversation of a new thread, on the parent that a hook finds or on a new one."""
    kind = _parent_kind(services, mail.account)
    parent = services.hooks.conversation_parent(
        application=services.application, message=mail.message, objects=objects
    )
    if parent is None:
        title = mail.subject or "(no subject)"
        created = objects.add(kind.limetype, {kind.title: title[:255]})
        parent = ParentReference(kind.limetype, created)
    conversation = objects.add(
        "conversation",
        {
            "subject": mail.subject,
            "threadid": storable(mail.message.thread_id, 256),
            "lastmessagedate": mail.date,
            "unread": mail.raises_unread,
            "account": mail.account.id,
            _relation(services, parent): parent.id,
        },
    )
    return parent, conversation


def _parent_kind(services: Services, account: ConnectedAccount) -> ConversationParent:
    kinds = services.config.conversation_parents
    return next((each for each in kinds if each.limetype == account.parent_limetype), kinds[0])


def _relation(services: Services, parent: ParentReference) -> str:
    for each in services.config.conversation_parents:
        if each.limetype == parent.limetype:
            return each.property
    raise HookError(
        f"An extension hangs a conversation on {parent.limetype}, which is not among"
        " conversation_parents; add it there and run the setup."
    )


def touch_conversation(objects: Objects, conversation: int, mail: PreparedMail) -> bool:
    """Note the new message on its conversation; tells whether there still is one.

    Comes before the followers are read: the change locks the conversation, so that two mails of one
    thread cannot both add the same follower. A mail that comes late, or whose clock is slow, does
    not make the conversation look older than it is.
    """
    raised: dict[str, object] = {"unread": True} if mail.raises_unread else {}
    later = AtLeast("lastmessagedate", mail.date + timedelta.resolution)
    here = And((Equals("id", conversation), Not(later)))
    if objects.update_where("conversation", here, {"lastmessagedate": mail.date, **raised}):
        return True
    try:
        objects.update("conversation", conversation, raised or _latest(objects, conversation))
    except NotFound:
        return False
    return True


def _latest(objects: Objects, conversation: int) -> Mapping[str, object]:
    """Give something to write that changes nothing."""
    where = Equals("id", conversation)
    found = objects.query(Query("conversation", where, properties=("lastmessagedate",)))
    return {"lastmessagedate": found[0]["lastmessagedate"] if found else None}


def add_message(
    services: Services,
    objects: Objects,
    connection: Connection,
    conversation: int,
    mail: PreparedMail,
    trace: Trace,
    *,
    new: bool,
) -> int:
    """Make the message, its followers and its files in the conversation, and give its id."""
    known = {} if new else followers_of(objects, connection, conversation, mail.people)
    if known:
        here = sorted(known)
        trace.note("match", f"already follow: {', '.join(here)}", "followed", addresses=here)
    strangers = [each for each in mail.people if each.email not in known]
    followers = known | add_followers(
        services,
        objects,
        conversation,
        strangers,
        trace,
        create_persons=mail.account.create_persons and mail.verdict.kind == "human",
    )
    message = objects.add("conversationmessage", _message_values(conversation, mail))
    _add_message_followers(objects, message, mail, followers)
    _add_files(objects, message, mail.files)
    return message


def _message_values(conversation: int, mail: PreparedMail) -> dict[str, object]:
    return {
        "subject": mail.subject,
        "body": mail.body.html,
        "visiblebody": mail.body.visible,
        "preview": mail.body.preview,
        "date": mail.date,
        "source": "email",
        "unread": mail.raises_unread,
        "emailengineid": engine_id(mail.message.id),
        "uniqueid": mail.message.uid,
        "emailid": storable(mail.message.email_id, 256),
        "machine": _MACHINE[mail.verdict.kind],
        "authorname": one_line(mail.sender_name, 256),
        "authoraddress": one_line(mail.sender, 320),
        "conversation": conversation,
    }


def engine_id(given: str) -> str:
    """Give the engine's id of a mail as it stands in its message."""
    return storable(given, 512)


def _add_message_followers(
    objects: Objects, message: int, mail: PreparedMail, followers: dict[str, int]
) -> None:
    if not mail.people:
        return
    objects.add_many(
        "messagefollower",
        [
            {
                "messageid": mail.message_id,
                "role": each.role,
                "state": "received",
                "statedate": mail.date,
                "conversationmessage": message,
                "follower": followers[each.email],
            }
            for each in mail.people
        ],
    )


def _add_files(objects: Objects, message: int, files: Files) -> None:
    if files.documents:
        objects.add_many(
            "document",
            [
                {
                    "comment": each.file.filename[:256],
                    "type": "email",
                    "document": each.file.id,
                    "conversationmessage": message,
                }
                for each in files.documents
            ],
        )
    if files.embedded:
        objects.add_many(
            "embeddedfile",
            [
                {
                    "contentid": storable(each.content_id, 256),
                    "file": each.file.id,
                    "conversationmessage": message,
                }
                for each in files.embedded
            ],
        )


def outcome(
    mail: PreparedMail, parent: ParentReference | None, conversation: int, message: int
) -> Imported:
    """Describe what was made, for hooks and follow-up work."""
    return Imported(
        account=mail.account.engine_account,
        conversation=conversation,
        conversationmessage=message,
        parent_limetype=parent.limetype if parent else "",
        parent=parent.id if parent else 0,
        new_conversation=parent is not None,
    )
