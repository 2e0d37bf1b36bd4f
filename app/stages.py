"""Says which stage of a check is going on to whoever listens; it knows neither the stages nor the listeners.

The composition root names its stages here. A service listens to time them, and a trace to draw them; where nobody
listens, as on the command line, a stage costs about a microsecond.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Listener = Callable[[str], AbstractContextManager[object]]

_LISTENERS: ContextVar[tuple[Listener, ...]] = ContextVar("listeners", default=())


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Say that a stage goes on for as long as the block, or the function that this decorates, runs."""
    with ExitStack() as stack:
        for listener in _LISTENERS.get():
            stack.enter_context(listener(name))
        yield


@contextmanager
def heard_by(*listeners: Listener) -> Iterator[None]:
    """Have stages heard by these, too, within the block and in the threads that take over its context."""
    token = _LISTENERS.set((*_LISTENERS.get(), *listeners))
    try:
        yield
    finally:
        _LISTENERS.reset(token)
