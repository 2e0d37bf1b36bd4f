"""Finds texts that candidates share: near-identical projects of two, and hand-outs that many were given; pure.

Texts are compared by their runs of words, hashed (Broder 1997, on the resemblance and containment of documents).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RUN = 7
"""Words of a run: long enough that two people who describe the same dataset rarely write the same one by chance."""
MANY = 4
"""Candidates from whom on a shared run counts as a hand-out: a copy passes between two or three, a template to all."""
LEAST_WORDS = 14
"""Shared words below which two texts are not shown: two runs."""
SHARE = 0.5
"""Share of the shorter text's own words from which two projects count as near-identical."""
LONG_WORDS = 80
"""Shared words from which a pair is shown however long both texts are."""
MOST_PAIRS = 200
MOST_ALIKE = 10
"""Texts of one candidate with the same run that are compared with others: more would take time with their square."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Text:
    """One project's text, and whose it is; an empty candidate is nobody else's."""

    number: int
    candidate: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; ``kind`` is ``shared`` with the other one, from a ``handout``, or empty."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two near-identical projects of different candidates.

    Attributes:
        share: of the shorter text's own words, in [0, 1]; what stands in a hand-out is nobody's own.
        words: shared ones.
        pieces: both texts, cut where what they share begins and ends.
    """

    first: Text
    second: Text
    share: float
    words: int
    pieces: tuple[tuple[Piece, ...], tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class Handout:
    """A passage that many candidates have: a task's wording, a course's template."""

    text: str
    candidates: int


@dataclass(frozen=True, slots=True)
class _Read:
    text: Text
    who: str
    spans: list[tuple[int, int]]
    runs: list[int]


def find(texts: Iterable[Text]) -> tuple[list[Pair], list[Handout]]:
    """Find both: pairs with the largest share first, passages with the most candidates first."""
    read = [_read(one) for one in texts]
    holders: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(read):
        for run in set(one.runs):
            holders[run].append(place)
    who = {run: {read[p].who for p in places} for run, places in holders.items() if len(places) > 1}
    common = {run for run, people in who.items() if len(people) >= MANY}
    together: dict[tuple[int, int], set[int]] = defaultdict(set)
    for run, people in who.items():
        if 1 < len(people) < MANY:
            for a, b in combinations(_few(holders[run], read), 2):
                if read[a].who != read[b].who:
                    together[a, b].add(run)
    pairs = [pair for (a, b), runs in together.items() if (pair := _pair(read[a], read[b], runs, common))]
    best = sorted(pairs, key=lambda p: (-p.share, -p.words, p.first.number, p.second.number))[:MOST_PAIRS]
    return best, _handouts(read, common, who)


def _few(places: Sequence[int], read: Sequence[_Read]) -> list[int]:
    """Keep the first ``MOST_ALIKE`` texts of each candidate."""
    seen: Counter[str] = Counter()
    kept = []
    for place in places:
        seen[read[place].who] += 1
        if seen[read[place].who] <= MOST_ALIKE:
            kept.append(place)
    return kept


def _read(one: Text) -> _Read:
    spans = [match.span() for match in _WORD.finditer(one.text)]
    words = [one.text[start:end].casefold() for start, end in spans]
    runs = [hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1)]
    return _Read(one, one.candidate or f"\0{one.number}", spans, runs)


def _covered(one: _Read, runs: set[int]) -> list[bool]:
    """Tell for every word whether it lies in one of the runs."""
    covered = [False] * len(one.spans)
    for at, run in enumerate(one.runs):
        if run in runs:
            covered[at : at + RUN] = [True] * RUN
    return covered


def _pair(a: _Read, b: _Read, runs: set[int], common: set[int]) -> Pair | None:
    shared = [_covered(one, runs) for one in (a, b)]
    given = [_covered(one, common) for one in (a, b)]
    own = [
        sum(1 for s, g in zip(some, known, strict=True) if s or not g)
        for some, known in zip(shared, given, strict=True)
    ]
    words = min(map(sum, shared))
    share = words / max(1, min(own))
    if words < LEAST_WORDS or (share < SHARE and words < LONG_WORDS):
        return None
    kinds = [
        ["shared" if s else "handout" if g else "" for s, g in zip(some, known, strict=True)]
        for some, known in zip(shared, given, strict=True)
    ]
    return Pair(a.text, b.text, min(1.0, share), words, (_pieces(a, kinds[0]), _pieces(b, kinds[1])))


def _pieces(one: _Read, kinds: Sequence[str]) -> tuple[Piece, ...]:
    """Cut a text where its words' kind changes; what stands between two words of a kind is of it, too."""
    text = one.text.text
    cuts = [(0, "")]
    before = ""
    for (start, _), (_, last), kind in zip(one.spans, [(0, 0), *one.spans], kinds, strict=False):
        if kind != before:
            cuts.append((start if kind else last, kind))
        before = kind
    if before:
        cuts.append((one.spans[-1][1], ""))
    ends = [*cuts[1:], (len(text), "")]
    return tuple(Piece(text[at:end], kind) for (at, kind), (end, _) in zip(cuts, ends, strict=True) if end > at)


def _handouts(read: Sequence[_Read], common: set[int], who: dict[int, set[str]]) -> list[Handout]:
    """Give each passage once: the stretch as it stands in the first text that has it."""
    told: set[int] = set()
    found = []
    for one in read:
        fresh = [at for at, run in enumerate(one.runs) if run in common and run not in told]
        breaks = [0, *(n for n, (a, b) in enumerate(pairwise(fresh), start=1) if b > a + 1), len(fresh)]
        for first, last in pairwise(breaks):
            stretch = fresh[first:last]
            if stretch:
                start, end = one.spans[stretch[0]][0], one.spans[stretch[-1] + RUN - 1][1]
                count = max(len(who[one.runs[at]]) for at in stretch)
                found.append(Handout(one.text.text[start:end], count))
        told |= {one.runs[at] for at in fresh}
    return sorted(found, key=lambda h: (-h.candidates, -len(h.text)))
