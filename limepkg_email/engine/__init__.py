"""EmailEngine: the typed client for its API, and its webhooks."""
