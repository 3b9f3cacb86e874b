"""What the front end says is in every catalogue, and nothing in a catalogue is left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from limepkg_email.translations import DIRECTORY, catalogue, languages

SOURCES = Path(__file__).parents[2] / "frontend" / "src"
PREFIX = "limepkg_email."


def sources() -> str:
    """Everything that is written by hand and not a test."""
    made = {"texts.ts", "components.d.ts"}
    files = [
        each
        for each in SOURCES.rglob("*.ts*")
        if each.name not in made and not re.search(r"\.(unit|spec)\.", each.name)
    ]
    assert files
    return "\n".join(each.read_text("utf-8") for each in sorted(files))


def short_keys() -> set[str]:
    return {key.removeprefix(PREFIX) for key in catalogue("en")}


def stem(key: str) -> str:
    """The key without the form of its number."""
    return re.sub(r"\.(one|other)$", "", key)


def test_every_language_has_every_text() -> None:
    assert languages() == ("en", "sv")
    assert list(catalogue("en")) == list(catalogue("sv"))
    for language in languages():
        assert [key for key, text in catalogue(language).items() if not text.strip()] == []


def test_every_key_has_the_prefix_of_the_package() -> None:
    assert [key for key in catalogue("en") if not key.startswith(PREFIX)] == []


def test_no_key_stands_in_a_catalogue_twice() -> None:
    for language in languages():
        ids = re.findall(r'^msgid "(.+)"', (DIRECTORY / f"{language}.po").read_text("utf-8"), re.M)
        assert len(ids) == len(set(ids))


def test_every_text_has_the_same_placeholders_in_every_language() -> None:
    def placeholders(text: str) -> list[str]:
        return sorted(set(re.findall(r"\{\w+\}", text)))

    english, swedish = catalogue("en"), catalogue("sv")
    different = {key for key in english if placeholders(english[key]) != placeholders(swedish[key])}
    assert different == set()


def test_every_key_that_the_front_end_asks_for_is_there() -> None:
    asked = set(re.findall(r"""\.get\(\s*'([a-z_]+(?:\.[a-z_]+)+)'""", sources()))
    counted = set(re.findall(r"""\.count\(\s*'([a-z_]+(?:\.[a-z_]+)+)'""", sources()))
    assert asked
    assert counted
    assert asked - short_keys() == set()
    for each in counted:
        assert {f"{each}.one", f"{each}.other"} <= short_keys()


def test_no_text_is_left_over() -> None:
    written = set(re.findall(r"""['"`]([a-z_]+(?:\.[a-z_]+)*)['"`]""", sources()))
    unused = {key for key in short_keys() if not {key, stem(key)} & written}
    assert unused == set()


def test_an_unknown_language_has_no_catalogue() -> None:
    with pytest.raises(KeyError):
        catalogue("../en")
