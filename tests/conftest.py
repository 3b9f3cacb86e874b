"""Nothing but this: the fixtures come from the package's own pytest plugin."""
