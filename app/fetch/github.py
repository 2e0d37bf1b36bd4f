"""GitHub and its enterprise hosts, by their REST API, and the pinned repositories by GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from app.errors import SourceUnusable
from app.fetch.answers import mapping, number, objects, text, texts
from app.fetch.forge import MOST_REPOSITORIES, About, File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.fetch.web import Web
    from app.wire import Answer

_JSON = "application/vnd.github+json"
_RAW = "application/vnd.github.raw+json"
_NO = {401, 403, 404, 409, 410, 451}
_PINNED = """query($login: String!) { user(login: $login) { pinnedItems(first: 6, types: REPOSITORY) { nodes {
... on Repository { nameWithOwner } } } } }"""


class GitHub:
    """One GitHub; see ``Forge``."""

    def __init__(self, web: Web, base_url: str, *, has_token: bool) -> None:
        """Remember where; nothing is sent yet."""
        self._web, self._base, self._has_token = web, base_url.rstrip("/"), has_token

    async def about(self, path: str) -> About:
        """Look a repository up; one that was renamed is followed to its new name."""
        answer = await self._get(f"/repos/{_quoted(path)}")
        self._refuse(answer, f"The repository {path}")
        found = mapping(answer.json())
        name = text(found, "full_name") or path
        if not text(found, "default_branch"):
            raise SourceUnusable(f"The repository {path} is empty. Fill it, or give another link.")
        parent = text(found, "parent", "full_name")
        topics = texts(found.get("topics"))
        facts = (
            *([f"Its topics: {', '.join(topics[:20])}."] if topics else []),
            *(
                [f"It is a fork{f' of {parent}' if parent else ''}: what was changed there isn't told apart."]
                if found.get("fork")
                else []
            ),
            *(["It is archived."] if found.get("archived") else []),
            *([f"Last pushed {text(found, 'pushed_at')[:10]}."] if text(found, "pushed_at") else []),
        )
        owner = text(found, "owner", "login") or name.partition("/")[0]
        return About(name, owner, text(found, "description"), text(found, "default_branch"), facts)

    async def files(self, path: str, ref: str) -> Sequence[File]:
        """List the files; GitHub cuts the list at 100,000 entries."""
        answer = await self._get(f"/repos/{_quoted(path)}/git/trees/{quote(ref, safe='')}?recursive=1")
        if answer.status == 409:  # what it says of a repository without a commit
            return []
        self._refuse(answer, f"The branch {ref!r} of {path}")
        entries = objects(mapping(answer.json()).get("tree"))
        return [
            File(path, number(entry, "size"))
            for entry in entries
            if entry.get("type") == "blob" and (path := text(entry, "path"))
        ]

    async def raw(self, path: str, ref: str, file: str) -> bytes:
        """Fetch a file."""
        place = f"/repos/{_quoted(path)}/contents/{quote(file)}?ref={quote(ref, safe='')}"
        answer = await self._get(place, _RAW)
        self._refuse(answer, f"The file {file!r} of {path}")
        return answer.body

    async def of_user(self, user: str) -> tuple[Sequence[str], str]:
        """Give the pinned repositories, which GitHub tells only to whoever has a token; else those with most stars."""
        if self._has_token and (pinned := await self._pinned(user)):
            return pinned, f"Read are the {len(pinned)} repositories that {user} has pinned."
        answer = await self._get(f"/users/{quote(user, safe='')}/repos?type=owner&sort=pushed&per_page=100")
        self._refuse(answer, f"The user {user}")
        own = [found for found in objects(answer.json()) if _is_project(found, user)]
        own.sort(key=lambda r: -number(r, "stargazers_count"))  # of equals the last pushed first, as they came
        paths = [text(r, "full_name") for r in own][:MOST_REPOSITORIES]
        why = "no repository is pinned" if self._has_token else "pinned ones are told only to whoever has a token"
        return paths, f"Read are {len(paths)} of {len(own)} own repositories of {user}, most stars first: {why}."

    async def _pinned(self, user: str) -> list[str]:
        base = self._base.removesuffix("/v3")  # an enterprise host has /api/v3 and /api/graphql
        answer = await self._web.get(f"{base}/graphql", _NO, _JSON, {"query": _PINNED, "variables": {"login": user}})
        if answer.status != 200:
            return []
        pinned = mapping(mapping(mapping(mapping(answer.json()).get("data")).get("user")).get("pinnedItems"))
        return [path for node in objects(pinned.get("nodes")) if (path := text(node, "nameWithOwner"))]

    async def _get(self, path: str, accept: str = _JSON) -> Answer:
        return await self._web.get(self._base + path, _NO, accept)

    def _refuse(self, answer: Answer, what: str) -> None:
        """Say why there is no answer.

        Raises:
            SourceUnusable: unless there is one.
        """
        token = "with the token that is set" if self._has_token else "without a token (ORIGINALITY_GITHUB_TOKEN)"
        reasons = {
            401: "can't be read: the token isn't accepted. Set another, or none.",
            403: f"may not be read {token}.",
            404: f"isn't there, or is private: nothing is to be seen {token}. Check the link.",
            409: "is empty. Fill it, or give another link.",
            410: "is gone. Give another link.",
            451: "is blocked for legal reasons. Give another link.",
        }
        if answer.status in reasons:
            raise SourceUnusable(f"{what} {reasons[answer.status]}")


def _quoted(path: str) -> str:
    return "/".join(quote(part, safe="") for part in path.split("/"))


def _is_project(found: dict[str, Any], user: str) -> bool:
    """Tell a project from a fork, an empty repository, a profile page and a web site."""
    name = text(found, "name").casefold()
    return (
        not found.get("fork")
        and number(found, "size") > 0
        and name not in (user.casefold(), f"{user.casefold()}.github.io")
    )
