"""Keeps connections from being held by who never finishes asking: the web server's own protocol with a time for heads.

A request's head is read before the application knows of it, and the server itself waits for it without end: a few
hundred callers that send a byte now and then would take up every connection that the system allows. What comes after
the head has its own time, in ``app.traffic``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

HEAD_S = 20.0
"""Longest time from a connection, or from the first byte of a further request on it, to the end of the head; Apache's
module against slow requests gives it as long."""


class TimedHeads(H11Protocol):
    """HTTP/1.1, where the head of each request has to come in time; else the connection is closed."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server's own
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read on; stop waiting where a head is whole, and begin where the next one has begun."""
        super().data_received(data)
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            self._stop()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _stop(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
