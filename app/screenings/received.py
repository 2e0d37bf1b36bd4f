"""Turns what was sent into entries: the one place that knows how submissions are read."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from app import submissions
from app.errors import BadInput
from app.screenings.bodies import MAX_ITEMS
from app.screenings.entry import Entry
from app.submissions import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.records import Notice
    from app.submissions import Columns

UNFOLLOWED = "a link, and links are only followed where the screening is told to: set fetch."


def entries(
    name: str, content: bytes, columns: Columns = submissions.LIMITS.columns, *, fetch: bool
) -> tuple[tuple[Entry, ...], tuple[Notice, ...]]:
    """Read an upload.

    Args:
        name: of the file as it was sent; its end tells its kind, and it is never used as a path.
        columns: of a table, where their names can't be guessed.
        fetch: leave links to be followed; else each is an error.

    Returns:
        One entry a project, a broken one with its error; and how the file was read.

    Raises:
        BadInput: if there are more than ``MAX_ITEMS``.
    """
    limits = replace(submissions.LIMITS, columns=columns)
    plain = name.replace("\\", "/").rpartition("/")[2] or "the file"
    found = list(itertools.islice(submissions.read(plain, content, limits), MAX_ITEMS + 1))
    if len(found) > MAX_ITEMS:
        raise BadInput(
            f"The file holds more than the {MAX_ITEMS:,} projects that one screening takes. Send it in parts."
        )
    about_file = (notice for item in found for notice in item.notices if notice.code.startswith("file-"))
    return tuple(taken(item, fetch=fetch) for item in found), tuple(about_file)


def taken(item: Item, *, fetch: bool) -> Entry:
    """Make an entry of what was read."""
    error = f"{item.origin}: {UNFOLLOWED}" if item.pending and not fetch else item.error
    notices = tuple(n for n in item.notices if not n.code.startswith("file-"))
    return Entry(item.id, item.text, item.candidate, item.title, item.origin, error, item.link, notices)


def asked(one: Entry) -> Item:
    """Make of an entry what follows links."""
    return Item(one.name, one.text, one.origin, candidate=one.candidate, title=one.title, link=one.link)


def behind(one: Entry, found: Iterable[Item]) -> Sequence[Entry]:
    """Make entries of what stood behind a link: each is still the same candidate's."""
    made = [taken(item, fetch=True) for item in found]
    return [replace(e, candidate=one.candidate or e.candidate, error=e.error or _nothing(e)) for e in made]


def _nothing(one: Entry) -> str:
    return "" if one.text.strip() else f"{one.origin}: the link leads to nothing that can be read as a project."
