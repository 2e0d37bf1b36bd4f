"""Reads the four sides of a project (problem, data, method, additions) out of its reading and the judge's opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.matches import evidence
from app.records import Facet, Facets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.records import DataStatus, Match, MethodStatus, Reading, Span

FOLLOWS_AT = 0.5
FAMILIAR_AT = 0.6
"""Cosine of the nearest theme from which a problem counts as familiar: half of the labelled texts above it follow a
recognised tutorial. A third of the originals lie above it too, so it informs and decides nothing."""

ADDITIONS: dict[str, str] = {
    "own_data": "data of one's own",
    "annotators": "labels made and checked",
    "study": "a rigorous study",
    "users": "people who use it or need it",
    "operated": "operation: monitoring, retraining, tests in use",
    "device": "a device or a constraint that shaped it",
}
"""Cue to what it adds, in words; each is a principle in app/data/principles.jsonl."""

OWN_AT = 0.25
"""Probability of own data below which words like "I took" are not read as making data: chance among four origins."""

_OF_OWN_DATA = ("own_data", "annotators")
_WITHDRAWN = ("planned",)


def done(reading: Reading, cue: str) -> list[Span]:
    """Find where a cue stands in a sentence that tells what was done: not planned, not said of others."""
    found = []
    for cues in reading.cues:
        if cue not in cues or any(name in cues for name in _WITHDRAWN):
            continue
        if cue == "own_data" and "others_data" in cues and "self" not in cues:
            continue
        found.append(cues[cue])
    return found


def read(
    reading: Reading,
    matches: Sequence[Match],
    names: Mapping[str, str],
    *,
    data: DataStatus,
    method: MethodStatus,
    follows: float,
    own: float,
) -> Facets:
    """Read the facets.

    Args:
        names: entry to its name.
        data: who made the data, as the judge reads it.
        method: what the method is, as the judge reads it.
        follows: probability that the text follows a recognised tutorial, in [0, 1].
        own: probability that the data are the author's own, in [0, 1].
    """
    return Facets(
        problem=_problem(matches, names, follows),
        data=_data(reading, matches, names, data),
        method=_of(method, [m for m in matches if m.kind == "technique" and m.role == "uses"], names),
        additions=_additions(reading, own),
    )


def _problem(matches: Sequence[Match], names: Mapping[str, str], follows: float) -> Facet:
    themes = [m for m in matches if m.kind in {"tutorial", "cliche"}]
    familiar = any(m.cosine >= FAMILIAR_AT for m in themes)
    status = "worn" if follows >= FOLLOWS_AT else "familiar" if familiar else "own"
    return _of(status, themes[:3] if status != "own" else [], names)


def _data(reading: Reading, matches: Sequence[Match], names: Mapping[str, str], status: DataStatus) -> Facet:
    rests = [m for m in matches if m.kind == "dataset" and m.role == "rests_on"]
    if status != "own":
        return _of(status, rests, names)
    own = evidence(reading.brief, done(reading, "own_data"))
    known = tuple(names[m.entry] for m in rests)
    return Facet(status, ("the author's own data", *known), own + tuple(e for m in rests for e in m.evidence))


def _additions(reading: Reading, own: float) -> Facet:
    found = {cue: done(reading, cue) for cue in ADDITIONS if own >= OWN_AT or cue not in _OF_OWN_DATA}
    items = tuple(ADDITIONS[cue] for cue, spans in found.items() if spans)
    spans = [spans[0] for spans in found.values() if spans]
    return Facet("some" if items else "none", items, evidence(reading.brief, spans))


def _of(status: str, matches: Sequence[Match], names: Mapping[str, str]) -> Facet:
    items = tuple(dict.fromkeys(names[m.entry] for m in matches))
    return Facet(status, items, tuple(dict.fromkeys(e for m in matches for e in m.evidence))[:8])
