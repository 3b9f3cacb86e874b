"""Every extension point: the hooks that other packages implement, and how they are called.

An extension is a pluggy plugin found through the entry-point group `limepkg_email`. Implementations
declare only the arguments they use. The package's own defaults are plugins with `trylast`. Hooks
that decide run inside an import and must not use the network; hooks that act run as jobs. Hooks
that are given `objects` run inside a transaction: they look around through these objects and must
not begin a unit of work of their own, which would wait for that transaction for ever on SQLite.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

if TYPE_CHECKING:
    from limepkg_email.engine.types import Message
    from limepkg_email.feed.factory import FeedItemFactory
    from limepkg_email.host import Application, Objects
    from limepkg_email.limetypes import Limetype
    from limepkg_email.plugin import EmailIntegration

NAMESPACE = "limepkg_email"
ENTRY_POINT_GROUP = "limepkg_email"

hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)
"""Marks a function of an extension as the implementation of the hook of the same name."""

ALWAYS_CALLED = frozenset({"limetypes", "startup"})
"""Hooks that are called although the extension is switched off: its data stays where it is."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a filter says about a mail, and why; the reason is shown to administrators.

    `skip` keeps the mail out of the CRM; `accept` imports it whatever later filters would say.
    """

    skipped: bool
    reason: str

    @classmethod
    def skip(cls, reason: str) -> Decision:
        """Do not import the mail."""
        return cls(True, reason)

    @classmethod
    def accept(cls, reason: str) -> Decision:
        """Import the mail and ask no further filter."""
        return cls(False, reason)


class MessageFilter(Protocol):
    """Looks at a mail before it is imported; the first filter with a decision wins."""

    @property
    def name(self) -> str:
        """A short stable name, shown in the trace."""

    @property
    def description(self) -> str:
        """One sentence for administrators."""

    def decide(self, message: Message) -> Decision | None:
        """Give a decision, or `None` to leave it to the next filter."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made; ids are those of limeobjects."""

    account: str
    conversation: int
    conversationmessage: int
    parent_limetype: str
    parent: int
    new_conversation: bool


class MessageAction(Protocol):
    """Something to do with a mail after it was imported; runs as a job with retries."""

    @property
    def name(self) -> str:
        """A short stable name."""

    @property
    def description(self) -> str:
        """One sentence for administrators."""

    def run(self, application: Application, imported: Imported) -> None:
        """Do it; must be idempotent, because a job can run twice."""


@dataclass(frozen=True, slots=True)
class ParentReference:
    """A limeobject by limetype and id."""

    limetype: str
    id: int


class _Hooks:
    """The specifications; the docstring of each is its reference page."""

    @hookspec(firstresult=True)
    def feed_item_factory(self, application: Application) -> FeedItemFactory | None:
        """Replace the factory of feed items; a wrapper (`wrapper=True`) may decorate it."""

    @hookspec
    def limetypes(self, application: Application) -> Iterable[Limetype] | None:
        """Give further limetypes, or further properties for the package's own, to install."""

    @hookspec
    def message_filters(self, application: Application) -> Iterable[MessageFilter] | None:
        """Give filters that decide whether a mail is imported."""

    @hookspec
    def message_actions(self, application: Application) -> Iterable[MessageAction] | None:
        """Give actions to run after a mail was imported."""

    @hookspec(firstresult=True)
    def conversation_parent(
        self, application: Application, message: Message, objects: Objects
    ) -> ParentReference | None:
        """Find the existing object on which the new conversation of this mail shall hang."""

    @hookspec(firstresult=True)
    def follower_parent(
        self, application: Application, address: str, objects: Objects
    ) -> ParentReference | None:
        """Map an address to the object that the follower is, before the configured look-up."""

    @hookspec
    def message_imported(self, application: Application, imported: Imported) -> None:
        """Hear of an imported mail, after the commit; errors are logged and harm nobody else."""

    @hookspec
    def startup(self, integration: EmailIntegration) -> None:
        """Run once per process, when the integration starts."""


def create_plugin_manager(*, load_entry_points: bool = True) -> pluggy.PluginManager:
    """Make a plugin manager with the specifications and, unless told otherwise, all extensions."""
    found = pluggy.PluginManager(NAMESPACE)
    found.add_hookspecs(_Hooks)
    if load_entry_points:
        found.load_setuptools_entrypoints(ENTRY_POINT_GROUP)
    return found


def register(manager: pluggy.PluginManager, extension: object) -> None:
    """Register an extension under a name that is the same in every process.

    That is its `__name__`, or the name of its class; a further one of the class gets a number.
    """
    cls = type(extension)
    name = getattr(extension, "__name__", None) or f"{cls.__module__}.{cls.__qualname__}"
    number = 1
    while manager.has_plugin(name if number == 1 else f"{name}-{number}"):
        number += 1
    manager.register(extension, name if number == 1 else f"{name}-{number}")


def extensions(manager: pluggy.PluginManager) -> dict[str, object]:
    """Give the installed extensions by name, without the package's own defaults."""
    return {
        name: plugin
        for name, plugin in sorted(manager.list_name_plugin())
        if plugin is not None and not name.startswith(f"{NAMESPACE}.")
    }


def hooks_of(manager: pluggy.PluginManager, extension: object) -> list[str]:
    """Give the names of the hooks that an extension implements."""
    return sorted(each.name for each in manager.get_hookcallers(extension) or ())


def without(manager: pluggy.PluginManager, names: Iterable[str]) -> pluggy.HookRelay:
    """Give the hooks with some extensions left out, but for those that are always called."""
    removed = [plugin for name, plugin in extensions(manager).items() if name in set(names)]
    relay = pluggy.HookRelay()
    for name in vars(manager.hook):
        left_out = [] if name in ALWAYS_CALLED else removed
        setattr(relay, name, manager.subset_hook_caller(name, left_out))
    return relay


def call_each(hook: pluggy.HookCaller, **arguments: object) -> dict[str, Exception]:
    """Call every implementation of a hook for itself, the latest registered first, as pluggy does.

    Gives what was raised, by the name of the extension; none keeps the others from being called.
    For hooks that only tell: results are dropped, and wrappers have nothing to wrap.
    """
    failed: dict[str, Exception] = {}
    for each in reversed(hook.get_hookimpls()):
        if each.wrapper or each.hookwrapper:
            continue
        try:
            each.function(*(arguments[name] for name in each.argnames))
        except Exception as error:  # noqa: BLE001 - an extension can raise anything
            failed[each.plugin_name] = error
    return failed


def collect(results: Iterable[Iterable[Any] | None]) -> list[Any]:
    """Join the lists that the implementations of a collecting hook gave."""
    return [each for result in results if result is not None for each in result]
