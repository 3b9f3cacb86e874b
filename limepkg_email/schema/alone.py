"""Doing something that only one process at a time may do, without waiting for the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

from limepkg_email.errors import Conflict
from limepkg_email.services import Services
from limepkg_email.tasks import leases


@contextmanager
def alone(services: Services, name: str, duration: timedelta, busy: str) -> Iterator[None]:
    """Hold the lease for the block; raises `Conflict` with the sentence `busy` if another has it.

    A process that died in the block is in nobody's way after `duration`.
    """
    database, holder = services.application.database, str(uuid4())
    with database.begin() as connection:
        if not leases.acquire(connection, name, holder, services.clock(), duration):
            raise Conflict(busy)
    try:
        yield
    finally:
        with database.begin() as connection:
            leases.release(connection, name, holder)
