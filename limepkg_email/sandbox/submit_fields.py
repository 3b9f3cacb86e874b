"""What may be said when a mail is submitted or uploaded."""

from collections.abc import Mapping

from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.validation import BOOLEAN, DATE, INTEGER, STRING, Field, check

# Of base64 text, as the real engine counts; 3.9 MB of file.
MAX_ATTACHMENT = 5_242_880

_PERSON = Field("object", keys={"name": STRING, "address": Field("email", required=True)})
_PEOPLE = Field("array", item=_PERSON)
_REFERENCE = Field(
    "object",
    keys={
        "message": Field("string", required=True),
        "action": Field("string", choices=("reply", "reply-all", "forward"), default="reply"),
        "inline": BOOLEAN,
        "forwardAttachments": BOOLEAN,
        "ignoreMissing": BOOLEAN,
        "messageId": STRING,
        "documentStore": BOOLEAN,
    },
)
_ATTACHMENT = Field(
    "object",
    keys={
        "filename": STRING,
        "content": Field("string", maximum=MAX_ATTACHMENT),
        "contentType": STRING,
        "contentDisposition": Field("string", choices=("inline", "attachment")),
        "cid": STRING,
        "encoding": Field("string", choices=("base64",)),
        "reference": STRING,
    },
)
_CONTENT: Mapping[str, Field] = {
    "reference": _REFERENCE,
    "raw": STRING,
    "from": _PERSON,
    "replyTo": _PEOPLE,
    "to": _PEOPLE,
    "cc": _PEOPLE,
    "bcc": _PEOPLE,
    "subject": STRING,
    "text": STRING,
    "html": STRING,
    "attachments": Field("array", item=_ATTACHMENT),
    "messageId": STRING,
    "headers": Field("object"),
    "locale": STRING,
    "tz": STRING,
}
_SUBMIT: Mapping[str, Field] = {
    **_CONTENT,
    "envelope": Field("object", keys={"from": STRING, "to": Field("any")}),
    "previewText": STRING,
    "trackingEnabled": BOOLEAN,
    "trackOpens": BOOLEAN,
    "trackClicks": BOOLEAN,
    "copy": Field("boolean", nullable=True),
    "sentMailPath": STRING,
    "sendAt": DATE,
    "deliveryAttempts": INTEGER,
    "gateway": STRING,
    "listId": STRING,
    "dsn": Field("object"),
    "baseUrl": STRING,
    "proxy": STRING,
    "localAddress": STRING,
    "dryRun": BOOLEAN,
}
_UPLOAD: Mapping[str, Field] = {
    **_CONTENT,
    "path": Field("string", required=True),
    "flags": Field("array", item=STRING),
    "internalDate": DATE,
}


def check_submit(body: object) -> Json:
    """The checked body of a submission."""
    return check(body, _SUBMIT)


def check_upload(body: object) -> Json:
    """The checked body of an upload."""
    return check(body, _UPLOAD)
