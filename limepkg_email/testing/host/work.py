"""Units of work, and what users may do in them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import insert

from limepkg_email.db import plugin_connection
from limepkg_email.errors import Forbidden, NotFound
from limepkg_email.host import Application, Objects, UnitOfWork
from limepkg_email.query import (
    And,
    Query,
)
from limepkg_email.testing.host.sample import (
    ITEM,
    PLUGIN_TABLE,
    Interrupted,
    interrupt,
    names,
    plugin_rows,
)


class WorkContract:
    """The promises about transactions, locks and what happens after the commit."""

    def test_block_that_ends_commits(self, application: Application) -> None:
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
        assert names(application) == ["a"]

    def test_block_that_raises_changes_nothing(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "a"})

        def change(work: UnitOfWork) -> None:
            work.objects.add(ITEM, {"name": "b"})
            work.objects.update(ITEM, added, {"name": "c"})

        interrupt(application, change)
        assert names(application) == ["a"]

    def test_changes_are_seen_within_the_block(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"name": "a"})
            work.objects.update(ITEM, added, {"name": "b"})
            assert work.objects.get(ITEM, added)["name"] == "b"

    def test_actions_run_in_order_after_the_commit(self, application: Application) -> None:
        seen: list[object] = []
        with application.unit_of_work() as work:
            work.after_commit(lambda: seen.append(names(application)))
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
        assert names(application) == ["a"]

    def test_actions_do_not_run_after_a_rollback(self, application: Application) -> None:
        seen: list[str] = []
        interrupt(application, lambda work: work.after_commit(lambda: seen.append("ran")))
        assert seen == []

    def test_changed_object_is_locked_until_the_end(self, application: Application) -> None:
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"number": 0})
        together = Barrier(4, timeout=30)

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
        PLUGIN_TABLE.create(application.database)

        def change(work: UnitOfWork) -> None:
            if work.connection is None:
                pytest.skip("the objects live elsewhere")
            work.connection.execute(insert(PLUGIN_TABLE), {"id": 1})
            work.objects.add(ITEM, {"name": "a"})

        interrupt(application, change)
        with application.unit_of_work() as work:
            assert work.connection is not None
            work.connection.execute(insert(PLUGIN_TABLE), {"id": 2})
            work.objects.add(ITEM, {"name": "b"})
        assert plugin_rows(application) == [2]
        assert names(application) == ["b"]

    def test_plugin_tables_are_written_beside_objects(self, application: Application) -> None:
        PLUGIN_TABLE.create(application.database)
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
            with plugin_connection(application, work) as connection:
                connection.execute(insert(PLUGIN_TABLE), {"id": 1})
            work.objects.add(ITEM, {"name": "b"})
        assert plugin_rows(application) == [1]
        assert names(application) == ["a", "b"]


class AccessContract:
    """The promises about users and what they see and change."""

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
        assert names(application) == ["a"]

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
        assert names(application) == ["a"]

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

    def test_people_are_known_by_number_and_name_and_no_system_user_is_among_them(
        self, application: Application, reader: Application
    ) -> None:
        people = application.people()
        ids = [each.id for each in people]
        assert reader.user.id in ids
        assert application.user.id not in ids
        assert len(set(ids)) == len(ids)
        assert all(each.name for each in people)
        assert [each.name.lower() for each in people] == sorted(
            each.name.lower() for each in people
        )
        for each in people:
            assert isinstance(each.email, str)
