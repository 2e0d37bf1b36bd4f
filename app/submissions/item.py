"""What every reader of submissions gives: one item a project, with its text, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from app.errors import FileUnreadable

if TYPE_CHECKING:
    from app.records import Notice


@dataclass(frozen=True, slots=True)
class Item:
    """One project that was handed in: its text, or why there is none, or the link that is still to be followed.

    Attributes:
        id: its name among the others: what its row says, its path, or the number of its line.
        origin: file and line, for messages.
        error: what is wrong, what is allowed and what to do; never a stretch of the text.
        candidate: whose it is, where the input says so; empty else.
        notices: what the reader should know of how it was read. A code that begins with ``file-`` is about the whole
            file and stands at its first item alone.
        line: the number of its line or row in its file, from 1; None where there are none.
        link: the web address that its text comes from; with neither a text nor an error it's still to be fetched.
    """

    id: str
    text: str
    origin: str
    error: str = ""
    candidate: str = ""
    title: str = ""
    notices: tuple[Notice, ...] = ()
    link: str = ""
    line: int | None = None

    @property
    def pending(self) -> bool:
        """Tell whether its text is still to be fetched."""
        return bool(self.link) and not self.text and not self.error


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table holds what; an empty name is guessed."""

    text: str = ""
    id: str = ""
    candidate: str = ""
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read; the defaults let every honest submission through and bound what a hostile one costs.

    Attributes:
        max_document_bytes: largest single text, notebook, PDF or DOCX, unpacked.
        max_table_bytes: largest CSV file, which is held in memory; JSONL and Parquet go by row and have no limit.
        max_cell_chars: longest cell of a table.
        max_unpacked_bytes: all that is unpacked of one archive, taken together.
        max_members: files in one archive or folder.
        max_pages: pages of one PDF.
        columns: where a table's columns have other names than those that are known.
    """

    max_document_bytes: int = 20_000_000
    max_table_bytes: int = 100_000_000
    max_cell_chars: int = 2_000_000
    max_unpacked_bytes: int = 200_000_000
    max_members: int = 20_000
    max_pages: int = 200
    columns: Columns = Columns()


LIMITS = Limits()
Reader = Callable[[str, BinaryIO, Limits], Iterator[Item]]
"""Reads one file: its name, its bytes, the limits. It may raise ``FileUnreadable`` for the file as a whole."""


def whole(name: str, stream: BinaryIO, most: int) -> bytes:
    """Read a stream to its end.

    Raises:
        FileUnreadable: if there are more bytes than allowed.
    """
    data = stream.read(most + 1)
    if len(data) > most:
        raise FileUnreadable(
            f"{name} is larger than the {most / 1e6:,.0f} MB that are read of such a file. Send a smaller one, without "
            "its data, pictures and outputs."
        )
    return data
