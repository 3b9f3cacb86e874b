"""How conversation messages look in a host's activity feed."""
