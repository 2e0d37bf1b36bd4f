"""Tries the candidates that may be chosen, and no others: most of what an idea's suggestions cost is reading rewrites.

A candidate that wouldn't be chosen if its rewrite did as well as can be needn't be read: the choice is the same as if
all had been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.advice.selection import choose
from app.records import Projected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from app.advice.selection import Judged
    from app.records import Suggestion, VerdictLabel

    Judging = Callable[[Sequence[tuple[str, str]]], Sequence[Projected]]
    """From texts, each with its language, to what the checker says of them."""

_CONTROL = ""
_BEST = Projected("original", -1.0)
"""Better than any rewrite can do: it passes every bar of ``choose``."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one text is offered.

    Attributes:
        candidates: best first, no id twice.
        control: the text retold with nothing new; empty where the choice doesn't hang on it.
        before: verdict of the text itself.
        probability: its flag probability.
        language: the text's, which its rewrites are read in.
    """

    candidates: Sequence[Suggestion]
    control: str
    before: VerdictLabel
    probability: float
    language: str


def settle(offers: Sequence[Offer], judge: Judging) -> list[tuple[Judged, ...]]:
    """Choose each text's suggestions, judging rewrites of all texts together until nothing untried could be chosen."""
    tried: list[dict[str, Projected]] = [{} for _ in offers]
    while wanted := [(n, *one) for n, offer in enumerate(offers) for one in _wanted(offer, tried[n])]:
        answers = judge([(text, offers[n].language) for n, _, text in wanted])
        for (n, name, _), answer in zip(wanted, answers, strict=True):
            tried[n][name] = answer
    return [_chosen(offer, done) for offer, done in zip(offers, tried, strict=True)]


def _wanted(offer: Offer, tried: Mapping[str, Projected]) -> Iterator[tuple[str, str]]:
    """Name what has to be tried next, with its text."""
    if offer.control and _CONTROL not in tried:
        yield _CONTROL, offer.control
    for suggestion, projected in _chosen(offer, tried):
        if projected is _BEST:
            yield suggestion.id, suggestion.rewrite


def _chosen(offer: Offer, tried: Mapping[str, Projected]) -> tuple[Judged, ...]:
    judged = [(one, tried.get(one.id, _BEST)) for one in offer.candidates]
    return choose(judged, offer.before, offer.probability, tried.get(_CONTROL))
