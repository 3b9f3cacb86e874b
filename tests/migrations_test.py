import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, inspect, text

from limepkg_email.db import configure_sqlite
from limepkg_email.migrate import HEAD, configuration, is_current, upgrade
from limepkg_email.models import PREFIX, Base


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = configure_sqlite(create_engine(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def hosted(engine: Engine) -> Engine:
    """A database that belongs to a host with tables and an alembic history of its own."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('the-hosts')"))
        connection.execute(text("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)"))
    return engine


def difference(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        options = {
            "version_table": "limepkg_email_alembic",
            "include_name": lambda name, kind, _: kind != "table" or name.startswith(PREFIX),
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, Base.metadata))


def test_the_versions_make_the_tables_of_the_models(engine: Engine) -> None:
    upgrade(engine)
    assert difference(engine) == []


def test_a_hosts_tables_and_its_version_are_left_alone(hosted: Engine) -> None:
    upgrade(hosted)
    with hosted.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "the-hosts"
        assert inspect(connection).has_table("person")
    assert difference(hosted) == []


def test_only_names_with_the_prefix_are_made(hosted: Engine) -> None:
    before = set(inspect(hosted).get_table_names())
    upgrade(hosted)
    made = set(inspect(hosted).get_table_names()) - before
    assert made == {*Base.metadata.tables, "limepkg_email_alembic"}


def test_is_current_tells_whether_an_upgrade_is_needed(hosted: Engine) -> None:
    assert not is_current(hosted)
    upgrade(hosted)
    assert is_current(hosted)


def test_is_current_costs_few_statements(engine: Engine) -> None:
    upgrade(engine)
    seen: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_c: object, _u: object, statement: str, *_: object) -> None:
        seen.append(statement)

    assert is_current(engine)
    event.remove(engine, "before_cursor_execute", _note)
    assert len(seen) <= 3


def test_an_upgrade_of_current_tables_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)
    assert difference(engine) == []


def test_tables_of_a_newer_version_are_good_enough_and_left_alone(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE limepkg_email_alembic SET version_num = '9999'"))
    assert is_current(engine)
    upgrade(engine)


def test_processes_that_upgrade_at_the_same_time_do_not_disturb_each_other(engine: Engine) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            upgrade(engine)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert is_current(engine)


def test_the_first_version_can_be_taken_back(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
    assert not set(inspect(engine).get_table_names()) & set(Base.metadata.tables)


def test_the_newest_version_is_the_one_that_the_code_needs(engine: Engine) -> None:
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    assert script.get_heads() == [HEAD]
