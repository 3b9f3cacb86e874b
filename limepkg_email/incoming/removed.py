"""What of a mail's HTML is not shown: counted for its trace, so that nobody has to wonder."""

from __future__ import annotations

import re
from collections import Counter

from limepkg_email.incoming.body import Body
from limepkg_email.incoming.sanitiser import REMOTE_PREFIX
from limepkg_email.incoming.trace import Trace

_MAX_SEARCHED = 2_000_000
# Layout that goes missing tells nobody anything; these do or load something.
_ACTIVE = re.compile(
    r"<(script|iframe|frame|object|embed|applet|form|input|button|video|audio|svg|meta|link|base)\b"
    r"|\bon(?:click|load|error|focus|blur|submit|change|toggle|(?:mouse|key|pointer)[a-z]{2,6})"
    r"\s{0,8}=|javascript:",
    re.I,
)


def note_removed(html: str, body: Body, trace: Trace) -> None:
    """Note what the sanitiser took out, whether history is folded away, and what was cut off."""
    found = active_parts(html) if html else {}
    if found:
        listed = ", ".join(f"{name} ({count})" for name, count in found.items())
        trace.note("body", f"taken out: {listed}", "sanitised", removed=found)
    waiting = body.html.count(f'src="{REMOTE_PREFIX}')
    if waiting:
        trace.note("body", f"images from the web: {waiting}", "remote_images", count=waiting)
    if body.visible != body.html:
        trace.note("body", "quoted history is folded away", "history_folded")
    if body.truncated:
        trace.note("body", "the text is longer than what is kept", "body_cut")


def active_parts(html: str) -> dict[str, int]:
    """Count the parts of a mail's HTML that could do or load something, by name."""
    counted: Counter[str] = Counter()
    for found in _ACTIVE.finditer(html, 0, _MAX_SEARCHED):
        counted[_name(found)] += 1
    return dict(sorted(counted.items()))


def _name(found: re.Match[str]) -> str:
    if found[1]:
        return found[1].lower()
    return "javascript: link" if found[0].lower() == "javascript:" else "event handler"
