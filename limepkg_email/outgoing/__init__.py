"""Outgoing mail: limeobjects become mails, one for each follower, and their state is followed."""
