"""Keeps what a run has gathered so far in ``FILE.partial.jsonl``, so that the next one goes on after the last page.

The first line says what is gathered; then come rows, and after those of each page a line with the place of the next.
Whatever stands behind the last such line was cut off by a kill, and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, BinaryIO

from app.corpus import Row
from app.errors import BadInput
from app.harvest.page import START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from app.harvest.page import Page


@dataclass(frozen=True, slots=True)
class _Mark:
    """The end of a page: where the next begins, and what was left out up to here."""

    after: str | None
    skipped: int
    doubled: int


_KEYS: dict[type[Row | _Mark], set[str]] = {kind: {field.name for field in fields(kind)} for kind in (Row, _Mark)}


class Partial:
    """The pages so far, without what stood twice; one process has it open at a time.

    Attributes:
        after: where the next page begins; None if all are there.
        rows, skipped, doubled: how many rows are kept, and how many items were no rows or stood there before.
    """

    def __init__(self, output: Path, begun: Mapping[str, str]) -> None:
        """Prepare; ``begun`` says what is gathered, and another run must say the same to go on."""
        self.path = output.with_name(f"{output.name}.partial.jsonl")
        self.after: str | None = START
        self.rows = self.skipped = self.doubled = 0
        self._begun = dict(begun)
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        """Open the file, and go over what an earlier run has left.

        Raises:
            BadInput: if another run has it open, or it was begun for something else.
        """
        self._stream: BinaryIO = self.path.open("a+b")
        try:
            self._lock()
            self._resume()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; it stays for the next run, unless nothing is in it."""
        if self.after == START:
            self.remove()
        self._stream.close()

    def add(self, page: Page) -> int:
        """Keep a page on the disk: all of it, or nothing.

        Returns:
            How many of its rows weren't there before.
        """
        fresh = [row for row in page.rows if self._is_new(row)]
        self.rows += len(fresh)
        self.skipped += page.skipped
        self.doubled += len(page.rows) - len(fresh)
        self.after = page.after
        self._write(*map(asdict, fresh), asdict(_Mark(self.after, self.skipped, self.doubled)))
        return len(fresh)

    def remove(self) -> None:
        """Delete the file: its rows are elsewhere."""
        self.path.unlink(missing_ok=True)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(
                f"Another run is gathering into {self.path.name}. Wait for it, or name another file."
            ) from error

    def _resume(self) -> None:
        """Go over the lines up to the last whole page, and cut off the rest."""
        self._stream.seek(0)
        first, wanted = self._stream.readline(), _line({"begun": self._begun})
        if first != wanted and wanted.startswith(first):  # there is none, or its writer was killed at once
            self._stream.truncate(0)
            self._write({"begun": self._begun})
            return
        self._check(first, wanted)
        whole = position = len(first)
        pending: list[Row] = []
        for line in self._stream:
            position += len(line)
            content = _read(line)
            if isinstance(content, Row):
                pending.append(content)
            elif content is not None:
                self._take(pending, content)
                pending, whole = [], position
            else:
                break
        self._stream.truncate(whole)

    def _check(self, first: bytes, wanted: bytes) -> None:
        if first != wanted:
            raise BadInput(
                f"{self.path.name} was begun for something else, and this run is for {self._begun}. Give the same "
                f"again to go on with it, or remove it: {self.path}"
            )

    def _take(self, pending: list[Row], mark: _Mark) -> None:
        for row in pending:
            self._is_new(row)
        self.rows += len(pending)
        self.after, self.skipped, self.doubled = mark.after, mark.skipped, mark.doubled

    def _is_new(self, row: Row) -> bool:
        """Tell whether neither the id nor the address was there before; then remember both."""
        marks = {f"id {row.id}"} | ({f"url {row.url}"} if row.url else set())
        new = not marks & self._seen
        if new:
            self._seen |= marks
        return new

    def _write(self, *lines: Mapping[str, Any]) -> None:
        self._stream.write(b"".join(map(_line, lines)))
        self._stream.flush()
        os.fsync(self._stream.fileno())


def kept(path: Path) -> Iterator[Row]:
    """Read the rows of a partial file back in the order of their coming."""
    with path.open("rb") as stream:
        yield from (row for row in map(_read, stream) if isinstance(row, Row))


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def _read(line: bytes) -> Row | _Mark | None:
    """Read a line behind the first; None if it's neither a row nor a mark, or not whole."""
    try:
        content = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    kind = Row if isinstance(content, dict) and "id" in content else _Mark
    return kind(**content) if isinstance(content, dict) and content.keys() == _KEYS[kind] else None
