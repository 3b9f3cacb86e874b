"""A walk through every endpoint, as a program would do it, against the demo over HTTP."""
