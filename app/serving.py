"""What page and API share on their way to the checker: its opening, its two workers, faults as problems, middleware."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from asgi_correlation_id import correlation_id
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

from app import drift, generations, memory, rephrase, shares
from app.errors import (
    AccessDenied,
    BadInput,
    CollectionMissing,
    OriginalityError,
    ScopeMissing,
    ScreeningEnded,
    ScreeningMissing,
    TextTooLong,
)
from app.meters import Meters, metered
from app.shares import Shares, TooManyRequests
from app.turns import LEAST_RETRY_S, Gone, Overloaded, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.checker import Checker
    from app.report import Report
    from app.settings import Settings

T = TypeVar("T")

GIVE_BACK_EVERY_S = 20.0
"""How often memory that lies free is given back."""
WATCH_EVERY_S = 2.0
"""How soon a new index is seen; looking costs one reading of a link."""
WORKERS = 2
"""Checks at a time: the encoder uses all cores for one text already, so that more would only share them."""

READERS = 4
"""Files and links that are read at a time: they wait for the network more than they work."""
MAX_READING = 16
"""Files and links that may wait for a reader, each of which can take half a minute."""

MAX_WAITING = 128
"""Requests that may wait for a worker, however short what they ask for is."""
TROUBLE_S = 10
"""When to come back where something is missing or away: whoever runs the service has to see to it first."""

_log = logging.getLogger(__name__)


class NotReady(OriginalityError):
    """The model and the index are still being opened."""


class Ending(OriginalityError):
    """The service has been told to end: whoever sends requests here should send them elsewhere."""


class NotOpened(OriginalityError):
    """Something that nobody foresaw kept the model or the index from being opened; the log says what."""


STATUS: Mapping[type[Exception], int] = {
    TextTooLong: 413,
    CollectionMissing: 404,
    ScreeningMissing: 404,
    ScreeningEnded: 409,
    BadInput: 422,
    TooManyRequests: 429,
    # Nobody reads it; the number, which nginx gives such requests, is for the log.
    Gone: 499,
    # What is left is the service's own trouble: no index, another catalogue, no weights. The message says what to do.
    OriginalityError: 503,
}
"""The nearest class counts, so that a new kind of bad input needs no line here."""

_HTTP = {
    400: ("malformed-request", "Malformed request", "The request's body can't be read as what it says it is."),
    404: ("not-found", "Not found", "There is nothing at this address."),
    405: (
        "method-not-allowed",
        "Method not allowed",
        "This address answers other methods; the Allow header lists them.",
    ),
    408: (
        "too-slow",
        "Too slow",
        "The request's body did not come in time. Send it again, over a better line if need be.",
    ),
    413: ("body-too-large", "Body too large", "The request's body is larger than is read in one go."),
    415: ("wrong-content-type", "Wrong content type", "Send the body as application/json."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault as RFC 9457 tells it; nothing in it repeats what the user sent.

    Attributes:
        name: stable, the last part of the problem's type.
        errors: for a body of the wrong shape, what is wrong where.
    """

    name: str
    title: str
    status: int
    detail: str
    errors: tuple[dict[str, Any], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Give the members in the order of the RFC."""
        members: dict[str, Any] = {
            "type": f"urn:originality:problem:{self.name}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if current := correlation_id.get():
            members["instance"] = f"urn:originality:request:{current}"
        if self.errors:
            members["errors"] = list(self.errors)
        return members


def problem_of(error: Exception) -> Problem:
    """Tell a fault's kind, status and mend; of an unforeseen one nothing but that it happened."""
    if isinstance(error, OriginalityError):
        return _own(error)
    if isinstance(error, RequestValidationError):
        return _shape(error)
    if isinstance(error, HTTPException):
        status = error.status_code if error.status_code in _HTTP else 400
        name, title, detail = _HTTP[status]
        return Problem(name, title, status, detail, headers=dict(error.headers or {}))
    return Problem(
        "internal-error",
        "Internal error",
        500,
        "Something went wrong in the service; your request may have been fine. Try again.",
    )


def _own(error: OriginalityError) -> Problem:
    words = re.findall(r"[A-Z][a-z]*", type(error).__name__)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, AccessDenied):
        if isinstance(error, ScopeMissing):
            challenge = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
            return Problem("scope-missing", "Scope missing", 403, str(error), headers=challenge)
        if error.known:
            return Problem("not-found", "Not found", 404, str(error))
        return Problem("key-needed", "Key needed", 401, str(error), headers={"WWW-Authenticate": "Bearer"})
    headers = {} if status not in {429, 503} else {"Retry-After": str(_wait_s(error))}
    if isinstance(error, TooManyRequests):
        headers |= shares.headers(error.allowed, 0, error.wait_s)
    return Problem("-".join(words).lower(), " ".join(words).capitalize(), status, str(error), headers=headers)


def _wait_s(error: OriginalityError) -> int:
    """Tell when it is worth while to ask again."""
    if isinstance(error, TooManyRequests | Overloaded):
        return error.wait_s
    return LEAST_RETRY_S if isinstance(error, NotReady) else TROUBLE_S


def _shape(error: RequestValidationError) -> Problem:
    faults = error.errors()
    if any(f["type"] == "json_invalid" for f in faults):
        at = next(f["loc"][-1] for f in faults)
        return Problem("malformed-json", "Malformed JSON", 400, f"The body is not JSON: it breaks at character {at}.")
    errors = tuple({"loc": [_known_place(p) for p in f["loc"]], "msg": _fault(f)} for f in faults)
    return Problem(
        "wrong-shape", "Wrong shape", 422, "The request doesn't have the documented fields; errors says where.", errors
    )


def _fault(fault: Mapping[str, Any]) -> str:
    """Say what is wrong with a field; of a union's tag the library's own message would repeat what was sent."""
    if fault["type"] == "union_tag_invalid":
        return f"Input should be {fault['ctx']['expected_tags']}"
    return str(fault["msg"])


def _known_place(place: str | int) -> str | int:
    """Repeat a field's name only where it looks like one: an unknown field can be named with somebody's whole text."""
    return (
        place if isinstance(place, int) or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", place) else "(unreadable name)"
    )


class Service:
    """The checker behind its door: opened in the background, asked by two workers at most, counted by verdict."""

    def __init__(self, settings: Settings, checker: Checker | None = None) -> None:
        """Prepare, without opening anything; ``checker`` is for those who have one open."""
        self.settings = settings
        self.meters = Meters()
        self._checker = checker
        self._opening: asyncio.Task[Checker] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._giving_back: asyncio.Task[None] | None = None
        self._turns = Turns(WORKERS, MAX_WAITING, settings.max_wait_s)
        self._readers = CapacityLimiter(READERS)
        self._rephraser = rephrase.opened(settings.language_model)
        self.ending = False
        self._shares = Shares()

    async def start(self) -> None:
        """Begin to open the checker without waiting for it, so that /health can answer meanwhile."""
        self.meters.ready(self._is_ready)
        if self._checker is None:
            self._opening = asyncio.create_task(asyncio.to_thread(drift.open_checker, self.settings))
            self._opening.add_done_callback(self._tell_opened)
        else:
            self._opened(self._checker)
        self._watching = asyncio.create_task(self._watch(self.settings.index_dir.resolve()))
        self._giving_back = asyncio.create_task(_give_back())

    async def stop(self) -> None:
        """Wait for an opening under way: a thread can't be cancelled."""
        for task in (self._watching, self._giving_back):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if self._opening is not None:
            await asyncio.wait([self._opening])

    async def _watch(self, generation: Path) -> None:
        """Take up every new generation of the index; checks under way end on the one they began with.

        As long as nothing is open it tries again now and then: what was in the way may be mended in its place.
        """
        tried = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            if self._opening is not None and not self._opening.done():
                continue
            now = self.settings.index_dir.resolve()
            waited = self._checker is None and self._opening is not None and self._opening.exception() is not None
            if now == generation and not (waited and time.monotonic() > tried + TROUBLE_S):
                continue
            generation, tried = now, time.monotonic()
            try:
                self._checker = await asyncio.to_thread(self._reopened)
                self._opened(self._checker)
                self.meters.swaps.labels("taken").inc()
                _log.info("index swapped")
            except (OriginalityError, OSError) as error:
                self.meters.swaps.labels("refused").inc()
                why = str(error) if isinstance(error, OriginalityError) else ""
                _log.warning("index not swapped", extra={"kind": type(error).__name__, "why": why})

    def end(self) -> None:
        """Say at /ready that the service is about to end; all else goes on."""
        self.ending = True

    def _is_ready(self) -> bool:
        opened = self._opening is not None and self._opening.done() and self._opening.exception() is None
        return not self.ending and (self._checker is not None or opened)

    def _opened(self, checker: Checker) -> None:
        self.meters.opened(checker.info(), generations.version(self.settings.index_dir), len(drift.seen(checker)))

    def _tell_opened(self, opening: asyncio.Task[Checker]) -> None:
        if opening.cancelled():
            return
        if (error := opening.exception()) is None:
            # What is open now stays: the collector went through all of it again and again, a tenth of a check's time.
            gc.freeze()
            memory.give_back()
            self._opened(opening.result())
            _log.info("checker open")
        else:
            # The messages of our own errors are made for who runs the service and carry no text of a user's.
            why = str(error) if isinstance(error, OriginalityError) else ""
            _log.error("checker not open", extra={"kind": type(error).__name__, "why": why}, exc_info=error)

    def _reopened(self) -> Checker:
        """Open what is on the disk now; a service that found no index at its start gets its checker here."""
        try:
            current = self.ready_checker()
        except OriginalityError:
            return drift.open_checker(self.settings)
        return current.reopened(self.settings)

    def ready_checker(self) -> Checker:
        """Give the checker if it is open.

        Raises:
            OriginalityError: why it isn't.
        """
        if self._checker is not None:
            return self._checker
        if self._opening is None or not self._opening.done():
            raise NotReady("The model and the index are being opened. Try again in two seconds.")
        try:
            return self._opening.result()
        except OriginalityError:
            raise
        except Exception as error:
            raise NotOpened(
                f"The service could not be opened ({type(error).__name__}) and tries again every {TROUBLE_S} seconds. "
                "Whoever runs it finds more in its log."
            ) from error

    @metered
    async def run(self, work: Callable[[Checker], T], request: Request | None = None, pieces: int = 1) -> T:
        """Do work that takes a processor, on one of the workers; a request that comes early waits for the opening.

        The workers have a limit of their own, so that checks that queue never keep /health or a page from its thread.

        Args:
            request: who waits for it; where they have left before their turn, it isn't done.
            pieces: how many texts it is about.

        Raises:
            Overloaded: if a turn would not come in time.
            Gone: if whoever asked has left.
        """
        with self._turns.inside(pieces) as job:
            if self._opening is not None:
                await asyncio.wait([self._opening])
            checker = self.ready_checker()
            return await self._turns.do(job, partial(work, checker), request.is_disconnected if request else None)

    @property
    def sent_to(self) -> str:
        """Give the host that words suggestions anew; empty where nothing leaves the machine."""
        return self._rephraser.host if self._rephraser else ""

    async def rephrased(self, report: Report, text: str, language: str = "") -> Report:
        """Have the suggestions worded anew, if a language model was chosen; no worker waits for it, nor the loop."""
        if self._rephraser is None:
            return report
        return await self._rephraser.rephrase(report, text, self.ready_checker().catalogue, language)

    async def read(self, work: Callable[[], T]) -> T:
        """Read a file or a link, beside the checks: whoever waits for the web keeps no worker from a text.

        Raises:
            Overloaded: if ``MAX_READING`` are waiting already.
        """
        if self._readers.statistics().tasks_waiting >= MAX_READING:
            raise Overloaded(f"{MAX_READING} files and links are waiting already. Try again soon, or paste the text.")
        return await anyio.to_thread.run_sync(work, limiter=self._readers)

    def note(self, request: Request, report: Report) -> None:
        """Count a verdict and leave it for the request's line in the log."""
        self.meters.checks.labels(report.verdict).inc()
        request.state.verdict = report.verdict

    def admit(self, request: Request, cost: int = 1, who: str = "", per_minute: int = 0) -> dict[str, str]:
        """Count a request against what one caller may ask for in a minute.

        Args:
            cost: how many it stands for.
            who: whose share it is; the address's if not given.
            per_minute: the share, where it isn't what the settings give everyone.

        Returns:
            The RateLimit headers for the answer; none where there is no limit.

        Raises:
            TooManyRequests: if it has used its share up; nothing is counted then.
        """
        allowed = per_minute or self.settings.requests_per_minute
        if allowed <= 0:
            return {}
        return self._shares.take(who or (request.client.host if request.client else ""), allowed, cost)


async def _give_back() -> None:
    while True:
        await asyncio.sleep(GIVE_BACK_EVERY_S)
        await asyncio.to_thread(memory.give_back)


# --- middleware ------------------------------------------------------------------------------------------------------

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Gives every answer the policies of this service; what sets no cache rule of its own is not to be stored."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, adding to the head of the answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)
