"""A limit to guessing passwords: so many failures of one login from one address, then a pause.

Kept in the memory of the process, which is all that a demo has; several processes count by
themselves. Behind a proxy that does not pass the address on, a login has one count for everybody.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from typing import Final

from limepkg_email.clock import Clock

MOST: Final = 10
"""Failed attempts of a login from an address within `WINDOW`."""
WINDOW: Final = timedelta(minutes=5)
"""How long a failed attempt counts."""

_MOST_KEYS: Final = 10_000
_LONGEST: Final = 200

Key = tuple[str, str, str]
"""The application, the login and the address from which somebody tries."""


class Attempts:
    """The failed attempts to sign in; safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: dict[Key, deque[datetime]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """Give how many logins are remembered."""
        return len(self._failed)

    def begin(self, key: Key) -> int:
        """Count an attempt, before its password is looked at; gives 0, or the seconds to wait.

        One that has to wait does not count. Attempts at the same time cannot be more than `MOST`.
        """
        now = self._clock()
        with self._lock:
            failed = self._recent(_short(key), now)
            if len(failed) >= MOST:
                return max(1, ceil((failed[0] + WINDOW - now).total_seconds()))
            failed.append(now)
            return 0

    def succeeded(self, key: Key) -> None:
        """Forget the attempts, as the password was right."""
        with self._lock:
            self._failed.pop(_short(key), None)

    def _recent(self, key: Key, now: datetime) -> deque[datetime]:
        """Give the attempts that still count; the key is the newest one from now on."""
        failed = self._failed.pop(key, None) or deque()
        while failed and failed[0] + WINDOW <= now:
            failed.popleft()
        # The one that was tried longest ago goes, so that made-up logins cannot fill the memory.
        while len(self._failed) >= _MOST_KEYS:
            del self._failed[next(iter(self._failed))]
        self._failed[key] = failed
        return failed


def _short(key: Key) -> Key:
    application, login, address = key
    return application, login[:_LONGEST], address
