"""The documentation is complete and true: keys, hooks, endpoints, limetypes, links, examples."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from limepkg_email.config import keys
from limepkg_email.endpoints.permissions import access_of
from limepkg_email.feed.factory import FeedContext
from limepkg_email.feed.page import read_page
from limepkg_email.hooks import create_plugin_manager
from limepkg_email.incoming.pipeline import import_message
from limepkg_email.limetypes import Property
from limepkg_email.models import Disposition
from limepkg_email.reference import ReferenceApplicationOptions, ReferenceHost
from limepkg_email.sandbox import SandboxOptions
from limepkg_email.sandbox.app import create_app
from limepkg_email.sandbox.database import Database
from limepkg_email.sandbox.services import build
from limepkg_email.schema.limetypes import LIMETYPES, declared
from tests.incoming.arriving import arriving
from tests.installation import Installation, installed

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
PREFIX = "/<application>/limepkg-email"


def reference(name: str) -> str:
    return (DOCS / "reference" / name).read_text("utf-8")


def code_block(path: Path, beginning: str) -> str:
    """The Python block of a page that begins with these words."""
    blocks = re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.S)
    (found,) = [each for each in blocks if each.startswith(beginning)]
    return str(found)


# --- configuration ------------------------------------------------------------------------------


def configuration_rows() -> Iterator[str]:
    for key in keys():
        default = "(required)" if key.required else f"`{json.dumps(_plain(key.default))}`"
        secret = "yes" if key.secret else "no"
        yield f"| `{key.name}` | {key.type} | {default} | {secret} | {key.help} |"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(each) for name, each in asdict(value).items() if each != ""}
    return value


def test_the_configuration_page_is_the_table_of_keys() -> None:
    rows = re.findall(r"^\| `.*\|$", reference("configuration.md"), re.M)
    assert rows == list(configuration_rows())


# --- hooks --------------------------------------------------------------------------------------


def hook_signatures() -> dict[str, str]:
    """Each hook as it stands on its page, with the first sentence of its docstring."""
    manager = create_plugin_manager(load_entry_points=False)
    found = {}
    for name, caller in vars(manager.hook).items():
        if name.startswith("_"):
            continue
        function = caller.spec.function
        signature = inspect.signature(function)
        without_self = [each for each in signature.parameters.values() if each.name != "self"]
        found[f"{name}{signature.replace(parameters=without_self)}"] = inspect.getdoc(function)
    return {each.replace("'", ""): str(text) for each, text in found.items()}


def test_every_hook_stands_on_its_page_with_its_exact_signature() -> None:
    page = reference("hooks.md")
    shown = re.findall(r"^```text\n(.*)\n```$", page, re.M)
    assert sorted(shown) == sorted(hook_signatures())
    for text in hook_signatures().values():
        assert text in " ".join(page.split())


# --- endpoints ----------------------------------------------------------------------------------


def endpoint_rows(app: Flask) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("limepkg_email_") or "unknown" in rule.endpoint:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(PREFIX))
        permission = access_of(app.view_functions[rule.endpoint]).permission
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"| {method} | `{path}` | {f'`{permission}`' if permission else 'none'} |"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with installed(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        app = Flask("crm")
        found.integration.register_blueprint(app)
        yield app


def test_every_endpoint_stands_on_its_page_with_method_path_and_permission(app: Flask) -> None:
    rows = re.findall(r"^(\| [A-Z]+ \| `[^`]*` \| [^|]* \|)", reference("endpoints.md"), re.M)
    assert sorted(rows) == sorted(endpoint_rows(app))


def test_every_way_to_control_the_sandbox_stands_on_its_page(tmp_path: Path) -> None:
    options = SandboxOptions(directory=tmp_path)
    database = Database(tmp_path / "sandbox.sqlite3")
    rules = create_app(build(options, database, "http://127.0.0.1")).url_map.iter_rules()
    database.close()
    expected = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/control")))
        for rule in rules
        if rule.rule.startswith("/control/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    rows = re.findall(r"^\| ([A-Z]+) \| `([^`]*)` \|", reference("sandbox.md"), re.M)
    assert set(rows) == expected


# --- limetypes ----------------------------------------------------------------------------------


def property_row(declared: Property) -> str:
    return f"| `{declared.name}` | {property_type(declared)} | {declared.label} |"


def property_type(declared: Property) -> str:
    if declared.type == "belongsto":
        return f"belongsto `{declared.related}`, there `{declared.backref}`"
    if declared.type == "option":
        return "option: " + ", ".join(f"`{each.key}`" for each in declared.options)
    return f"{declared.type}({declared.length})" if declared.length else declared.type


def test_every_limetype_and_property_stands_on_its_page(tmp_path: Path) -> None:
    page = reference("limetypes.md")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    with installed(tmp_path, f"sqlite:///{tmp_path}/crm.sqlite") as found:
        everything = declared(found.services.config)
    assert set(sections) == {each.name for each in LIMETYPES}
    for limetype in everything:
        rows = re.findall(r"^\| `.*\|$", sections[limetype.name], re.M)
        assert rows == [property_row(each) for each in limetype.properties], limetype.name


# --- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        # Screenshots are made from the running demo and can be missing for a while.
        if path.parent == DOCS / "images":
            continue
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_every_page_can_be_reached_from_the_map(page: Path) -> None:
    if page != DOCS / "index.md":
        assert f"({page.relative_to(DOCS)})" in (DOCS / "index.md").read_text("utf-8")


# --- examples -----------------------------------------------------------------------------------


def test_the_example_of_the_readme_mounts_the_integration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ReferenceHost] = []

    def my_crm_host(app: Flask) -> ReferenceHost:
        options = ReferenceApplicationOptions(
            database_url=f"sqlite:///{tmp_path}/crm.sqlite",
            files_directory=tmp_path,
            config={"emailengine_url": "http://127.0.0.1:9"},
            secrets={"emailengine_token": "t", "emailengine_service_secret": "made-up-secret"},
        )
        made.append(ReferenceHost(app, {"demo": options}))
        made[0].create_databases()
        return made[0]

    module = ModuleType("mycrm.email_host")
    module.MyCrmHost = my_crm_host  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mycrm", ModuleType("mycrm"))
    monkeypatch.setitem(sys.modules, "mycrm.email_host", module)
    code = code_block(ROOT / "README.md", "from flask import Flask")
    assert len(code.splitlines()) <= 12
    names: dict[str, Any] = {"__name__": "mycrm.app"}
    exec(code, names)
    try:
        answer = names["app"].test_client().get("/demo/limepkg-email/health")
        assert answer.json == {"status": "ok"}
    finally:
        names["email"].stop()
        made[0].close()


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Installation]:
    """An application with the extension of the how-to guide."""
    code = code_block(DOCS / "how-to" / "extend.md", '"""acme_email')
    extension = ModuleType("acme_email")
    exec(code, extension.__dict__)
    url = f"sqlite:///{tmp_path}/crm.sqlite"
    with installed(tmp_path, url, extensions=[extension]) as found:
        found.connect("support", "support@example.com")
        found.integration.start()
        yield found
        found.integration.stop()


def test_the_filter_of_the_guide_skips_a_mail(extended: Installation) -> None:
    letter = arriving("Plants", headers={"list-unsubscribe": "<https://example.org/leave>"})
    outcome = import_message(extended.services, "support", letter)
    assert (outcome.disposition, outcome.reason) == (
        Disposition.FILTERED,
        "can be unsubscribed from",
    )
    assert extended.all("conversation") == []


def test_the_property_and_the_action_of_the_guide_work_together(extended: Installation) -> None:
    for subject in ("URGENT: no light", "A question"):
        import_message(extended.services, "support", arriving(subject, unseen=False))
    extended.runner.drain()
    found = {each["subject"]: each["urgent"] for each in extended.all("conversation")}
    assert found == {"URGENT: no light": True, "A question": None}


def test_the_parent_hook_of_the_guide_puts_a_colleagues_mail_on_its_ticket(
    extended: Installation,
) -> None:
    ticket = extended.add("helpdesk", title="Broken lamp")
    for sender in ("eva@acme.example", "mallory@example.org"):
        letter = arriving(f"Spares [ticket {ticket}]", sender=sender)
        import_message(extended.services, "support", letter)
    first, second = sorted(extended.all("conversation"), key=lambda each: each.id)
    assert first["helpdesk"] == ticket
    assert second["helpdesk"] != ticket


def test_the_follower_hook_of_the_guide_knows_addresses_with_a_tag(extended: Installation) -> None:
    anna = extended.add("person", firstname="Anna", email="anna@example.org")
    letter = arriving("A question", sender="anna+shop@example.org")
    import_message(extended.services, "support", letter)
    assert extended.one("follower")["person"] == anna


def test_the_listeners_of_the_guide_write_to_the_log(
    caplog: pytest.LogCaptureFixture, extended: Installation
) -> None:
    with caplog.at_level("INFO", logger="acme_email"):
        import_message(extended.services, "support", arriving("A question"))
        extended.integration.stop()
        extended.integration.start()
    message = extended.one("conversationmessage").id
    assert f"Message {message} was imported" in caplog.messages
    assert "Acme's extension has started" in caplog.messages


def test_the_factory_of_the_guide_decorates_the_items(extended: Installation) -> None:
    import_message(extended.services, "support", arriving("A question", unseen=False))
    services = extended.services
    factory = extended.integration.feed_item_factory(services.application)
    context = FeedContext("helpdesk", extended.one("helpdesk").id, "/demo/limepkg-email")
    (item,) = read_page(services, factory, context, limit=10, offset=0).items
    assert (item.unread, item.color) == (True, "orange")
