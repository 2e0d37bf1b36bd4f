#!/usr/bin/env python3
"""Hold twice the load that the service can do for ten minutes, and see that it keeps what it promises meanwhile.

A service of its own is started and asked by a few callers without a pause, which tells what it can do. Then requests
are sent at a multiple of that, each when its time has come, whether or not those before it were answered: nobody waits
for the service, as nobody does where many people ask. The multiple is of the most that was ever done, so that a machine
that gets quieter is asked more. Texts differ from each other, so that nothing that is remembered answers them. It ends
with 1 if a request got no answer or another than a report or a refusal with a time to come back, if a report came too
late, or if the service's memory grew, or came to more than is promised.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from app.settings import Settings
from scripts.ideas import ideas_without_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CALLERS = 4
"""Who ask without a pause while the capacity is measured: twice the service's workers, so that none is ever idle."""
OWN_S = 15.0
"""Longest that a check may take beside its wait for a worker; with the longest wait it makes up a minute."""
GROWTH_MB = 0.5
"""Most that memory may grow in a minute: a thousandth and a half of it."""
MOST_MB = 350.0
"""Most that the service may ever hold, with the shipped catalogue."""
NOISE_MB = 10.0
"""Memory that comes and goes: of a short run no line says anything, and this is what it may differ by."""
LEAST_MINUTES = 4.0
"""How long the second half has to be for a line through it to say something."""
SAMPLE_S = 2.0
LOOK_BACK_S = 60.0
"""Time over which it is looked at how much is done now."""
SEED = 20_261_123


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        status: 0 where none came.
        began: seconds from the start of the load.
        took_s: until the whole answer was there.
    """

    status: int
    began: float
    took_s: float
    retry_after: str = ""

    @property
    def right(self) -> bool:
        """Tell whether it is a report, or a refusal that says when to come back."""
        refused = self.status in {429, 503} and self.retry_after.isdecimal() and int(self.retry_after) > 0
        return self.status == 200 or refused


@dataclass(slots=True)
class Soak:
    """What was seen.

    Attributes:
        capacity: reports a second when nobody had to be refused.
        sent: requests a second, in the end.
        memory: seconds from the start of the load, and resident memory in MB.
    """

    start_mb: float
    capacity: float = 0.0
    sent: float = 0.0
    answers: list[Answer] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    unready: int = 0

    def faults(self, max_wait_s: float) -> list[str]:
        """List what doesn't hold; empty if all does."""
        wrong = Counter(answer.status for answer in self.answers if not answer.right)
        late = sum(a.status == 200 and a.took_s > max_wait_s + OWN_S for a in self.answers)
        found = [f"{count} answers of status {status}" for status, count in sorted(wrong.items())]
        found += [f"{late} reports after more than {max_wait_s + OWN_S:.0f} s"] if late else []
        found += [f"/health failed {self.unready} times"] if self.unready else []
        found += [] if any(a.status == 200 for a in self.answers) else ["no report at all"]
        found += [] if any(a.status == 503 for a in self.answers) else ["nobody was refused: this was no overload"]
        if self.growth_mb > self.most_growth_mb:
            found.append(f"memory grew by {self.growth_mb:.1f} MB, more than {self.most_growth_mb:.1f}")
        if self.highest_mb > MOST_MB:
            found.append(f"memory came to {self.highest_mb:.0f} MB, more than {MOST_MB:.0f}")
        return found

    @property
    def highest_mb(self) -> float:
        """Most that was held at any look."""
        return max(held for _, held in self.memory)

    @property
    def slope_mb(self) -> float:
        """MB a minute, by the line through the second half of its course."""
        return statistics.linear_regression(*zip(*self._later, strict=True)).slope * 60

    @property
    def minutes(self) -> float:
        """How long that half was."""
        return (self._later[-1][0] - self._later[0][0]) / 60

    @property
    def _later(self) -> list[tuple[float, float]]:
        """The second half: in the first one queues and what is remembered fill up."""
        return self.memory[len(self.memory) // 2 :]

    @property
    def growth_mb(self) -> float:
        """What that line rises from one end to the other."""
        return self.slope_mb * self.minutes

    @property
    def most_growth_mb(self) -> float:
        """What it may rise."""
        return max(NOISE_MB if self.minutes < LEAST_MINUTES else 0.0, GROWTH_MB * self.minutes)


def main(arguments: list[str] | None = None) -> int:
    """Soak, print, and judge."""
    usual = Settings.from_environment().max_wait_s
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the load is held")
    parser.add_argument("--warm-up", type=float, default=60.0, help="how long the capacity is measured before")
    parser.add_argument("--times", type=float, default=2.0, help="of the capacity that is asked for")
    parser.add_argument("--max-wait", type=float, default=usual, help="the service's ORIGINALITY_MAX_WAIT_S")
    given = parser.parse_args(arguments)
    with service(given.max_wait) as (url, pid):
        os.nice(10)  # who asks must not take the processor from who answers
        seen = asyncio.run(soak(url, pid, given.warm_up, given.seconds, given.times))
    faults = seen.faults(given.max_wait)
    print("\n".join(told(seen, given.max_wait)))
    print("\n".join(f"FAILED: {fault}" for fault in faults) or "all held", flush=True)
    return 1 if faults else 0


@contextmanager
def service(max_wait_s: float) -> Iterator[tuple[str, int]]:
    """Run a service, and give its address and process."""
    listening = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
    port = int(subprocess.check_output([sys.executable, "-c", listening], text=True))  # noqa: S603  ours
    process = subprocess.Popen(  # noqa: S603  the project's own command
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ORIGINALITY_MAX_WAIT_S": str(max_wait_s)},
    )
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait()


async def soak(url: str, pid: int, warm_up_s: float, seconds: float, times: float) -> Soak:
    """Wait until the service is ready, measure what it can do, and ask for more."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=CALLERS)
    async with httpx.AsyncClient(base_url=url, timeout=120.0, limits=limits, trust_env=False) as client:
        while not await _ready(client):  # noqa: ASYNC110  what is waited for is another process
            await asyncio.sleep(0.05)
        seen, texts = Soak(resident_mb(pid)), ideas_without_end()
        seen.capacity = await _capacity(client, texts, warm_up_s)
        began = time.monotonic()
        watching = asyncio.create_task(_watch(client, pid, seen, began))
        await _load(client, texts, seen, began, seconds, times)
        watching.cancel()
        await asyncio.wait([watching])
    return seen


def told(seen: Soak, max_wait_s: float) -> list[str]:
    """Put what was seen into lines."""
    done = [a.took_s for a in seen.answers if a.status == 200]
    refused = [a.took_s for a in seen.answers if a.status in {429, 503}]
    span = max(a.began for a in seen.answers)
    counts = Counter(a.status for a in seen.answers)
    points = (seen.start_mb, *(seen.memory[n][1] for n in (0, len(seen.memory) // 2, -1)))
    course = [f"{point:.0f}" for point in points]
    waits = sorted(int(a.retry_after) for a in seen.answers if a.retry_after.isdecimal())
    return [
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; load held {span:.0f} s",
        f"capacity {seen.capacity:.2f} reports/s; asked {len(seen.answers) / span:.2f}/s, at the end {seen.sent:.2f}/s",
        f"done {len(done) / span:.2f} reports/s; answers by status: {dict(sorted(counts.items()))}",
        f"Retry-After {waits[0]} to {waits[-1]} s" if waits else "nobody was told to come back",
        f"reports after {_spread(done)} s; promised within {max_wait_s + OWN_S:.0f} s",
        f"refusals after {_spread(refused)} s",
        f"memory {' MB, '.join(course)} MB: at the start, warmed up, half-way, at the end",
        f"never above {seen.highest_mb:.0f} MB; allowed {MOST_MB:.0f}",
        f"its slope from half-way on {seen.slope_mb:+.2f} MB/min, at most {seen.most_growth_mb / seen.minutes:.2f}",
    ]


def resident_mb(pid: int) -> float:
    """Read how much memory a process holds, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def _capacity(client: httpx.AsyncClient, texts: Iterator[str], seconds: float) -> float:
    """Ask without a pause, and give the reports a second of the second half."""
    began, ended = time.monotonic(), []

    async def caller() -> None:
        while time.monotonic() - began < seconds:
            if (await _asked(client, next(texts), began)).status == 200:
                ended.append(time.monotonic() - began)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    last = max(ended)
    return sum(at > seconds / 2 for at in ended) / (last - seconds / 2)


async def _load(
    client: httpx.AsyncClient, texts: Iterator[str], seen: Soak, began: float, seconds: float, times: float
) -> None:
    """Send requests at random moments, as many as planned on the average; end when all are answered."""
    chance = random.Random(SEED)  # noqa: S311  moments, not secrets
    under_way: set[asyncio.Task[None]] = set()
    due, most = 0.0, seen.capacity

    async def one(text: str) -> None:
        seen.answers.append(await _asked(client, text, began))

    while due < seconds:
        most = max(most, _done_lately(seen.answers, due))
        seen.sent = times * most
        due += chance.expovariate(seen.sent)
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        task = asyncio.create_task(one(next(texts)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)


def _done_lately(answers: Sequence[Answer], now: float) -> float:
    """Give the reports a second of the last while; 0 before there was one."""
    if now < LOOK_BACK_S:
        return 0.0
    ended = (a.began + a.took_s for a in reversed(answers) if a.status == 200)
    return sum(1 for _ in itertools.takewhile(lambda at: at > now - LOOK_BACK_S, ended)) / LOOK_BACK_S


async def _watch(client: httpx.AsyncClient, pid: int, seen: Soak, began: float) -> None:
    """Look at the memory, and whether /health answers, now and then."""
    while True:
        seen.memory.append((time.monotonic() - began, resident_mb(pid)))
        try:
            seen.unready += (await client.get("/health", timeout=OWN_S)).status_code != 200
        except httpx.TransportError:
            seen.unready += 1
        await asyncio.sleep(SAMPLE_S)


async def _asked(client: httpx.AsyncClient, text: str, began: float) -> Answer:
    start = time.monotonic()
    try:
        answer = await client.post("/api/v1/checks", json={"text": text})
    except httpx.TransportError:
        return Answer(0, start - began, time.monotonic() - start)
    took = time.monotonic() - start
    return Answer(answer.status_code, start - began, took, answer.headers.get("retry-after", ""))


def _spread(times: Sequence[float]) -> str:
    if not times:
        return "-"
    ordered = sorted(times)
    middle, late = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.99))
    return f"{middle:.2f} (median), {late:.2f} (99 %), {ordered[-1]:.2f} (last)"


if __name__ == "__main__":
    raise SystemExit(main())
