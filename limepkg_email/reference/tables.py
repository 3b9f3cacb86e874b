"""The CRM's own tables, all with the prefix `crm_`; the tables of limetypes are in `schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from limepkg_email.models import BigId, UtcDateTime

PREFIX = "crm_"

metadata = MetaData()

schema_version = Table(
    PREFIX + "schema",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)
"""One row whose version grows with every change of a limetype, so that processes can notice it."""

limetype = Table(
    PREFIX + "limetype",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("definition", Text, nullable=False),
)
"""The definitions of the limetypes, as JSON."""

role = Table(
    PREFIX + "role",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("permissions", Text, nullable=False),
    Column("access", Text, nullable=False),
)
"""What a group of users may do; both columns are JSON."""

user = Table(
    PREFIX + "user",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("login", String(255), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("email", String(320), nullable=False),
    Column("password_hash", String(255)),
    Column("role", ForeignKey(role.c.name), nullable=False),
    Column("language", String(16)),
    Column("grants", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("is_system", Boolean, nullable=False),
)
"""People and system users; nobody can sign in as a user without a password hash."""

api_key = Table(
    PREFIX + "api_key",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("user", ForeignKey(user.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String(255), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Keys for the header `x-api-key`; only their SHA-256 is stored."""

file = Table(
    PREFIX + "file",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("filename", String(255), nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What is known of the stored files; their content is on disk."""

setting = Table(
    PREFIX + "setting",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
"""Values that administrators edit, as JSON; the version counts the changes."""

notification = Table(
    PREFIX + "notification",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("user", BigInteger, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""What users were told, and the page that it leads to."""
