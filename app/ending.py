"""Runs the web server, and lets it end without anybody noticing: what was asked is answered, and nothing new comes in.

Told to end by SIGTERM, the service first says so at /ready for a while, so that whoever shares out requests stops
sending them here. Then it takes no more, finishes what is under way, and exits with 0: a deliberate end is no failure.
Ctrl-C, from a person who waits for it, leaves out the while.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """A web server that announces its end."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None], drain_s: float) -> None:
        """Take what is to be called when the end is announced, ``drain_s`` seconds before it."""
        super().__init__(config)
        self._announce, self._drain_s = announce, drain_s
        self._told = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Start to listen."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  called so by the system
        """Take a signal: the first one announces, whichever comes after it ends, and a third one breaks off."""
        if self.should_exit:
            self.force_exit = sig == signal.SIGINT
        elif self._told or self._loop is None or sig == signal.SIGINT:
            self._announce()
            self.should_exit = True
        else:
            self._told = True
            self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._announce()
        _log.info("ending", extra={"drain_s": self._drain_s})
        asyncio.get_running_loop().call_later(self._drain_s, setattr, self, "should_exit", True)


def run(app: Callable[..., Any], announce: Callable[[], None], drain_s: float, grace_s: float, **options: Any) -> bool:
    """Serve until told to end.

    Args:
        announce: called when the end is announced.
        drain_s: seconds from then on in which requests are still taken.
        grace_s: seconds that those under way may take after that.
        options: of the web server.

    Returns:
        Whether it ever served; the reason why not is in the log.
    """
    config = uvicorn.Config(app, timeout_graceful_shutdown=max(1, round(grace_s)), **options)
    server = Server(config, announce, drain_s)
    server.run()
    return server.started


def run_several(factory: str, workers: int, grace_s: float, **options: Any) -> None:
    """Serve by several processes that share a port until told to end; one that ends is replaced.

    Each finishes what is under way, but none announces its end: a probe may reach any of them.

    Args:
        factory: where the function stands that makes the app, such as ``package.module:function``.
        grace_s, options: as ``run`` takes them.
    """
    uvicorn.run(factory, factory=True, workers=workers, timeout_graceful_shutdown=max(1, round(grace_s)), **options)
