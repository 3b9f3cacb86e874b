"""What lime-elements 40 itself breaks of axe's rules: each with where, and why it is not ours."""

from __future__ import annotations

_TOOLBAR = "the editor's toolbar calls itself a grid, and its items are no rows of it"
_MENU = "items of a menu say whether they are selected, which only those of lists may"
_LIST = "the list of a select takes no name from the select's label"

KNOWN: tuple[tuple[str, str, str], ...] = (
    ("aria-required-children", "limel-action-bar", _TOOLBAR),
    ("aria-required-parent", "limel-action-bar", _TOOLBAR),
    ("aria-allowed-attr", "limel-list-item", _MENU),
    ("aria-input-field-name", "mdc-deprecated-list", _LIST),
    ("aria-required-children", "mdc-deprecated-list", "a list that opens has no items yet"),
)
"""Rule, a part of the path or the HTML of the element, and the reason."""


def is_known(rule: str, target: str, html: str) -> bool:
    """Tell whether a violation is on the list."""
    return any(rule == known and (part in target or part in html) for known, part, _ in KNOWN)
