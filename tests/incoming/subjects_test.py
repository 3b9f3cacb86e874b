"""Prefixes of replies and forwards are known in all common languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limepkg_email.incoming.subjects import has_forward_prefix, has_reply_prefix, normalise

ANY = st.text(st.characters(codec=None, exclude_categories=()))
REPLIES = (
    "Re: {}",
    "RE: {}",
    "re:{}",
    "Re : {}",
    "Re[2]: {}",
    "RE(3): {}",
    "Re^2: {}",
    "Re*3: {}",
    "SV: {}",
    "Sv: {}",
    "VS: {}",
    "AW: {}",
    "Antw: {}",
    "Antwort: {}",
    "Odp: {}",
    "R: {}",
    "RIF: {}",
    "RES: {}",
    "YNT: {}",
    "回复：{}",
    "回覆: {}",
    "答复: {}",
    "返信: {}",
    "답장: {}",
    "Ответ: {}",
    "ΑΠ: {}",
    "השב: {}",
    "Re: Re: {}",
    "SV: Re: AW: {}",
    "[External] Re: {}",
    "[EXT] SV: {}",
    "Re: [EXTERNAL] {}",
    "RE: FW: {}",
    "***SPAM*** Re: {}",
    "  Re:\t {}",
)
FORWARDS = (
    "Fwd: {}",
    "FW: {}",
    "VB: {}",
    "WG: {}",
    "Doorst: {}",
    "TR: {}",
    "RV: {}",
    "ENC: {}",
    "I: {}",
    "VL: {}",
    "转发: {}",
    "転送: {}",
    "Fwd: Re: {}",
)


@pytest.mark.parametrize("pattern", REPLIES)
def test_a_reply_has_the_subject_it_answers(pattern: str) -> None:
    assert normalise(pattern.format("Pumpen läcker")) == normalise("Pumpen läcker")
    assert has_reply_prefix(pattern.format("Pumpen läcker"))
    assert not has_forward_prefix(pattern.format("Pumpen läcker"))


@pytest.mark.parametrize("pattern", FORWARDS)
def test_a_forward_has_the_same_subject_but_is_no_reply(pattern: str) -> None:
    assert normalise(pattern.format("Pumpen läcker")) == normalise("Pumpen läcker")
    assert not has_reply_prefix(pattern.format("Pumpen läcker"))
    assert has_forward_prefix(pattern.format("Pumpen läcker"))


@pytest.mark.parametrize(
    "subject",
    [
        "Regarding you",
        "Rea: 50 %",
        "Svar önskas",
        "Re",
        "",
        "AWS: bill",
        "Resa till Rom",
        "Ref: 12",
        "Visa: renewal",
        "Invoice: 3",
    ],
)
def test_a_word_that_begins_like_a_prefix_stays(subject: str) -> None:
    assert normalise(subject) == subject.casefold()
    assert not has_reply_prefix(subject)


def test_case_and_white_space_do_not_matter() -> None:
    assert normalise("PUMPEN   läcker ") == normalise("pumpen\r\n läcker")


def test_the_tag_of_a_list_or_ticket_tells_subjects_apart() -> None:
    assert normalise("[Ticket 12] Re: Pump") == normalise("Re: [Ticket 12] Pump")
    assert normalise("[Ticket 12] Pump") != normalise("[Ticket 13] Pump")
    assert has_reply_prefix("[Ticket 12] Re: Pump")


@given(ANY)
def test_any_subject_is_normalised_for_good(subject: str) -> None:
    once = normalise(subject)
    assert len(once) <= 4 * 998
    assert isinstance(has_reply_prefix(subject), bool)
    once.encode()


@pytest.mark.parametrize(
    "piece", ["Re: ", "[", "[External]", "Re", "R" * 3, "Re[1", "( external", "*"]
)
def test_an_endless_subject_takes_no_time(piece: str) -> None:
    started = time.process_time()
    normalise(piece * 500_000)
    assert time.process_time() - started < 1
