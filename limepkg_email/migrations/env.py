"""Run by alembic, never imported: works on the connection that `limepkg_email.migrate` gives it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.environment import NameFilterParentNames, NameFilterType

from limepkg_email.migrate import VERSION_TABLE
from limepkg_email.models import PREFIX, Base, UtcDateTime


def _is_ours(name: str | None, kind: NameFilterType, _: NameFilterParentNames) -> bool:
    # A host's tables are none of our business; without this autogenerate would drop them.
    return kind != "table" or (name or "").startswith(PREFIX)


def _render(_: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # A version must not change when the class in the models does.
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_name=_is_ours,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
