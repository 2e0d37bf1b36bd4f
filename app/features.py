"""Sums a reading up in named numbers, each belonging to one family that the report can speak of.

The judge's weights are bound to these names. Cosines are in [-1, 1], shares and probabilities in [0, 1], counts are
capped or logarithmic, so that no single text can pull a number far.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import cues, roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from app.catalogue import Entry
    from app.records import Link, Reading

_KINDS = ("dataset", "technique", "tutorial", "cliche")
_GENRES = ("ml", "llm-app", "software")
_EARLY = ("self", "own_data", "course", "dataset_word", "users", "product")
_EARLY_SENTENCES = 4
TAUGHT = 24
"""Taught projects and clichés that are asked how well they explain a text; those further off score little anyway."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "known data": ("link.", "near.dataset", "named.dataset"),
    "known method": ("near.technique", "named.technique"),
    "tutorial": ("near.tutorial", "near.cliche", "near.genre", "named.cliche", "join."),
    "own data": ("own_data", "device", "span_of_time", "annotators", "own_words", "synthetic", "self", "role.own"),
    "public source": (
        "others_data",
        "source_link",
        "load_call",
        "dataset_word",
        "public_api",
        "role.public",
        "role.other",
    ),
    "additions": ("study", "users", "operated", "benchmark", "question", "contrast", "negated", "role.addition"),
    "practice": ("course", "planned", "claim", "eda", "metric", "deploy", "feature_list", "pretrained", "role.usual"),
    "software": ("product", "instruction"),
    "form": ("form.",),
}
"""Family to the beginnings of its features' names, after the ``count.``, ``share.`` or ``early.`` of a cue."""


def family(feature: str) -> str:
    """Tell which family a feature belongs to."""
    stem = feature.split(".", 1)[1] if feature.startswith(("count.", "share.", "early.")) else feature
    return next(name for name, starts in FAMILIES.items() if stem.startswith(starts))


@dataclass(frozen=True, slots=True)
class Taught:
    """A taught project or cliché that a text comes near to.

    Attributes:
        method: share of its techniques that the text names.
        cosine: of its nearest view to the nearest sentence.
        overall: of its nearest view to the whole text.
    """

    entry: str
    method: float
    cosine: float
    overall: float


def features(
    reading: Reading, links: Sequence[Link], said: NDArray[np.floating], entries: Mapping[str, Entry]
) -> dict[str, float]:
    """Give a text's named numbers, the same names in the same order for every text.

    Args:
        said: the roles of its sentences, as ``roles.scores`` gives them.
    """
    return linked(links, taught(reading, entries), entries) | settled(reading, entries) | roles.summed(said)


def settled(reading: Reading, entries: Mapping[str, Entry]) -> dict[str, float]:
    """Give the numbers that stand before any dataset is linked."""
    return _of_nearness(reading, entries) | _of_names(reading, entries) | _of_cues(reading) | _of_form(reading)


def linked(links: Sequence[Link], near: Sequence[Taught], entries: Mapping[str, Entry]) -> dict[str, float]:
    """Give the numbers that follow from the linked datasets, most probable first."""
    return _of_links(links, entries) | _of_joins(links, near, entries)


def taught(reading: Reading, entries: Mapping[str, Entry]) -> tuple[Taught, ...]:
    """List the taught projects and clichés that a text comes nearest to, and how much of their method it names."""
    near = [entry for entry in reading.overall if entries[entry].kind in {"tutorial", "cliche"}]
    nearest = sorted(near, key=lambda e: (-max(reading.nearest[e].cosine, reading.overall[e]), e))[:TAUGHT]
    named = {m.entry for m in reading.mentions if m.kind == "technique"}
    return tuple(
        Taught(entry, _share_named(entries[entry], named), reading.nearest[entry].cosine, reading.overall[entry])
        for entry in nearest
    )


def _share_named(entry: Entry, named: set[str]) -> float:
    techniques = getattr(entry, "techniques", ())
    return sum(t in named for t in techniques) / max(1, len(techniques))


def _of_links(links: Sequence[Link], entries: Mapping[str, Entry]) -> dict[str, float]:
    best = [one.probability for one in links[:5]] + [0.0, 0.0]
    return {"link.first": best[0], "link.second": best[1], "link.sum": sum(best)} | {
        f"link.tier{tier}": sum(one.probability for one in links[:5] if entries[one.entry].tier == tier)
        for tier in (1, 3)
    }


def _of_nearness(reading: Reading, entries: Mapping[str, Entry]) -> dict[str, float]:
    sentence: dict[str, float] = {}
    overall: dict[str, float] = {}
    for entry, hit in reading.nearest.items():
        whole = reading.overall[entry]
        for label in _labels(entries[entry]):
            if hit.cosine > sentence.get(label, 0.0):
                sentence[label] = hit.cosine
            if whole > overall.get(label, 0.0):
                overall[label] = whole
    labels = [*_KINDS, "cliche", *(f"genre.{g}" for g in _GENRES), "tutorial.tier1"]
    return {f"near.{label}": sentence.get(label, 0.0) for label in labels} | {
        f"near.{label}.overall": overall.get(label, 0.0) for label in labels
    }


def _labels(entry: Entry) -> list[str]:
    labels = [str(entry.kind)]
    genre = getattr(entry, "genre", None)
    if genre:
        labels.append(f"genre.{genre}")
        if entry.tier == 1:
            labels.append("tutorial.tier1")
    return labels


def _of_names(reading: Reading, entries: Mapping[str, Entry]) -> dict[str, float]:
    sure = {m.entry for m in reading.mentions if m.sure}
    every = {m.entry for m in reading.mentions}
    techniques = [entries[e] for e in sure if entries[e].kind == "technique"]
    return {f"named.technique.tier{t}": float(min(4, sum(e.tier == t for e in techniques))) for t in (1, 2, 3)} | {
        "named.technique.any": float(min(5, sum(entries[e].kind == "technique" for e in every))),
        "named.dataset.any": float(min(5, sum(entries[e].kind == "dataset" for e in every))),
        "named.cliche.any": float(min(3, sum(entries[e].kind == "cliche" for e in every))),
    }


def _of_joins(links: Sequence[Link], near: Sequence[Taught], entries: Mapping[str, Entry]) -> dict[str, float]:
    """Ask how well one taught project or cliché explains the text: its data, its method and its theme together."""
    probability = {one.entry: one.probability for one in links}
    best = dict.fromkeys(("join.data_and_method", "join.sentence", "join.overall"), 0.0)
    for one in near:
        data = max([probability.get(d, 0.0) for d in getattr(entries[one.entry], "datasets", ())], default=0.0)
        explained = (data + one.method) / 2
        if one.method > 0:
            best["join.data_and_method"] = max(best["join.data_and_method"], data)
        best["join.sentence"] = max(best["join.sentence"], explained * max(0.0, one.cosine))
        best["join.overall"] = max(best["join.overall"], (0.3 + explained) * max(0.0, one.overall))
    return best


def _of_cues(reading: Reading) -> dict[str, float]:
    total = Counter(name for found in reading.cues for name in found)
    early = Counter(name for found in reading.cues[:_EARLY_SENTENCES] for name in found)
    sentences = max(1, len(reading.cues))
    return (
        {f"count.{name}": math.log1p(total[name]) for name in cues.NAMES}
        | {f"share.{name}": total[name] / sentences for name in cues.NAMES}
        | {f"early.{name}": float(early[name] > 0) for name in _EARLY}
    )


def _of_form(reading: Reading) -> dict[str, float]:
    brief = reading.brief
    counted = [brief.sentences[i] for i in reading.counted]
    every = max(1, len(brief.sentences))
    return {
        "form.words": math.log1p(brief.words),
        "form.sentences": math.log1p(len(counted)),
        "form.marked_up": sum(s.kind in {"heading", "item", "code"} for s in counted) / max(1, len(counted)),
        "form.code": sum(s.kind == "code" for s in brief.sentences) / every,
        "form.idle": 1.0 - len(counted) / every,
        "form.english": float(brief.language == "en"),
    }
