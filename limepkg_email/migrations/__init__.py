"""The alembic history of the package's own tables; `limepkg_email.migrate` runs it."""
