"""Asks whether addresses still lead anywhere: politely, one host at a time once a second, and only once a month."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

import httpx

from app import __version__
from app.errors import FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import TextIO

Fate = Literal["alive", "dead", "unclear"]

GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
"""Statuses of what isn't there. Others, such as a refusal or a fault of the server, tell nothing about the address."""
_MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Manners:
    """How to ask.

    Attributes:
        pause_s: between two requests to one host.
        hosts: asked at a time.
        step_s: longest silence of one request.
        total_s: longest time of one request, with all its redirects.
        attempts: at a host that can't be reached.
        again_after_days: how long an answer stands.
    """

    pause_s: float = 1.0
    hosts: int = 8
    step_s: float = 15.0
    total_s: float = 45.0
    attempts: int = 2
    again_after_days: int = 30


MANNERS = Manners()


@dataclass(frozen=True, slots=True)
class Link:
    """What became of an address.

    Attributes:
        found: a status, or why there is none.
        seen: ISO date of the asking.
    """

    url: str
    fate: Fate
    found: str
    seen: str


def check(
    urls: Iterable[str], kept: Path, tell: Callable[[str], None] = lambda _: None, manners: Manners = MANNERS
) -> dict[str, Link]:
    """Ask for every address; what was asked for lately is taken from the file.

    Args:
        kept: JSON Lines file of answers, made if missing; each is added at once, so that a run can be broken off.
        tell: gets a line of progress now and then.

    Returns:
        Address to what became of it.

    Raises:
        FileUnreadable: if the file isn't one of answers.
    """
    wanted = dict.fromkeys(urls)
    known = {url: link for url, link in _known(kept, manners.again_after_days).items() if url in wanted}
    missing = [url for url in wanted if url not in known]
    tell(f"{len(known):,} of {len(wanted):,} addresses were asked for lately; {len(missing):,} are asked for now")
    with closing(_appending(kept)) as stream:
        for_now = asyncio.run(_all(missing, stream, tell, manners))
    return known | for_now


async def _all(urls: list[str], stream: TextIO, tell: Callable[[str], None], manners: Manners) -> dict[str, Link]:
    by_host: Mapping[str, list[str]] = defaultdict(list)
    for url in urls:
        by_host[_host(url)].append(url)
    found: dict[str, Link] = {}
    turn = asyncio.Semaphore(manners.hosts)

    async def ask(host: str) -> None:
        async with turn:
            for number, url in enumerate(by_host[host]):
                if number:
                    await asyncio.sleep(manners.pause_s)
                found[url] = await _asked(client, url, manners)
                stream.write(json.dumps(asdict(found[url])) + "\n")
                stream.flush()
                if len(found) % 50 == 0:
                    tell(f"{len(found):,} of {len(urls):,} asked for")

    # Identified, so that whoever keeps the pages can see who asks, and write to us.
    headers = {"User-Agent": f"originality-checker/{__version__} (checks the references of its catalogue)"}
    async with (
        httpx.AsyncClient(
            timeout=manners.step_s, follow_redirects=True, max_redirects=_MOST_REDIRECTS, headers=headers
        ) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for host in by_host:
            tasks.create_task(ask(host))
    return found


async def _asked(client: httpx.AsyncClient, url: str, manners: Manners) -> Link:
    """Ask for the head, and where that is refused for the page, of which only the head is read."""
    fate: Fate = "unclear"
    found = ""
    for attempt in range(manners.attempts):
        if attempt:
            await asyncio.sleep(manners.pause_s)
        try:
            async with asyncio.timeout(manners.total_s):
                status = (await client.head(url)).status_code
                if status >= HTTPStatus.BAD_REQUEST:
                    await asyncio.sleep(manners.pause_s)
                    async with client.stream("GET", url) as response:
                        status = response.status_code
            fate = "alive" if status < HTTPStatus.BAD_REQUEST else "dead" if status in GONE else "unclear"
            return Link(url, fate, str(status), _today())
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            fate, found = "dead", type(error).__name__
        except (httpx.HTTPError, TimeoutError) as error:
            fate, found = "unclear", type(error).__name__
    return Link(url, fate, found, _today())


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL:
        return ""


def _known(kept: Path, days: int) -> dict[str, Link]:
    """Read the answers that still stand; a line that a killed run has cut off is none."""
    if not kept.exists():
        return {}
    found: dict[str, Link] = {}
    lines = kept.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            link = Link(**json.loads(line)) if line.strip() else None
            age = (datetime.now(UTC).date() - date.fromisoformat(link.seen)).days if link else 0
        except (ValueError, TypeError) as error:
            if number == len(lines):
                break
            raise FileUnreadable(
                f"{kept.name}:{number} is no answer of an earlier run. Name another file, or remove this one."
            ) from error
        if link and age < days:
            found[link.url] = link
    return found


def _appending(kept: Path) -> TextIO:
    """Open for adding, behind the last whole line."""
    if kept.exists():
        data = kept.read_bytes()
        if not data.endswith(b"\n"):
            kept.write_bytes(data[: data.rfind(b"\n") + 1])
    return kept.open("a", encoding="utf-8")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
