"""Temporary: moves here from `incoming`."""

from limepkg_email.incoming.addresses import MAX_NAME, display_name, domain, is_valid, normalise

__all__ = ["MAX_NAME", "display_name", "domain", "is_valid", "normalise"]
