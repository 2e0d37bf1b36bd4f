"""Runs screenings inside the service: judges, follows, tells and forgets, beside the checks of the page."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from app.errors import OriginalityError, ScreeningMissing, ScreeningsUnusable
from app.screenings import webhooks
from app.screenings.worker import IDLE_S, follow_some, judge_some

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from app.screenings.desk import Books, Desk
    from app.serving import Service
    from app.settings import Fetching

    Step = Callable[[Books], Awaitable[object]]

PURGE_S = 600.0
"""How often what is past its retention is looked for."""
FAULT_S = 10.0
"""How long to wait behind a fault: a database that is away comes back no sooner for being asked each second."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running(desk: Desk, service: Service, fetching: Fetching) -> AsyncIterator[None]:
    """Work in the background for as long as the service runs; a group under way is finished before it ends."""
    ending = asyncio.Event()

    async def judge(books: Books) -> object:
        if not await asyncio.to_thread(books.queue.waiting):
            return 0
        return await service.run(lambda checker: judge_some(books.queue, checker, desk.lease_s))

    async def follow(books: Books) -> object:
        if not await asyncio.to_thread(books.queue.waiting, "links"):
            return 0
        return await asyncio.to_thread(follow_some, books.queue, fetching, desk.lease_s)

    async def purge(books: Books) -> object:
        return await asyncio.to_thread(books.store.purge)

    send = partial(webhooks.send_one, fetching=fetching)
    steps = ((judge, IDLE_S), (follow, IDLE_S), (send, IDLE_S), (purge, PURGE_S))
    tasks = [asyncio.create_task(_repeat(desk, step, idle_s, ending)) for step, idle_s in steps]
    try:
        yield
    finally:
        ending.set()
        await asyncio.wait(tasks)
        await asyncio.to_thread(desk.close)


async def _repeat(desk: Desk, step: Step, idle_s: float, ending: asyncio.Event) -> None:
    """Take a step as long as there is something to do, then wait and look again."""
    while not ending.is_set():
        pause_s = idle_s
        try:
            books = await asyncio.to_thread(desk.there)
            if await step(books):
                continue
        except ScreeningMissing:
            pass  # nothing was ever screened here
        except ScreeningsUnusable as error:
            _log.warning("screenings not usable", extra={"why": str(error)})
            pause_s = max(idle_s, FAULT_S)
            await asyncio.to_thread(desk.renew)
        except OriginalityError:
            pass  # no model or index yet, or too much to do: the service tells so elsewhere
        except Exception:  # noqa: BLE001  one fault must not end the work for all the rest
            _log.exception("screening interrupted")
            pause_s = max(idle_s, FAULT_S)
        await asyncio.gather(asyncio.wait_for(ending.wait(), pause_s), return_exceptions=True)
