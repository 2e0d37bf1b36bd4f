"""GitLab and hosts of one's own, by their REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from app.errors import SourceUnusable
from app.fetch.answers import mapping, objects, text, texts
from app.fetch.forge import MOST_REPOSITORIES, About, File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.fetch.web import Web
    from app.wire import Answer

_NO = {401, 403, 404}
_MOST_PAGES = 20
_API = "/api/v4"


class GitLab:
    """One GitLab; see ``Forge``."""

    def __init__(self, web: Web, base_url: str, *, has_token: bool) -> None:
        """Remember where; nothing is sent yet."""
        self._web, self._base, self._has_token = web, base_url.rstrip("/"), has_token

    async def about(self, path: str) -> About:
        """Look a project up; one that was moved is found under its old path, too."""
        answer = await self._get(f"/projects/{quote(path, safe='')}")
        self._refuse(answer, f"The project {path}")
        found = mapping(answer.json())
        if found.get("empty_repo") or not text(found, "default_branch"):
            raise SourceUnusable(f"The project {path} is empty, or its files are not public. Give another link.")
        name = text(found, "path_with_namespace") or path
        topics = texts(found.get("topics"))
        facts = (
            *([f"Its topics: {', '.join(topics[:20])}."] if topics else []),
            *(["It is a fork: what was changed there isn't told apart."] if found.get("forked_from_project") else []),
            *(["It is archived."] if found.get("archived") else []),
        )
        return About(name, name.partition("/")[0], text(found, "description"), text(found, "default_branch"), facts)

    async def files(self, path: str, ref: str) -> Sequence[File]:
        """List the files, a hundred a page and at most two thousand; their sizes are not told."""
        query = f"recursive=true&per_page=100&ref={quote(ref, safe='')}"
        files: list[File] = []
        for _ in range(_MOST_PAGES):
            answer = await self._get(f"/projects/{quote(path, safe='')}/repository/tree?{query}")
            if answer.status == 404:
                return files
            self._refuse(answer, f"The files of {path}")
            blobs = [entry for entry in objects(answer.json()) if entry.get("type") == "blob"]
            files += [File(name) for entry in blobs if (name := text(entry, "path"))]
            if not answer.following or answer.following == query:
                break
            query = answer.following
        return files

    async def raw(self, path: str, ref: str, file: str) -> bytes:
        """Fetch a file."""
        place = f"/projects/{quote(path, safe='')}/repository/files/{quote(file, safe='')}/raw"
        answer = await self._get(f"{place}?ref={quote(ref, safe='')}")
        self._refuse(answer, f"The file {file!r} of {path}")
        return answer.body

    async def of_user(self, user: str) -> tuple[Sequence[str], str]:
        """Give a user's projects with most stars: GitLab tells of no pinned ones."""
        answer = await self._get(f"/users/{quote(user, safe='')}/projects?order_by=star_count&per_page=100")
        self._refuse(answer, f"The user {user}")
        own = [
            path
            for project in objects(answer.json())
            if project.get("forked_from_project") is None and not project.get("empty_repo")
            if (path := text(project, "path_with_namespace"))
        ]
        chosen = own[:MOST_REPOSITORIES]
        return chosen, f"Read are {len(chosen)} of {len(own)} own projects of {user}, most stars first."

    async def _get(self, path: str) -> Answer:
        return await self._web.get(self._base + _API + path, _NO)

    def _refuse(self, answer: Answer, what: str) -> None:
        """Say why there is no answer.

        Raises:
            SourceUnusable: unless there is one.
        """
        token = "with the token that is set" if self._has_token else "without a token (ORIGINALITY_GITLAB_TOKEN)"
        reasons = {
            401: "can't be read: the token is missing or not accepted. Set one, or another.",
            403: f"may not be read {token}.",
            404: f"isn't there, or is private: nothing is to be seen {token}. Check the link.",
        }
        if answer.status in reasons:
            raise SourceUnusable(f"{what} {reasons[answer.status]}")
