"""HTTP in and out, and nothing else: one module for each group of endpoints."""
