"""Shows what lies near in an organisation's own collections: beside the verdict, which it never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import matches
from app.report import Evidence, Neighbour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.records import Reading
    from app.store import Found, Held

NEIGHBOURS = 5
"""Rows of a collection that a report shows."""
NEAR_AT = 0.7
"""Cosine below which a row of a collection isn't shown. Of all pairs of the 1,308 READMEs behind
``scripts/training/texts.parquet`` by different authors one in a hundred comes nearer than .69."""


def of(reading: Reading, among: Held) -> list[Neighbour]:
    """Give the rows nearest to the text as a whole, each with the sentences that come near to it themselves."""
    *lines, whole = among.search(reading.vectors, NEIGHBOURS)
    nearest = [
        _neighbour(among.name, one, [n for n, line in enumerate(lines) if any(_same(one, f) for f in line)], reading)
        for one in whole
        if one.cosine >= NEAR_AT
    ]
    return nearest if reading.counted else []


def _same(one: Found, other: Found) -> bool:
    return one.row.id == other.row.id and other.cosine >= NEAR_AT


def _neighbour(name: str, one: Found, lines: Sequence[int], reading: Reading | None = None) -> Neighbour:
    spans = [reading.brief.sentences[reading.counted[n]].span for n in lines] if reading else []
    quotes = matches.evidence(reading.brief, spans) if reading else []
    return Neighbour(
        collection=name,
        entry=one.row.id,
        name=one.row.name,
        url=one.row.url or None,
        cosine=round(one.cosine, 4),
        evidence=[Evidence(start=e.start, end=e.end, quote=e.quote) for e in quotes],
    )


def found(name: str, reading: Reading, rows: Sequence[Found]) -> list[Neighbour]:
    """Give a collection's rows that a search found, without evidence; none for a text that says nothing."""
    return [_neighbour(name, one, []) for one in rows if reading.counted]
