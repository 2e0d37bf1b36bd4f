"""Work ahead: the order of what came in, never more at a time than allowed, and an error in its turn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from app import ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_results_keep_their_order_however_long_each_takes() -> None:
    """The first takes longest, and two are under way together, never three."""
    now, most, lock = 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05 if number == 0 else 0.01)
        with lock:
            now -= 1
        return number * 10

    assert list(ahead.ordered(work, range(5), 2)) == [(n, n * 10) for n in range(5)]
    assert most == 2
    assert list(ahead.ordered(work, [], 2)) == []


def test_no_more_is_taken_than_is_worked_on() -> None:
    """A file of a million lines is read as it is judged."""
    taken: list[int] = []

    def lines() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = ahead.ordered(lambda number: number, lines(), 2)
    assert next(results) == (0, 0)
    assert taken == [0, 1]


def test_an_error_comes_in_its_turn() -> None:
    """What stands before it is handed out first."""

    def work(number: int) -> float:
        return 1 / number

    results = ahead.ordered(work, [1, 0, 2], 3)
    assert next(results) == (1, 1.0)
    with pytest.raises(ZeroDivisionError):
        next(results)
