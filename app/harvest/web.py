"""Fetches over HTTP with patience and bounds: the only room that knows the web client."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any

import httpx

from app import __version__
from app.errors import BadInput, SourceUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType
    from typing import Self

MOST_REDIRECTS = 5
_JITTER = random.SystemRandom()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; the defaults let a page of a slow public service through, and no endless one.

    Attributes:
        attempts: requests for one page, the first among them.
        pause_s: wait before the second attempt; it doubles from one to the next.
        longest_pause_s: longest wait, also where the service asks for more.
        step_s: longest silence while connecting, sending or receiving.
        total_s: longest time of one attempt, however steadily the answer trickles in.
        max_bytes: largest answer, unpacked.
    """

    attempts: int = 5
    pause_s: float = 1.0
    longest_pause_s: float = 120.0
    step_s: float = 20.0
    total_s: float = 90.0
    max_bytes: int = 32_000_000


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        body: unpacked; empty where the status is none that was asked for.
        following: the query of the page that the ``Link`` header calls the next; empty if there is none.
        retry_after_s: the wait that the service asks for; None if it doesn't.
    """

    place: str
    status: int
    body: bytes
    following: str
    retry_after_s: float | None

    def text(self) -> str:
        """Read the body as text.

        Raises:
            SourceUnusable: if it isn't UTF-8, or is a web page.
        """
        if self.body[:500].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
            raise SourceUnusable(_page_instead(self.place, "a text"))
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceUnusable(f"{self.place} is not UTF-8 (byte {error.start}). Check the address.") from error

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            SourceUnusable: if it isn't.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            if self.body.lstrip().startswith(b"<"):
                raise SourceUnusable(_page_instead(self.place, "JSON")) from error
            raise SourceUnusable(
                f"{self.place} answered with {len(self.body):,} bytes that are not JSON, perhaps cut off. Run the "
                "command again, and check the address if it stays so."
            ) from error


class Web:
    """One service; every address is below its base. Use it in a ``with`` block, outside of any event loop."""

    def __init__(self, base_url: str, limits: Limits = LIMITS, sleep: Callable[[float], None] = time.sleep) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BadInput: if the base is no web address.
        """
        self._base = _base(base_url)
        self._limits = limits
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Open the client; its connections are kept from page to page."""
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            timeout=self._limits.step_s,
            follow_redirects=False,
            headers={"User-Agent": f"originality-checker/{__version__}", "Accept-Encoding": "gzip"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        try:
            self._runner.run(self._client.aclose())
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
        for attempt in range(self._limits.attempts):
            asked = None
            try:
                answer = self._runner.run(self._once(url, {HTTPStatus.OK, *also}))
            except (httpx.TransportError, TimeoutError) as error:
                found = _in_words(error, self._limits)
            else:
                if answer.status in {HTTPStatus.OK, *also}:
                    return answer
                found, asked = f"answered {_status(answer.status)}", answer.retry_after_s
                if answer.status < 500 and answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                    raise SourceUnusable(f"{_shown(url)} {found}; 200 is needed. Check the address.")
            if attempt + 1 < self._limits.attempts:
                self._wait(_shown(url), found, attempt, asked)
        raise SourceUnusable(
            f"{_shown(url)} {found}, at the last of {self._limits.attempts} attempts. What was read before is kept: "
            "run the command again later, and it goes on from there."
        )

    def _wait(self, place: str, found: str, attempt: int, asked: float | None) -> None:
        """Wait for as long as the service asks, or longer each time; by chance, so that clients don't come in step."""
        own = min(self._limits.longest_pause_s, self._limits.pause_s * 2**attempt) * _JITTER.uniform(0.5, 1)
        pause = max(own, asked or 0)
        if pause > self._limits.longest_pause_s:
            raise SourceUnusable(
                f"{place} {found} and asks to wait {pause:,.0f} s; at most {self._limits.longest_pause_s:,.0f} s are "
                "waited. What was read before is kept: run the command again after that, and it goes on from there."
            )
        _log.info("%s %s; waiting %.1f s", place, found, pause)
        self._sleep(pause)

    async def _once(self, url: httpx.URL, wanted: Collection[int]) -> Answer:
        async with asyncio.timeout(self._limits.total_s):
            for _ in range(MOST_REDIRECTS + 1):
                async with self._client.stream("GET", url) as response:
                    if response.next_request is None:
                        body = await self._body(response) if response.status_code in wanted else b""
                        return _answer(response, body)
                    url = self._within(response.next_request.url)
        raise SourceUnusable(f"{_shown(url)} redirects more than {MOST_REDIRECTS} times. Check the address.")

    async def _body(self, response: httpx.Response) -> bytes:
        """Unpack the body by ourselves: a few packed bytes may stand for gigabytes."""
        place, most = _shown(response.url), self._limits.max_bytes
        packing = response.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip"):
            raise SourceUnusable(f"{place} is packed by {packing!r}, and only gzip was asked for. Check the address.")
        unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        body = bytearray()
        async for chunk in response.aiter_raw():
            try:
                body += unpack.decompress(chunk, most - len(body) + 1) if packing == "gzip" else chunk
            except zlib.error as error:
                raise SourceUnusable(f"{place} says that it is gzip and is not. Check the address.") from error
            if len(body) > most:
                raise SourceUnusable(
                    f"{place} is larger than the {most:,} bytes that are read of one page. Check the address."
                )
        return bytes(body)

    def _within(self, url: httpx.URL) -> httpx.URL:
        """Let a redirect pass if it stays with the service: the same host and port, or from http to its https."""
        here = (self._base.scheme, self._base.host, self._base.port)
        safer = ("https", self._base.host, None) if self._base.port is None else here
        if (url.scheme, url.host, url.port) not in (here, safer):
            raise SourceUnusable(
                f"{_shown(self._base)} redirects to another host ({_shown(url)[:200]}), which is not followed. "
                "If that is the service's new address, give it as the base address."
            )
        return url


def _base(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise BadInput(f"The base address is none ({error}). Give one such as https://example.org.") from error
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or url.userinfo:
        raise BadInput(
            "The base address must be http:// or https:// and a host, perhaps a path, and neither a query nor a name "
            "and password."
        )
    return url


def _answer(response: httpx.Response, body: bytes) -> Answer:
    following = response.links.get("next", {}).get("url", "")
    try:
        query = httpx.URL(following).query.decode("ascii")
    except (httpx.InvalidURL, UnicodeDecodeError):
        query = ""
    after = _seconds(response.headers.get("retry-after", ""))
    return Answer(_shown(response.url), response.status_code, body, query, after)


def _seconds(retry_after: str) -> float | None:
    """Read a ``Retry-After`` header, which holds seconds or a date; None if it holds neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _shown(url: httpx.URL) -> str:
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))


def _status(code: int) -> str:
    return f"{code} {responses.get(code, '')}".rstrip()


def _in_words(error: Exception, limits: Limits) -> str:
    if isinstance(error, TimeoutError):
        return f"took longer than {limits.total_s:g} s"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "can't be reached"
    if isinstance(error, httpx.TimeoutException):
        return f"was silent for longer than {limits.step_s:g} s"
    return f"broke the connection off ({type(error).__name__})"


def _page_instead(place: str, wanted: str) -> str:
    return (
        f"{place} answered with a web page (HTML) where {wanted} is needed: often a sign-in, a proxy, or a wrong "
        "address. Open the address in a browser, and check it."
    )
