"""Asks addresses that strangers have named: public ones alone, each host within its budget, nothing twice."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from dataclasses import replace
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

from httpx_secure import SSRFProtectionError, httpx_ssrf_protection

from app.errors import SourceUnusable
from app.fetch.cache import Cache, Kept
from app.wire import Busy, InvalidUrl, Limits, Refused, Url, Wire, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType
    from typing import Self

    from app.settings import Fetching
    from app.wire import Answer

LIMITS = Limits(attempts=3, longest_pause_s=20, step_s=10, total_s=30, max_bytes=20_000_000)
_AT_ONCE = 2
"""Requests to one host at a time: more is taken for an attack by small ones."""
_PORTS = {80, 443}
_NAT64 = IPv6Network("64:ff9b::/96")


class Web:
    """A guarded client for many hosts; open it by ``async with``."""

    def __init__(self, fetching: Fetching, limits: Limits = LIMITS) -> None:
        """Prepare; nothing is sent yet."""
        self._fetching = fetching
        self._cache = Cache(fetching.cache_dir, fetching.cache_days)
        # A proxy would open the connections by itself, and no address could be looked at.
        self._wire = Wire(_follow, limits, guard=self._protect, direct=True)
        self._secrets = _secrets(fetching)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._spent: defaultdict[str, int] = defaultdict(int)
        self._next: defaultdict[str, float] = defaultdict(float)
        self._busy: dict[str, tuple[float, str]] = {}

    async def __aenter__(self) -> Self:
        """Open the client."""
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self._wire.__aexit__(kind, error, trace)

    async def get(self, address: str, also: Collection[int] = (), accept: str = "*/*", content: Any = None) -> Answer:
        """Fetch a page; one that hasn't changed since it was last fetched comes from the cache.

        Args:
            also: statuses that are answers, besides 200.
            content: sent as JSON by POST, where it is given.

        Raises:
            SourceUnusable: if there is no usable answer; ``Refused`` if the address may not be asked, ``Busy`` if its
                host asks for too long a wait.
        """
        url = _checked(address)
        async with self._turns[url.netloc.decode()]:
            await self._wait_turn(url)
            try:
                return await self._asked(url, also, accept, content)
            except SSRFProtectionError as error:
                raise Refused(_closed(url)) from error
            except Busy as error:
                self._busy[url.netloc.decode()] = (time.monotonic() + error.wait_s, str(error))
                raise

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send bytes as they are to an address and nowhere else: a redirect is a fault.

        Returns:
            The status: of the two hundreds, or 410, by which a receiver wants no more.

        Raises:
            SourceUnusable: if there is another answer, or none; ``Refused`` if the address may not be asked.
        """
        url = _checked(address)

        def for_it_alone(target: Url) -> Mapping[str, str]:
            if target != url:
                raise Refused(f"{shown(url)} redirects, which is not followed here. Give the address itself.")
            return headers

        try:
            answer = await self._wire.ask(url, {*range(200, 300), HTTPStatus.GONE}, for_it_alone, body)
        except SSRFProtectionError as error:
            raise Refused(_closed(url)) from error
        return answer.status

    async def _asked(self, url: Url, also: Collection[int], accept: str, content: Any) -> Answer:
        key = f"{url} {accept} {bool(self._secrets.get(_origin(url)))}"
        kept = self._cache.get(key) if content is None else None

        def headers(target: Url) -> Mapping[str, str]:
            known = {"If-None-Match": kept[0].etag} if kept and kept[0].url == str(target) else {}
            return {"Accept": accept, **known, **self._secrets.get(_origin(target), {})}

        answer = await self._wire.ask(url, {*also, *([HTTPStatus.NOT_MODIFIED] if kept else [])}, headers, content)
        if kept and answer.status == HTTPStatus.NOT_MODIFIED:
            return replace(answer, status=200, body=kept[1], headers={"content-type": kept[0].content_type})
        etag = answer.headers.get("etag", "")
        if etag and content is None and answer.status == HTTPStatus.OK:
            self._cache.put(key, Kept(str(answer.url), etag, answer.headers.get("content-type", "")), answer.body)
        return answer

    async def _wait_turn(self, url: Url) -> None:
        """Wait until the host may be asked again, within its budget."""
        host = url.netloc.decode()
        until, message = self._busy.get(host, (0.0, ""))
        if until > time.monotonic():
            raise Busy(message, until - time.monotonic())
        self._spent[host] += 1
        if self._spent[host] > self._fetching.requests_per_host:
            raise SourceUnusable(
                f"{host} has been asked {self._fetching.requests_per_host:,} times in this run, which is its budget. "
                "Run the rest later, or raise ORIGINALITY_FETCH_REQUESTS_PER_HOST."
            )
        now = time.monotonic()
        at = max(now, self._next[host])
        self._next[host] = at + self._fetching.seconds_between
        await asyncio.sleep(at - now)

    def _protect(self, client: Any) -> None:
        """Look at every address that a connection is opened to; the very address looked at is the one connected to."""
        httpx_ssrf_protection(client, check_globally_reachable=False, custom_validator=self._is_open)

    def _is_open(self, host: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        if f"{host}:{port}" in self._fetching.allowed_hosts:
            return True
        inner = IPv4Address(address.packed[-4:]) if address in _NAT64 else address
        return port in _PORTS and address.is_global and inner.is_global and not address.is_multicast


def _closed(url: Url) -> str:
    return (
        f"{shown(url)} leads to an address that is not asked: only public ones are, at the ports 80 and 443. Whoever "
        "runs this can allow a host of their own by ORIGINALITY_FETCH_ALLOWED_HOSTS."
    )


def _checked(address: str) -> Url:
    try:
        url = Url(address)
    except (InvalidUrl, UnicodeError) as error:
        raise Refused("The link is no web address. Give one such as https://github.com/owner/name.") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Refused("The link must be http:// or https:// and a host, without a name and password in it.")
    return url.copy_with(fragment=None)


def _follow(here: Url, there: Url) -> Url:
    """Let a redirect pass unless it leads off the web, or from an encrypted connection to an open one."""
    if there.scheme not in ("http", "https") or there.userinfo or (here.scheme == "https" and there.scheme == "http"):
        raise Refused(f"{shown(here)} redirects to where no link is followed: off the web, or from https to http.")
    return there


def _origin(url: Url) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _secrets(fetching: Fetching) -> dict[tuple[str, str, int | None], dict[str, str]]:
    """Give the headers that carry a token, by the one origin that may see it."""
    kaggle = fetching.kaggle_token
    basic = f"Basic {base64.b64encode(kaggle.encode()).decode()}" if ":" in kaggle else f"Bearer {kaggle}"
    pairs = (
        (fetching.github_url, fetching.github_token, {"Authorization": f"Bearer {fetching.github_token}"}),
        (fetching.gitlab_url, fetching.gitlab_token, {"PRIVATE-TOKEN": fetching.gitlab_token}),
        (fetching.hub_url, fetching.hub_token, {"Authorization": f"Bearer {fetching.hub_token}"}),
        (fetching.kaggle_url, kaggle, {"Authorization": basic}),
    )
    return {_origin(_checked(base)): headers for base, token, headers in pairs if token}
