"""Which function does which task: a mark for functions and an instance that finds them by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from limepkg_email.errors import EmailIntegrationError

if TYPE_CHECKING:
    from limepkg_email.services import Services
    from limepkg_email.tasks.jobs import ClaimedJob

_MARK: Final = "limepkg_email_task"


class Outcome(Enum):
    """What a task gives back when there is nothing left for the worker to do."""

    FINISHED = "finished"


FINISHED: Final = Outcome.FINISHED
"""Given back by a task that called `jobs.finish` (or `set_aside`) in its own transaction."""


class TaskFunction(Protocol):
    """What a task looks like. It is called without a transaction and may be called again."""

    def __call__(self, services: Services, job: ClaimedJob, payload: Any, /) -> Outcome | None:
        """Do the job; raises what went wrong. Without `FINISHED` the worker finishes the job."""


class FailureHook(Protocol):
    """What is told that a job of the task is given up; outside any transaction, at least once."""

    def __call__(
        self, services: Services, job: ClaimedJob, payload: Any, error: Exception, /
    ) -> None:
        """Act on the failure. `payload` is `None` if it cannot be read; errors are only logged."""


@dataclass(frozen=True, slots=True)
class Task:
    """A function that does a kind of job, under the names that jobs may give it."""

    name: str
    dotted: str
    run: TaskFunction
    on_failed: FailureHook | None = None


class UnknownTask(EmailIntegrationError):
    """This worker has no such task; a newer one may have it."""

    code = "unknown_task"
    retryable = True


_Marked = TypeVar("_Marked", bound=Callable[..., Any])


def task(name: str = "", *, on_failed: FailureHook | None = None) -> Callable[[_Marked], _Marked]:
    """Mark a function as a task; its name is `<module>.<function>` unless another one is given."""

    def mark(function: _Marked) -> _Marked:
        dotted = f"{function.__module__}.{function.__qualname__}"
        setattr(function, _MARK, Task(name or dotted, dotted, function, on_failed))
        return function

    return mark


class TaskRegistry:
    """The tasks that a worker knows. A given name and the dotted name both find a task."""

    def __init__(self, modules: Iterable[ModuleType | str] = ()) -> None:
        self._tasks: dict[str, Task] = {}
        for module in modules:
            self.collect(module)

    def collect(self, module: ModuleType | str) -> None:
        """Add every marked function of a module; a string is a module's dotted name."""
        found = import_module(module) if isinstance(module, str) else module
        for value in vars(found).values():
            if callable(value) and hasattr(value, _MARK):
                self.add(value)

    def add(self, function: Callable[..., Any]) -> None:
        """Add one marked function; raises `ValueError` if another task has its name."""
        added: Task = getattr(function, _MARK)
        for name in {added.name, added.dotted}:
            if self._tasks.setdefault(name, added) is not added:
                raise ValueError(f"two tasks are called {name}")

    def find(self, name: str) -> Task:
        """Give the task with the name; raises `UnknownTask`."""
        try:
            return self._tasks[name]
        except KeyError:
            raise UnknownTask(f"This worker has no task {name}.") from None

    def names(self) -> list[str]:
        """Give the names of all tasks, sorted."""
        return sorted({each.name for each in self._tasks.values()})
