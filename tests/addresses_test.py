"""Addresses compare equal however they are spelt, and names are safe in headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.addresses import display_name, domain, is_valid, normalise

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    "spelling",
    [
        "anna@example.org",
        " Anna@Example.ORG ",
        "<anna@example.org>",
        "Anna Andersson <Anna@example.org>",
        "anna@example.org.",
    ],
)
def test_spellings_of_one_address_become_the_same(spelling: str) -> None:
    assert normalise(spelling) == "anna@example.org"


def test_a_national_domain_equals_its_ascii_form() -> None:
    assert normalise("bo@räksmörgås.se") == normalise("bo@xn--rksmrgs-5wao1o.se")


def test_a_domain_that_old_rules_would_change_is_left_alone() -> None:
    assert normalise("bo@straße.de") == "bo@straße.de"


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.org",
        "a.b+tag@sub.example.co.uk",
        "o'brien@example.ie",
        "jörgen@räksmörgås.se",
        "da..me.@docomo.ne.jp",
        "用户@例子.广告",
        "x" * 64 + "@example.org",
        "a@" + ".".join(["b" * 60] * 4) + ".se",
    ],
)
def test_an_address_that_can_receive_mail_is_valid(address: str) -> None:
    assert is_valid(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@localhost",
        "anna@[127.0.0.1]",
        "anna@127.0.0.1",
        "a@b@example.org",
        "anna @example.org",
        "anna@exam ple.org",
        "anna\r\nBcc: x@example.org",
        "anna@example.org\r\nBcc: x@example.org",
        "anna\x00@example.org",
        "<anna@example.org>",
        "anna@example..org",
        "anna@-example.org",
        "anna@example-.org",
        "x" * 65 + "@example.org",
        "ö" * 33 + "@example.org",
        "a@" + ".".join(["b" * 63] * 4) + ".se",
        "a@" + "b" * 64 + ".se",
        "a,b@example.org",
        '"a b"@example.org',
    ],
)
def test_an_address_that_cannot_receive_mail_is_not_valid(address: str) -> None:
    assert not is_valid(address)


def test_the_domain_of_an_address_is_normalised() -> None:
    assert domain("Anna <anna@Example.ORG>") == "example.org"
    assert domain("no address") == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna\r\nBcc: x@example.org", "Anna Bcc: x@example.org"),
        ('"Anna Andersson"', "Anna Andersson"),
        ("'Anna'", "Anna"),
        ("anna\u202egro.elpmaxe\u202c", "annagro.elpmaxe"),
        ("An\x00n\u200ba\x9b", "Anna"),
        ("  Anna   A ", "Anna A"),
        ("山田 太郎", "山田 太郎"),
        ("D'Arcy", "D'Arcy"),
    ],
)
def test_a_name_is_safe_in_a_header(name: str, shown: str) -> None:
    assert display_name(name) == shown


@given(ANY)
def test_any_name_is_one_bounded_line_without_tricks(name: str) -> None:
    shown = display_name(name)
    assert len(shown) <= 256
    assert shown.isprintable() or not any(c in shown for c in "\r\n\x00\x1b\u202e\u2066")
    assert len(shown.splitlines()) <= 1


@given(ANY)
def test_normalising_twice_changes_nothing_more(address: str) -> None:
    once = normalise(address)
    assert normalise(once) == once


@given(ANY)
def test_no_address_with_white_space_or_controls_is_valid(address: str) -> None:
    if is_valid(address):
        assert address.isprintable()
        assert " " not in address
        assert len(address.encode()) <= 320


@given(st.emails())
def test_addresses_of_the_standard_survive_being_normalised(address: str) -> None:
    assert domain(address) == normalise(address).rpartition("@")[2] != ""
