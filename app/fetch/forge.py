"""Reads a repository, whoever hosts it: its README, what its notebooks load, and what isn't there of what it claims."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from app.errors import FileUnreadable, SourceUnusable
from app.fetch.compare import compare
from app.records import Notice
from app.submissions import kinds, notebook
from app.submissions.encoding import decoded
from app.submissions.item import LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.submissions import Item
    from app.submissions.notebook import Notebook

_README = re.compile(r"readme(?:\.(?:md|markdown|txt|rst|org|adoc))?", re.IGNORECASE)
_README_PLACES = (".github", "", "docs")
"""Where GitHub looks for a repository's README, in this order."""
_MOST_NOTEBOOKS = 3
_MOST_NOTEBOOK_BYTES = 5_000_000
MOST_REPOSITORIES = 6
"""Repositories read of one user: as many as can be pinned on GitHub."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a repository; its size in bytes is 0 where the host doesn't say."""

    path: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """What a host says of a repository.

    Attributes:
        path: owner and name, as the host writes them now.
        facts: sentences of its own, for information.
    """

    path: str
    owner: str
    description: str
    branch: str
    facts: tuple[str, ...] = ()


class Forge(Protocol):
    """A host of repositories. Every method raises ``SourceUnusable`` if it doesn't answer as it should."""

    async def about(self, path: str) -> About:
        """Look a repository up."""
        ...

    async def files(self, path: str, ref: str) -> Sequence[File]:
        """List all files, or as many as the host lists; none if the repository is empty."""
        ...

    async def raw(self, path: str, ref: str, file: str) -> bytes:
        """Fetch a file."""
        ...

    async def of_user(self, user: str) -> tuple[Sequence[str], str]:
        """Give the repositories that stand for a user, and how they were chosen."""
        ...


async def read_file(forge: Forge, item: Item, path: str, ref: str, file: str) -> list[Item]:
    """Read one file of a repository as if it had been handed in."""
    name = PurePosixPath(file).name
    if kinds.kind(name) not in kinds.DOCUMENTS:
        raise SourceUnusable(
            f"The link leads to a file that describes no project ({name}). Link to the project itself."
        )
    data = await forge.raw(path, ref, file)
    found = list(kinds.read(name, data, LIMITS))
    return [
        replace(
            item,
            id=item.id if len(found) == 1 else f"{item.id}#{n}",
            text=one.text,
            error=one.error and f"{item.origin}: {one.error}",
            title=item.title or one.title,
            candidate=item.candidate or path.partition("/")[0],
            notices=(*item.notices, *one.notices),
        )
        for n, one in enumerate(found, start=1)
    ]


async def read_user(forge: Forge, item: Item, user: str) -> list[Item]:
    """Read the repositories that stand for a user; one that can't be read is an item with its error."""
    paths, how = await forge.of_user(user)
    if not paths:
        raise SourceUnusable(f"{user} has no public repository of their own. Give a link to a project.")
    found = []
    for path in paths[:MOST_REPOSITORIES]:
        name = path.rpartition("/")[2]
        one = replace(item, id=f"{item.id.rstrip('/')}/{name}", candidate=item.candidate or user)
        try:
            found += await read_repository(forge, one, path)
        except SourceUnusable as error:
            found.append(replace(one, error=f"{item.origin}: {error}"))
    found[0] = replace(found[0], notices=(Notice("repositories-chosen", how), *found[0].notices))
    return found


async def read_repository(forge: Forge, item: Item, path: str, ref: str = "", folder: str = "") -> list[Item]:
    """Read a repository, or one folder of it, as one item.

    Raises:
        SourceUnusable: if it isn't there, is empty, or says nothing.
    """
    about = await forge.about(path)
    there = await forge.files(about.path, ref or about.branch)
    below = [file for file in there if not folder or file.path.startswith(f"{folder}/")]
    if not below:
        what = f"no folder {folder!r}" if folder else "no files"
        raise SourceUnusable(f"The repository {about.path} has {what}. Fill it, or give another link.")
    readme = await _readme(forge, about.path, ref or about.branch, below, folder)
    notebooks = await _notebooks(forge, about.path, ref or about.branch, below)
    text = _text(about if not folder else replace(about, description=""), readme, notebooks)
    if not text.strip():
        raise SourceUnusable(
            f"The repository {about.path} has no README, no description and no readable notebook. Say there what the "
            "project does, on which data, and how."
        )
    loads = [load for _, found in notebooks for load in found.loads]
    notices = [*_facts(about, path, there), *compare(readme, [file.path for file in below], loads)]
    return [
        replace(
            item,
            text=text,
            title=item.title or PurePosixPath(folder or about.path).name.replace("-", " ").replace("_", " "),
            candidate=item.candidate or about.owner,
            notices=(*item.notices, *notices),
        )
    ]


async def _readme(forge: Forge, path: str, ref: str, files: Sequence[File], folder: str) -> str:
    for place in (folder,) if folder else _README_PLACES:
        for file in files:
            where = PurePosixPath(file.path)
            if str(where.parent) == (place or ".") and _README.fullmatch(where.name):
                data = await forge.raw(path, ref, file.path)
                try:
                    return decoded(file.path, data)[0]
                except FileUnreadable as error:
                    raise SourceUnusable(f"The repository {path}: {error}") from error
    return ""


async def _notebooks(forge: Forge, path: str, ref: str, files: Sequence[File]) -> list[tuple[str, Notebook]]:
    """Read the notebooks nearest to the top; one that can't be read is passed over: the README counts."""
    fit = [f for f in files if f.path.lower().endswith(".ipynb") and f.size <= _MOST_NOTEBOOK_BYTES]
    fit = [f for f in fit if ".ipynb_checkpoints" not in f.path]
    found = []
    for file in sorted(fit, key=lambda f: (f.path.count("/"), f.path))[:_MOST_NOTEBOOKS]:
        try:
            found.append((file.path, notebook.parse(file.path, await forge.raw(path, ref, file.path))))
        except (FileUnreadable, SourceUnusable):
            continue
    return found


def _text(about: About, readme: str, notebooks: Sequence[tuple[str, Notebook]]) -> str:
    """Put together what the author says; notebooks speak in full only where there is no README."""
    description = about.description.strip()
    head = f"{description}\n\n" if description and description.casefold() not in readme.casefold() else ""
    if readme.strip():
        return head + readme + "".join(notebook.told(path, found) for path, found in notebooks)
    return head + "\n\n".join(found.text for _, found in notebooks)


def _facts(about: About, asked: str, files: Sequence[File]) -> list[Notice]:
    moved = [f"It is now called {about.path}."] if asked.casefold() != about.path.casefold() else []
    facts = [*moved, f"It has {len(files):,} files.", *about.facts]
    return [Notice("repository", f"Repository {about.path}: {' '.join(facts)}")]
