"""Asks one service page after page, below its base address and nowhere else."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from app.errors import BadInput
from app.wire import LIMITS, Answer, InvalidUrl, Limits, Refused, Url, Wire, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType
    from typing import Self

__all__ = ["LIMITS", "Answer", "Limits", "Web"]


class Web:
    """One service; every address is below its base. Use it in a ``with`` block, outside of any event loop."""

    def __init__(self, base_url: str, limits: Limits = LIMITS, sleep: Callable[[float], None] = time.sleep) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BadInput: if the base is no web address.
        """

        async def pause(seconds: float) -> None:
            sleep(seconds)  # nothing else runs on this loop

        self._base = _base(base_url)
        later = "What was read before is kept: run the command again later, and it goes on from there."
        self._wire = Wire(self._within, limits, sleep=pause, later=later)

    def __enter__(self) -> Self:
        """Open the client; its connections are kept from page to page."""
        self._runner = asyncio.Runner()
        self._runner.run(self._wire.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        try:
            self._runner.run(self._wire.__aexit__(kind, error, trace))
        finally:
            self._runner.close()

    def get(self, path: str, query: str = "", also: Collection[int] = ()) -> Answer:
        """Fetch a page, again and again while the service is busy or out of reach.

        Args:
            path: begins with a slash.
            query: without the question mark.
            also: statuses that are answers, besides 200.

        Raises:
            SourceUnusable: if there is no usable answer within the limits.
        """
        url = self._base.copy_with(path=self._base.path.rstrip("/") + path, query=query.encode() or None)
        return self._runner.run(self._wire.ask(url, also))

    def _within(self, _: Url, url: Url) -> Url:
        """Let a redirect pass if it stays with the service: the same host and port, or from http to its https."""
        here = (self._base.scheme, self._base.host, self._base.port)
        safer = ("https", self._base.host, None) if self._base.port is None else here
        if (url.scheme, url.host, url.port) not in (here, safer):
            raise Refused(
                f"{shown(self._base)} redirects to another host ({shown(url)[:200]}), which is not followed. "
                "If that is the service's new address, give it as the base address."
            )
        return url


def _base(base_url: str) -> Url:
    try:
        url = Url(base_url)
    except InvalidUrl as error:
        raise BadInput(f"The base address is none ({error}). Give one such as https://example.org.") from error
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or url.userinfo:
        raise BadInput(
            "The base address must be http:// or https:// and a host, perhaps a path, and neither a query nor a name "
            "and password."
        )
    return url
