"""Counts what one caller asks for in a minute, and says what is left of it."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import OriginalityError


class TooManyRequests(OriginalityError):
    """One key or address asked for more in a minute than it may.

    Attributes:
        allowed: how many it may make.
        wait_s: seconds until it may ask again.
    """

    def __init__(self, allowed: int, wait_s: int) -> None:
        """Say what is allowed and how long to wait."""
        super().__init__(
            f"At most {allowed} requests a minute are taken from one key or address, each text of a batch counted. "
            f"Try again in {wait_s} seconds."
        )
        self.allowed, self.wait_s = allowed, wait_s


class Shares:
    """What every caller has left of their minute, in the memory of this process."""

    def __init__(self) -> None:
        """Begin with whole shares."""
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._counted = time.time()

    def take(self, caller: str, allowed: int, cost: int = 1) -> dict[str, str]:
        """Count requests of a caller who may make ``allowed`` a minute.

        Returns:
            The RateLimit headers for the answer.

        Raises:
            TooManyRequests: if the share is used up; nothing is counted then.
        """
        self._follow_clock()
        share = RateLimitItemPerMinute(allowed)
        # A batch larger than the limit would never pass; it takes the whole share instead.
        admitted = self._limiter.hit(share, caller, cost=min(cost, allowed))
        reset, left = self._limiter.get_window_stats(share, caller)
        wait_s = max(1, round(reset - time.time()))
        if not admitted:
            raise TooManyRequests(allowed, wait_s)
        return headers(allowed, left, wait_s)

    def _follow_clock(self) -> None:
        """Count anew where the clock was set back: who had used a share up would wait until it is there again."""
        now = time.time()
        if now < self._counted - 1:
            self._storage.reset()
        self._counted = now


def headers(allowed: int, left: int, wait_s: int) -> dict[str, str]:
    """Write the headers of the tenth draft of RateLimit header fields for HTTP, by the IETF's httpapi group."""
    return {"RateLimit-Policy": f'"requests";q={allowed};w=60', "RateLimit": f'"requests";r={left};t={wait_s}'}
