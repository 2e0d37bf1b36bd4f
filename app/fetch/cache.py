"""Keeps answers that have an ETag, so that what hasn't changed isn't sent again; old ones are removed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an answer besides its body.

    Attributes:
        url: where it came from in the end, behind redirects.
    """

    url: str
    etag: str
    content_type: str


class Cache:
    """A folder of answers, each in one file that only its owner may read; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None, days: float) -> None:
        """Open it, and remove what is older than so many days."""
        self._folder = folder
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        oldest = time.time() - days * _DAY_S
        for file in folder.iterdir():
            with suppress(FileNotFoundError):  # another run was quicker
                if file.stat().st_mtime < oldest:
                    file.unlink()

    def get(self, key: str) -> tuple[Kept, bytes] | None:
        """Give what is kept under a key; None if there is nothing, or it is damaged."""
        if self._folder is None:
            return None
        try:
            head, _, body = self._file(self._folder, key).read_bytes().partition(b"\n")
            return Kept(**json.loads(head)), body
        except (OSError, ValueError, TypeError):
            return None

    def put(self, key: str, kept: Kept, body: bytes) -> None:
        """Keep an answer, whole or not at all."""
        if self._folder is None:
            return
        place = self._file(self._folder, key)
        draft = place.with_suffix(f".{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:  # noqa: PTH123  the mode
            stream.write(json.dumps(asdict(kept)).encode() + b"\n" + body)
        draft.replace(place)

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / hashlib.sha256(key.encode()).hexdigest()
