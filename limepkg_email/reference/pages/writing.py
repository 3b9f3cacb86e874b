"""Writing mails: an answer on a ticket, and a new ticket that begins with a mail."""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, cast

from flask import Blueprint, make_response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from limepkg_email.errors import Conflict, Forbidden, InvalidInput, NotFound
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.mail import TICKET, Composer, Mail, Upload, Writing
from limepkg_email.reference.pages.ticket import Form, show_ticket
from limepkg_email.reference.pages.visit import Site, render
from limepkg_email.reference.sign_in import require_token


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the pages for writing."""

    @pages.post(f"/<application>/{TICKET}/<int:id_>/answer")
    def answer(application: str, id_: int) -> Response:
        """Send an answer to the ticket's followers."""
        require_token()
        visited, form = site.visit(application), _read_form(request.form)
        try:
            _required(site, visited).submit(visited, _writing(form, id_))
        except (InvalidInput, Forbidden, Conflict) as error:
            page = show_ticket(site, visited, id_, _refused(form, error))
            return make_response(page, error.status)
        return redirect(url_for("crm.ticket", application=application, id_=id_, _anchor="write"))

    @pages.get("/<application>/tickets/new")
    def new_ticket(application: str) -> str:
        """Ask for a new ticket."""
        visited = site.visit(application)
        form = Form(recipients=request.args.get("to", "")[:320])
        return _show_new(site, visited, form)

    @pages.post("/<application>/tickets/new")
    def begin(application: str) -> Response:
        """Make a ticket, with a mail if somebody is to get one."""
        require_token()
        visited, form = site.visit(application), _read_form(request.form)
        try:
            ticket = _begin(site, visited, form)
        except (InvalidInput, Forbidden, Conflict) as error:
            page = _show_new(site, visited, _refused(form, error))
            return make_response(page, error.status)
        return redirect(url_for("crm.ticket", application=application, id_=ticket))


def _begin(site: Site, application: ReferenceApplication, form: Form) -> int:
    if form.recipients.strip():
        return _required(site, application).submit(application, _writing(form, None))
    with application.unit_of_work() as work:
        if not form.subject.strip():
            raise InvalidInput(errors={"subject": ["A ticket needs a title."]})
        values = {"title": form.subject.strip(), "description": form.text or None}
        return work.objects.add(TICKET, values)


def _show_new(site: Site, application: ReferenceApplication, form: Form) -> str:
    mail = site.mail(application)
    composer = mail.composer(application, None, None) if mail else Composer(())
    return render("new_ticket.html", application, composer=composer, form=form)


def _required(site: Site, application: ReferenceApplication) -> Mail:
    mail = site.mail(application)
    if mail is None:
        raise NotFound("There is no mail in this CRM yet.")
    return mail


def _read_form(given: MultiDict[str, str]) -> Form:
    chosen = [int(each) for each in given.getlist("followers") if _is_number(each)]
    # Browsers send nothing for boxes that are not ticked; the hidden field tells of their being.
    followers = frozenset(chosen) if "has_followers" in given else None
    return Form(
        conversation=_number(given.get("conversation", "")),
        account=_number(given.get("account", "")),
        subject=given.get("subject", ""),
        text=given.get("text", ""),
        recipients=given.get("recipients", ""),
        followers=followers,
        key=given.get("key", "")[:200],
    )


def _writing(form: Form, ticket: int | None) -> Writing:
    if form.account is None:
        raise InvalidInput(errors={"account": ["Choose the account to send from."]})
    return Writing(
        ticket=ticket,
        conversation=form.conversation,
        account=form.account,
        subject=form.subject,
        text=form.text,
        recipients=form.recipients,
        followers=None if form.followers is None else tuple(sorted(form.followers)),
        files=_uploads(),
        key=form.key,
    )


def _uploads() -> tuple[Upload, ...]:
    return tuple(
        Upload(each.filename, each.mimetype, cast("BinaryIO", each.stream))
        for each in request.files.getlist("files")
        if each.filename
    )


def _refused(form: Form, error: InvalidInput | Forbidden | Conflict) -> Form:
    return replace(form, message=error.message, errors=error.errors)


def _number(given: str) -> int | None:
    return int(given) if _is_number(given) else None


def _is_number(given: str) -> bool:
    return given.isascii() and given.isdigit() and len(given) < 19
