"""What settings are called."""

from __future__ import annotations

from limepkg_email.config import keys
from limepkg_email.schema.titles import TITLES, title


def test_every_key_has_words_of_its_own_and_nothing_else_has() -> None:
    assert list(TITLES) == [each.name for each in keys()]
    assert len(set(TITLES.values())) == len(TITLES)


def test_an_unknown_name_is_read_as_words() -> None:
    assert title("some_new_key") == "Some new key"
