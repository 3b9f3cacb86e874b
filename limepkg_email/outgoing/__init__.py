"""Limeobjects become mails."""
