"""The versions of the package's tables, in the order of their numbers."""
