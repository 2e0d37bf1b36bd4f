"""Gives the measured error rates as the screener should read them: with intervals, by language and by fluency."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app import words

FILE = Path(__file__).resolve().parent / "figures.json"
"""Taken from docs/EVALUATION.md, which is held to the shipped judge; a test holds this file to that one."""
_Z = 1.959964
"""Normal quantile of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; all in [0, 1]."""

    name: str
    value: float
    low: float
    high: float
    count: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, of READMEs that nobody here wrote.

    Attributes:
        texts: how many.
        rates: what went wrong, in words, how often.
        languages: share of wrong flags by language, the commonest first.
        fluency: the same by how fluent the English is, of texts that were written for this.
    """

    texts: int
    rates: tuple[Rate, ...]
    languages: tuple[Rate, ...]
    fluency: tuple[Rate, ...]


@cache
def figures() -> Figures:
    """Read them."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    precision, recall, originals = (found[name] for name in ("precision", "recall", "originals_flagged"))
    rates = (
        Rate(words.RATES["originals_flagged"], *originals),
        Rate(words.RATES["wrong"], *_other(precision)),
        Rate(words.RATES["missed"], *_other(recall)),
    )
    by_language, by_fluency = (
        [Rate(name, *_wilson(count - right, count), count) for name, (right, count) in found[part].items()]
        for part in ("languages", "fluency")
    )
    return Figures(found["texts"], rates, tuple(sorted(by_language, key=lambda r: -r.count)), tuple(by_fluency))


def _other(share: list[float]) -> tuple[float, float, float]:
    value, low, high = share
    return 1 - value, 1 - high, 1 - low


def _wilson(hits: int, count: int) -> tuple[float, float, float]:
    """Give a share with Wilson's interval (1927), which holds for few cases, too."""
    share, z = hits / count, _Z**2 / count
    middle = (share + z / 2) / (1 + z)
    half = _Z * math.sqrt(share * (1 - share) / count + z / (4 * count)) / (1 + z)
    return share, max(0.0, middle - half), min(1.0, middle + half)
