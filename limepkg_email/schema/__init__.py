"""The data model: what the package installs in a host, and how it gets there."""
