"""What a source gives: pages of rows, each with the place that the next one begins at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from app import corpus
from app.errors import BadInput, SourceUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence

    from app.corpus import Row

Raw = Mapping[str, Any]
START = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a source, read whole.

    Attributes:
        skipped: items that were no rows.
        after: where the next page begins, in the source's own terms; None after the last.
    """

    rows: tuple[Row, ...]
    skipped: int
    after: str | None


class Source(Protocol):
    """A list of data sets; each row says its ``url``, ``source``, day of reading and, where it's known, ``licence``."""

    name: str

    def pages(self, after: str = START) -> Generator[Page, None, None]:
        """Give the pages in the source's order, from the place that an earlier page has named.

        Raises:
            SourceUnusable: if the source doesn't answer, or has changed its form.
        """
        ...

    def rows(self) -> Iterator[Row]:
        """Give all rows in the source's order."""
        for page in self.pages():
            yield from page.rows


def read(
    place: str, items: Sequence[Any], needed: Collection[str], make: Callable[[Raw], Raw]
) -> tuple[tuple[Row, ...], int]:
    """Make rows of what a page holds; a lone odd item is left out.

    Args:
        place: the page, for messages.
        needed: fields without which an item is none.
        make: turns an item that has them into the fields of a row.

    Returns:
        The rows, and how many items were left out.

    Raises:
        SourceUnusable: if no item of the page has a needed field, so that it's the source that has changed.
    """
    for field in needed:
        if items and not any(_has(item, field) for item in items):
            raise SourceUnusable(
                f"{place}: none of {len(items):,} items has the field {field!r}, so the source has changed its form. "
                "Nothing of this page was taken; what came before it is kept. See whether a newer release reads it."
            )
    found = [_row(item, needed, make) for item in items]
    rows = tuple(row for row in found if row is not None)
    return rows, len(found) - len(rows)


def field(place: str, answer: Any, *path: str) -> Any:
    """Go down into nested objects.

    Raises:
        SourceUnusable: naming the first field of the path that isn't there.
    """
    for step in path:
        if not isinstance(answer, dict) or step not in answer:
            raise SourceUnusable(
                f"{place}: the field {step!r} is missing, so the source has changed its form, or this is another "
                "service. Check the address, and whether a newer release reads it."
            )
        answer = answer[step]
    return answer


def items(place: str, answer: Any) -> list[Any]:
    """Take an answer as a list.

    Raises:
        SourceUnusable: if it is none.
    """
    if not isinstance(answer, list):
        raise SourceUnusable(
            f"{place}: a JSON {type(answer).__name__} where a list is needed, so the source has changed its form, or "
            "this is another service. Check the address, and whether a newer release reads it."
        )
    return answer


def place_of(source: str, after: str, allowed: Callable[[str], bool]) -> str:
    """Check a place that an earlier run has kept.

    Raises:
        SourceUnusable: if the source can't have named it.
    """
    if after != START and not allowed(after):
        raise SourceUnusable(f"{source} can't go on from the place {after!r}. Begin anew: remove the partial file.")
    return after


def text(value: Any) -> str:
    """Write a text, a whole number or a list of texts as one line; anything else is empty."""
    if isinstance(value, list):
        return ", ".join(part for part in map(text, value) if part)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return " ".join(value.split()) if isinstance(value, str) else ""


def about(*parts: str) -> str:
    """Join sentences, each closed by a full stop, to what a row's ``about`` may hold."""
    closed = [part if part.endswith((".", "!", "?", "…")) else f"{part}." for part in parts if part]
    return " ".join(closed)[: corpus.MAX_ABOUT_CHARS]


def today() -> str:
    """Give the ISO date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _has(item: Any, name: str) -> bool:
    return isinstance(item, dict) and text(item.get(name)) != ""


def _row(item: Any, needed: Collection[str], make: Callable[[Raw], Raw]) -> Row | None:
    if not all(_has(item, name) for name in needed):
        return None
    try:
        return corpus.row(make(item))
    except BadInput:
        return None
