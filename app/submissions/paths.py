"""Reads files and folders of this machine, in the order given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import FileUnreadable
from app.submissions import kinds
from app.submissions.item import LIMITS, Item
from app.submissions.links import read_links
from app.submissions.tree import PASSED_FOLDERS, Member, read_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.submissions.item import Limits


def items(paths: Iterable[Path], limits: Limits = LIMITS, links: Iterable[Path] = ()) -> Iterator[Item]:
    """Read files and folders, then lists of links.

    Raises:
        FileUnreadable: if a path doesn't exist, or its kind isn't known; before anything is yielded.
    """
    files, lists = list(paths), list(links)
    for path in (*files, *lists):
        if not path.exists():
            raise FileUnreadable(f"There is no {path}. Give files of these kinds, or folders: {kinds.known()}.")
        if path.is_file() and path in files and kinds.kind(path.name) is None:
            raise FileUnreadable(
                f"{path.name} is of an unknown kind ({path.suffix or 'no suffix'}). Known are {kinds.known()}."
            )
    return _all(files, lists, limits)


def _all(files: list[Path], lists: list[Path], limits: Limits) -> Iterator[Item]:
    for path in files:
        try:
            if path.is_dir():
                yield from read_members(path.name, _members(path, limits), limits)
            else:
                with path.open("rb") as stream:
                    yield from kinds.opened(path.name, stream, limits)
        except (OSError, FileUnreadable) as error:
            yield Item(path.name, "", path.name, _said(path.name, error))
    for path in lists:
        try:
            with path.open("rb") as stream:
                yield from read_links(path.name, stream, limits)
        except (OSError, FileUnreadable) as error:
            yield Item(path.name, "", path.name, _said(path.name, error))


def _members(folder: Path, limits: Limits) -> Iterator[Member]:
    """Give the files below a folder; links are passed over, so that nothing outside of it is read."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not PASSED_FOLDERS.fullmatch(name)]
        for name in files:
            file = Path(place) / name
            if kinds.kind(name) and not file.is_symlink() and file.is_file():
                count += 1
                if count > limits.max_members:
                    raise FileUnreadable(
                        f"{folder.name} holds more than the {limits.max_members:,} files that are read of one folder. "
                        "Give its subfolders one by one."
                    )
                yield Member(file.relative_to(folder).as_posix(), _Load(file, limits))


class _Load:
    """Reads one file when it is its turn."""

    def __init__(self, file: Path, limits: Limits) -> None:
        self._file, self._most = file, limits.max_document_bytes

    def __call__(self) -> bytes:
        try:
            with self._file.open("rb") as stream:
                return stream.read(self._most + 1)  # a byte more than allowed: the reader says what is wrong
        except OSError as error:
            raise FileUnreadable(_said(self._file.name, error)) from error


def _said(name: str, error: OSError | FileUnreadable) -> str:
    return str(error) if isinstance(error, FileUnreadable) else f"{name} can't be read: {error.strerror}."
