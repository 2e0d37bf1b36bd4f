"""When a call is made again, and how long to wait before: decided here for both clients, without sending anything."""

from __future__ import annotations

import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from app.wire import seconds

if TYPE_CHECKING:
    from app.client.calls import Call

BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
"""What was answered so was not done: it may be asked again whatever it is."""
SPREAD = 0.25
"""Share of a wait that is added by chance, so that clients that were sent off together don't come back in step."""
_CHANCE = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits, and how often it asks.

    Attributes:
        attempts: requests for one call, the first among them.
        pause_s: wait before the second one where the service names none; it doubles from one to the next.
        longest_pause_s: a longer wait than this is not kept: the call ends, and says what the service asked for.
        connect_s: longest time until a connection stands.
        answer_s: longest silence while sending or receiving; a batch of long texts takes its time.
    """

    attempts: int = 4
    pause_s: float = 0.5
    longest_pause_s: float = 60.0
    connect_s: float = 5.0
    answer_s: float = 60.0

    def timeout(self) -> httpx.Timeout:
        """Give the limits in the web client's own form."""
        return httpx.Timeout(self.answer_s, connect=self.connect_s)

    def after_answer(self, attempt: int, response: httpx.Response) -> float | None:
        """Tell how many seconds to wait before the next attempt; None if there is to be none.

        Args:
            attempt: how many there were before this one.
        """
        if response.status_code not in BUSY:
            return None
        asked = asked_wait_s(response)
        return self._wait(attempt, asked)

    def after_silence(self, attempt: int, error: httpx.TransportError, call: Call[object]) -> float | None:
        """Tell the same where no answer came; what may have been done already is repeated if that harms nothing."""
        never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return self._wait(attempt, None) if never_sent or call.repeatable else None

    def _wait(self, attempt: int, asked: float | None) -> float | None:
        if attempt + 1 >= self.attempts:
            return None
        own = min(self.pause_s * 2**attempt, self.longest_pause_s)
        if asked is not None and asked > self.longest_pause_s:
            return None
        return (own if asked is None else asked) * (1 + _CHANCE.uniform(0, SPREAD))


def asked_wait_s(response: httpx.Response) -> float | None:
    """Read the wait that an answer asks for, in seconds; None if it doesn't."""
    return seconds(response.headers.get("retry-after", ""))
