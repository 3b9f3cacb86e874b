"""What whoever deploys the CRM decides about one application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceApplicationOptions:
    """One application: where its data lives, and the environment values of the email package.

    `database_url` is an SQLite file or a PostgreSQL database of its own. `separate_plugin_database`
    is the address of another database for the package's tables; without it they share the CRM's
    transactions. `base_url` is what stands before the paths in the addresses of objects, such as
    `https://crm.example`. `password_method` is the method of `werkzeug.security`.
    """

    database_url: str
    files_directory: Path
    config: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    separate_plugin_database: str | None = None
    language: str = "en"
    base_url: str = ""
    pool_size: int = 10
    pool_timeout: float = 30.0
    password_method: str = "scrypt"  # noqa: S105 - the name of a method
