"""The default views that setup offers to the host, as data that an administrator then owns."""

from __future__ import annotations

from typing import Any

from limepkg_email.config import Configuration

SETTING = "limepkg_email.views"
"""The setting under which the views are stored; setup never overwrites it."""

COMPOSER = "lwc-email-composer"
UNREAD_INDICATOR = "lwc-unread-message-icon-indicator"


def default_views(config: Configuration) -> dict[str, Any]:
    """Give the views by limetype: which web component stands where, with which properties.

    The composer belongs to the activities of a conversation, so that earlier messages stay visible
    while one answers; the unread indicator to the table of each conversation parent.
    """
    views: dict[str, Any] = {
        "conversation": {"activities": {"composer": {"name": COMPOSER, "props": {}}}}
    }
    for parent in config.conversation_parents:
        indicator = {"name": UNREAD_INDICATOR, "props": {}}
        views.setdefault(parent.limetype, {})["table"] = {"components": [indicator]}
    return views
