"""Reads the four sides of a project (problem, data, method, additions) out of its reading and the judge's opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import roles
from app.matches import evidence
from app.records import Facet, Facets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from app.records import DataStatus, Evidence, Match, MethodStatus, Reading, Span

    Scores = NDArray[np.floating]

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
"""Cue to what it adds, in words; each is a principle in app/advice/data/principles.jsonl."""

OWN_AT = 0.25
"""Probability of own data below which words like "I took" are not read as making data: chance among four origins."""

SAID_AT = 0.3
"""Score from which a sentence is quoted for its role. On READMEs of other authors, six in ten such sentences were
marked ``own`` and five in ten ``addition``."""
HINTED_AT = 0.1
"""Score below which a cue is a word in passing: its sentence is read neither as an addition nor as making data.
A bound, not a measurement: three times below what is quoted."""
UNNAMED_ADDITION = "a step beyond the usual"

_OF_OWN_DATA = ("own_data", "annotators")
_WITHDRAWN = ("planned",)
_OWN, _ADDITION = roles.ROLES.index("own"), roles.ROLES.index("addition")
QUOTED = 5
"""Sentences quoted for how the data were made."""


def done(reading: Reading, cue: str, said: Scores | None = None) -> list[Span]:
    """Find where a cue stands in a sentence that tells what was done: not planned, not said of others.

    Args:
        said: roles of the counted sentences; where they are given, words in passing are left out.
    """
    found = []
    for row, cues in enumerate(reading.cues):
        if said is not None and max(said[row, _OWN], said[row, _ADDITION]) < HINTED_AT:
            continue
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
    said: Scores,
    *,
    data: DataStatus,
    method: MethodStatus,
    follows: float,
    own: float,
) -> Facets:
    """Read the facets.

    Args:
        names: entry to its name.
        said: roles of the counted sentences, as ``roles.scores`` gives them.
        data: who made the data, as the judge reads it.
        method: what the method is, as the judge reads it.
        follows: probability that the text follows a recognised tutorial, in [0, 1].
        own: probability that the data are the author's own, in [0, 1].
    """
    return Facets(
        problem=_problem(matches, names, follows),
        data=_data(reading, matches, names, said, data),
        method=_of(method, [m for m in matches if m.kind == "technique" and m.role == "uses"], names),
        additions=_additions(reading, said, own),
    )


def telling(
    reading: Reading, leanings: Mapping[int, float], pulls: Mapping[str, float]
) -> dict[str, Sequence[Evidence]]:
    """Point at the sentences whose wording and meaning lean furthest the way that the side pulls.

    Args:
        leanings: index of a sentence to how far it leans to worn.
        pulls: side of the text to its log-odds towards well worn.
    """
    result: dict[str, Sequence[Evidence]] = {}
    for side in ("wording", "sense"):
        sign = 1.0 if pulls[side] >= 0 else -1.0
        furthest = sorted(leanings, key=lambda i, sign=sign: -sign * leanings[i])[:2]  # type: ignore[misc]
        result[side] = evidence(reading.brief, [reading.brief.sentences[i].span for i in furthest])
    return result


def _problem(matches: Sequence[Match], names: Mapping[str, str], follows: float) -> Facet:
    themes = [m for m in matches if m.kind in {"tutorial", "cliche"}]
    familiar = any(m.cosine >= FAMILIAR_AT for m in themes)
    status = "worn" if follows >= FOLLOWS_AT else "familiar" if familiar else "own"
    return _of(status, themes[:3] if status != "own" else [], names)


def _data(
    reading: Reading, matches: Sequence[Match], names: Mapping[str, str], said: Scores, status: DataStatus
) -> Facet:
    rests = [m for m in matches if m.kind == "dataset" and m.role == "rests_on"]
    if status != "own":
        return _of(status, rests, names)
    own = evidence(reading.brief, _making(reading, said) or done(reading, "own_data"))
    known = tuple(names[m.entry] for m in rests)
    return Facet(status, ("the author's own data", *known), own + tuple(e for m in rests for e in m.evidence))


def _making(reading: Reading, said: Scores) -> list[Span]:
    """Find the sentences that tell how the author made the data, surest first: the telling words, or all of it."""
    rows = [row for row in (-said[:, _OWN]).argsort().tolist() if said[row, _OWN] >= SAID_AT]
    sentences = [reading.brief.sentences[reading.counted[row]].span for row in rows[:QUOTED]]
    return [reading.cues[row].get("own_data", span) for row, span in zip(rows, sentences, strict=False)]


def _additions(reading: Reading, said: Scores, own: float) -> Facet:
    found = {cue: done(reading, cue, said) for cue in ADDITIONS if own >= OWN_AT or cue not in _OF_OWN_DATA}
    items = tuple(ADDITIONS[cue] for cue, spans in found.items() if spans)
    spans = [spans[0] for spans in found.values() if spans]
    if not items and len(said) and said[:, _ADDITION].max() >= SAID_AT:
        items = (UNNAMED_ADDITION,)
        spans = [reading.brief.sentences[reading.counted[int(said[:, _ADDITION].argmax())]].span]
    return Facet("some" if items else "none", items, evidence(reading.brief, spans))


def _of(status: str, matches: Sequence[Match], names: Mapping[str, str]) -> Facet:
    items = tuple(dict.fromkeys(names[m.entry] for m in matches))
    return Facet(status, items, tuple(dict.fromkeys(e for m in matches for e in m.evidence))[:8])
