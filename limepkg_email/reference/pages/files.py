"""Stored files, for those who may see an object that refers to them."""

from __future__ import annotations

from flask import Blueprint, Response, send_file

from limepkg_email.errors import NotFound
from limepkg_email.query import Equals
from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.pages.visit import Site

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types that a browser draws and never runs; an SVG is none of them."""

PDF = "application/pdf"


def add_to(pages: Blueprint, site: Site) -> None:
    """Add the address of files."""

    @pages.get("/<application>/file/<id_>")
    def file(application: str, id_: str) -> Response:
        """Give a file to read or to keep."""
        visited = site.visit(application)
        found = visited.files.describe(id_)
        if not _may_read(visited, id_):
            raise NotFound(f"There is no file {id_[:40]!r}.")
        response = send_file(
            visited.files.open(id_),
            found.content_type,
            as_attachment=found.content_type not in PICTURES | {PDF},
            download_name=found.filename,
            etag=False,
        )
        response.content_length = found.size
        response.headers["Cache-Control"] = "private, max-age=3600"
        # What a stranger sent must not run as a page of ours. A browser's own PDF reader does not
        # start in a sandbox, and reads without scripts of the page's origin anyway.
        sandbox = "" if found.content_type == PDF else "; sandbox"
        response.headers["Content-Security-Policy"] = f"default-src 'none'{sandbox}"
        return response


def _may_read(application: ReferenceApplication, id_: str) -> bool:
    """Tell whether the user sees an object that refers to the file."""
    with application.unit_of_work() as work:
        for limetype in application.limetypes.describe().values():
            for each in limetype.properties:
                if each.type == "file" and work.objects.count(
                    limetype.name, Equals(each.name, id_)
                ):
                    return True
    return False
