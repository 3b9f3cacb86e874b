"""The tables that the package owns; everything people see as records lives in limetypes instead.

All names carry the prefix `limepkg_email_`. The tables are created and changed by the package's own
alembic history (`migrations/`), with a version table of their own.
"""

from limepkg_email.models.accounts import Account, AccountReport, AccountUser, FormState, OAuthApp
from limepkg_email.models.base import PREFIX, Base, BigId, UtcDateTime
from limepkg_email.models.mail import Disposition, Outbox, Receipt, ThreadEntry
from limepkg_email.models.records import AuditEntry, LogEntry
from limepkg_email.models.work import Counter, Job, JobState, Lease, Run, RunState
from limepkg_email.models.writing import Draft, DraftFile, Template

__all__ = [
    "PREFIX",
    "Account",
    "AccountReport",
    "AccountUser",
    "AuditEntry",
    "Base",
    "BigId",
    "Counter",
    "Disposition",
    "Draft",
    "DraftFile",
    "FormState",
    "Job",
    "JobState",
    "Lease",
    "LogEntry",
    "OAuthApp",
    "Outbox",
    "Receipt",
    "Run",
    "RunState",
    "Template",
    "ThreadEntry",
    "UtcDateTime",
]
