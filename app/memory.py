"""Keeps a service's memory level where the C library would let it grow: glibc's allocator, and nothing elsewhere.

Each thread that allocates gets an arena of its own, and what is free in one serves no other thread: a service under
load (``scripts/soak.py``) grew by 17 MB a minute, and with two arenas, which are enough for two workers, by a tenth of
that; the rest came from the model, which keeps its own memory since (``app.runtime``). What lies free is given back now
and then (mallopt(3), malloc_trim(3)).
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

ARENAS = 2
_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def few_arenas() -> None:
    """Hold the number of arenas down; to be called before threads are started."""
    if (library := _glibc()) is not None:
        library.mallopt(_M_ARENA_MAX, ARENAS)


def give_back() -> bool:
    """Give free memory back to the system, some milliseconds' work; tell whether there was any."""
    library = _glibc()
    return library is not None and bool(library.malloc_trim(0))


@cache
def _glibc() -> Any:
    """Find the library in this process; None on another system."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "malloc_trim") and hasattr(library, "gnu_get_libc_version") else None
    except OSError:
        return None
