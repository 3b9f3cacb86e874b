"""The user's own signature over HTTP."""

from __future__ import annotations

import pytest

from .crm import Crm, Person


def test_everybody_has_a_signature_of_their_own(any_crm: Crm) -> None:
    agent, other = any_crm.person("agent"), any_crm.person("agent", "other")
    assert agent.get("/signature/").json == {"signature": ""}
    wanted = {"signature": "<p>Lisa, <b>Support</b></p><script>x</script>"}
    stored = agent.send("PUT", "/signature/", json=wanted).json
    assert stored == {"signature": "<p>Lisa, <b>Support</b></p>"}
    assert agent.get("/signature").json == stored
    assert other.get("/signature/").json == {"signature": ""}
    assert agent.send("PUT", "/signature/", json={"signature": ""}).json == {"signature": ""}


@pytest.mark.parametrize("body", [{}, {"signature": None}, {"signature": "x" * 100_001}, []])
def test_a_signature_that_cannot_be_stored_is_refused(agent: Person, body: object) -> None:
    assert agent.send("PUT", "/signature/", json=body).status_code == 422


def test_nobody_has_no_signature(crm: Crm) -> None:
    assert crm.nobody().get("/signature/").status_code == 401
