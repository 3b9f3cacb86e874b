"""The limetypes of the bundled CRM are real tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, text

from limepkg_email.errors import Conflict, InvalidInput
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    CreateLimetype,
    Lengthen,
    Limetype,
    Option,
    Property,
    Step,
)
from limepkg_email.reference import ReferenceApplication
from limepkg_email.testing.host.sample import STEPS


def test_new_database_has_the_limetypes_of_a_small_crm(application: ReferenceApplication) -> None:
    found = application.limetypes.describe()
    assert sorted(found) == ["company", "coworker", "document", "helpdesk", "person"]
    status = found["helpdesk"].property("status")
    assert status is not None
    assert [option.key for option in status.options] == ["new", "open", "waiting", "closed"]


def test_property_becomes_a_column_with_its_key_and_index(
    application: ReferenceApplication,
) -> None:
    application.limetypes.apply(CreateLimetype(Limetype("order", "Order", "Orders")))
    application.limetypes.apply(
        AddProperty("order", Property("select", "string", length=30, indexed=True))
    )
    application.limetypes.apply(
        AddProperty("order", Property("person", "belongsto", related="person", backref="orders"))
    )
    application.limetypes.apply(Lengthen("order", "select", 40))
    with application.unit_of_work() as work:
        person = work.objects.add("person", {"firstname": "Anna"})
        work.objects.add("order", {"select": "x" * 40, "person": person})
    with application.database.connect() as connection:
        keys = inspect(connection).get_foreign_keys("order")
        names = _index_names(connection.dialect.name)
        found = set(connection.execute(text(names)).scalars())
    assert [(key["constrained_columns"], key["referred_table"]) for key in keys] == [
        (["person"], "person")
    ]
    assert found >= {"ix_order_select", "ix_order_select_lower", "ix_order_person"}


def _index_names(dialect: str) -> str:
    if dialect == "sqlite":
        return "SELECT name FROM sqlite_master WHERE tbl_name = 'order'"
    return "SELECT indexname FROM pg_indexes WHERE tablename = 'order'"


@pytest.mark.parametrize(
    "name", ["", "Order", "crm_user", "limepkg_email_job", "a b", 'a"b', "id", "1st", "x" * 41, "é"]
)
def test_name_that_no_table_can_have_is_refused(
    application: ReferenceApplication, name: str
) -> None:
    with pytest.raises(InvalidInput):
        application.limetypes.apply(CreateLimetype(Limetype(name, "X", "Xs")))
    if not name.startswith(("crm_", "limepkg_")):
        with pytest.raises(InvalidInput):
            application.limetypes.apply(AddProperty("person", Property(name, "text")))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (AddProperty("person", Property("email", "integer")), Conflict),
        (AddProperty("nosuchtype", Property("x", "text")), InvalidInput),
        (AddProperty("person", Property("x", "belongsto")), InvalidInput),
        (AddOption("helpdesk", "nosuch", Option("a", "A")), InvalidInput),
        (AddOption("helpdesk", "title", Option("a", "A")), InvalidInput),
        (AddOption("helpdesk", "status", Option("a" * 65, "A")), InvalidInput),
        (Lengthen("helpdesk", "status", 9), InvalidInput),
    ],
    ids=str,
)
def test_step_that_contradicts_what_is_there_changes_nothing(
    application: ReferenceApplication, step: Step, error: type[Exception]
) -> None:
    before = application.limetypes.describe()
    with pytest.raises(error):
        application.limetypes.apply(step)
    assert application.limetypes.describe() == before


def test_two_processes_may_install_at_once(application: ReferenceApplication) -> None:
    def install(_: int) -> None:
        for step in STEPS:
            application.limetypes.apply(step)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(install, range(3)))
    found = application.limetypes.describe()["contractitem"]
    assert len({each.name for each in found.properties}) == len(found.properties) == 11


def test_long_names_have_indexes_of_their_own(application: ReferenceApplication) -> None:
    limetype, name = "l" * 40, "p" * 40
    application.limetypes.apply(CreateLimetype(Limetype(limetype, "L", "Ls")))
    for suffix in "ab":
        declared = Property(name[:-1] + suffix, "string", length=9, indexed=True)
        application.limetypes.apply(AddProperty(limetype, declared))
    with application.unit_of_work() as work:
        work.objects.add(limetype, {name[:-1] + "a": "x"})
