"""OpenML: its list of active data sets, paged by offset; the list says shape and kinds of columns, not more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.errors import SourceUnusable
from app.harvest.page import START, Page, Raw, Source, about, field, items, place_of, read, text, today
from app.harvest.web import LIMITS, Limits, Web

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.harvest.web import Answer

BASE = "https://www.openml.org"
PAGE_ROWS = 1_000
NOTHING_FOUND = "372"
"""OpenML's own code for an empty list; it comes with the status 412, past the last page."""
_PRECONDITION_FAILED = 412


class OpenML(Source):
    """OpenML or a server that speaks like it; a place is an offset."""

    name = "openml"

    def __init__(self, base_url: str = BASE, limits: Limits = LIMITS) -> None:
        """Remember where; nothing is sent yet."""
        self._base = base_url
        self._limits = limits

    def pages(self, after: str = START) -> Generator[Page, None, None]:
        """Give the pages; see ``Source``."""
        offset = int(place_of(self.name, after, str.isdecimal) or 0)
        with Web(self._base, self._limits) as web:
            while found := _listed(web.get(_path(offset), also={_PRECONDITION_FAILED})):
                rows, skipped = read(f"{self._base}{_path(offset)}", found, ("did", "name"), _row)
                offset += len(found)
                yield Page(rows, skipped, str(offset))
        yield Page((), 0, None)


def _path(offset: int) -> str:
    return f"/api/v1/json/data/list/limit/{PAGE_ROWS}/offset/{offset}"


def _listed(answer: Answer) -> list[Any]:
    content = answer.json()
    if answer.status == _PRECONDITION_FAILED:
        code = text(field(answer.place, content, "error", "code"))
        if code != NOTHING_FOUND:
            raise SourceUnusable(
                f"{answer.place} refused with its own error {code[:20]!r}; a list is needed, or {NOTHING_FOUND} past "
                "its end. Check the address."
            )
        return []
    return items(answer.place, field(answer.place, content, "data", "dataset"))


def _row(item: Raw) -> Raw:
    key = text(item["did"])
    return {
        "id": f"openml:{key}",
        "name": text(item["name"]),
        "about": about(_shape(item.get("quality"))),
        "url": f"{BASE}/d/{key}",
        "source": "OpenML",
        "retrieved": today(),
    }


def _shape(qualities: Any) -> str:
    """Say in words how large the table is and what for; what isn't known is left out."""
    pairs = [q for q in qualities if isinstance(q, dict)] if isinstance(qualities, list) else []
    known = {text(q.get("name")): _count(q.get("value")) for q in pairs}
    parts = [
        f"{count:,} {what}"
        for name, what in (
            ("NumberOfInstances", "rows"),
            ("NumberOfFeatures", "columns"),
            ("NumberOfNumericFeatures", "of them numeric"),
            ("NumberOfClasses", "classes to tell apart"),
        )
        if (count := known.get(name, 0)) > 0
    ]
    return f"A table of {', '.join(parts)}" if parts else ""


def _count(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0
