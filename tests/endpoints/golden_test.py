"""The routes, who may call them, and the OpenAPI document: a change of any is always a decision.

`python -m tests.endpoints.golden_test` writes what is true now; look at the difference.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from limepkg_email.endpoints.api import RESOURCES
from limepkg_email.endpoints.current import EXTENSION
from limepkg_email.endpoints.permissions import access_of
from limepkg_email.reference.access import NO_ACCESS, Role

from .crm import Crm, Person

GOLDEN = Path(__file__).parents[1] / "golden"
ROUTES = GOLDEN / "routes.txt"
DOCUMENT = GOLDEN / "openapi.json"

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ACTORS = ("nobody", "guest", "reader", "agent", "other", "admin", "stranger")
"""Nobody; a user without email rights; one who may read but send from nowhere; an agent of every
account; an agent of another account; an administrator; the administrator in another application."""


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    found = Crm(f"sqlite:///{tmp_path / 'crm.sqlite'}", tmp_path, neighbour=True)
    found.install()
    yield found
    found.host.close()


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, path below the prefix and permission of every documented endpoint."""
    documented = {each.name for each in RESOURCES if each.documented}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in documented:
            permission = access_of(app.view_functions[rule.endpoint]).permission or "public"
            for method in sorted((rule.methods or set()) & set(METHODS)):
                yield method, rule.rule.removeprefix("/<application>/limepkg-email"), permission


def concrete(path: str) -> str:
    """The path with a number that nothing has."""
    path = re.sub(r"<uuid:\w+>", str(UUID(int=0)), path)
    return re.sub(r"<(?:\w+:)?\w+>", "999999", path)


def people(crm: Crm) -> dict[str, Person]:
    crm.host.application("crm").users.add_role(Role("guest", (), NO_ACCESS))
    return {
        "nobody": crm.nobody(),
        "guest": crm.person("guest"),
        "reader": crm.person("reader"),
        "agent": crm.person("agent"),
        "other": crm.person("reader", "other", grants=["email.send_as:another"]),
        "admin": crm.person("administrator", "admin"),
    }


def statuses(crm: Crm, actors: dict[str, Person], method: str, path: str) -> list[int]:
    """What each actor gets for a request without any content, to a thing that does not exist."""
    body: dict[str, Any] = {} if method == "GET" else {"json": {}}
    found = [
        actors[name].send(method, concrete(path), **body).status_code
        for name in ACTORS
        if name != "stranger"
    ]
    admin = actors["admin"]
    elsewhere = admin.client.open(
        f"/other/limepkg-email{concrete(path)}",
        method=method,
        headers={"x-api-key": admin.key},
        buffered=True,
        **body,
    )
    return [*found, elsewhere.status_code]


def table(crm: Crm) -> str:
    actors = people(crm)
    rows = [("method", "path", "permission", *ACTORS)]
    for method, path, permission in sorted(routes(crm.app), key=lambda each: (each[1], each[0])):
        found = statuses(crm, actors, method, path)
        rows.append((method, path, permission, *map(str, found)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def document(app: Flask) -> str:
    found = app.extensions[EXTENSION].document("/crm/limepkg-email")
    found["info"]["version"] = "0"
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_routes_and_what_each_kind_of_user_gets_are_those_that_were_decided(crm: Crm) -> None:
    assert table(crm) == ROUTES.read_text("utf-8"), "run python -m tests.endpoints.golden_test"


def test_the_openapi_document_is_the_one_that_was_decided(crm: Crm) -> None:
    assert document(crm.app) == DOCUMENT.read_text("utf-8"), (
        "run python -m tests.endpoints.golden_test"
    )


def test_an_endpoint_with_a_permission_lets_in_who_has_it_and_nobody_else(crm: Crm) -> None:
    actors = people(crm)
    for method, path, permission in routes(crm.app):
        if permission == "public":
            continue
        found = dict(zip(ACTORS, statuses(crm, actors, method, path), strict=True))
        assert found["nobody"] == 401, path
        assert found["guest"] == 403, path
        assert found["stranger"] in (401, 404), path
        assert found["admin"] not in (401, 500), path
        if permission == "email.admin":
            assert found["reader"] == found["agent"] == 403, path


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        made = Crm(f"sqlite:///{place}/crm.sqlite", Path(place), neighbour=True)
        made.install()
        ROUTES.write_text(table(made), "utf-8")
        DOCUMENT.write_text(document(made.app), "utf-8")
        made.host.close()
        sys.stdout.write(f"{ROUTES}\n{DOCUMENT}\n")
