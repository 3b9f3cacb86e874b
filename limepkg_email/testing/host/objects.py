"""Objects are added, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from limepkg_email.errors import EmailIntegrationError, InvalidInput, NotFound
from limepkg_email.host import Application, Objects
from limepkg_email.query import (
    And,
    AtLeast,
    Contains,
    Equals,
    In,
    Not,
    Or,
    Order,
    Query,
)
from limepkg_email.testing.host.sample import (
    BOX,
    FULL,
    ITEM,
    NOON,
    PROPERTIES,
    RANDOM,
    names,
    removed,
)


class ObjectsContract:
    """The promises about single objects and many at once."""

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
            missing = removed(work.objects)
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
        assert names(application) == ["kept"]

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
        assert names(application) == []

    def test_many_are_added_with_their_ids_in_order(self, application: Application) -> None:
        numbers = RANDOM.sample(range(10_000), 300)
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
