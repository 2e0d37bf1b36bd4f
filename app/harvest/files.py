"""Files that are there already: a CSV, JSONL or Parquet file of rows, or a folder of READMEs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import corpus
from app.errors import FileUnreadable
from app.harvest.page import START, Page, Source, today

if TYPE_CHECKING:
    from collections.abc import Generator


class Files(Source):
    """One file or folder; one page, for all of its rows are good or none is taken."""

    name = "files"

    def __init__(self, path: str) -> None:
        """Remember where; nothing is read yet."""
        self._path = Path(path)

    def pages(self, after: str = START) -> Generator[Page, None, None]:  # noqa: ARG002  there is one page
        """Give the one page; see ``Source``.

        Raises:
            FileUnreadable: if a row is none.
        """
        place, day = self._path.name, today()
        try:
            found = corpus.rows([self._path])
        except OSError as error:
            raise FileUnreadable(
                f"{self._path} can't be read ({error.strerror}). Give yourself the right to."
            ) from error
        rows = (replace(row, source=row.source or place, retrieved=row.retrieved or day) for row in found)
        yield Page(tuple(rows), 0, None)
