"""Gives out turns at a few workers, and turns away at once who would wait for too long; it knows nothing of checks."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heapreplace
from math import ceil
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
from anyio import CapacityLimiter

from app.errors import OriginalityError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")

EXPECTED_SHARE = 2 / 3
"""Share of the longest wait up to which somebody is let in by what is expected; the rest is for expecting too little.
Were it all of it, whoever came last in a full queue would wait for the whole time and then, half the time, for nothing.
"""
MEMORY = 0.1
"""Weight of the latest work in the mean of what one takes: some twenty pieces of it make up nearly all of the mean."""
LEAST_RETRY_S = 2


class Overloaded(OriginalityError):
    """More waits for a worker than can be done soon.

    Attributes:
        wait_s: whole seconds after which about half of what waits is done.
    """

    def __init__(self, message: str, wait_s: int = LEAST_RETRY_S) -> None:
        """Say why, and when to come back."""
        super().__init__(message)
        self.wait_s = wait_s


class Gone(OriginalityError):
    """Whoever asked has left before their turn; there is nobody to tell it to."""


@dataclass(eq=False, slots=True)
class _Job:
    """Somebody inside.

    Attributes:
        pieces: what they brought, in pieces that take about as long as each other.
        began: when their turn came; None while they wait.
    """

    pieces: int
    began: float | None = None


class Turns:
    """A queue in front of workers, bounded in length and in time.

    A queue that is bounded in length alone makes everybody wait for minutes as soon as more comes in than can be done,
    and works for those who have long left. This one measures what a piece of work takes, and lets in who will have a
    turn in time.
    """

    def __init__(self, workers: int, most: int, wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Open, with nobody waiting.

        Args:
            workers: turns at a time.
            most: who may wait or be at work at a time.
            wait_s: longest wait for a turn.
        """
        self._limiter, self._threads = CapacityLimiter(workers), CapacityLimiter(workers)
        self._most, self._wait_s, self._clock = most, wait_s, clock
        self._jobs: list[_Job] = []
        self._mean_s = 0.0

    def expected_s(self) -> float:
        """Tell how long somebody who comes now would wait; 0 before anything was measured."""
        now, workers = self._clock(), [0.0] * int(self._limiter.total_tokens)
        for job in self._jobs:  # in the order in which they get their turns
            done_s = 0.0 if job.began is None else now - job.began
            heapreplace(workers, workers[0] + max(0.0, job.pieces * self._mean_s - done_s))
        return workers[0]

    @contextmanager
    def inside(self, pieces: int = 1) -> Iterator[_Job]:
        """Let somebody in for the block, or turn them away.

        Args:
            pieces: what is brought along, in pieces that take about as long as each other.

        Raises:
            Overloaded: if too many are inside, or a turn would come too late.
        """
        expected = self.expected_s()
        later = max(LEAST_RETRY_S, ceil(expected / 2))
        if len(self._jobs) >= self._most:
            raise Overloaded(
                f"{self._most} requests are waiting already, and no more are taken. Try again in {later} seconds.",
                later,
            )
        if expected > EXPECTED_SHARE * self._wait_s:
            raise Overloaded(
                f"What waits already will take some {expected:.0f} seconds. Try again in {later} seconds.", later
            )
        job = _Job(pieces)
        self._jobs.append(job)
        try:
            yield job
        finally:
            self._jobs.remove(job)

    async def do(self, job: _Job, work: Callable[[], T], gone: Callable[[], Awaitable[bool]] | None = None) -> T:
        """Do work on a thread as soon as there is a turn.

        Args:
            job: what ``inside`` gave.
            gone: tells, when the turn has come, whether nobody waits for the outcome any more.

        Raises:
            Overloaded: if the turn did not come in time.
            Gone: if nobody waits for the outcome; the work isn't done.
        """
        try:
            with anyio.fail_after(self._wait_s):
                await self._limiter.acquire()
        except TimeoutError as error:
            raise Overloaded(
                f"No turn came within {self._wait_s:.0f} seconds. Try again in {LEAST_RETRY_S} seconds."
            ) from error
        try:
            if gone is not None and await gone():
                raise Gone("Whoever asked has left.")
            job.began = began = self._clock()
            done = await anyio.to_thread.run_sync(work, limiter=self._threads)
            self._learn((self._clock() - began) / max(1, job.pieces))
            return done
        finally:
            self._limiter.release()

    def _learn(self, took_s: float) -> None:
        self._mean_s = took_s if self._mean_s == 0 else (1 - MEMORY) * self._mean_s + MEMORY * took_s
