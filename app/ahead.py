"""Works on a few things at a time and gives the results in their order."""

from __future__ import annotations

from collections import deque
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Given = TypeVar("Given")
Made = TypeVar("Made")


def ordered(work: Callable[[Given], Made], given: Iterable[Given], at_once: int) -> Iterator[tuple[Given, Made]]:
    """Yield each thing with what ``work`` makes of it; at most ``at_once`` are taken and not yet handed out.

    Whoever stops in the middle waits for what is under way, seconds at most: a thread that is in the model's code when
    the interpreter ends takes the whole process down.

    Raises:
        Exception: the one that ``work`` raised, in its thing's turn.
    """
    waiting: deque[tuple[Given, SimpleQueue[Made | BaseException], Thread]] = deque()
    try:
        for one in given:
            answer: SimpleQueue[Made | BaseException] = SimpleQueue()
            thread = Thread(target=_answer, args=(work, one, answer), daemon=True)
            thread.start()
            waiting.append((one, answer, thread))
            if len(waiting) == at_once:
                yield _taken(*waiting[0][:2])
                waiting.popleft()
        while waiting:
            yield _taken(*waiting[0][:2])
            waiting.popleft()
    finally:
        for *_, thread in waiting:
            thread.join()


def _answer(work: Callable[[Given], Made], one: Given, answer: SimpleQueue[Made | BaseException]) -> None:
    try:
        answer.put(work(one))
    except BaseException as error:  # noqa: BLE001  raised again where the result is awaited
        answer.put(error)


def _taken(one: Given, answer: SimpleQueue[Made | BaseException]) -> tuple[Given, Made]:
    made = answer.get()
    if isinstance(made, BaseException):
        raise made
    return one, made
