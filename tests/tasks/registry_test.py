from types import ModuleType
from typing import Any

import pytest

from limepkg_email.services import Services
from limepkg_email.tasks.jobs import ClaimedJob
from limepkg_email.tasks.registry import TaskRegistry, UnknownTask, task


@task()
def unnamed(services: Services, job: ClaimedJob, payload: Any) -> None:
    pass


@task("example.named")
def named(services: Services, job: ClaimedJob, payload: Any) -> None:
    pass


def test_the_tasks_of_a_module_are_found_by_their_names() -> None:
    registry = TaskRegistry([__name__])
    assert registry.find("example.named").run is named
    assert registry.find(f"{__name__}.named").run is named
    assert registry.find(f"{__name__}.unnamed").run is unnamed
    assert registry.names() == sorted(["example.named", f"{__name__}.unnamed"])


def test_a_module_may_be_collected_twice() -> None:
    registry = TaskRegistry([__name__])
    registry.collect(__name__)
    assert len(registry.names()) == 2


def test_a_name_that_nobody_has_is_an_error() -> None:
    with pytest.raises(UnknownTask, match=r"os\.system"):
        TaskRegistry().find("os.system")


def test_two_tasks_cannot_share_a_name() -> None:
    other = ModuleType("other")

    @task("example.named")
    def another(services: Services, job: ClaimedJob, payload: Any) -> None:
        pass

    setattr(other, "another", another)  # noqa: B010
    with pytest.raises(ValueError, match=r"example\.named"):
        TaskRegistry([__name__, other])
