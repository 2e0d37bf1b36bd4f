"""Sums a reading up in named numbers, each belonging to one family that the report can speak of.

The judge's weights are bound to these names. Cosines are in [-1, 1], shares and probabilities in [0, 1], counts are
capped or logarithmic, so that no single text can pull a number far.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from app import cues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.catalogue import Entry
    from app.records import Link, Reading

_KINDS = ("dataset", "technique", "tutorial", "cliche")
_GENRES = ("ml", "llm-app", "software")
_EARLY = ("self", "own_data", "course", "dataset_word", "users", "product")
_EARLY_SENTENCES = 4

FAMILIES: dict[str, tuple[str, ...]] = {
    "known data": ("link.", "near.dataset", "named.dataset"),
    "known method": ("near.technique", "named.technique"),
    "tutorial": ("near.tutorial", "near.cliche", "near.genre", "named.cliche", "join."),
    "own data": ("own_data", "device", "span_of_time", "annotators", "own_words", "synthetic", "self"),
    "public source": ("others_data", "source_link", "load_call", "dataset_word", "public_api"),
    "additions": ("study", "users", "operated", "benchmark", "question", "contrast", "negated"),
    "practice": ("course", "planned", "claim", "eda", "metric", "deploy", "feature_list", "pretrained"),
    "software": ("product", "instruction"),
    "form": ("form.",),
}
"""Family to the beginnings of its features' names, after the ``count.``, ``share.`` or ``early.`` of a cue."""


def family(feature: str) -> str:
    """Tell which family a feature belongs to."""
    stem = feature.split(".", 1)[1] if feature.startswith(("count.", "share.", "early.")) else feature
    return next(name for name, starts in FAMILIES.items() if stem.startswith(starts))


def features(reading: Reading, links: list[Link], entries: Mapping[str, Entry]) -> dict[str, float]:
    """Give a text's named numbers, the same names in the same order for every text."""
    row = _of_links(links, entries)
    row |= _of_nearness(reading, entries)
    row |= _of_names(reading, entries)
    row |= _of_joins(reading, links, entries)
    row |= _of_cues(reading)
    return row | _of_form(reading)


def _of_links(links: list[Link], entries: Mapping[str, Entry]) -> dict[str, float]:
    best = [one.probability for one in links[:5]] + [0.0, 0.0]
    return {"link.first": best[0], "link.second": best[1], "link.sum": sum(best)} | {
        f"link.tier{tier}": sum(one.probability for one in links[:5] if entries[one.entry].tier == tier)
        for tier in (1, 3)
    }


def _of_nearness(reading: Reading, entries: Mapping[str, Entry]) -> dict[str, float]:
    sentence: dict[str, float] = {}
    overall: dict[str, float] = {}
    for entry, hit in reading.nearest.items():
        for label in _labels(entries[entry]):
            sentence[label] = max(sentence.get(label, 0.0), hit.cosine)
            overall[label] = max(overall.get(label, 0.0), reading.overall[entry])
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


def _of_joins(reading: Reading, links: list[Link], entries: Mapping[str, Entry]) -> dict[str, float]:
    """Ask how well one taught project or cliché explains the text: its data, its method and its theme together."""
    linked = {one.entry: one.probability for one in links}
    named = {m.entry for m in reading.mentions if m.kind == "technique"}
    best = dict.fromkeys(("join.data_and_method", "join.sentence", "join.overall"), 0.0)
    for entry, overall in reading.overall.items():
        taught = entries[entry]
        if taught.kind not in {"tutorial", "cliche"}:
            continue
        datasets, techniques = getattr(taught, "datasets", ()), getattr(taught, "techniques", ())
        data = max((linked.get(d, 0.0) for d in datasets), default=0.0)
        method = sum(t in named for t in techniques) / max(1, len(techniques))
        scores = {
            "join.data_and_method": data * (method > 0),
            "join.sentence": (data + method) / 2 * max(0.0, reading.nearest[entry].cosine),
            "join.overall": (0.3 + (data + method) / 2) * max(0.0, overall),
        }
        best = {name: max(best[name], scores[name]) for name in best}
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
