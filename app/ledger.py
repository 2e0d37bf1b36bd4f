"""Writes a line for every request, and is the last that an error nobody foresaw comes to."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request

from app.serving import STATUS, problem_of
from app.turns import Gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.serving import Problem

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Methods of RFC 9110 and RFC 5789."""
OTHER = "OTHER"
"""Stands for every other one."""

_log = logging.getLogger(__name__)


class RequestLog:
    """Writes one line per request, and turns what nobody foresaw into a 500 that says nothing of its inside."""

    def __init__(self, app: ASGIApp, respond: Callable[[Request, Problem], Response]) -> None:
        """Wrap ``app``; ``respond`` writes the 500."""
        self.app = app
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note how it went: never a path as sent, nor a query, for both may hold the user's text."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            # A method may be any word, and would stand in the log and become a metric of its own.
            scope["method"] = OTHER
        began = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:  # in the middle of what they sent: there is nobody to answer
            status = STATUS[Gone]
        except Exception as error:  # noqa: BLE001  the last resort: whatever it is becomes a 500 and a line in the log
            _log.exception("unforeseen error")
            if status == 0:
                await self.respond(Request(scope), problem_of(error))(scope, receive, watched)
        finally:
            self._write(scope, status, (time.perf_counter() - began) * 1000)

    def _write(self, scope: Scope, status: int, ms: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        line: dict[str, Any] = {"method": scope["method"], "route": route, "status": status, "ms": round(ms, 1)}
        if verdict := scope.get("state", {}).get("verdict"):
            line["verdict"] = verdict
        _log.info("request", extra=line)
