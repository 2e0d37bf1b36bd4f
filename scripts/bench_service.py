#!/usr/bin/env python3
"""Print what sizing the service takes: its start, its memory, and the processor time that a check costs over HTTP.

A service of its own is started on a free port, asked by the client, and stopped; then its whole use is read from the
system. What it used to start, measured by a service that is asked nothing, is taken off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from app.client import AsyncClient

if TYPE_CHECKING:
    import resource

IDEA = (
    "Our town's library lends tools, and nobody knows which of them will break next. I wrote down every loan and "
    "repair of two years by hand. From the number of loans, the season and the kind of tool I estimate how long one "
    "lasts, with a survival model. The caretaker uses the list to order parts before something is missing, and tells "
    "me what was wrong. (No. {number})"
)


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checks", type=int, default=40, help="texts of 60 words to have judged")
    parser.add_argument("--together", type=int, default=4, help="requests at a time")
    given = parser.parse_args(arguments)
    _served(0, 1)  # the first start may write what later ones find: the model's graph, the tables of names
    idle, busy = _served(0, 1), _served(given.checks, given.together)
    seconds = (busy["processor_s"] - idle["processor_s"]) / given.checks
    if seconds <= 0:
        parser.error(f"{given.checks} checks cost less than one start differs from another here: ask for more of them")
    told = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "checks": given.checks,
        "processor_s_per_check": round(seconds, 4),
        "checks_per_second_and_core": round(1 / seconds, 1),
        "ready_after_s": round(idle["ready_s"], 1),
        "start_processor_s": round(idle["processor_s"], 1),
        "largest_memory_mb": {"idle": round(idle["memory_mb"]), "after_checks": round(busy["memory_mb"])},
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0


def _served(checks: int, together: int) -> dict[str, float]:
    """Start a service, have it judge, stop it, and tell what it used in all."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603  the project's own command
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    try:
        ready_s = asyncio.run(_asked(f"http://127.0.0.1:{port}", began, checks, together))
    finally:
        process.terminate()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return {"ready_s": ready_s, "processor_s": used.ru_utime + used.ru_stime, "memory_mb": _megabytes(used)}


async def _asked(url: str, began: float, checks: int, together: int) -> float:
    """Wait until the service can check, and have all judged; gives when that was, in seconds from its start."""
    async with AsyncClient(url) as client:
        while not await client.ready():  # noqa: ASYNC110  what is waited for is another process
            await asyncio.sleep(0.05)
        ready_s = time.monotonic() - began
        left = iter(range(checks))

        async def caller() -> None:
            for number in left:
                await client.check(IDEA.format(number=number))

        await asyncio.gather(*(caller() for _ in range(together)))
        return ready_s


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    raise SystemExit(main())
