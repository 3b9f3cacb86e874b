"""What `limepkg_email.host` promises, as tests that any host can be put through.

Subclass `HostContract` in a test module, name the class `Test…` and give the fixture `host`: a
fresh `Host` with at least one application, for each test. The rest has defaults that can be
overridden:

- `system`: the login of a user who may do everything; `ensure_system_user` makes it.
- `reader`: the application as a user who may see objects, but not change them.
- `stranger`: the application as a user who may see no object of the contract's limetypes.

The last two skip their tests unless they are given. The contract installs limetypes of its own,
`contractbox` and `contractitem`, and expects nothing of the host's own ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from limepkg_email.db import plugin_connection
from limepkg_email.errors import EmailIntegrationError, Forbidden, InvalidInput, NotFound
from limepkg_email.host import Application, Host, Objects, UnitOfWork
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
from limepkg_email.query import (
    And,
    AtLeast,
    Condition,
    Contains,
    Equals,
    In,
    LessThan,
    Not,
    Or,
    Order,
    Query,
    StartsWith,
)

BOX = "contractbox"
ITEM = "contractitem"

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

PROPERTIES = (
    Property("name", "string", "Name", length=20, indexed=True),
    Property("body", "text", "Body"),
    Property("number", "integer", "Number"),
    Property("share", "decimal", "Share"),
    Property("moment", "time", "Moment", indexed=True),
    Property("day", "date", "Day"),
    Property("done", "yesno", "Done"),
    Property("state", "option", "State", options=(Option("new", "New"), Option("old", "Old"))),
    Property("address", "link", "Address"),
    Property("file", "file", "File"),
    Property("box", "belongsto", "Box", related=BOX, backref="items", indexed=True),
)

STEPS: tuple[Step, ...] = (
    CreateLimetype(Limetype(BOX, "Box", "Boxes")),
    AddProperty(BOX, Property("name", "string", "Name", length=64)),
    CreateLimetype(Limetype(ITEM, "Item", "Items")),
    *(AddProperty(ITEM, each) for each in PROPERTIES),
)

FULL: dict[str, object] = {
    "name": "Grüße 👋 日本",
    "body": "Line\r\nline\ttab “quoted” e\u0301 " + "x" * 100_000,
    "number": 2**40,
    "share": 12.5,
    "moment": NOON,
    "day": date(2026, 2, 28),
    "done": True,
    "state": "old",
    "address": "https://crm.example/ä?q=1",
}
"""A value for every property that needs no other object."""

_RANDOM = random.Random(4)  # noqa: S311 - the same in every run, and no secret
_PLUGIN_TABLE = Table("contract_plugin", MetaData(), Column("id", Integer, primary_key=True))


def install(application: Application) -> None:
    """Install the limetypes of the contract, unless the host was made with them."""
    if application.limetypes.describe().keys() >= {BOX, ITEM}:
        return
    for step in STEPS:
        application.limetypes.apply(step)


class Interrupted(Exception):
    """Ends a unit of work in a test."""


def _short(value: object) -> str:
    return ascii(value)[:50]


class HostContract:
    """The promises of a host, its applications, units of work, objects and stores."""

    system = "contract@system"

    @pytest.fixture
    def host(self) -> Host:
        raise NotImplementedError("give the fixture `host`")

    @pytest.fixture
    def application(self, host: Host) -> Application:
        found = host.application(next(iter(host.applications())))
        found.ensure_system_user(self.system)
        acting = found.as_user(self.system)
        install(acting)
        return acting

    @pytest.fixture
    def reader(self) -> Application:
        pytest.skip("the host gives no user who may only read")

    @pytest.fixture
    def stranger(self) -> Application:
        pytest.skip("the host gives no user who sees nothing")

    # --- objects -------------------------------------------------------------------------------

    def test_added_object_reads_back_equal(self, application: Application) -> None:
        with application.unit_of_work() as work:
            box = work.objects.add(BOX, {"name": "b"})
            added = work.objects.add(ITEM, {**FULL, "box": box})
        with application.unit_of_work() as work:
            found = work.objects.get(ITEM, added)
        assert (found.limetype, found.id) == (ITEM, added)
        assert {name: found[name] for name in FULL} == FULL
        assert found["box"] == box

    def test_properties_that_were_not_given_are_none(self, application: Application) -> None:
        with application.unit_of_work() as work:
            found = work.objects.get(ITEM, work.objects.add(ITEM, {"name": "n"}))
        assert {each.name: found[each.name] for each in PROPERTIES[1:]} == {
            each.name: None for each in PROPERTIES[1:]
        }

    def test_missing_object_is_not_found(self, application: Application) -> None:
        with application.unit_of_work() as work:
            missing = _removed(work.objects)
            with pytest.raises(NotFound):
                work.objects.get(ITEM, missing)
            with pytest.raises(NotFound):
                work.objects.update(ITEM, missing, {"name": "n"})
            with pytest.raises(NotFound):
                work.objects.delete(ITEM, missing)

    @pytest.mark.parametrize(
        "use",
        [
            lambda objects: objects.get("nosuchtype", 1),
            lambda objects: objects.query(Query("nosuchtype")),
            lambda objects: objects.count("nosuchtype", And()),
            lambda objects: objects.add("nosuchtype", {}),
            lambda objects: objects.add_many("nosuchtype", [{}]),
            lambda objects: objects.update("nosuchtype", 1, {}),
            lambda objects: objects.update_where("nosuchtype", And(), {}),
            lambda objects: objects.delete("nosuchtype", 1),
        ],
        ids=["get", "query", "count", "add", "add_many", "update", "update_where", "delete"],
    )
    def test_unknown_limetype_is_named(
        self, application: Application, use: Callable[[Objects], object]
    ) -> None:
        with application.unit_of_work() as work, pytest.raises(InvalidInput, match="nosuchtype"):
            use(work.objects)

    @pytest.mark.parametrize(
        "use",
        [
            lambda objects: objects.query(Query(ITEM, Equals("nosuch", 1))),
            lambda objects: objects.query(Query(ITEM, Not(Or((In("nosuch", [1]),))))),
            lambda objects: objects.query(Query(ITEM, order_by=(Order("nosuch"),))),
            lambda objects: objects.query(Query(ITEM, properties=("name", "nosuch"))),
            lambda objects: objects.count(ITEM, Contains("nosuch", "x")),
            lambda objects: objects.add(ITEM, {"nosuch": 1}),
            lambda objects: objects.add_many(ITEM, [{"name": "n"}, {"nosuch": 1}]),
            lambda objects: objects.update(ITEM, 1, {"nosuch": 1}),
            lambda objects: objects.update_where(ITEM, And(), {"nosuch": 1}),
        ],
        ids=[
            "condition",
            "nested",
            "order",
            "properties",
            "count",
            "add",
            "add_many",
            "update",
            "update_where",
        ],
    )
    def test_unknown_property_is_named(
        self, application: Application, use: Callable[[Objects], object]
    ) -> None:
        with application.unit_of_work() as work, pytest.raises(InvalidInput, match="nosuch"):
            use(work.objects)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "x" * 21),
            ("name", "nul\0"),
            ("body", "nul\0"),
            ("name", "lone \ud800"),
            ("body", "lone \udfff"),
            ("state", "nosuchoption"),
            ("moment", datetime(2026, 3, 1)),  # noqa: DTZ001 - naive on purpose
        ],
        ids=["long", "nul", "nul-text", "surrogate", "surrogate-text", "option", "naive"],
    )
    def test_value_that_cannot_be_stored_is_refused_by_name(
        self, application: Application, name: str, value: object
    ) -> None:
        with application.unit_of_work() as work:
            objects, known = work.objects, work.objects.add(ITEM, {"name": "kept"})
            uses: list[Callable[[], object]] = [
                lambda: objects.add(ITEM, {name: value}),
                lambda: objects.add_many(ITEM, [{}, {name: value}]),
                lambda: objects.update(ITEM, known, {name: value}),
                lambda: objects.update_where(ITEM, And(), {name: value}),
            ]
            for use in uses:
                with pytest.raises(InvalidInput, match=name) as raised:
                    use()
                assert name in raised.value.errors
        assert _names(application) == ["kept"]

    def test_length_counts_characters(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "👋" * 20})
            assert work.objects.get(ITEM, added)["name"] == "👋" * 20

    def test_instants_come_back_aware_with_microseconds(self, application: Application) -> None:
        elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        with application.unit_of_work() as work:
            found = work.objects.get(ITEM, work.objects.add(ITEM, {"moment": elsewhere}))
        moment = found["moment"]
        assert isinstance(moment, datetime)
        assert moment == NOON
        assert moment.utcoffset() == timedelta(0)

    def test_relation_to_a_missing_object_is_refused(self, application: Application) -> None:
        def point_at_nothing() -> None:
            with application.unit_of_work() as work:
                box = work.objects.add(BOX, {})
                work.objects.delete(BOX, box)
                work.objects.add(ITEM, {"box": box})

        with pytest.raises(EmailIntegrationError) as raised:
            point_at_nothing()
        assert raised.value.status in (409, 422)
        assert _names(application) == []

    def test_many_are_added_with_their_ids_in_order(self, application: Application) -> None:
        numbers = _RANDOM.sample(range(10_000), 300)
        with application.unit_of_work() as work:
            ids = work.objects.add_many(ITEM, [{"number": each} for each in numbers])
            found = work.objects.query(Query(ITEM, In("id", ids), properties=("number",)))
        by_id = {each.id: each["number"] for each in found}
        assert [by_id[each] for each in ids] == numbers

    def test_many_may_have_different_properties(self, application: Application) -> None:
        with application.unit_of_work() as work:
            ids = work.objects.add_many(ITEM, [{"name": "a"}, {"number": 2}, {}])
            found = [work.objects.get(ITEM, each) for each in ids]
        assert [(each["name"], each["number"]) for each in found] == [
            ("a", None),
            (None, 2),
            (None, None),
        ]

    def test_no_rows_add_nothing(self, application: Application) -> None:
        with application.unit_of_work() as work:
            assert work.objects.add_many(ITEM, []) == []
            assert work.objects.count(ITEM, And()) == 0

    def test_update_changes_only_what_is_given(self, application: Application) -> None:
        with application.unit_of_work() as work:
            one, two = work.objects.add_many(ITEM, [{"name": "a", "number": 1}, {"name": "b"}])
            work.objects.update(ITEM, one, {"number": None, "done": False})
            work.objects.update(ITEM, one, {})
            changed, other = work.objects.get(ITEM, one), work.objects.get(ITEM, two)
        assert (changed["name"], changed["number"], changed["done"]) == ("a", None, False)
        assert (other["name"], other["done"]) == ("b", None)

    def test_update_where_changes_and_counts_what_matches(self, application: Application) -> None:
        with application.unit_of_work() as work:
            work.objects.add_many(ITEM, [{"number": each} for each in range(5)])
            assert work.objects.update_where(ITEM, AtLeast("number", 3), {"number": 9}) == 2
            assert work.objects.update_where(ITEM, In("number", ()), {"number": 1}) == 0
            assert work.objects.count(ITEM, Equals("number", 9)) == 2
            assert work.objects.count(ITEM, And()) == 5

    def test_deleted_object_is_gone(self, application: Application) -> None:
        with application.unit_of_work() as work:
            one, two = work.objects.add_many(ITEM, [{}, {}])
            work.objects.delete(ITEM, one)
        with application.unit_of_work() as work:
            assert [each.id for each in work.objects.query(Query(ITEM))] == [two]

    # --- queries -------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", FULL)
    def test_equals_finds_values_of_every_type(self, application: Application, name: str) -> None:
        with application.unit_of_work() as work:
            full, empty = work.objects.add_many(ITEM, [FULL, {}])
            assert _found(work.objects, Equals(name, FULL[name])) == [full]
            assert _found(work.objects, Equals(name, None)) == [empty]
            assert _found(work.objects, Not(Equals(name, FULL[name]))) == [empty]
            assert _found(work.objects, In(name, [FULL[name]])) == [full]

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (And(), "abcde"),
            (Or(), ""),
            (Not(Or()), "abcde"),
            (Equals("name", "Anna"), "a"),
            (Equals("name", "anna"), ""),
            (In("name", ["anna", "BO%"]), ""),
            (In("name", ["Anna", "Anna", "nobody"]), "a"),
            (In("name", ["ANNA", "bo%b"], ignore_case=True), "ab"),
            (In("name", []), ""),
            (In("name", [], ignore_case=True), ""),
            (Not(In("name", [])), "abcde"),
            (In("number", list(range(-3000, 2))), "a"),
            (StartsWith("name", "AN"), "a"),
            (StartsWith("name", "nn"), ""),
            (StartsWith("name", "b_"), ""),
            (Contains("name", "%"), "b"),
            (Contains("name", "_"), "c"),
            (Contains("name", "\\"), "d"),
            (Contains("name", "N"), "a"),
            (AtLeast("number", 2), "bc"),
            (LessThan("number", 2), "a"),
            (Not(LessThan("number", 2)), "bcde"),
            (AtLeast("moment", NOON + timedelta(microseconds=1)), "b"),
            (LessThan("moment", NOON + timedelta(microseconds=1)), "a"),
            (And((AtLeast("number", 1), LessThan("number", 3))), "ab"),
            (And((Or((Equals("number", 1), Equals("number", 3))), Contains("name", "_"))), "c"),
            (Or((And((Equals("number", 1), Equals("name", "no"))), Equals("number", 2))), "b"),
            (Not(And((AtLeast("number", 1), Not(Equals("name", "Anna"))))), "ade"),
            (Equals("done", False), "b"),
            (Not(Equals("done", False)), "acde"),
        ],
        ids=_short,
    )
    def test_condition_finds_exactly_what_it_says(
        self, application: Application, condition: Condition, expected: str
    ) -> None:
        rows: list[dict[str, object]] = [
            {"name": "Anna", "number": 1, "moment": NOON, "done": True},
            {"name": "Bo%b", "number": 2, "moment": NOON + timedelta(seconds=1), "done": False},
            {"name": "c_c", "number": 3},
            {"name": "d\\d"},
            {},
        ]
        with application.unit_of_work() as work:
            ids = work.objects.add_many(ITEM, rows)
            letters = dict(zip(ids, "abcde", strict=True))
            found = [letters[each] for each in _found(work.objects, condition)]
            assert "".join(found) == expected
            assert work.objects.count(ITEM, condition) == len(expected)

    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ((Order("number"), Order("name")), "cbad"),
            ((Order("number", descending=True), Order("name")), "dbac"),
            ((Order("number"), Order("name", descending=True)), "cabd"),
            ((Order("moment"),), "dcba"),
            ((Order("id", descending=True),), "dcba"),
            ((Order("id"),), "abcd"),
        ],
        ids=_short,
    )
    def test_objects_come_in_the_order_asked_for(
        self, application: Application, order: tuple[Order, ...], expected: str
    ) -> None:
        rows = [("b", 2, 4), ("a", 2, 3), ("x", 1, 2), ("x", 3, 1)]
        with application.unit_of_work() as work:
            ids = work.objects.add_many(
                ITEM,
                [
                    {"name": name, "number": number, "moment": NOON + timedelta(microseconds=late)}
                    for name, number, late in rows
                ],
            )
            letters = dict(zip(ids, "abcd", strict=True))
            found = work.objects.query(Query(ITEM, order_by=order))
        assert "".join(letters[each.id] for each in found) == expected

    def test_pages_join_to_the_whole(self, application: Application) -> None:
        with application.unit_of_work() as work:
            ids = work.objects.add_many(ITEM, [{"number": each % 3} for each in range(10)])
            order = (Order("number", descending=True),)
            pages = [
                work.objects.query(Query(ITEM, order_by=order, limit=4, offset=offset))
                for offset in (0, 4, 8, 12)
            ]
            rest = work.objects.query(Query(ITEM, order_by=order, offset=8))
        assert [len(page) for page in pages] == [4, 4, 2, 0]
        assert sorted(each.id for page in pages for each in page) == ids
        assert [each.id for each in rest] == [each.id for each in pages[2]]

    def test_query_reads_only_what_is_asked_for(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "n", "number": 1})
            [found] = work.objects.query(Query(ITEM, properties=("number",)))
            [bare] = work.objects.query(Query(ITEM, properties=()))
        assert found.id == bare.id == added
        assert found["number"] == 1
        assert "name" not in found.values

    # --- units of work -------------------------------------------------------------------------

    def test_block_that_ends_commits(self, application: Application) -> None:
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
        assert _names(application) == ["a"]

    def test_block_that_raises_changes_nothing(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "a"})

        def change(work: UnitOfWork) -> None:
            work.objects.add(ITEM, {"name": "b"})
            work.objects.update(ITEM, added, {"name": "c"})

        _interrupt(application, change)
        assert _names(application) == ["a"]

    def test_changes_are_seen_within_the_block(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "a"})
            work.objects.update(ITEM, added, {"name": "b"})
            assert work.objects.get(ITEM, added)["name"] == "b"

    def test_actions_run_in_order_after_the_commit(self, application: Application) -> None:
        seen: list[object] = []
        with application.unit_of_work() as work:
            work.after_commit(lambda: seen.append(_names(application)))
            work.after_commit(lambda: seen.append("second"))
            work.objects.add(ITEM, {"name": "a"})
            assert seen == []
        assert seen == [["a"], "second"]

    def test_failing_action_stops_neither_the_next_nor_the_commit(
        self, application: Application
    ) -> None:
        seen: list[str] = []

        def fail() -> None:
            raise Interrupted

        with application.unit_of_work() as work:
            work.after_commit(fail)
            work.after_commit(lambda: seen.append("second"))
            work.objects.add(ITEM, {"name": "a"})
        assert seen == ["second"]
        assert _names(application) == ["a"]

    def test_actions_do_not_run_after_a_rollback(self, application: Application) -> None:
        seen: list[str] = []
        _interrupt(application, lambda work: work.after_commit(lambda: seen.append("ran")))
        assert seen == []

    def test_changed_object_is_locked_until_the_end(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"number": 0})
        together = Barrier(4)

        def count_up() -> None:
            together.wait()
            for _ in range(10):
                with application.unit_of_work() as work:
                    work.objects.update(ITEM, added, {"name": "locked"})
                    number: Any = work.objects.get(ITEM, added)["number"]
                    work.objects.update(ITEM, added, {"number": number + 1})

        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(count_up) for _ in range(4)]:
                future.result()
        with application.unit_of_work() as work:
            assert work.objects.get(ITEM, added)["number"] == 40

    def test_connection_is_of_the_same_transaction(self, application: Application) -> None:
        _PLUGIN_TABLE.create(application.database)

        def change(work: UnitOfWork) -> None:
            if work.connection is None:
                pytest.skip("the objects live elsewhere")
            work.connection.execute(insert(_PLUGIN_TABLE), {"id": 1})
            work.objects.add(ITEM, {"name": "a"})

        _interrupt(application, change)
        with application.unit_of_work() as work:
            assert work.connection is not None
            work.connection.execute(insert(_PLUGIN_TABLE), {"id": 2})
            work.objects.add(ITEM, {"name": "b"})
        assert _plugin_rows(application) == [2]
        assert _names(application) == ["b"]

    def test_plugin_tables_are_written_beside_objects(self, application: Application) -> None:
        _PLUGIN_TABLE.create(application.database)
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
            with plugin_connection(application, work) as connection:
                connection.execute(insert(_PLUGIN_TABLE), {"id": 1})
            work.objects.add(ITEM, {"name": "b"})
        assert _plugin_rows(application) == [1]
        assert _names(application) == ["a", "b"]

    # --- permissions ---------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "use",
        [
            lambda objects, _: objects.add(ITEM, {"name": "x"}),
            lambda objects, _: objects.add_many(ITEM, [{"name": "x"}]),
            lambda objects, known: objects.update(ITEM, known, {"name": "x"}),
            lambda objects, _: objects.update_where(ITEM, And(), {"name": "x"}),
            lambda objects, known: objects.delete(ITEM, known),
        ],
        ids=["add", "add_many", "update", "update_where", "delete"],
    )
    def test_reader_sees_but_cannot_change(
        self,
        application: Application,
        reader: Application,
        use: Callable[[Objects, int], object],
    ) -> None:
        with application.unit_of_work() as work:
            known = work.objects.add(ITEM, {"name": "a"})
        with reader.unit_of_work() as work:
            assert work.objects.get(ITEM, known)["name"] == "a"
            with pytest.raises(Forbidden):
                use(work.objects, known)
        assert _names(application) == ["a"]

    def test_objects_a_user_may_not_see_do_not_exist(
        self, application: Application, stranger: Application
    ) -> None:
        with application.unit_of_work() as work:
            known = work.objects.add(ITEM, {"name": "a"})
        with stranger.unit_of_work() as work:
            assert work.objects.query(Query(ITEM)) == []
            assert work.objects.count(ITEM, And()) == 0
            assert work.objects.update_where(ITEM, And(), {"name": "x"}) == 0
            with pytest.raises(NotFound):
                work.objects.get(ITEM, known)
            with pytest.raises(NotFound):
                work.objects.update(ITEM, known, {"name": "x"})
            with pytest.raises(NotFound):
                work.objects.delete(ITEM, known)
        assert _names(application) == ["a"]

    def test_user_who_is_not_known_is_not_found(self, application: Application) -> None:
        with pytest.raises(NotFound):
            application.as_user("nobody-of-this-name")

    def test_system_user_is_made_once_and_may_administer(self, application: Application) -> None:
        application.ensure_system_user("contract2@system")
        application.ensure_system_user("contract2@system")
        acting = application.as_user("contract2@system")
        assert acting.identifier == application.identifier
        assert acting.user.can("email.admin")
        assert acting.user.can("email.send_as:anything")
        assert acting.user.id == application.as_user("contract2@system").user.id
        assert application.user.id != acting.user.id

    # --- limetypes -----------------------------------------------------------------------------

    def test_installed_limetypes_are_described(self, application: Application) -> None:
        found = application.limetypes.describe()
        assert (found[ITEM].singular, found[ITEM].plural) == ("Item", "Items")
        for declared in PROPERTIES:
            described = found[ITEM].property(declared.name)
            assert described is not None
            assert (described.type, described.related, described.backref, described.options) == (
                declared.type,
                declared.related,
                declared.backref,
                declared.options,
            )
        name = found[ITEM].property("name")
        assert name is not None
        assert name.length == 20

    def test_steps_that_are_done_change_nothing(self, application: Application) -> None:
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
        before = application.limetypes.describe()
        for step in (
            *STEPS,
            AddOption(ITEM, "state", Option("new", "Another text")),
            Lengthen(ITEM, "name", 20),
            Lengthen(ITEM, "name", 5),
        ):
            application.limetypes.apply(step)
        assert application.limetypes.describe() == before
        assert _names(application) == ["a"]

    def test_new_property_is_usable_and_keeps_the_objects(self, application: Application) -> None:
        with application.unit_of_work() as work:
            old = work.objects.add(ITEM, {"name": "a"})
        application.limetypes.apply(AddProperty(ITEM, Property("extra", "string", length=10)))
        application.limetypes.apply(
            AddProperty(ITEM, Property("parent", "belongsto", related=ITEM, backref="children"))
        )
        with application.unit_of_work() as work:
            new = work.objects.add(ITEM, {"name": "b", "extra": "e", "parent": old})
            assert work.objects.get(ITEM, new)["parent"] == old
            assert work.objects.get(ITEM, old)["extra"] is None
            assert _found(work.objects, Equals("extra", "e")) == [new]
        assert _names(application) == ["a", "b"]

    def test_relation_to_a_missing_limetype_is_refused(self, application: Application) -> None:
        wrong = Property("owner", "belongsto", related="nosuchtype", backref="items")
        with pytest.raises(InvalidInput, match="nosuchtype"):
            application.limetypes.apply(AddProperty(ITEM, wrong))
        assert application.limetypes.describe()[ITEM].property("owner") is None

    def test_new_option_can_be_chosen(self, application: Application) -> None:
        application.limetypes.apply(AddOption(ITEM, "state", Option("lost", "Lost")))
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"state": "lost"})
            assert _found(work.objects, Equals("state", "lost")) == [added]

    def test_longer_property_holds_more(self, application: Application) -> None:
        application.limetypes.apply(Lengthen(ITEM, "name", 40))
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "x" * 40})
            with pytest.raises(InvalidInput, match="name"):
                work.objects.add(ITEM, {"name": "x" * 41})
        assert _names(application) == ["x" * 40]

    # --- files ---------------------------------------------------------------------------------

    def test_file_reads_back_as_it_was_stored(self, application: Application) -> None:
        content = _RANDOM.randbytes(3_000_000)
        stored = application.files.create("photo.png", "image/png", BytesIO(content))
        assert application.files.describe(stored.id) == stored
        assert (stored.filename, stored.content_type) == ("photo.png", "image/png")
        assert stored.size == len(content)
        with application.files.open(stored.id) as stream:
            assert stream.read() == content

    def test_file_can_be_the_value_of_a_property(self, application: Application) -> None:
        stored = application.files.create("a.txt", "text/plain", BytesIO(b"a"))
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"file": stored.id})
            assert work.objects.get(ITEM, added)["file"] == stored.id
            assert _found(work.objects, Equals("file", stored.id)) == [added]

    @pytest.mark.parametrize(
        "filename",
        [
            "../../etc/passwd",
            "/etc/passwd",
            "C:\\temp\\a.txt",
            "..",
            "",
            "a\0b.txt",
            "a\r\nSet-Cookie: x.txt",
            "\u202egnp.exe",
            "lone \ud800.txt",
            "日本 ✉ é.pdf",
            "x" * 1000 + ".pdf",
            "CON",
        ],
        ids=_short,
    )
    def test_filename_is_shown_and_never_a_path(
        self, application: Application, filename: str
    ) -> None:
        stored = application.files.create(filename, "text/plain", BytesIO(b"content"))
        shown = application.files.describe(stored.id).filename
        assert 0 < len(shown) <= 255
        assert not set(shown) & set("/\\\0\r\n")
        shown.encode()
        with application.files.open(stored.id) as stream:
            assert stream.read() == b"content"

    @pytest.mark.parametrize("id_", ["nosuchfile", "../../etc/passwd", "", "a\0b"], ids=_short)
    def test_missing_file_is_not_found(self, application: Application, id_: str) -> None:
        with pytest.raises(NotFound):
            application.files.describe(id_)
        with pytest.raises(NotFound):
            application.files.open(id_)
        application.files.delete(id_)

    def test_deleted_file_is_gone_and_can_be_deleted_again(self, application: Application) -> None:
        stored = application.files.create("a.txt", "text/plain", BytesIO(b"a"))
        application.files.delete(stored.id)
        application.files.delete(stored.id)
        with pytest.raises(NotFound):
            application.files.open(stored.id)

    # --- settings and the rest -----------------------------------------------------------------

    def test_settings_keep_json(self, application: Application) -> None:
        value = {"a": [1, 2.5, None, True, "Grüße 👋 \0 \ud800"], "b": {}}
        assert application.settings.get("contract") is None
        application.settings.set("contract", value)
        assert application.settings.get("contract") == value
        application.settings.set("contract", [])
        assert application.settings.get("contract") == []
        application.settings.set("contract", None)
        application.settings.set("contract", None)
        assert application.settings.get("contract") is None

    def test_application_tells_who_it_is(self, host: Host, application: Application) -> None:
        assert application.identifier in host.applications()
        assert host.application(application.identifier).identifier == application.identifier
        assert application.language
        assert application.object_url(ITEM, 4711).endswith(("4711", "4711/"))

    def test_unknown_application_is_not_found(self, host: Host) -> None:
        with pytest.raises(NotFound):
            host.application("nosuchapplication")


def _found(objects: Objects, condition: Condition) -> list[int]:
    return [each.id for each in objects.query(Query(ITEM, condition, (Order("id"),)))]


def _names(application: Application) -> list[object]:
    with application.unit_of_work() as work:
        found = work.objects.query(Query(ITEM, order_by=(Order("id"),)))
    return [each["name"] for each in found]


def _interrupt(application: Application, use: Callable[[UnitOfWork], object]) -> None:
    def run() -> None:
        with application.unit_of_work() as work:
            use(work)
            raise Interrupted

    with pytest.raises(Interrupted):
        run()


def _removed(objects: Objects) -> int:
    added = objects.add(ITEM, {})
    objects.delete(ITEM, added)
    return added


def _plugin_rows(application: Application) -> list[int]:
    with application.database.begin() as connection:
        return list(connection.execute(select(_PLUGIN_TABLE.c.id)).scalars())
