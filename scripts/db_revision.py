"""Writes the migration that leads from the versions there are to what `models/` says."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import create_engine

from limepkg_email import migrate


def main(name: str) -> None:
    """Write the next version; its number counts up and its name says what changes."""
    with TemporaryDirectory() as directory:
        engine = create_engine(f"sqlite:///{Path(directory) / 'empty.db'}")
        migrate.upgrade(engine)
        with engine.begin() as connection:
            command.revision(
                migrate.configuration(connection),
                name,
                autogenerate=True,
                rev_id=f"{int(migrate.HEAD) + 1:04}",
            )
        engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit('Say what changes: make db-revision NAME="receipts know their size"')
    main(sys.argv[1])
