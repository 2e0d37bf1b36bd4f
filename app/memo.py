"""Remembers answers by a hash of what was asked, in memory alone and no more than so many of them."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Answer = TypeVar("Answer")


class Memo(Generic[Answer]):
    """Answers to the latest questions; any number of threads may ask."""

    def __init__(self, capacity: int) -> None:
        """Remember nothing yet, and at most ``capacity`` answers."""
        self._capacity = capacity
        self._kept: OrderedDict[bytes, Answer] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Count what is remembered."""
        return len(self._kept)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()

    def answers(self, asked: Sequence[bytes], find: Callable[[list[int]], Sequence[Answer]]) -> list[Answer]:
        """Give the answer to each question.

        Args:
            asked: the questions' bytes, of which only a hash is kept.
            find: from the places of questions that are not remembered, each different one once, to their answers.
        """
        keys = [hashlib.blake2b(one, digest_size=16).digest() for one in asked]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        fresh: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            if key not in known:
                fresh.setdefault(key, place)
        if fresh:
            found = dict(zip(fresh, find([*fresh.values()]), strict=True))
            known |= found
            with self._lock:
                self._kept |= found
                while len(self._kept) > self._capacity:
                    self._kept.popitem(last=False)
        return [known[key] for key in keys]
