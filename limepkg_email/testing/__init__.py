"""What proves a host, an engine or a runner, and fixtures for tests of extensions."""
