"""Objects are found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from limepkg_email.host import Application
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
from limepkg_email.testing.host.sample import (
    FULL,
    ITEM,
    NOON,
    found_by,
    short,
)


class QueriesContract:
    """The promises about conditions, order and pages."""

    @pytest.mark.parametrize("name", FULL)
    def test_equals_finds_values_of_every_type(self, application: Application, name: str) -> None:
        with application.unit_of_work() as work:
            full, empty = work.objects.add_many(ITEM, [FULL, {}])
            assert found_by(work.objects, Equals(name, FULL[name])) == [full]
            assert found_by(work.objects, Equals(name, None)) == [empty]
            assert found_by(work.objects, Not(Equals(name, FULL[name]))) == [empty]
            assert found_by(work.objects, In(name, [FULL[name]])) == [full]

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
        ids=short,
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
            found = [letters[each] for each in found_by(work.objects, condition)]
            assert "".join(found) == expected
            assert work.objects.count(ITEM, condition) == len(expected)

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            (Contains("name", "öppet"), True),
            (Contains("name", "I ÅR"), True),
            (Contains("name", "ж"), True),
            (StartsWith("name", "öPPET"), True),
            (StartsWith("name", "ppet"), False),
            (Contains("name", "oppet"), False),
        ],
        ids=short,
    )
    def test_parts_of_texts_are_found_in_either_case_beyond_ascii(
        self, application: Application, condition: Condition, found: bool
    ) -> None:
        with application.unit_of_work() as work:
            id = work.objects.add_many(ITEM, [{"name": "Öppettider i år, Ж"}])[0]
            assert found_by(work.objects, condition) == ([id] if found else [])

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
        ids=short,
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
