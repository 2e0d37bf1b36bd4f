"""R's collections: the index that the Rdatasets archive keeps of the data sets in R's packages, one CSV file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from app.errors import SourceUnusable
from app.harvest.page import START, Page, Raw, Source, about, read, text, today
from app.harvest.web import LIMITS, Limits, Web

if TYPE_CHECKING:
    from collections.abc import Generator

BASE = "https://vincentarelbundock.github.io/Rdatasets"


class Rdatasets(Source):
    """The archive or a mirror of it; its index is one page."""

    name = "rdatasets"

    def __init__(self, base_url: str = BASE, limits: Limits = LIMITS) -> None:
        """Remember where; nothing is sent yet."""
        self._base = base_url
        self._limits = limits

    def pages(self, after: str = START) -> Generator[Page, None, None]:  # noqa: ARG002  there is one page
        """Give the one page; see ``Source``."""
        with Web(self._base, self._limits) as web:
            answer = web.get("/datasets.csv")
        try:
            lines = list(csv.DictReader(io.StringIO(answer.text(), newline=""), strict=True))
        except csv.Error as error:
            raise SourceUnusable(f"{answer.place} is not a readable CSV file ({error}). Check the address.") from error
        rows, skipped = read(answer.place, lines, ("Package", "Item", "Title"), _row)
        yield Page(rows, skipped, None)


def _row(item: Raw) -> Raw:
    package, name = text(item["Package"]), text(item["Item"])
    shape = f"{text(item.get('Rows'))} rows and {text(item.get('Cols'))} columns"
    whole = text(item.get("Rows")).isdecimal() and text(item.get("Cols")).isdecimal()
    return {
        "id": f"rdatasets:{package}/{name}",
        "name": name,
        "about": about(text(item["Title"]), f"In R's package {package}{f', with {shape}' if whole else ''}"),
        "url": text(item.get("Doc")) or f"{BASE}/doc/{package}/{name}.html",
        "source": "Rdatasets",
        "retrieved": today(),
    }
