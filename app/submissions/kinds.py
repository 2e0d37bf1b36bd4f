"""Knows which kind of file is read by whom; a file that can't be read becomes one item with its error."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from app.errors import FileUnreadable
from app.submissions.item import LIMITS, Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.submissions.item import Limits, Reader

TEXTS = frozenset({".md", ".markdown", ".txt", ".rst"})
DOCUMENTS = TEXTS | {".ipynb", ".pdf", ".docx"}
TABLES = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"})
ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2"})
ALL = TABLES | DOCUMENTS | ARCHIVES


def kind(name: str) -> str | None:
    """Give the suffix that a file's kind is known by; None if it isn't."""
    lowered = name.lower()
    return next((suffix for suffix in sorted(ALL, key=len, reverse=True) if lowered.endswith(suffix)), None)


def known() -> str:
    """List the kinds, for messages."""
    return ", ".join([*sorted(TABLES), *sorted(DOCUMENTS), *sorted(ARCHIVES)])


def read(name: str, data: bytes, limits: Limits = LIMITS) -> Iterator[Item]:
    """Read an uploaded file by its name's suffix; nothing is raised for what is in it.

    Args:
        name: as its owner calls it; it appears in ids and messages.
        data: all of it; how large it may be is the face's to say.
    """
    return opened(name, BytesIO(data), limits)


def opened(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read an open file by its name's suffix."""
    found = kind(name)
    if found is None:
        yield Item(name, "", name, f"{name} is of an unknown kind. Known are {known()}.")
        return
    try:
        yield from _reader(found)(name, stream, limits)
    except FileUnreadable as error:
        yield Item(name, "", name, str(error))


def _reader(suffix: str) -> Reader:
    """Import the one reader that is asked for: no file pays for the library of another kind."""
    # ruff: noqa: PLC0415
    from app.submissions import archive, documents, notebook, tables, texts

    if suffix in TEXTS:
        return texts.read_text
    if suffix in ARCHIVES:
        return archive.read_zip if suffix == ".zip" else archive.read_tar
    return {
        ".csv": tables.read_csv,
        ".tsv": tables.read_csv,
        ".jsonl": tables.read_jsonl,
        ".ndjson": tables.read_jsonl,
        ".parquet": tables.read_parquet,
        ".ipynb": notebook.read_notebook,
        ".pdf": documents.read_pdf,
        ".docx": documents.read_docx,
    }[suffix]
