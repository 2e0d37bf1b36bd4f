"""Tells what an edit moved and why, from the report before it and the report after it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.report import Facet, Reason, Report

SIDES = ("problem", "data", "method", "additions")
MIN_MOVE = 0.15
"""Log-odds that a reason must have moved to be told; the least that a report gives a line to at all."""
MOST_CAUSES = 4
MAX_WORDS = 3_000
"""Words of a text up to which the edit itself is shown word by word; finding it takes quadratic time."""


@dataclass(frozen=True, slots=True)
class Side:
    """A facet before and after; ``gained`` and ``lost`` are what was found of it."""

    name: str
    before: Facet
    after: Facet
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def moved(self) -> bool:
        """Tell whether anything of it is different."""
        return self.before.status != self.after.status or bool(self.gained or self.lost)


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason whose weight changed; ``by`` is in log-odds of well worn, negative towards original.

    Attributes:
        text: what the later report says of it, or what the earlier one said where the later has dropped it.
        dropped: whether the later report no longer names it.
    """

    feature: str
    by: float
    text: str
    dropped: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the two texts: ``kept``, ``added`` or ``removed``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side; ``pieces`` is empty where the words are the same or too many."""

    before: Report
    after: Report
    sides: tuple[Side, ...]
    causes: tuple[Cause, ...]
    pieces: tuple[Piece, ...]

    @property
    def fell_by(self) -> float:
        """How much less likely well worn has become, in [-1, 1]."""
        return self.before.flag_probability - self.after.flag_probability


def compare(before: Report, after: Report, text_before: str = "", text_after: str = "") -> Comparison:
    """Set two reports side by side, strongest cause first."""
    sides = tuple(_side(name, getattr(before.facets, name), getattr(after.facets, name)) for name in SIDES)
    return Comparison(before, after, sides, _causes(before, after), edit(text_before, text_after))


def edit(before: str, after: str) -> tuple[Piece, ...]:
    """Show an edit word by word; joined, what isn't removed is ``after``."""
    old, new = re.findall(r"\s+|\S+", before), re.findall(r"\s+|\S+", after)
    if before == after or max(len(old), len(new)) > 2 * MAX_WORDS:
        return ()
    pieces: list[Piece] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("kept", "".join(new[c:d])))
            continue
        pieces += [Piece("removed", "".join(old[a:b]))] if a < b else []
        pieces += [Piece("added", "".join(new[c:d]))] if c < d else []
    return tuple(pieces)


def _side(name: str, before: Facet, after: Facet) -> Side:
    gained = tuple(one for one in after.items if one not in before.items)
    lost = tuple(one for one in before.items if one not in after.items)
    return Side(name, before, after, gained, lost)


def _causes(before: Report, after: Report) -> tuple[Cause, ...]:
    old = {reason.feature: reason for reason in before.why}
    new = {reason.feature: reason for reason in after.why}
    causes = [_cause(name, old.get(name), new.get(name)) for name in {**new, **old}]
    strongest = sorted(causes, key=lambda one: (-abs(one.by), one.feature))
    return tuple(one for one in strongest if abs(one.by) >= MIN_MOVE)[:MOST_CAUSES]


def _cause(name: str, old: Reason | None, new: Reason | None) -> Cause:
    by = (new.weight if new else 0.0) - (old.weight if old else 0.0)
    shown = new or old
    return Cause(name, round(by, 3), shown.text if shown else "", new is None)
