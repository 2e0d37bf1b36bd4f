"""Draws an idea among the known: a map of its nearest entries, and how trodden each pair of data and method is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from app.catalogue import Catalogue
    from app.index import ViewIndex
    from app.records import EntryKind, Reading
    from app.report import Report

    Numbers = NDArray[np.float64]

SHOWN = 20
"""Entries on a map: about as many as a reader goes through."""
APART = 0.11
"""Least distance of two points on the map, whose half width is one: a dot's own breadth on a phone."""
STEPS = 80
"""Rounds of pushing apart; twenty points at random are apart after thirty."""
ROWS, COLUMNS, NEARBY = 7, 6, 3
LEVELS = (1, 2, 4, 8)
"""Projects from which a pair is one shade darker: each twice the one before."""
OWN = "own"
"""The key of the row that stands for data of the author's own."""


@dataclass(frozen=True, slots=True)
class Point:
    """An entry on the map.

    Attributes:
        x, y: from the idea, which stands at the origin, each in [-1, 1].
        cosine: of the entry's nearest view to the whole text.
    """

    entry: str
    kind: EntryKind
    cosine: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The nearest entries, nearest first; ``kept`` is the rank correlation of drawn and true distances, in [-1, 1]."""

    points: tuple[Point, ...]
    kept: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of data and method: how many taught projects and common themes join the two.

    Attributes:
        level: 0 where there is none, to ``len(LEVELS)``.
        own: whether it is where the idea stands.
    """

    count: int
    level: int
    own: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """Datasets (rows; ids, or ``OWN``) and techniques (columns; ids), and what joins them."""

    datasets: tuple[str, ...]
    techniques: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]


class Atlas:
    """Places texts among the entries of one index."""

    def __init__(self, views: ViewIndex, catalogue: Catalogue) -> None:
        """Remember which rows belong to which entry, and count what joins data and methods."""
        self._views = views
        self._datasets = catalogue.datasets.keys()
        self._joined = Counter(
            (d, t)
            for entries in (catalogue.tutorials, catalogue.cliches)
            for entry in entries.values()
            for d in set(entry.datasets) & catalogue.datasets.keys()
            for t in set(entry.techniques) & catalogue.techniques.keys()
        )
        self._rows: dict[str, list[int]] = {}
        for number, row in enumerate(views.rows):
            self._rows.setdefault(row.entry, []).append(number)

    def around(self, reading: Reading) -> Chart:
        """Draw the entries nearest to a text, each by its nearest view; empty where the text has no counted sentence.

        The places come from classical scaling (Torgerson 1952) of all distances among text and views, moved apart where
        points would hide each other.
        """
        ranked = sorted(reading.overall, key=lambda e: (-reading.overall[e], e))
        near = [entry for entry in ranked if entry in self._rows][:SHOWN]
        if not reading.counted or not near:
            return Chart((), 0.0)
        whole = reading.vectors[-1]
        views = [np.stack([self._views.vector(n) for n in self._rows[e]]) for e in near]
        best = [one[int((one @ whole).argmax())] for one in views]
        vectors = np.stack([whole, *best]).astype(np.float64)
        distances = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * vectors @ vectors.T))
        places = _apart(_centred(scaled(distances)))
        points = tuple(
            Point(e, reading.nearest[e].kind, float(vectors[0] @ vectors[n]), *_rounded(places[n]))
            for n, e in enumerate(near, 1)
        )
        drawn = np.linalg.norm(places[:, None] - places[None, :], axis=-1)
        return Chart(points, _rank_correlation(distances, drawn))

    def trodden(self, report: Report, near: Iterable[str] = ()) -> Grid:
        """Count, for the idea's data and methods and their commonest companions, what joins them.

        Args:
            near: entries near to the text, which fill the rows where the idea names few datasets.
        """
        rests = [m.entry for m in report.matches if m.kind == "dataset" and m.role == "rests_on"]
        uses = [m.entry for m in report.matches if m.kind == "technique" and m.role == "uses"]
        mine = [OWN] * (report.facets.data.status == "own") + rests
        nearby = [e for e in near if e in self._datasets][:NEARBY]
        rows = _filled(mine, [*nearby, *_companions(self._joined, 0, uses), *_commonest(self._joined, 0)], ROWS)
        columns = _filled(uses, [*_companions(self._joined, 1, rows), *_commonest(self._joined, 1)], COLUMNS)
        # Without a method an idea has no cell.
        cells = [tuple(_cell(self._joined[(d, t)], own=d in mine and t in uses) for t in columns) for d in rows]
        return Grid(tuple(rows), tuple(columns), tuple(cells))


def scaled(distances: Numbers) -> Numbers:
    """Place n points in a plane so that their distances come close to those given; shape (n, n) to (n, 2)."""
    n = len(distances)
    centring = np.eye(n) - 1.0 / n
    values, axes = np.linalg.eigh(-0.5 * centring @ (distances**2) @ centring)
    plane = axes[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0.0))
    # An axis may point either way: the point furthest along it is put on its positive side, so that maps repeat.
    furthest = plane[np.abs(plane).argmax(axis=0), range(plane.shape[1])]
    return np.asarray(plane * np.where(furthest < 0, -1.0, 1.0))


def _cell(count: int, *, own: bool) -> Cell:
    return Cell(count, sum(count >= least for least in LEVELS), own)


def _companions(joined: Counter[tuple[str, str]], side: int, given: Sequence[str]) -> list[str]:
    """List what is most often joined with any of those given on the other side."""
    found: Counter[str] = Counter()
    for pair, count in joined.items():
        if pair[1 - side] in given:
            found[pair[side]] += count
    return [one for one, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def _commonest(joined: Counter[tuple[str, str]], side: int) -> list[str]:
    return _companions(joined, side, [pair[1 - side] for pair in joined])[: ROWS + COLUMNS]


def _filled(first: Sequence[str], more: Sequence[str], most: int) -> list[str]:
    return list(dict.fromkeys([*first, *more]))[:most]


def _centred(places: Numbers) -> Numbers:
    """Move the idea to the origin and the furthest point to the border."""
    moved = places - places[0]
    return np.asarray(moved / max(1e-9, float(np.abs(moved).max())))


def _apart(places: Numbers) -> Numbers:
    """Push points apart that would hide each other; the idea stays where it is, and all stay inside."""
    placed = places.copy()
    # Points in one place have no direction to leave in: each gets a tiny one of its own, the same every time.
    turn = np.arange(len(placed)) * 2.4
    placed[1:] += 1e-4 * np.stack([np.cos(turn), np.sin(turn)], axis=1)[1:]
    for _ in range(STEPS):
        between = placed[:, None] - placed[None, :]
        length = np.linalg.norm(between, axis=-1)
        np.fill_diagonal(length, np.inf)
        short = np.maximum(0.0, APART - length)
        if not short.any():
            break
        push = (between / length[..., None] * short[..., None] / 2).sum(axis=1)
        push[0] = 0.0
        placed = np.clip(placed + push, -1.0, 1.0)
    return placed


def _rounded(place: Numbers) -> tuple[float, float]:
    return round(float(place[0]), 3), round(float(place[1]), 3)


def _rank_correlation(one: Numbers, other: Numbers) -> float:
    upper = np.triu_indices(len(one), 1)
    ranks = [matrix[upper].argsort().argsort().astype(np.float64) for matrix in (one, other)]
    if len(ranks[0]) < 2:
        return 0.0
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 2)
