"""Fetches over HTTP with patience and bounds: the only room that knows the web client."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any

import httpx

from app import __version__
from app.errors import SourceUnusable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from types import TracebackType
    from typing import Self

Url = httpx.URL
InvalidUrl = httpx.InvalidURL

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


class Busy(SourceUnusable):
    """A service asks for a longer wait than is granted.

    Attributes:
        wait_s: the wait that it asks for, in seconds.
    """

    def __init__(self, message: str, wait_s: float) -> None:
        """Say what it asks for."""
        super().__init__(message)
        self.wait_s = wait_s


class Refused(SourceUnusable):
    """An address that may not be asked: not on the public network, or where a redirect may not lead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        url: where it came from in the end.
        place: the same for messages, without query and name.
        body: unpacked; empty where the status is none that was asked for.
        following: the query of the page that the ``Link`` header calls the next; empty if there is none.
        retry_after_s: the wait that the service asks for; None if it doesn't.
        headers: names in lower case.
    """

    url: httpx.URL
    place: str
    status: int
    body: bytes
    following: str = ""
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

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


class Wire:
    """A web client with patience and bounds; open it by ``async with``.

    Attributes:
        limits: what one answer may take.
    """

    def __init__(
        self,
        follow: Callable[[httpx.URL, httpx.URL], httpx.URL],
        limits: Limits = LIMITS,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        guard: Callable[[httpx.AsyncClient], object] = lambda client: client,
        direct: bool = False,
        later: str = "Try again later.",
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            follow: gets where we are and where a redirect leads, and gives the address to go to or raises ``Refused``.
            guard: protects the client once it is made.
            direct: go past the proxy that the machine's environment names.
            later: what to do when a service is out of reach, for messages.
        """
        self.limits = limits
        self._follow, self._sleep, self._guard, self._direct, self._later = follow, sleep, guard, direct, later

    async def __aenter__(self) -> Self:
        """Open the client; its connections are kept from page to page."""
        self._client = httpx.AsyncClient(
            timeout=self.limits.step_s,
            follow_redirects=False,
            trust_env=not self._direct,
            verify=certificates(),
            headers={"User-Agent": f"originality-checker/{__version__}", "Accept-Encoding": "gzip"},
        )
        self._guard(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self._client.aclose()

    async def ask(
        self,
        url: httpx.URL,
        also: Collection[int] = (),
        headers: Callable[[httpx.URL], Mapping[str, str]] = lambda _: {},
        content: Any = None,
    ) -> Answer:
        """Fetch a page, again and again while the service is busy or out of reach.

        Args:
            also: statuses that are answers, besides 200.
            headers: what to send to an address; asked again at each redirect, so that no secret goes elsewhere.
            content: sent by POST, where it is given: bytes as they are, anything else as JSON.

        Raises:
            SourceUnusable: if there is no usable answer within the limits.
        """
        for attempt in range(self.limits.attempts):
            asked = None
            try:
                answer = await self._once(url, {HTTPStatus.OK, *also}, headers, content)
            except (httpx.TransportError, TimeoutError) as error:
                found = _in_words(error, self.limits)
            else:
                limited = _limited(answer)
                if answer.status in {HTTPStatus.OK, *also} and not limited:
                    return answer
                found, asked = f"answered {_status(answer.status)}", answer.retry_after_s
                if answer.status < 500 and not limited:
                    raise SourceUnusable(f"{shown(url)} {found}; 200 is needed. Check the address.")
            if attempt + 1 < self.limits.attempts:
                await self._wait(shown(url), found, attempt, asked)
        raise SourceUnusable(f"{shown(url)} {found}, at the last of {self.limits.attempts} attempts. {self._later}")

    async def _wait(self, place: str, found: str, attempt: int, asked: float | None) -> None:
        """Wait for as long as the service asks, or longer each time; by chance, so that clients don't come in step."""
        own = min(self.limits.longest_pause_s, self.limits.pause_s * 2**attempt) * _JITTER.uniform(0.5, 1)
        pause = max(own, asked or 0)
        if pause > self.limits.longest_pause_s:
            raise Busy(
                f"{place} {found} and asks to wait {pause:,.0f} s; at most {self.limits.longest_pause_s:,.0f} s are "
                f"waited. {self._later}",
                pause,
            )
        _log.info("%s %s; waiting %.1f s", place, found, pause)
        await self._sleep(pause)

    async def _once(
        self,
        url: httpx.URL,
        wanted: Collection[int],
        headers: Callable[[httpx.URL], Mapping[str, str]],
        content: Any,
    ) -> Answer:
        async with asyncio.timeout(self.limits.total_s):
            for _ in range(MOST_REDIRECTS + 1):
                method = "GET" if content is None else "POST"
                sent = {"content" if isinstance(content, bytes) else "json": content}
                async with self._client.stream(method, url, headers=headers(url), **sent) as response:
                    if response.next_request is None:
                        body = await self._body(response) if response.status_code in wanted else b""
                        return _answer(response, body)
                    url = self._follow(url, response.next_request.url)
        raise SourceUnusable(f"{shown(url)} redirects more than {MOST_REDIRECTS} times. Check the address.")

    async def _body(self, response: httpx.Response) -> bytes:
        """Unpack the body by ourselves: a few packed bytes may stand for gigabytes."""
        place, most = shown(response.url), self.limits.max_bytes
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


@cache
def certificates() -> ssl.SSLContext:
    """Give the certificates that servers are held to; read once a process."""
    return httpx.create_ssl_context()  # a quarter of a second for each client otherwise


def shown(url: httpx.URL) -> str:
    """Write an address for a message: without its query, in which secrets travel."""
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))


def _answer(response: httpx.Response, body: bytes) -> Answer:
    following = response.links.get("next", {}).get("url", "")
    try:
        query = httpx.URL(following).query.decode("ascii")
    except (httpx.InvalidURL, UnicodeDecodeError):
        query = ""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.url, shown(response.url), response.status_code, body, query, _pause(headers), headers)


def _limited(answer: Answer) -> bool:
    """Tell whether a service says that it has been asked too often; GitHub says so by 403 as well."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    spent = answer.headers.get("x-ratelimit-remaining", "").strip() == "0"
    return answer.status == HTTPStatus.FORBIDDEN and (spent or "retry-after" in answer.headers)


def _pause(headers: Mapping[str, str]) -> float | None:
    """Read how long to wait: seconds or a date, or of GitHub and GitLab the moment as seconds since 1970."""
    asked = seconds(headers.get("retry-after", ""))
    if asked is not None:
        return asked
    moment = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", "")).strip()
    spent = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", "")).strip() == "0"
    # Less than a year's seconds are no moment but a wait, as the draft of the standard has it.
    if not spent or not moment.isascii() or not moment.isdecimal() or len(moment) > 12:
        return None
    return float(moment) if int(moment) < 31_536_000 else max(0.0, int(moment) - time.time())


def seconds(retry_after: str) -> float | None:
    """Read a ``Retry-After`` header, which holds seconds or a date; None if it holds neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


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
