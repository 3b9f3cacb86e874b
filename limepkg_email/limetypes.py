"""How a limetype is described: the words that `schema` and a host share, and no limetype itself.

The types are those of the platform: string, text, integer, decimal, time (an instant), date, yesno,
option, link, file, user and belongsto; hasmany is the other side of a belongsto and is declared
there by `backref`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PropertyType = Literal[
    "string",
    "text",
    "integer",
    "decimal",
    "time",
    "date",
    "yesno",
    "option",
    "link",
    "file",
    "user",
    "belongsto",
]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of an option property: the stored key and the text people see."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Property:
    """One property or relation of a limetype.

    `length` is the greatest number of characters of a string. `related` is the limetype that a
    belongsto points at and `backref` the name of the hasmany that appears there. `indexed` asks the
    host for an index, because the package searches by it.
    """

    name: str
    type: PropertyType
    label: str = ""
    length: int | None = None
    required: bool = False
    options: tuple[Option, ...] = ()
    related: str | None = None
    backref: str | None = None
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Limetype:
    """A record type: its name, its texts and its properties."""

    name: str
    singular: str
    plural: str
    properties: tuple[Property, ...] = ()

    def property(self, name: str) -> Property | None:
        """Give the property of that name, or `None`."""
        return next((each for each in self.properties if each.name == name), None)


@dataclass(frozen=True, slots=True)
class CreateLimetype:
    """Setup step: install a limetype that the host does not have, without properties."""

    limetype: Limetype


@dataclass(frozen=True, slots=True)
class AddProperty:
    """Setup step: add a property or relation to a limetype."""

    limetype: str
    property: Property


@dataclass(frozen=True, slots=True)
class AddOption:
    """Setup step: add a choice to an option property."""

    limetype: str
    property: str
    option: Option


@dataclass(frozen=True, slots=True)
class Lengthen:
    """Setup step: let a string property hold more characters."""

    limetype: str
    property: str
    length: int


Step = CreateLimetype | AddProperty | AddOption | Lengthen
