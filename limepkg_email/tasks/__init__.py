"""Durable work: the job ledger, who wakes its workers, and the tasks."""
