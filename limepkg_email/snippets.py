"""Texts that people insert while they write: objects of the limetype `textsnippet`."""

from __future__ import annotations

from dataclasses import dataclass

from limepkg_email.errors import Forbidden, InvalidInput
from limepkg_email.host import LimeObject
from limepkg_email.mail_html import mail_safe
from limepkg_email.markup import shows_anything
from limepkg_email.query import And, Condition, Contains, Or, Order, Query
from limepkg_email.services import Services
from limepkg_email.text import one_line

LIMETYPE = "textsnippet"
MAX_TITLE = 128
"""Longest title in characters."""
MAX_TEXT = 100_000
"""Longest text in characters of HTML."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to insert: `text` is sanitised HTML."""

    id: int
    title: str
    text: str


def list_snippets(
    services: Services, search: str = "", *, title: str = "", limit: int = 50, offset: int = 0
) -> list[Snippet]:
    """Give the snippets that the user may see, by title; `search` is in title or text."""
    _require_use(services)
    query = Query(
        LIMETYPE,
        _where(search, title),
        order_by=(Order("title"), Order("id")),
        limit=limit,
        offset=offset,
    )
    with services.application.unit_of_work() as work:
        return [_snippet(each) for each in work.objects.query(query)]


def count_snippets(services: Services, search: str = "", *, title: str = "") -> int:
    """Tell how many snippets `list_snippets` would give without a limit."""
    _require_use(services)
    with services.application.unit_of_work() as work:
        return work.objects.count(LIMETYPE, _where(search, title))


def get_snippet(services: Services, id: int) -> Snippet:
    """Give the snippet; raises `NotFound`."""
    _require_use(services)
    with services.application.unit_of_work() as work:
        return _snippet(work.objects.get(LIMETYPE, id))


def create_snippet(services: Services, title: str, text: str) -> Snippet:
    """Store a new snippet as the acting user, its text sanitised."""
    _require_use(services)
    values = _checked(title, text)
    with services.application.unit_of_work() as work:
        id = work.objects.add(LIMETYPE, values)
    return Snippet(id, values["title"], values["text"])


def update_snippet(services: Services, id: int, title: str, text: str) -> Snippet:
    """Change the snippet as the acting user; raises `NotFound`."""
    _require_use(services)
    values = _checked(title, text)
    with services.application.unit_of_work() as work:
        work.objects.update(LIMETYPE, id, values)
    return Snippet(id, values["title"], values["text"])


def delete_snippet(services: Services, id: int) -> None:
    """Delete the snippet as the acting user; raises `NotFound`."""
    _require_use(services)
    with services.application.unit_of_work() as work:
        work.objects.delete(LIMETYPE, id)


def _where(search: str, title: str) -> Condition:
    wanted, titled = one_line(search), one_line(title)
    conditions: list[Condition] = [Contains("title", titled)] if titled else []
    if wanted:
        conditions.append(Or((Contains("title", wanted), Contains("text", wanted))))
    return And(tuple(conditions))


def _checked(title: str, text: str) -> dict[str, str]:
    title = one_line(title)
    errors: dict[str, list[str]] = {}
    if not title or len(title) > MAX_TITLE:
        errors["title"] = [f"A snippet needs a title of at most {MAX_TITLE} characters."]
    clean = mail_safe(text).strip()
    if not shows_anything(clean) or max(len(text), len(clean)) > MAX_TEXT:
        errors["text"] = [f"A snippet needs a text of at most {MAX_TEXT:,} characters."]
    if errors:
        sentences = [each for field in errors.values() for each in field]
        raise InvalidInput(" ".join(sentences), errors=errors)
    return {"title": title, "text": clean}


def _snippet(row: LimeObject) -> Snippet:
    # What other parts of the CRM stored may be anything: it is made harmless when it is read.
    return Snippet(row.id, str(row["title"] or ""), mail_safe(str(row["text"] or "")))


def _require_use(services: Services) -> None:
    user = services.application.user
    if not (user.can("email.use") or user.can("email.admin")):
        raise Forbidden("This needs the permission email.use.")
