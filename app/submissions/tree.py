"""Reads what lies in a folder or an archive: which files count, whose they are, and which of them are one project."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from app.errors import FileUnreadable
from app.submissions import kinds, notebook
from app.submissions.item import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from app.submissions.item import Limits

PASSED_FOLDERS = re.compile(r"\..+|__\w+|node_modules|venv|env|site-packages", re.IGNORECASE)
_PASSED_FILES = re.compile(r"\..*|~\$.*|requirements?\b.*\.txt|cmakelists\.txt", re.IGNORECASE)
_SIDE_FILES = re.compile(
    r"(?:licen[cs]e|copying|notice|changelog|changes|contributing|code_of_conduct|security|authors|robots|runtime|"
    r"constraints|packages)(?:\.\w+)?",
    re.IGNORECASE,
)
"""What lies beside a README and says nothing of the project; elsewhere a text of such a name may be one."""
README = re.compile(r"readme(?:[._-]\w+)?\.(?:md|markdown|txt|rst)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """One file below a folder or in an archive.

    Attributes:
        path: relative, with forward slashes.
        load: gives its bytes; raises ``FileUnreadable``.
        error: why it isn't read at all; an item of its own.
    """

    path: str
    load: Callable[[], bytes]
    error: str = ""


def read_members(name: str, members: Iterable[Member], limits: Limits) -> Iterator[Item]:
    """Give the items of every file that is read, in the order of their paths.

    A README and the one notebook beside it are one project: what the notebook loads is told at the README's end.
    Where files lie in folders of folders, and no README lies at the top, the first folder is the candidate.
    """
    there = sorted(members, key=lambda member: member.path)
    led = {str(PurePosixPath(m.path).parent) for m in there if README.fullmatch(PurePosixPath(m.path).name)}
    chosen = [member for member in there if member.error or _counts(member.path, led)]
    if all(member.error for member in chosen):
        # A table in a project is its data; alone in an archive it is what somebody meant to send.
        chosen += [member for member in there if not member.error and _is_table(member.path)]
    if not chosen:
        raise FileUnreadable(f"{name} holds nothing that is read. Known are {kinds.known()}.")
    notebooks = _beside(chosen)
    whose = _candidates([member.path for member in chosen if not member.error])
    told_there = {member.path for member in notebooks.values()}
    for member in chosen:
        if member.path not in told_there:
            candidate = whose(member.path)
            for item in _read(member, notebooks.get(member.path), limits):
                yield replace(item, candidate=candidate or item.candidate)


def _counts(path: str, led: Collection[str]) -> bool:
    """Tell whether a file is read; ``led`` are the folders that have a README."""
    place = PurePosixPath(path)
    side = bool(_SIDE_FILES.fullmatch(place.name)) and str(place.parent) in led
    return kinds.kind(path) in kinds.DOCUMENTS and not side and not _is_passed(place)


def _is_table(path: str) -> bool:
    return kinds.kind(path) in kinds.TABLES and not _is_passed(PurePosixPath(path))


def _is_passed(place: PurePosixPath) -> bool:
    *folders, file = place.parts
    return any(map(PASSED_FOLDERS.fullmatch, folders)) or bool(_PASSED_FILES.fullmatch(file))


def _beside(members: Sequence[Member]) -> dict[str, Member]:
    """Find the READMEs with just one notebook beside them, and that notebook."""
    readmes: dict[str, list[Member]] = {}
    notebooks: dict[str, list[Member]] = {}
    for member in members:
        path = PurePosixPath(member.path)
        if member.error:
            continue
        if README.fullmatch(path.name):
            readmes.setdefault(str(path.parent), []).append(member)
        elif path.suffix.lower() == ".ipynb":
            notebooks.setdefault(str(path.parent), []).append(member)
    return {
        readmes[folder][0].path: found[0]
        for folder, found in notebooks.items()
        if len(found) == 1 and len(readmes.get(folder, ())) == 1
    }


def _candidates(paths: Sequence[str]) -> Callable[[str], str]:
    """Find out where the candidates' folders are, if there are any."""
    parts = [PurePosixPath(path).parts for path in paths]
    deepest = max(map(len, parts), default=0)
    # One folder around everything is how archives are packed; it's nobody's if there are candidates within.
    root = 1 if deepest > 3 and len({part[0] for part in parts}) == 1 and all(len(part) > 1 for part in parts) else 0
    tops = Counter(part[root] for part in parts if len(part) > root + 1)
    if deepest - root < 3 or any(len(part) == root + 1 and README.fullmatch(part[-1]) for part in parts):
        return lambda _: ""
    return lambda path: (
        found[root] if (found := PurePosixPath(path).parts)[root] in tops and len(found) > root + 1 else ""
    )


def _read(member: Member, beside: Member | None, limits: Limits) -> Iterator[Item]:
    if member.error:
        yield Item(member.path, "", member.path, member.error)
        return
    try:
        data = member.load()
    except FileUnreadable as error:
        yield Item(member.path, "", member.path, str(error))
        return
    for item in kinds.opened(member.path, BytesIO(data), limits):
        yield replace(item, text=item.text + _loads(beside)) if beside and not item.error and item.text else item


def _loads(beside: Member | None) -> str:
    """Say what a notebook loads; nothing if it can't be read: its README can."""
    if beside is None:
        return ""
    try:
        return notebook.told(beside.path, notebook.parse(beside.path, beside.load()))
    except FileUnreadable:
        return ""
