"""The Hugging Face Hub: its list of data sets, most downloaded first, paged by ``Link`` headers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from app.harvest.page import START, Page, Raw, Source, about, items, place_of, read, text, today
from app.harvest.web import LIMITS, Limits, Web

if TYPE_CHECKING:
    from collections.abc import Generator

BASE = "https://huggingface.co"
PAGE_ROWS = 500
_TASKS = "task_categories:"
_LICENCE = "license:"


class Hub(Source):
    """The Hub or a mirror of it; a place is the query of a page."""

    name = "hub"

    def __init__(self, base_url: str = BASE, limits: Limits = LIMITS) -> None:
        """Remember where; nothing is sent yet."""
        self._base = base_url
        self._limits = limits

    def pages(self, after: str = START) -> Generator[Page, None, None]:
        """Give the pages; see ``Source``."""
        # Only these fields: the full form lists every file of every data set, megabytes a page.
        fields = [("expand", "description"), ("expand", "tags"), ("expand", "downloads")]
        first = urlencode([("sort", "downloads"), ("limit", str(PAGE_ROWS)), *fields])
        query = place_of(self.name, after, lambda kept: "=" in kept) or first
        with Web(self._base, self._limits) as web:
            while query:
                # Of the next page's address the query alone is taken: it leads nowhere else, and fits a mirror.
                answer = web.get("/api/datasets", query)
                rows, skipped = read(answer.place, items(answer.place, answer.json()), ("id",), _row)
                following = answer.following if answer.following != query else ""
                yield Page(rows, skipped, following or None)
                query = following


def _row(item: Raw) -> Raw:
    key = text(item["id"])
    tags = [tag for tag in item.get("tags") or () if isinstance(tag, str)] if isinstance(item.get("tags"), list) else []
    tasks = [tag.removeprefix(_TASKS).replace("-", " ") for tag in tags if tag.startswith(_TASKS)]
    return {
        "id": f"hub:{key}",
        "name": key.rpartition("/")[2],
        "about": about(text(item.get("description")), f"For {text(tasks)}" if tasks else ""),
        "url": f"{BASE}/datasets/{key}",
        "source": "Hugging Face Hub",
        "licence": text([tag.removeprefix(_LICENCE) for tag in tags if tag.startswith(_LICENCE)]),
        "retrieved": today(),
    }
