"""Which CRM objects mail addresses belong to, and how a follower is linked to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from limepkg_email.config import Configuration, FollowerParent
from limepkg_email.hooks import ParentReference
from limepkg_email.host import Objects
from limepkg_email.query import In, Query
from limepkg_email.services import Services


def find_parents(
    services: Services, objects: Objects, emails: Sequence[str]
) -> dict[str, ParentReference]:
    """Find the object of each address: the hook first, then the configured order.

    Takes at most one statement per configured follower parent, however many addresses.
    """
    found: dict[str, ParentReference] = {}
    for email in emails:
        reference = services.hooks.follower_parent(
            application=services.application, address=email, objects=objects
        )
        if reference is not None:
            found[email] = reference
    for parent in services.config.follower_parents:
        missing = [email for email in emails if email not in found]
        if not missing:
            break
        found.update(_find_in(objects, parent, missing))
    return found


def links(config: Configuration, parent: ParentReference | None) -> dict[str, object]:
    """Give the relations of a follower that is this object; every other relation is empty."""
    return {
        each.property: parent.id if parent and parent.limetype == each.limetype else None
        for each in config.follower_parents
    }


def _find_in(
    objects: Objects, parent: FollowerParent, emails: Sequence[str]
) -> Mapping[str, ParentReference]:
    wanted = In(parent.address, emails, ignore_case=True)
    rows = objects.query(Query(parent.limetype, wanted, properties=(parent.address,)))
    # The oldest object wins, so that the choice is the same every time.
    newest_first = sorted(rows, key=lambda row: -row.id)
    return {
        str(row[parent.address]).lower(): ParentReference(parent.limetype, row.id)
        for row in newest_first
    }
