"""Keeps the suggestions that the checker's own judgement bears out, varied and without near-duplicates."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from app.records import Projected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.records import Facets, Match, Suggestion, VerdictLabel

    Judged = tuple[Suggestion, Projected]

MARGIN = 0.1
"""Fall of the flag probability from which a suggestion counts as having moved something; below it lies wording.

Where the probability was low to begin with, half of it will do."""

SLACK = 0.02
"""How much higher the probability of an original text may come out before its suggestion counts as doing harm."""

NEAR_DUPLICATE = 0.5
"""Share of common words from which two suggestions say the same."""

_RANK: dict[VerdictLabel, int] = {"original": 0, "partly_known": 1, "well_worn": 2}
_MOST: dict[VerdictLabel, int] = {"well_worn": 5, "partly_known": 4, "original": 4}
_HINTS = 3
_EFFORTS = ("a weekend", "two weeks", "a month")
"""The handbook's, from the least to the most."""


def choose(
    candidates: Sequence[Judged], before: VerdictLabel, probability: float, control: Projected | None = None
) -> tuple[Judged, ...]:
    """Choose among candidates that were judged by the same path as the text.

    Args:
        candidates: best first.
        before: verdict of the text itself.
        probability: its flag probability.
        control: what the judge says of the text retold with nothing new; a suggestion must do better than that.

    Returns:
        Up to five for a worn text, four for one that is partly known or original, three hints otherwise; each facet
        comes once before any comes twice, and what changes the verdict comes before what only lowers the probability.
    """
    if before not in _RANK:
        # A sentence with open places can't be tried: it promises nothing, whatever the judge makes of the brackets.
        still = Projected(before, probability)
        return tuple((one, still if "[" in one.rewrite else projected) for one, projected in candidates[:_HINTS])
    fit = [one for one in candidates if _moves(one[1], before, probability)]
    if control:
        bar = min(probability, control.flag_probability)
        fit = [one for one in fit if _beats(one[1], before, bar) and _outranks(one[1], before, control)]
    fit.sort(key=lambda one: _RANK[one[1].verdict] >= _RANK[before] and before != "original")
    said = {one.id: _words(f"{one.title} {one.detail}") for one, _ in fit}
    chosen: list[Judged] = []
    facets: Counter[str] = Counter()
    while fit and len(chosen) < _MOST[before]:
        best = min(fit, key=lambda one: facets[one[0].facet])
        facets[best[0].facet] += 1
        chosen.append(best)
        told = said[best[0].id]
        fit = [one for one in fit if one is not best and _share(said[one[0].id], told) <= NEAR_DUPLICATE]
    return tuple(chosen)


def keep(facets: Facets, matches: Sequence[Match]) -> str:
    """Say in a sentence what is fine as it is, so that nobody polishes it; empty where nothing can be said."""
    method = next(iter(facets.method.items), "")
    parts = []
    if facets.data.status == "own":
        parts.append("Your own data are the strong part: keep them at the centre")
    if method and facets.method.status == "known":
        parts.append(
            f"{method} is fine as it is; a textbook method on good data needs no fancier one"
            if facets.data.status == "own"
            else f"Don't spend time on tuning {method} or on something fancier; the model isn't what is worn out"
        )
    elif any(m.kind == "technique" and m.role == "uses" for m in matches) and facets.method.status == "known":
        parts.append("Don't spend time on a fancier model; the textbook one is fine")
    if facets.additions.status == "some" and facets.additions.items:
        parts.append(f"Keep what goes beyond the usual: {', '.join(facets.additions.items[:2])}")
    return ". ".join(parts[:2]) + "." if parts else ""


def smallest(chosen: Sequence[Judged], before: VerdictLabel) -> str:
    """Name the suggestion of least effort that moves the verdict, and from what to what; empty where none does."""
    moving = [(s, p) for s, p in chosen if p.verdict != before]
    if before not in {"well_worn", "partly_known"} or not moving:
        return ""
    least, to = min(moving, key=lambda one: (_EFFORTS.index(one[0].effort), one[1].flag_probability))
    words = [label.replace("_", " ") for label in (before, to.verdict)]
    return f"Tried on this text: \u201c{least.title}\u201d moves it from {words[0]} to {words[1]}."


def _moves(projected: Projected, before: VerdictLabel, probability: float) -> bool:
    if projected.verdict not in _RANK:
        return False
    steps = _RANK[before] - _RANK[projected.verdict]
    if before == "original":
        return steps >= 0 and projected.flag_probability <= probability + SLACK
    # A better label with a higher probability would be noise at the border, a worse label with a lower one too.
    fall = probability - projected.flag_probability
    return steps >= 0 and fall > 0 and (steps > 0 or fall >= min(MARGIN, probability / 2))


def _beats(projected: Projected, before: VerdictLabel, bar: float) -> bool:
    """Tell whether more than the form of a rewrite moved the judge."""
    return before == "original" or bar - projected.flag_probability >= min(MARGIN, bar / 2)


def _outranks(projected: Projected, before: VerdictLabel, control: Projected) -> bool:
    """Tell whether a verdict is owed to more than the form: where that alone moves it, only the best one shows it."""
    moved_by_form = control.verdict in _RANK and _RANK[control.verdict] < _RANK[before]
    return before == "original" or not moved_by_form or projected.verdict == "original"


def overlap(one: str, other: str) -> float:
    """Give the share of the shorter text's words that the longer one has too, in [0, 1].

    What stands in quotation marks is the author's own and says nothing twice.
    """
    return _share(_words(one), _words(other))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{4,}", re.sub(r"“[^”]*”", " ", text.casefold())))


def _share(mine: set[str], yours: set[str]) -> float:
    return len(mine & yours) / max(1, min(len(mine), len(yours)))
