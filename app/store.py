"""What keeps an organisation's own collections must be able to do, and what every such keeper shares.

Folders keep them (``app.collection``), or a PostgreSQL server (``app.postgres``); ``app.stores`` opens the one that the
settings name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app import intake
from app.encoder import DIMENSION, at_once
from app.errors import BadInput, CollectionMissing, IndexStale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from app.corpus import Row
    from app.encoder import TextEncoder
    from app.records import Vectors

NAME_FORM = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
KEPT = 5
"""Versions of a collection that can be gone back to; they share their rows, so that they cost little."""
LOCK_TIMEOUT_S = 30
"""Longest wait for another writer: what takes long, the encoding, is done before."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row near to a query.

    Attributes:
        cosine: similarity of meaning, in [-1, 1].
        query: the number of the query's row.
    """

    row: Row
    cosine: float
    query: int


class Held(Protocol):
    """One version of a collection, opened for reading; a later one doesn't change what it says."""

    name: str

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def rows(self) -> Iterator[Row]:
        """Give all rows in the order of their adding."""
        ...

    def search(self, queries: Vectors, k: int) -> list[list[Found]]:
        """Find the nearest rows of every query.

        Args:
            queries: float32 rows of unit length, shape (n, 384).
            k: rows a query, at least 1.

        Returns:
            n lists of at most k rows, best first.
        """
        ...


class Store(Protocol):
    """All collections of one model; whatever is written is there as a whole, or not at all."""

    def names(self) -> list[str]:
        """List what is there."""
        ...

    def open(self, name: str) -> Held:
        """Open the current version.

        Raises:
            BadInput: if no collection can have that name.
            CollectionMissing: if there is no such collection.
            IndexStale: if another model made its vectors, or it is damaged.
        """
        ...

    def add(
        self, name: str, rows: Sequence[Row], encoder: TextEncoder, tell: Callable[[str], None] = lambda _: None
    ) -> Held:
        """Add rows, replacing those with the same id; the collection is made if there is none.

        Args:
            tell: gets a line of progress now and then.

        Returns:
            The new version.

        Raises:
            BadInput: if an id stands twice, or no collection can have that name.
            IndexStale: if the collection that is there can't be read.
            IndexBusy: if another process writes to it.
        """
        ...

    def remove(self, name: str, ids: Iterable[str]) -> int:
        """Remove rows by id; ids that aren't there are passed over.

        Returns:
            How many were removed.

        Raises:
            CollectionMissing, IndexStale: if the collection isn't there or can't be read.
        """
        ...

    def drop(self, name: str) -> None:
        """Delete a whole collection with all its versions.

        Raises:
            CollectionMissing: if there is none.
        """
        ...

    def versions(self, name: str) -> list[int]:
        """List the versions that are kept, oldest first; none if there is no such collection."""
        ...

    def version(self, name: str) -> int:
        """Give the number of the current version; 0 if there is no such collection."""
        ...

    def go_back(self, name: str, to: int | None = None) -> int:
        """Go to another version: the one given, or the newest before the current one.

        Returns:
            Its number.

        Raises:
            IndexMissing: if it isn't kept.
        """
        ...


def checked(name: str) -> str:
    """Give the name back.

    Raises:
        BadInput: if no collection can have it.
    """
    if not NAME_FORM.fullmatch(name):
        raise BadInput(
            "A collection's name has 1 to 64 small letters, digits, dots, hyphens or underscores, and begins and "
            "ends with a letter or digit."
        )
    return name


def missing(name: str) -> CollectionMissing:
    """Say that there is none of that name."""
    return CollectionMissing(f"There is no collection {name!r}. See: originality index list")


def how_to_remake(name: str) -> str:
    """Say how to get a usable collection in the place of one that isn't."""
    return (
        f"Delete it (originality index remove --collection {name} --everything), and add its rows again: "
        f"originality index add FILE --collection {name}"
    )


def refuse_another(name: str, made: tuple[str, int], ours: tuple[str, int]) -> None:
    """See that a collection was made by our model, in our layout.

    Args:
        made: model and layout of what is there.
        ours: those of the reader.

    Raises:
        IndexStale: if it wasn't.
    """
    if made != ours:
        raise IndexStale(
            f"The collection {name!r} was made by {made[0]} in layout {made[1]}, and this is {ours[0]} in layout "
            f"{ours[1]}. {how_to_remake(name)}"
        )


def refuse_twins(rows: Sequence[Row]) -> None:
    """See that every row has an id of its own.

    Raises:
        BadInput: if two share one.
    """
    if len({row.id for row in rows}) < len(rows):
        raise BadInput("Two rows have the same id. Give every row an id of its own.")


def encoded(rows: Sequence[Row], encoder: TextEncoder, tell: Callable[[str], None]) -> Vectors:
    """Give each row the unit-length mean of its sentences' vectors, shape (rows, 384)."""
    result = np.zeros((len(rows), DIMENSION), dtype=np.float32)
    size = at_once(encoder)
    for start in range(0, len(rows), size):
        some = [_sentences(row) for row in rows[start : start + size]]
        vectors = encoder.encode([sentence for sentences in some for sentence in sentences])
        ends = np.cumsum([len(sentences) for sentences in some])
        for number, (end, sentences) in enumerate(zip(ends, some, strict=True), start):
            mean = vectors[end - len(sentences) : end].mean(axis=0)
            result[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        tell(f"encoded {start + len(some):,} of {len(rows):,} rows")
    return result


def _sentences(row: Row) -> list[str]:
    text = " ".join(f"{row.name}: {row.about}".split())
    if len(text) <= intake.MAX_SENTENCE_CHARS:
        return [text]
    brief = intake.read(f"{row.name}\n\n{row.about}"[: intake.MAX_CHARS])
    return [s.text for s in brief.sentences if s.counted] or [text[: intake.MAX_SENTENCE_CHARS]]
