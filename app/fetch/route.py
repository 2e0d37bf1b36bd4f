"""Knows what a link leads to, and who reads it; whatever goes wrong becomes the item's error."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from app.errors import SourceUnusable
from app.fetch import forge, hub, kaggle, page
from app.fetch.github import GitHub
from app.fetch.gitlab import GitLab
from app.fetch.web import LIMITS, Web
from app.wire import InvalidUrl, Url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from app.fetch.forge import Forge
    from app.settings import Fetching
    from app.submissions import Item
    from app.wire import Limits

AT_ONCE = 8
"""Links followed at a time, most of them to different hosts or waiting for their host's turn."""
_GITHUB_OWN = {
    "features",
    "topics",
    "explore",
    "marketplace",
    "settings",
    "login",
    "about",
    "pricing",
    "search",
    "apps",
}
_HUB_OWN = {"docs", "blog", "tasks", "papers", "learn", "collections", "organizations", "join", "login", "pricing"}
_KAGGLE_OWN = {"competitions", "learn", "models", "discussions", "docs", "organizations", "account", "search"}


class Fetcher:
    """Follows links; open it by ``async with``."""

    def __init__(self, fetching: Fetching, limits: Limits = LIMITS) -> None:
        """Prepare; nothing is sent yet."""
        self._fetching = fetching
        self._web = Web(fetching, limits)
        self._github = GitHub(self._web, fetching.github_url, has_token=bool(fetching.github_token))
        self._gitlab = GitLab(self._web, fetching.gitlab_url, has_token=bool(fetching.gitlab_token))

    async def __aenter__(self) -> Self:
        """Open the client."""
        await self._web.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        await self._web.__aexit__(kind, error, trace)

    async def follow(self, item: Item) -> list[Item]:
        """Give what stands behind an item's link, at least one item; an item without a link comes back as it is."""
        if not item.pending:
            return [item]
        try:
            return await self._read(item)
        except SourceUnusable as error:
            return [replace(item, error=f"{item.origin}: {error}")]

    async def _read(self, item: Item) -> list[Item]:
        try:
            url = Url(item.link)
        except (InvalidUrl, UnicodeError):
            return await page.read_page(self._web, item)  # which says what is wrong with it
        parts = [unquote(part) for part in url.raw_path.decode().partition("?")[0].split("/") if part]
        host = url.netloc.decode().removeprefix("www.")
        if any(part in (".", "..") or "/" in part for part in parts):
            raise SourceUnusable("The link's path climbs or holds a hidden slash. Give the plain link.")
        if host in {"github.com", _netloc(self._fetching.github_url)} and parts and parts[0] not in _GITHUB_OWN:
            return await self._of_github(item, parts)
        if host in {"gitlab.com", _netloc(self._fetching.gitlab_url)} and parts:
            return await self._of_gitlab(item, parts)
        if host in {"huggingface.co", "hf.co", _netloc(self._fetching.hub_url)} and len(parts) >= 2:
            return await self._of_hub(item, parts)
        if host in {"kaggle.com", _netloc(self._fetching.kaggle_url)} and len(parts) >= 2:
            return await self._of_kaggle(item, parts)
        return await page.read_page(self._web, item)

    async def _of_github(self, item: Item, parts: list[str]) -> list[Item]:
        if parts[0] == "orgs":
            parts = parts[1:2]
        if len(parts) == 1:
            return await forge.read_user(self._github, item, parts[0])
        return await _within(self._github, item, f"{parts[0]}/{parts[1].removesuffix('.git')}", parts[2:])

    async def _of_gitlab(self, item: Item, parts: list[str]) -> list[Item]:
        if len(parts) == 1:
            return await forge.read_user(self._gitlab, item, parts[0])
        end = parts.index("-") if "-" in parts else len(parts)
        return await _within(self._gitlab, item, "/".join(parts[:end]).removesuffix(".git"), parts[end + 1 :])

    async def _of_hub(self, item: Item, parts: list[str]) -> list[Item]:
        kind, path = (parts[0], parts[1:3]) if parts[0] in ("datasets", "spaces") else ("models", parts[:2])
        if parts[0] in _HUB_OWN:
            return await page.read_page(self._web, item)
        return await hub.read_card(self._web, self._fetching.hub_url, item, kind, "/".join(path))

    async def _of_kaggle(self, item: Item, parts: list[str]) -> list[Item]:
        base = self._fetching.kaggle_url
        if parts[0] == "datasets" and len(parts) >= 3:
            return await kaggle.read_dataset(self._web, base, item, parts[1], parts[2])
        if parts[0] == "code" and len(parts) >= 3:
            return await kaggle.read_code(self._web, base, item, parts[1], parts[2])
        if parts[0] in {"datasets", "code"} | _KAGGLE_OWN:
            return await page.read_page(self._web, item)
        return await kaggle.read_code(self._web, base, item, parts[0], parts[1])


def is_project(link: str, fetching: Fetching) -> bool:
    """Tell whether a link leads to one project, or a file of one, at a service that is known here."""
    try:
        url = Url(link)
    except (InvalidUrl, UnicodeError):
        return False
    parts = [part for part in url.raw_path.decode().partition("?")[0].split("/") if part]
    host, least = url.netloc.decode().removeprefix("www."), 2
    if host in {"github.com", _netloc(fetching.github_url)}:
        return len(parts) >= least and parts[0] not in _GITHUB_OWN | {"orgs"}
    if host in {"huggingface.co", "hf.co", _netloc(fetching.hub_url)}:
        return len(parts) >= least + (parts[:1] in (["datasets"], ["spaces"])) and parts[0] not in _HUB_OWN
    if host in {"kaggle.com", _netloc(fetching.kaggle_url)}:
        return len(parts) >= least + (parts[:1] in (["datasets"], ["code"])) and parts[0] not in _KAGGLE_OWN
    return host in {"gitlab.com", _netloc(fetching.gitlab_url)} and len(parts) >= least


def follow(items: Iterable[Item], fetching: Fetching, limits: Limits = LIMITS) -> Iterator[Item]:
    """Follow the links among items, some at a time; what comes out is in their order. Not to be used in an event loop.

    Items without a link pass through; no client is opened before the first link comes.
    """
    rest = iter(items)
    for first in rest:
        if first.pending:
            yield from _followed(itertools.chain([first], rest), fetching, limits)
            return
        yield first


def _followed(items: Iterator[Item], fetching: Fetching, limits: Limits) -> Iterator[Item]:
    with asyncio.Runner() as runner:
        fetcher = Fetcher(fetching, limits)
        runner.run(fetcher.__aenter__())
        try:
            while group := list(itertools.islice(items, AT_ONCE)):
                for found in runner.run(_all(fetcher, group)):
                    yield from found
        finally:
            runner.run(fetcher.__aexit__(None, None, None))


async def _all(fetcher: Fetcher, group: list[Item]) -> list[list[Item]]:
    return await asyncio.gather(*map(fetcher.follow, group))


async def _within(source: Forge, item: Item, path: str, rest: list[str]) -> list[Item]:
    """Read a repository, or the folder or file of it that a link shows."""
    if len(rest) >= 3 and rest[0] == "blob":
        return await forge.read_file(source, item, path, rest[1], "/".join(rest[2:]))
    if len(rest) >= 3 and rest[0] == "tree":
        return await forge.read_repository(source, item, path, rest[1], "/".join(rest[2:]))
    return await forge.read_repository(source, item, path, rest[1] if len(rest) == 2 and rest[0] == "tree" else "")


def _netloc(base_url: str) -> str:
    return Url(base_url).netloc.decode()
