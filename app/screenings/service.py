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

    from app.meters import Meters
    from app.screenings.desk import Books, Desk
    from app.serving import Service
    from app.settings import Fetching

    Step = Callable[[Books], Awaitable[object]]

PURGE_S = 600.0
"""How often what is past its retention is looked for."""
SETTLE_S = 5.0
"""How soon a deletion that a reader kept in the database's log is tried again."""
COUNT_S = 5.0
"""How often what waits is counted for /metrics, which is asked less often than that."""
FAULT_S = 10.0
"""How long to wait behind a fault: a database that is away comes back no sooner for being asked each second."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running(desk: Desk, service: Service, fetching: Fetching) -> AsyncIterator[None]:
    """Work in the background for as long as the service runs; of a group under way, what isn't begun is given back."""
    ending = asyncio.Event()

    async def judge(books: Books) -> object:
        if service.ending or not await asyncio.to_thread(books.queue.waiting):
            return 0
        stops = partial(_ends, ending, service)
        return await service.run(lambda checker: judge_some(books.queue, checker, desk.lease_s, stops))

    async def follow(books: Books) -> object:
        if not await asyncio.to_thread(books.queue.waiting, "links"):
            return 0
        return await asyncio.to_thread(follow_some, books.queue, fetching, desk.lease_s)

    async def purge(books: Books) -> object:
        return await asyncio.to_thread(books.store.purge)

    async def settle(books: Books) -> object:
        await asyncio.to_thread(books.store.settle)
        return 0

    async def count(books: Books) -> object:
        found = await asyncio.to_thread(books.queue.counts)
        service.meters.screenings(found.jobs, found.items, found.oldest_s, found.messages)
        return 0

    send = partial(webhooks.send_one, fetching=fetching)
    own = ((judge, IDLE_S), (follow, IDLE_S), (send, IDLE_S))
    steps = (*own, (purge, PURGE_S), (settle, SETTLE_S), (count, COUNT_S))
    tasks = [asyncio.create_task(_repeat(desk, step, idle_s, ending, service.meters)) for step, idle_s in steps]
    try:
        yield
    finally:
        ending.set()
        await asyncio.wait(tasks)
        await asyncio.to_thread(desk.close)


def _ends(ending: asyncio.Event, service: Service) -> bool:
    return ending.is_set() or service.ending


async def _repeat(desk: Desk, step: Step, idle_s: float, ending: asyncio.Event, meters: Meters) -> None:
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
            meters.no_database()
            _log.warning("screenings not usable", extra={"why": str(error)})
            pause_s = max(idle_s, FAULT_S)
            await asyncio.to_thread(desk.renew)
        except OriginalityError:
            pass  # no model or index yet, or too much to do: the service tells so elsewhere
        except Exception as error:  # noqa: BLE001  one fault must not end the work for all the rest
            from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  where screenings are kept, it is loaded already

            if isinstance(error, SQLAlchemyError):
                meters.no_database()
            _log.exception("screening interrupted")
            pause_s = max(idle_s, FAULT_S)
        await asyncio.gather(asyncio.wait_for(ending.wait(), pause_s), return_exceptions=True)
