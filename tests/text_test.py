"""Any string becomes one that a database stores and a page shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.text import cut, one_line, storable

ANY = st.text(st.characters(codec=None, exclude_categories=()))
LIMITS = st.one_of(st.none(), st.integers(0, 40))


def test_nuls_and_control_characters_are_left_out() -> None:
    assert storable("a\x00b\x07c\x1bd\x7fe") == "abcde"


def test_tabs_and_line_breaks_stay_in_a_text() -> None:
    assert storable("a\tb\r\nc") == "a\tb\r\nc"


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert storable("a\ud800b\udc00") == "a\ufffdb\ufffd"


def test_a_surrogate_pair_becomes_the_character_it_means() -> None:
    assert storable("\ud83d\ude00") == "😀"


def test_one_line_joins_lines_and_runs_of_white_space() -> None:
    assert one_line(" a\r\n\tb\u2028c\u3000d\x85e ") == "a b c d e"


@pytest.mark.parametrize(
    ("value", "limit", "kept"),
    [
        ("abc", 2, "ab"),
        ("ae\u0301b", 2, "a"),
        ("a👩\u200d🚒b", 3, "a"),
        ("a👍🏽", 2, "a"),
        ("a❤\ufe0f", 2, "a"),
        ("🇸🇪🇫🇮", 3, "🇸🇪"),
        ("🇸🇪🇫🇮", 2, "🇸🇪"),
        ("abc", 3, "abc"),
        ("abc", 0, ""),
    ],
)
def test_a_cut_never_splits_what_is_seen_as_one_character(
    value: str, limit: int, kept: str
) -> None:
    assert cut(value, limit) == kept


def test_a_cut_keeps_most_of_endless_combining_marks() -> None:
    assert len(cut("a" + "\u0301" * 1000, 500)) == 500


@given(ANY, LIMITS)
def test_anything_becomes_storable_bounded_and_stays_so(value: str, limit: int | None) -> None:
    stored = storable(value, limit)
    assert "\x00" not in stored
    assert stored.encode().decode() == stored
    assert limit is None or len(stored) <= limit
    assert storable(stored, limit) == stored


@given(ANY, LIMITS)
def test_one_line_is_one_line_and_stays_so(value: str, limit: int | None) -> None:
    line = one_line(value, limit)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert limit is None or len(line) <= limit
    assert one_line(line, limit) == line


@given(st.text())
def test_text_that_is_storable_already_is_not_changed(value: str) -> None:
    clean = "".join(character for character in value if character.isprintable())
    assert storable(clean) == clean
