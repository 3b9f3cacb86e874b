"""What the configuration's keys are called where people read them."""

from __future__ import annotations

from typing import Final

TITLES: Final = {
    "emailengine_url": "Address of EmailEngine",
    "emailengine_token": "Access token of EmailEngine",
    "emailengine_service_secret": "Secret that signs webhooks",
    "metrics_token": "Token of the metrics",
    "webhook_url": "Address of the webhook",
    "handle_unprocessed_emails_enabled": "Scheduled recovery",
    "vacuum_cleaner_grace_period": "Grace period of the recovery",
    "max_import_age_for_failed_messages": "How long failed mails are tried again",
    "recovery_interval": "Time between two recoveries",
    "failed_folder": "Folder of failed mails",
    "system_user": "System user",
    "conversation_parents": "What conversations can hang on",
    "follower_parents": "Who can be a follower",
    "join_by_subject": "Join conversations by subject",
    "max_followers_per_mail": "Most followers from one mail",
    "max_attachments_per_mail": "Most files of one mail",
    "max_message_size": "Largest size of a mail's files",
    "max_body_size": "Longest text of a mail",
    "max_attachment_size": "Largest file to send",
    "max_draft_files_size": "Most files in drafts",
    "max_recipients": "Most recipients of a message",
    "undo_seconds": "Time to undo sending",
    "max_relays_per_address": "Most relayed mails to one address",
    "max_autoreplies_per_address": "Most automatic replies to one address",
    "default_language": "Language of templates",
    "engine_timeout": "Longest wait for EmailEngine",
    "job_lease": "Lease of a job",
    "job_attempts": "Tries of a job",
    "job_retention": "How long finished jobs are kept",
    "run_retention": "How long tasks that have ended are kept",
    "log_retention": "How long the log is kept",
    "sent_text_retention": "How long the texts of sent mails are kept",
    "audit_retention": "How long changes are kept",
    "worker_threads": "Threads of the worker",
}
"""The title of each key."""


def title(name: str) -> str:
    """Give the title of a key, its own words if nobody gave it one."""
    return TITLES.get(name) or name.replace("_", " ").capitalize()
