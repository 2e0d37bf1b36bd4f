"""Keeps what readers chose to leave, one file a note; whoever left it holds the only key to read or delete it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

from app.errors import BoxFull

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_NOTES = 10_000
"""Notes that are kept at most: some tens of megabytes, so that nobody fills a disk."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


class Box:
    """A folder of notes."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; it is made with the first note."""
        self._folder = folder

    def put(self, kind: str, said: Mapping[str, Any]) -> str:
        """Keep a note.

        Args:
            said: what was left, and nothing else: no address, no name, no time but the day.

        Returns:
            The token that alone leads to it; the folder holds no more than its hash.

        Raises:
            BoxFull: if there are too many notes, or the folder can't be written.
        """
        try:
            return self._kept(kind, said)
        except OSError as error:
            raise BoxFull(
                f"Notes can't be kept here ({error.strerror}). Whoever runs this service has to name a folder that "
                "can be written: ORIGINALITY_FEEDBACK_DIR."
            ) from error

    def _kept(self, kind: str, said: Mapping[str, Any]) -> str:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sum(1 for _ in self._folder.glob("*.json")) >= MOST_NOTES:
            raise BoxFull(f"{MOST_NOTES:,} notes are kept already. Whoever runs this service has to clear some first.")
        token = secrets.token_urlsafe(24)
        note = {"kind": kind, "day": dt.datetime.now(dt.UTC).date().isoformat(), **said}
        place = self._place(token)
        part = place.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(json.dumps(note, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
            part.replace(place)
        except OSError:
            part.unlink(missing_ok=True)  # half of what somebody said, which no token leads to
            raise
        return token

    def get(self, token: str) -> dict[str, Any] | None:
        """Read a note; none if there is none for this token."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            note: dict[str, Any] = json.loads(self._place(token).read_bytes())
        except FileNotFoundError:
            return None
        return note

    def drop(self, token: str) -> bool:
        """Delete a note; false if there was none."""
        if not _TOKEN.fullmatch(token):
            return False
        try:
            self._place(token).unlink()
        except FileNotFoundError:
            return False
        return True

    def _place(self, token: str) -> Path:
        return self._folder / f"{hashlib.sha256(token.encode()).hexdigest()[:32]}.json"
