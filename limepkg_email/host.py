"""What a CRM supplies: the protocols a host implements, and nothing the package does itself.

A host is proved by `limepkg_email.testing.HostContract`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, BinaryIO, Protocol, Self

from sqlalchemy import Connection, Engine

from limepkg_email.limetypes import Limetype, Step
from limepkg_email.query import Condition, Query

Values = Mapping[str, object]
"""Property name to value. A belongsto takes the other object's id, a file property the id of a
stored file, a time property an aware UTC datetime, an option property the key."""


@dataclass(frozen=True, slots=True)
class LimeObject:
    """One object as it was read; `object["subject"]` gives a property's value."""

    limetype: str
    id: int
    values: Values

    def __getitem__(self, name: str) -> object:
        return self.values[name]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a stored file; `size` is in bytes."""

    id: str
    filename: str
    content_type: str
    size: int


class User(Protocol):
    """The acting user."""

    @property
    def id(self) -> int:
        """The host's number of the user."""

    @property
    def name(self) -> str:
        """The name other people see."""

    @property
    def email(self) -> str:
        """The user's own address, or an empty string."""

    def can(self, permission: str) -> bool:
        """Tell whether the user has `email.use`, `email.admin` or `email.send_as:<account>`."""


class Objects(Protocol):
    """Limeobjects within one unit of work, seen and changed as the acting user.

    Unknown limetypes and properties raise `InvalidInput` with the name. Objects the user may not
    see do not exist (`NotFound`); ones the user may not change raise `Forbidden`.
    """

    def get(self, limetype: str, id: int) -> LimeObject:
        """Give the object; raises `NotFound`."""

    def query(self, query: Query) -> list[LimeObject]:
        """Give the objects that the query describes, in its order, in one statement."""

    def count(self, limetype: str, where: Condition) -> int:
        """Count the objects for which the condition holds."""

    def add(self, limetype: str, values: Values) -> int:
        """Add one object and give its id."""

    def add_many(self, limetype: str, rows: Sequence[Values]) -> list[int]:
        """Add objects in one statement and give their ids in the order of `rows`."""

    def update(self, limetype: str, id: int, values: Values) -> None:
        """Change the given properties; raises `NotFound`.

        Within a transaction the changed object stays locked until the unit of work ends.
        """

    def update_where(self, limetype: str, where: Condition, values: Values) -> int:
        """Change the given properties of all matching objects; gives how many they were."""

    def delete(self, limetype: str, id: int) -> None:
        """Delete the object; raises `NotFound`."""


class UnitOfWork(Protocol):
    """One transaction of limeobjects; commits when the block ends, rolls back when it raises."""

    @property
    def objects(self) -> Objects:
        """The objects seen through this transaction."""

    @property
    def connection(self) -> Connection | None:
        """The database connection of the same transaction; `None` if objects live elsewhere."""

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run the action once the transaction is committed; never if it is rolled back."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Limetypes(Protocol):
    """The host's data model."""

    def describe(self) -> Mapping[str, Limetype]:
        """Give every limetype by name."""

    def apply(self, step: Step) -> None:
        """Carry out one setup step; a step that is already done changes nothing.

        Adding a belongsto whose `related` limetype is missing raises `InvalidInput`.
        """


class Files(Protocol):
    """The host's file store. Content is written before the transaction that refers to it.

    A host that removes what no object refers to must leave the files of unsent messages, which are
    those in the column `file` of the table `limepkg_email_draft_file`.
    """

    def create(self, filename: str, content_type: str, stream: IO[bytes]) -> StoredFile:
        """Store the stream's content; the filename is a name to show, never a path."""

    def describe(self, id: str) -> StoredFile:
        """Give name, type and size; raises `NotFound`."""

    def describe_many(self, ids: Sequence[str]) -> Mapping[str, StoredFile]:
        """Give the same of many files by id, those that are missing left out.

        The number of statements must not grow with the number of files, but for very many.
        """

    def open(self, id: str) -> BinaryIO:
        """Open the content for reading; raises `NotFound`."""

    def delete(self, id: str) -> None:
        """Remove the content; a file that is gone already changes nothing."""


class Settings(Protocol):
    """Values that an administrator edits, stored with the application's data as JSON."""

    def get(self, name: str) -> object | None:
        """Give the stored value, or `None`."""

    def set(self, name: str, value: object) -> None:
        """Store the value; `None` removes it."""


class Application(Protocol):
    """One tenant of the host, with one acting user and one language.

    Each application has a database of its own: the package's tables carry no tenant column. Acting
    as nobody, which is what `Host.application` gives, it can read no object, but setup must be able
    to use `limetypes`, `settings`, `ensure_system_user` and `database`: it runs before there is a
    user.
    """

    @property
    def identifier(self) -> str:
        """The tenant's name as it stands in URLs."""

    @property
    def language(self) -> str:
        """The acting user's language, such as `en` or `sv`."""

    @property
    def user(self) -> User:
        """The acting user."""

    @property
    def config(self) -> Mapping[str, object]:
        """Environment values set by whoever deploys; checked by `limepkg_email.config`."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Environment secrets, such as the engine's token; never stored in the database."""

    @property
    def settings(self) -> Settings:
        """Values an administrator edits."""

    @property
    def limetypes(self) -> Limetypes:
        """The data model."""

    @property
    def files(self) -> Files:
        """The file store."""

    @property
    def database(self) -> Engine:
        """The database for the package's own tables."""

    def unit_of_work(self) -> UnitOfWork:
        """Begin a transaction as the acting user."""

    def people(self) -> Sequence[User]:
        """Give the people who can sign in, by name; system users are none of them.

        Administrators choose among them to whom an e-mail account is assigned.
        """

    def as_user(self, name: str) -> Application:
        """The same application with another acting user; raises `NotFound`.

        Background work acts as the system user `emailengine@lime`.
        """

    def ensure_system_user(self, name: str) -> None:
        """Create the system user, with `email.admin`, if it is missing.

        It can act on every object, but nobody can sign in as it.
        """

    def object_url(self, limetype: str, id: int) -> str:
        """Give the address of the page that shows the object to a person."""

    def notify(self, user: int, text: str, url: str) -> None:
        """Tell a user, by number, a sentence that leads to a page; may do nothing.

        Called outside any transaction. A user who is not there any more is no error.
        """


class Host(Protocol):
    """The CRM: one per process."""

    def applications(self) -> Iterable[str]:
        """Give the identifiers of all applications."""

    def application(self, identifier: str) -> Application:
        """Give the application, acting as nobody yet; raises `NotFound`."""

    def current_application(self) -> Application:
        """Inside a request: the application of the URL, acting as the signed-in user.

        Raises `Unauthorized` when nobody is signed in.
        """
