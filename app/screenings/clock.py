"""Tells the time for what is kept by dates, and doesn't believe a clock that jumps ahead until the jump has lasted.

Leases and retention need a time that several processes share and that goes on over restarts, which only the wall clock
does. Somebody, or a broken time server, may set it wrong for a while: ahead by a month, and everything would be past
its retention and deleted. How long the machine has run can't be set, and tells a jump from time that has passed.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TOLERATED_S = 3_600.0
"""Jump ahead that is taken for the clock's being set right; of a retention of days it changes nothing."""
BELIEVED_AFTER_S = 86_400.0
"""How long a longer one has to last until it is believed: a day, in which somebody notices."""


def machine_s() -> float:
    """Tell how many seconds the machine has run, those included, where the system counts them, in which it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class SteadyClock:
    """Seconds since 1970; a step back is followed at once, one ahead when it is short or has lasted."""

    def __init__(self, wall: Callable[[], float] = time.time, ran: Callable[[], float] = machine_s) -> None:
        """Begin with what the wall clock says."""
        self._wall, self._ran = wall, ran
        self._lock = Lock()
        self._last, self._last_ran = wall(), ran()
        self._jumped: float | None = None

    def __call__(self) -> float:
        """Tell the time."""
        with self._lock:
            now, ran = self._wall(), self._ran()
            expected = self._last + ran - self._last_ran
            if now - expected <= TOLERATED_S:
                self._jumped = None
            else:
                self._jumped = ran if self._jumped is None else self._jumped
                if ran - self._jumped < BELIEVED_AFTER_S:
                    now = expected
            self._last, self._last_ran = now, ran
            return now
