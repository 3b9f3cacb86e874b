"""Temporary: moves here from `incoming`."""

from limepkg_email.incoming.text import cut, one_line, storable

__all__ = ["cut", "one_line", "storable"]
