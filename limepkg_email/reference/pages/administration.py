"""The administrator's pages: each is a frame that its script fills through the endpoints."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from limepkg_email.errors import Forbidden, NotFound
from limepkg_email.reference.access import ADMIN
from limepkg_email.reference.pages.visit import Site, render


@dataclass(frozen=True, slots=True)
class Section:
    """One page: its name in the address, its title, its icon, and what it is for.

    `component` is the web component that makes the page; without one a script of ours does.
    """

    name: str
    title: str
    icon: str
    purpose: str
    component: str = ""


SECTIONS = (
    Section("setup", "Setup", "check", "What the CRM needs for mail, and what is still missing."),
    Section(
        "oauth-applications",
        "OAuth2 applications",
        "key",
        "How people sign in with Google or Microsoft instead of giving a password.",
        "lwc-oauth-app-management",
    ),
    Section(
        "accounts",
        "Email accounts",
        "mail",
        "The mailboxes whose mail becomes conversations.",
        "lwc-account-management",
    ),
    Section(
        "templates",
        "Templates",
        "template",
        "Mails with places for names and values.",
        "lwc-template-management",
    ),
    Section("snippets", "Snippets", "text", "Short texts to insert while writing."),
    Section("extensions", "Filters and extensions", "filter", "What other packages add to mail."),
    Section("log", "Log", "list", "What went wrong, what needs somebody, and who changed what."),
    Section("failed", "Failed messages", "warning", "Mails that could not become messages yet."),
    Section(
        "recovery",
        "Recovery and report",
        "refresh",
        "Whether every mail that a mailbox lists is accounted for.",
    ),
    Section("settings", "Settings", "gear", "How the email integration behaves in this CRM."),
)


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the administrator's pages."""

    @pages.get("/<application>/admin/")
    def admin(application: str) -> Response:
        """Go to the first page."""
        return redirect(url_for("crm.admin_page", application=application, name=SECTIONS[0].name))

    @pages.get("/<application>/admin/<name>")
    def admin_page(application: str, name: str) -> str:
        """Show one of the pages to an administrator."""
        visited = site.visit(application)
        if not visited.user.can(ADMIN):
            raise Forbidden("These pages are for administrators.")
        section = next((each for each in SECTIONS if each.name == name), None)
        if section is None:
            raise NotFound("There is no such page in the administration.")
        template = "component" if section.component else section.name
        return render(
            f"admin/{template}.html", visited, page=section, pages=SECTIONS, section="admin"
        )
