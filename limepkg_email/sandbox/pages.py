"""The pages: every mailbox as its owner would see it, and a form to write as that person."""

import math
import re
from urllib.parse import quote

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from limepkg_email.sandbox import views
from limepkg_email.sandbox.json_types import Json
from limepkg_email.sandbox.messages import find_part
from limepkg_email.sandbox.services import Services
from limepkg_email.sandbox.stored import Mailbox, StoredMessage
from limepkg_email.sandbox.threads import Thread, group
from limepkg_email.sandbox.validation import is_email
from limepkg_email.sandbox.writing import Outcome, Writing

_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'none'; base-uri 'none'"
)
# A mail is shown in a frame of its own that may do nothing but look like a mail.
_MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_MAIL_PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><base target="_blank">'
    "<style>body{{margin:12px;font:15px/1.5 system-ui,sans-serif;color:#1a1c20;background:#fff;"
    "overflow-wrap:anywhere}}img{{max-width:100%;height:auto}}"
    "blockquote{{margin:.5em 0 .5em .2em;padding-left:.8em;border-left:3px solid #d0d4da}}"
    "</style></head><body>{}</body></html>"
)
_BLOCKS = re.compile(r"(?i)<(br|p|div|tr|li|h[1-6])\b")


def blueprint(services: Services) -> Blueprint:
    """The pages."""
    routes = Blueprint("pages", __name__, template_folder="templates")
    pages = _Pages(services)
    for rule, name, methods in (
        ("/", "home", ["GET"]),
        ("/mailboxes", "add", ["POST"]),
        ("/mailbox/<address>", "mailbox", ["GET"]),
        ("/mailbox/<address>/mail/<int:row>", "thread", ["GET"]),
        ("/mailbox/<address>/mail/<int:row>/body", "body", ["GET"]),
        ("/mailbox/<address>/mail/<int:row>/source", "source", ["GET"]),
        ("/mailbox/<address>/mail/<int:row>/file/<part>", "file", ["GET"]),
        ("/mailbox/<address>/write", "write", ["GET", "POST"]),
    ):
        routes.add_url_rule(rule, name, getattr(pages, name), methods=methods)

    @routes.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Not `no-referrer`: with that a browser hides where its own forms come from.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return routes


class _Pages:
    """The handlers, one for each page."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._mailboxes = services.mailboxes
        self._writing = Writing(services)

    def home(self) -> str:
        entries = [self._entry(mailbox) for mailbox in self._mailboxes.all()]
        return self._render("home.html", entries=entries)

    def add(self) -> Response:
        address = request.form.get("address", "").strip()
        if not is_email(address):
            return _see(url_for("pages.home", problem="That is not an email address."))
        mailbox = self._mailboxes.ensure(address, request.form.get("name", "").strip())
        return _see(url_for("pages.mailbox", address=mailbox.address))

    def mailbox(self, address: str) -> str:
        mailbox = self._find(address)
        path = request.args.get("path", "INBOX")
        threads = [thread for thread in group(self._mailboxes, mailbox.id) if thread.is_in(path)]
        return self._render(
            "mailbox.html",
            mailbox=mailbox,
            entry=self._entry(mailbox),
            path=path,
            threads=threads,
            folders=[
                (folder.path, *self._mailboxes.counts(folder))
                for folder in self._mailboxes.folders(mailbox.id)
            ],
        )

    def thread(self, address: str, row: int) -> str:
        mailbox, message = self._message(address, row)
        thread = self._thread_of(mailbox, message)
        if not self._services.accounts.of_mailbox(mailbox.id):
            # Reading an account's mailbox here would be news to the CRM; a customer's is not.
            for unread in thread.messages:
                self._services.mail.set_flags(unread, {*unread.flags, "\\Seen"})
        return self._render(
            "thread.html",
            mailbox=mailbox,
            thread=thread,
            mails=[self._shown(one) for one in thread.messages],
            draft=self._writing.reply_draft(mailbox, thread.newest, everybody=True),
        )

    def body(self, address: str, row: int) -> Response:
        _, message = self._message(address, row)
        detail = self._mailboxes.detail(message)
        safe = views.web_safe(views.texts(detail), message, self._mailboxes.original(message))
        return Response(
            _MAIL_PAGE.format(safe["html"].replace("\x00", "")),
            content_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": _MAIL_POLICY},
        )

    def source(self, address: str, row: int) -> Response:
        _, message = self._message(address, row)
        return Response(self._mailboxes.raw(message), content_type="text/plain; charset=utf-8")

    def file(self, address: str, row: int, part: str) -> Response:
        _, message = self._message(address, row)
        found = find_part(self._mailboxes.original(message), part)
        if found is None:
            abort(404)
        name = quote(found.filename or "attachment")
        return Response(
            found.data(),
            content_type="application/octet-stream",
            headers={"Content-Disposition": f"attachment; filename*=utf-8''{name}"},
        )

    def write(self, address: str) -> str | Response:
        mailbox = self._mailboxes.find(address) or self._find(address)
        original = self._mailboxes.by_row(request.values.get("reply", 0, type=int))
        if original is not None and original.mailbox != mailbox.id:
            original = None
        if request.method == "GET":
            draft = self._writing.draft(mailbox, original, request.args)
            return self._render("write.html", mailbox=mailbox, draft=draft)
        outcome = self._writing.send(
            mailbox, original, request.form, request.files.getlist("files")
        )
        if outcome.problem:
            draft = self._writing.draft(mailbox, original, request.form)
            return self._render("write.html", mailbox=mailbox, draft=draft, problem=outcome.problem)
        return _see(self._after(mailbox, outcome))

    def _after(self, mailbox: Mailbox, outcome: Outcome) -> str:
        return url_for(
            "pages.thread", address=mailbox.address, row=outcome.row_id, notice=outcome.notice
        )

    def _render(self, template: str, **values: object) -> str:
        values.setdefault("problem", request.args.get("problem", ""))
        return render_template(
            template,
            page_name=self._services.options.page_name,
            notice=request.args.get("notice", ""),
            **values,
        )

    def _find(self, address: str) -> Mailbox:
        mailbox = self._mailboxes.find(address)
        if mailbox is None:
            abort(404)
        return mailbox

    def _message(self, address: str, row: int) -> tuple[Mailbox, StoredMessage]:
        mailbox = self._find(address)
        message = self._mailboxes.by_row(row)
        if message is None or message.mailbox != mailbox.id:
            abort(404)
        return mailbox, message

    def _thread_of(self, mailbox: Mailbox, message: StoredMessage) -> Thread:
        for thread in group(self._mailboxes, mailbox.id):
            if any(one.row_id == message.row_id for one in thread.messages):
                return thread
        return Thread((message,))

    def _entry(self, mailbox: Mailbox) -> Json:
        inbox = self._mailboxes.folder(mailbox.id, "INBOX")
        messages, unseen = self._mailboxes.counts(inbox) if inbox else (0, 0)
        accounts = self._services.accounts.of_mailbox(mailbox.id)
        return {
            "address": mailbox.address,
            "name": mailbox.name or mailbox.address.partition("@")[0],
            "messages": messages,
            "unseen": unseen,
            "accounts": [(one.id, self._services.accounts.state(one)) for one in accounts],
        }

    def _shown(self, message: StoredMessage) -> Json:
        detail = self._mailboxes.detail(message)
        markup = str(detail.get("html", ""))
        lines = markup.count("\n") / 4 + len(_BLOCKS.findall(markup)) + len(markup) / 300
        height = min(60, max(8, math.ceil(lines * 1.6) + 4))
        return {
            "message": message,
            "plain": str(detail.get("plain", "")).replace("\x00", ""),
            "is_html": bool(markup),
            "height": f"h{math.ceil(height / 4) * 4}",
            "files": [
                {**entry, "size": _size(int(entry["encodedSize"]))}
                for entry in message.summary.get("attachments", [])
            ],
        }


def _see(address: str) -> Response:
    response = redirect(address, 303)
    return Response(response.get_data(), 303, {"Location": address})


def _size(encoded: int) -> str:
    number = encoded * 3 / 4
    for unit in ("bytes", "kB", "MB"):
        if number < 1000 or unit == "MB":
            return f"{number:.0f} {unit}"
        number /= 1000
    return ""
