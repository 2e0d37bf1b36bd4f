"""Ranks entries for a description by three signs: it names them, it shares their words, it is near in meaning."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.catalogue import Catalogue, Entry
    from app.records import EntryKind

Sign = Literal["name", "words", "meaning"]
SIGNS: tuple[Sign, ...] = ("name", "words", "meaning")

RANK_OFFSET = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
WEIGHT_OF_WORDS = 0.5
"""Of the 76 ideas on known data in tests/cases/ideas.dev.jsonl a right dataset came first for .66 by meaning, .87 by
words, .80 by both, .88 by all three; among five for .88, .92, .97 and .99 (``scripts/evaluate.py --search``)."""
POOL = 200
"""Entries by each sign that are merged: twice the most that anybody may ask for. Where a filter is set all are, so that
what fits is found however far it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What entries are looked among; an empty tuple lets everything through.

    Attributes:
        modalities: a technique, tutorial or cliché has none and isn't let through where any is asked for.
        tasks: likewise of tutorials and clichés.
    """

    kinds: tuple[EntryKind, ...] = ()
    modalities: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()

    def lets(self, entry: Entry) -> bool:
        """Tell whether an entry fits."""
        return (
            (not self.kinds or entry.kind in self.kinds)
            and (not self.modalities or getattr(entry, "modality", "") in self.modalities)
            and (not self.tasks or not set(self.tasks).isdisjoint(getattr(entry, "tasks", ())))
            and (not self.tiers or entry.tier in self.tiers)
        )


def refuse_filters(collection: str, among: Filter) -> None:
    """See that a collection is asked without filters, for its rows have nothing to be filtered by.

    Raises:
        BadInput: if both are given.
    """
    if collection and among != Filter():
        raise BadInput("The rows of a collection have no kind, form, task or tier: name a collection without those.")


def refuse_unknown(among: Filter, catalogue: Catalogue) -> None:
    """See that what is asked for exists, for a slip of the pen would find nothing and look like an answer.

    Raises:
        BadInput: naming what there is.
    """
    entries = catalogue.entries.values()
    there: dict[str, set[str]] = {
        "modality": {dataset.modality for dataset in catalogue.datasets.values()},
        "task": {task for entry in entries for task in getattr(entry, "tasks", ())},
        "tier": {"1", "2", "3"},
    }
    for what, asked in (("modality", among.modalities), ("task", among.tasks), ("tier", map(str, among.tiers))):
        if set(asked) - there[what]:
            raise BadInput(f"There is no such {what}. Known: {', '.join(sorted(there[what]))}.")


class Words:
    """The words of all entries, for finding by them; built once, then read-only."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the entries; they are indexed when first searched."""
        self._catalogue = catalogue
        self._ids = [entry.id for entry in catalogue.entries.values() if entry.kind != "alternative"]

    @cached_property
    def _index(self) -> Any:
        """Index names, descriptions and columns by BM25."""
        import bm25s  # noqa: PLC0415  brings SciPy: half of what a check's imports took, and only a search needs it

        index = bm25s.BM25()
        index.index([_words(_text(self._catalogue.entries[name])) for name in self._ids], show_progress=False)
        return index

    def find(self, query: str, among: Collection[str], most: int = POOL) -> list[str]:
        """Rank the entries that share words with a query, best first."""
        known = [word for word in _words(query) if word in self._index.vocab_dict]
        if not known:
            return []
        scores = self._index.get_scores(known)
        ranked = (self._ids[number] for number in np.argsort(-scores, kind="stable") if scores[number] > 0)
        return [name for name in ranked if name in among][:most]


def fuse(named: Sequence[str], worded: Sequence[str], near: Sequence[str]) -> list[tuple[str, tuple[Sign, ...]]]:
    """Merge three rankings into one: what is named goes first, the rest by reciprocal rank fusion.

    Returns:
        Ids, each with the signs by which it was found.
    """
    score: dict[str, float] = defaultdict(float)
    for weight, ranking in ((WEIGHT_OF_WORDS, worded), (1.0, near)):
        for rank, name in enumerate(ranking):
            score[name] += weight / (RANK_OFFSET + rank)
    first = set(named)
    ranked = sorted({*named, *score}, key=lambda name: (name not in first, -score[name], name))
    by_words, by_meaning = set(worded), set(near)
    return [(name, _signs(name in first, name in by_words, name in by_meaning)) for name in ranked]


def _signs(named: bool, worded: bool, near: bool) -> tuple[Sign, ...]:
    return tuple(sign for sign, found in zip(SIGNS, (named, worded, near), strict=True) if found)


def _text(entry: Entry) -> str:
    columns: tuple[str, ...] = getattr(entry, "columns", ())
    return " ".join([entry.name, *entry.aliases, *entry.ambiguous, entry.about, *entry.tells, *columns])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
