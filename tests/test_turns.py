"""Turns: who would wait for too long is told at once, by what work has taken; who has left costs no work."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from app.turns import EXPECTED_SHARE, Gone, Overloaded, Turns

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A time that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock of the test's own."""
    return Clock()


def taking(clock: Clock, seconds: float) -> Callable[[], float]:
    """Give work that takes so long by that clock."""

    def work() -> float:
        clock.now += seconds
        return seconds

    return work


async def do(turns: Turns, work: Callable[[], float], pieces: int = 1) -> float:
    """Go in, wait and work."""
    with turns.inside(pieces) as job:
        return await turns.do(job, work)


def test_the_wait_is_told_from_what_work_has_taken(clock: Clock) -> None:
    """Nothing is expected before anything was measured; then each takes the mean, on the worker that is free first."""
    turns = Turns(2, 99, 30.0, clock)
    with turns.inside(), turns.inside(), turns.inside():
        assert turns.expected_s() == 0.0
    assert asyncio.run(do(turns, taking(clock, 4.0))) == 4.0
    with turns.inside():
        assert turns.expected_s() == 0.0
        with turns.inside(), turns.inside(), turns.inside():
            assert turns.expected_s() == 8.0
    with turns.inside(100):
        assert turns.expected_s() == 0.0  # a batch keeps one worker, and not the other
        with turns.inside(2):
            assert turns.expected_s() == 8.0


def test_the_mean_follows_what_changes(clock: Clock) -> None:
    """A batch counts by its texts, and what came last weighs more than what came long ago."""
    turns = Turns(1, 99, 30.0, clock)
    asyncio.run(do(turns, taking(clock, 40.0), pieces=10))
    with turns.inside():
        assert turns.expected_s() == 4.0
    for _ in range(60):
        asyncio.run(do(turns, taking(clock, 1.0)))
    with turns.inside():
        assert turns.expected_s() == pytest.approx(1.0, abs=0.01)


def test_time_that_has_passed_counts(clock: Clock) -> None:
    """Who is at work already needs only the rest, and no less than nothing."""
    turns, seen = Turns(1, 99, 30.0, clock), []

    def work() -> float:
        for _ in range(3):
            seen.append(turns.expected_s())
            clock.now += 4.0
        return 0.0

    asyncio.run(do(turns, taking(clock, 6.0)))
    asyncio.run(do(turns, work))
    assert seen == [6.0, 2.0, 0.0]


def test_who_would_come_too_late_is_told_at_once(clock: Clock) -> None:
    """With when to come back; those inside are not disturbed, and when they are done there is room again."""
    turns = Turns(1, 99, 30.0, clock)
    asyncio.run(do(turns, taking(clock, 7.0)))
    with turns.inside(), turns.inside():
        assert turns.expected_s() == 14.0 <= EXPECTED_SHARE * 30
        with turns.inside():
            with pytest.raises(Overloaded, match=r"some 21 seconds\. Try again in 11 seconds") as told, turns.inside():
                pass
            assert told.value.wait_s == 11
    assert asyncio.run(do(turns, taking(clock, 7.0))) == 7.0


def test_a_turn_that_does_not_come_is_said() -> None:
    """Where work takes longer than any before, those behind it are told when their time is over, and it goes on."""
    turns, going = Turns(1, 99, 0.05), threading.Event()

    async def both() -> list[object]:
        long = asyncio.create_task(do(turns, lambda: float(going.wait(20))))
        await asyncio.sleep(0.01)
        told = await asyncio.gather(do(turns, lambda: 0.0), return_exceptions=True)
        going.set()
        return [*told, await long, await do(turns, lambda: 5.0)]

    told, *done = asyncio.run(both())
    assert isinstance(told, Overloaded)
    assert str(told).startswith("No turn came within 0 seconds")
    assert done == [1.0, 5.0]


def test_nothing_is_done_for_who_has_left() -> None:
    """The question is asked when the turn has come; the turn goes to the next."""
    turns, worked = Turns(1, 99, 30.0), []

    async def left() -> bool:
        return True

    async def ask() -> None:
        with turns.inside() as job, pytest.raises(Gone):
            await turns.do(job, lambda: worked.append("for nobody"), left)
        with turns.inside() as job:
            await turns.do(job, lambda: worked.append("for somebody"))

    asyncio.run(ask())
    assert worked == ["for somebody"]
