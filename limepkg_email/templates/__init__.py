"""Texts for mails with places for values: their language, their storage, their previews."""
