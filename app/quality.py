"""Looks for what is weak in the catalogue: entries too alike, names that mislead, and entries that nothing finds.

Faults that break a rule are ``catalogue.problems``; these are what a person should look at.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.catalogue import normal_form

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.catalogue import Catalogue, View
    from app.records import Vectors

TWINS_AT = 0.92
"""Cosine of two descriptions from which a person should look whether two entries are one. In the released catalogue two
dozen pairs are that near, nearly all of them tutorials on one theme by two publishers."""
AMONG = 10
"""An entry counts as found if it is among so many for one of its own descriptions, that one left out."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entries, or an entry and a word, with what they share."""

    one: str
    other: str
    what: str


def shared_names(catalogue: Catalogue) -> list[Pair]:
    """List names that entries of different kinds share: one of them is found where the other is meant."""
    owners: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for entry in catalogue.entries.values():
        if entry.kind in {"dataset", "technique", "cliche"}:
            for form in (entry.name, *entry.aliases):
                owners[normal_form(form)].add((entry.kind, entry.id))
    return [
        Pair(one, other, form)
        for form, found in sorted(owners.items())
        for (kind, one), (other_kind, other) in _pairs(sorted(found))
        if kind != other_kind
    ]


def common_names(catalogue: Catalogue, words: Collection[str]) -> list[Pair]:
    """List sure names of data that are one ordinary word: they should be ``ambiguous``."""
    found = []
    for entry in catalogue.datasets.values():
        doubtful = {normal_form(form) for form in entry.ambiguous}
        forms = {normal_form(form) for form in (entry.name, *entry.aliases)} - doubtful
        found += [Pair(entry.id, form, "is an ordinary word") for form in sorted(forms) if form in words]
    return found


def twins(views: Sequence[View], vectors: Vectors, at: float = TWINS_AT) -> list[Pair]:
    """List entries of one kind whose descriptions are nearly the same, nearest first.

    Args:
        views: all views, and
        vectors: theirs, unit rows in the same order.
    """
    found: list[tuple[float, Pair]] = []
    for kind in ("dataset", "technique", "tutorial", "cliche"):
        numbers = [n for n, view in enumerate(views) if view.kind == kind and view.name == "about"]
        cosines = np.triu(vectors[numbers] @ vectors[numbers].T, 1)
        for a, b in np.argwhere(cosines >= at):
            pair = Pair(views[numbers[a]].entry, views[numbers[b]].entry, f"{cosines[a, b]:.2f}")
            found.append((-float(cosines[a, b]), pair))
    return [pair for _, pair in sorted(found, key=lambda one: (one[0], one[1].one))]


def unfound(views: Sequence[View], vectors: Vectors, among: int = AMONG) -> list[str]:
    """List entries that none of their own descriptions brings back once that description itself is taken away.

    Names and columns are no descriptions: what is asked is whether a text that tells the thing without naming it finds
    it. An entry with a single view can't be asked and is listed.
    """
    owners = np.array([view.entry for view in views])
    kinds = np.array([view.kind for view in views])
    asked = [n for n, view in enumerate(views) if view.name == "about" or view.name.startswith("tell.")]
    found: set[str] = set()
    for number in asked:
        if owners[number] in found:
            continue
        others = np.flatnonzero(kinds == kinds[number])
        others = others[others != number]
        if owners[number] in _nearest_entries(owners[others], vectors[others] @ vectors[number], among):
            found.add(str(owners[number]))
    return sorted({str(owner) for owner in owners} - found)


def unanswered(
    entries: Sequence[str], asked: Vectors, views: Sequence[View], vectors: Vectors, among: int = AMONG
) -> list[str]:
    """List those entries that a text on them doesn't bring back among the nearest of their kind.

    Args:
        entries: ids, each with at least one view.
        asked: float32 unit vectors of a text on each, shape (entries, 384).
        views: every view of the catalogue.
        vectors: their unit vectors, shape (views, 384).
        among: how many nearest entries are looked at.
    """
    owners = np.array([view.entry for view in views])
    kinds = np.array([view.kind for view in views])
    kind_of = dict(zip(owners.tolist(), kinds.tolist(), strict=True))
    left = []
    for entry, text in zip(entries, asked, strict=True):
        same = np.flatnonzero(kinds == kind_of[entry])
        if entry not in _nearest_entries(owners[same], vectors[same] @ text, among):
            left.append(entry)
    return left


def covered(shipped: Mapping[str, Iterable[Sequence[str]]], catalogue: Catalogue) -> dict[str, tuple[int, list[str]]]:
    """Tell how much of what packages ship the catalogue knows.

    Args:
        shipped: package to its datasets, each as the forms by which it is called, the plain name first.

    Returns:
        Package to how many are known by one of their forms, and the names of those that aren't.
    """
    known = {
        normal_form(form)
        for entry in catalogue.datasets.values()
        for form in (entry.name, *entry.aliases, *entry.ambiguous)
    }
    result = {}
    for package, datasets in shipped.items():
        asked = [list(forms) for forms in datasets]
        missing = [forms[0] for forms in asked if not known & {normal_form(form) for form in forms}]
        result[package] = (len(asked) - len(missing), missing)
    return result


def _pairs(found: Sequence[tuple[str, str]]) -> Iterable[tuple[tuple[str, str], tuple[str, str]]]:
    return ((a, b) for n, a in enumerate(found) for b in found[n + 1 :])


def _nearest_entries(owners: np.ndarray, cosines: np.ndarray, among: int) -> set[str]:
    seen: dict[str, None] = {}
    for number in np.argsort(-cosines):
        seen.setdefault(str(owners[number]))
        if len(seen) == among:
            break
    return set(seen)
