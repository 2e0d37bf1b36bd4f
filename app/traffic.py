"""Bounds what comes in, and packs what goes out to browsers: middleware that knows nothing of checks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAINED = 5
"""How many times its limit a form with a file may be too large and still get its answer."""
BODY_S = 20.0
"""Seconds in which a body has to come, beside one for each ``LEAST_RATE`` bytes of it that have: who sends a byte now
and then is stopped, and a large file over a poor line is not."""
LEAST_RATE = 10_000


class Compressed:
    """Packs pages and their files, three quarters of which are repetitions; programs get what they ask for as it is.

    No page holds a secret beside what its reader sent, which the length of the packed page could give away.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self.app = app
        self.packing = GZipMiddleware(app, minimum_size=1_000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, by way of the packing where a browser asks."""
        plain = scope["type"] != "http" or scope["path"].startswith(("/api/", "/metrics"))
        await (self.app if plain else self.packing)(scope, receive, send)


class BodyLimit:
    """Stops reading a body at ``most`` bytes, whatever its Content-Length says, or when it comes too slowly."""

    def __init__(self, app: ASGIApp, most: int, uploads: Mapping[str, int]) -> None:
        """Wrap ``app``; ``uploads`` gives the paths where forms with files come in, and what they may take."""
        self.app = app
        self.most = most
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; the exception rises through whoever reads the body and becomes a problem like any other."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with_files = headers.get("content-type", "").lower().startswith("multipart/form-data")
        most = self.uploads.get(scope["path"], self.most) if with_files else self.most
        announced = headers.get("content-length", "")
        read = int(announced) if announced.isdecimal() and int(announced) > most else 0
        end, more = time.monotonic() + BODY_S, True

        async def counted() -> Message:
            nonlocal read, end, more
            message = await (_in_time(receive, end) if more else receive())
            came, more = len(message.get("body", b"")), bool(message.get("more_body"))
            read, end = read + came, end + came / LEAST_RATE
            if read > most:
                if most > self.most:
                    await _drain(message, receive, DRAINED * most)
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


async def _in_time(receive: Receive, end: float) -> Message:
    """Wait for the next part of a body until ``end``, by the monotonic clock."""
    try:
        with anyio.fail_after(max(0.0, end - time.monotonic())):
            return await receive()
    except TimeoutError as error:
        # The rest, should it come, must not be taken for another request.
        raise HTTPException(408, headers={"Connection": "close"}) from error


async def _drain(message: Message, receive: Receive, most: int) -> None:
    """Let a sender come to the end: a browser that is cut off while it sends never shows the answer."""
    read, end = 0, time.monotonic() + BODY_S
    while message.get("more_body") and read < most:
        message = await _in_time(receive, end + read / LEAST_RATE)
        read += len(message.get("body", b""))
