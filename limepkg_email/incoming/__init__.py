"""A mail becomes limeobjects."""
