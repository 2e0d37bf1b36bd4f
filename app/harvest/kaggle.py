"""Kaggle: its public list of data sets, most voted first, paged by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.harvest.page import START, Page, Raw, Source, about, items, place_of, read, text, today
from app.harvest.web import LIMITS, Limits, Web

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.harvest.web import Answer

BASE = "https://www.kaggle.com"
PATH = "/api/v1/datasets/list"
_NOT_FOUND = 404
_FIELDS = ("title", "subtitle", "description", "licenseName")


class Kaggle(Source):
    """Kaggle or a mirror of its list; a place is the number of a page."""

    name = "kaggle"

    def __init__(self, base_url: str = BASE, limits: Limits = LIMITS) -> None:
        """Remember where; nothing is sent yet."""
        self._base = base_url
        self._limits = limits

    def pages(self, after: str = START) -> Generator[Page, None, None]:
        """Give the pages; see ``Source``."""
        number = int(place_of(self.name, after, str.isdecimal) or 1)
        with Web(self._base, self._limits) as web:
            while found := _listed(web.get(PATH, f"sortBy=votes&page={number}", also=_ends(number))):
                rows, skipped = read(f"{self._base}, page {number}", found, ("ref", "title"), _row)
                number += 1
                yield Page(rows, skipped, str(number))
        yield Page((), 0, None)


def _ends(number: int) -> set[int]:
    """Give the statuses that stand for an empty page: none for the first, which must be there."""
    return {_NOT_FOUND} if number > 1 else set()


def _listed(answer: Answer) -> list[Any]:
    """Take the list bare, or out of the object that newer answers wrap it in."""
    if answer.status == _NOT_FOUND:
        return []
    content = answer.json()
    wrapped = isinstance(content, dict) and "datasets" in content
    return [_plain(item) for item in items(answer.place, content["datasets"] if wrapped else content)]


def _plain(item: Any) -> Any:
    """Put each field in its place: some answers have it as ``titleNullable`` and nothing useful under ``title``."""
    if not isinstance(item, dict):
        return item
    return item | {name: text(item.get(name)) or text(item.get(f"{name}Nullable")) for name in _FIELDS}


def _row(item: Raw) -> Raw:
    key = text(item["ref"]).strip("/")
    return {
        "id": f"kaggle:{key}",
        "name": text(item["title"]),
        "about": about(text(item.get("subtitle")), text(item.get("description"))),
        "url": f"{BASE}/datasets/{key}",
        "source": "Kaggle",
        "licence": text(item.get("licenseName")),
        "retrieved": today(),
    }
