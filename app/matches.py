"""Weighs which known datasets a text rests on, and in which role everything else known appears in it.

A dataset is a candidate if the text names it or comes near one of its views. A logistic regression over named features
of the candidate (how it is named, how near it is, what stands around it) gives the probability that the results rest
on it; ``app.learning`` fits it, ``app/data/judge.safetensors`` holds it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from app import cues
from app.records import Evidence, Link, Match, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from app.catalogue import Dataset
    from app.records import Brief, DataStatus, EntryKind, Mention, Reading, Span

    Numbers = NDArray[np.float64]

NEAR_BY_SENTENCE = 8
NEAR_OVERALL = 4
"""How many unnamed datasets are considered; the right one is among them in 95 to 99 of 100 labelled texts."""

WINDOW_CHARS = 48
"""How far before or after a name a cue still speaks of it; some eight words."""

MENTIONS_READ = 12
"""How many mentions of one entry are read for what stands around them. Without a bound, a text of 10,000 lines that all
name one dataset spent 23 of 33 seconds there."""

_COLUMNS_KEPT = 1_024
"""Datasets whose columns are kept in folded form, some 200 bytes each."""

_CONTEXT = (
    "contrast", "pretrained", "benchmark", "negated", "own_data", "planned",
    "others_data", "dataset_word", "load_call", "source_link", "self", "course",
)  # fmt: skip
_BEFORE = ("pretrained", "contrast", "negated", "benchmark", "own_data")
_NUMERIC = ("cosine", "overall", "gap", "columns", "tier", "others_named", "log_words", "own_share", "own_count")
_OF_FORM = {
    state: (
        state,
        *(f"{state}.{name}" for name in (*_NUMERIC, "nearest", "near", "nearest_cosine2", "cosine2", "tier1")),
    )
    for state in ("sure", "doubtful", "unnamed")
}
"""How a dataset is named, and the features that only datasets named so have."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dataset that the text may rest on, and what speaks for and against."""

    entry: str
    sentence: int
    cosine: float
    mentions: tuple[Mention, ...]
    features: Mapping[str, float]

    @property
    def named(self) -> bool:
        """Whether the text names it, for sure or doubtfully; its numbers tell this even without the text."""
        return not self.features["unnamed"]


@dataclass(frozen=True, slots=True)
class Linear:
    """A fitted linear model over named features; ``weights`` has shape (outputs, features), all float64."""

    names: tuple[str, ...]
    mean: Numbers
    scale: Numbers
    weights: Numbers
    intercepts: Numbers

    def standardise(self, features: Mapping[str, float]) -> Numbers:
        """Give a row of features in units of their spread around their mean, shape (features,)."""
        row = np.array(_picker(self.names)(features), dtype=np.float64)
        return np.asarray((row - self.mean) / self.scale, dtype=np.float64)

    def logits(self, features: Mapping[str, float]) -> Numbers:
        """Give the outputs before any squashing, shape (outputs,)."""
        return np.asarray(self.weights @ self.standardise(features) + self.intercepts, dtype=np.float64)


@lru_cache(maxsize=16)
def _picker(names: tuple[str, ...]) -> itemgetter[Any]:
    """Make what picks features by their names, quicker than one by one."""
    return itemgetter(*names)


def candidates(reading: Reading, known: Mapping[str, Dataset]) -> list[Candidate]:
    """Gather the datasets that a text may rest on, in the order of ids, each with its features."""
    named: dict[str, list[Mention]] = defaultdict(list)
    for mention in reading.mentions:
        if mention.kind == "dataset":
            named[mention.entry].append(mention)
    by_sentence = sorted((e for e in reading.nearest if e in known), key=lambda e: (-reading.nearest[e].cosine, e))
    by_text = sorted((e for e in reading.overall if e in known), key=lambda e: (-reading.overall[e], e))
    rank = {entry: number for number, entry in enumerate(by_sentence)}
    top = reading.nearest[by_sentence[0]].cosine if by_sentence else 0.0
    own = sum("own_data" in found for found in reading.cues)
    shared = {
        "others_named": float(min(5, len(named))),
        "log_words": math.log1p(reading.brief.words),
        "own_share": own / max(1, len(reading.cues)),
        "own_count": float(min(3, own)),
    }
    first = min((m.span.start for mentions in named.values() for m in mentions), default=-1)
    chosen = {*named, *by_sentence[:NEAR_BY_SENTENCE], *by_text[:NEAR_OVERALL]}
    return [
        _candidate(reading, known[entry], named.get(entry, []), rank.get(entry, 99), top, first, shared)
        for entry in sorted(chosen)
    ]


def _candidate(
    reading: Reading,
    entry: Dataset,
    mentions: list[Mention],
    rank: int,
    top: float,
    first: int,
    shared: dict[str, float],
) -> Candidate:
    hit = reading.nearest.get(entry.id)
    cosine = hit.cosine if hit else 0.0
    numeric = shared | {
        "cosine": cosine,
        "overall": reading.overall.get(entry.id, 0.0),
        "gap": cosine - top,
        "columns": float(min(6, sum(c in reading.folded for c in _folded_columns(entry.columns)))),
        "tier": float(entry.tier),
        "others_named": shared["others_named"] - (1.0 if mentions else 0.0),
    }
    sure = [m for m in mentions if m.sure]
    form = "sure" if sure else "doubtful" if mentions else "unnamed"
    first_rank = float(rank == 0)
    told = (
        1.0,
        *(numeric[name] for name in _NUMERIC),
        first_rank,
        float(rank <= 2),
        first_rank * cosine**2,
        cosine**2,
        float(entry.tier == 1),
    )
    features: dict[str, float] = {}
    for state, names in _OF_FORM.items():
        features |= zip(names, told, strict=True) if state == form else dict.fromkeys(names, 0.0)
    features |= _context(reading, mentions)
    features["sure_count"] = float(min(3, len(sure)))
    features["doubtful_count"] = float(min(3, len(mentions) - len(sure)))
    features["earliest"] = float(bool(mentions) and mentions[0].span.start == first)
    sentence = mentions[0].sentence if mentions else reading.counted[hit.sentence] if hit and reading.counted else 0
    return Candidate(entry.id, sentence, cosine, tuple(mentions), features)


@lru_cache(maxsize=_COLUMNS_KEPT)
def _folded_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Give a dataset's columns as they stand in a folded text, between blanks."""
    spaced = (c.casefold().replace("_", " ").replace("-", " ").split() for c in columns if len(c) > 2)
    return tuple(f" {' '.join(words)} " for words in spaced)


def _context(reading: Reading, mentions: list[Mention]) -> dict[str, float]:
    """Count what stands in the sentences that name an entry, and just before the name; shares of the mentions."""
    mentions = mentions[:MENTIONS_READ]
    brief, share = reading.brief, 1.0 / max(1, len(mentions))
    cues_of = dict(zip(reading.counted, reading.cues, strict=True))
    inside: Counter[str] = Counter()
    before: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for mention in mentions:
        sentence = brief.sentences[mention.sentence] if brief.sentences else None
        found = set(cues_of.get(mention.sentence) or _cues_around(brief, mention.span))
        inside.update(name for name in _CONTEXT if name in found)
        before.update(name for name in _BEFORE if _precedes(brief, name, mention.span))
        if sentence is not None:
            kinds.update([sentence.kind, "counted" if sentence.counted else "idle"])
    return (
        {f"with.{name}": inside[name] * share for name in _CONTEXT}
        | {f"before.{name}": before[name] * share for name in _BEFORE}
        | {f"in.{kind}": float(kinds[kind] > 0) for kind in ("heading", "code", "link", "counted")}
        | {
            "place": min((m.span.start for m in mentions), default=0) / max(1, len(brief.text)) if mentions else 1.0,
            "name_chars": min(3.0, max((m.span.end - m.span.start for m in mentions), default=0) / 20),
        }
    )


def _cues_around(brief: Brief, span: Span) -> Iterable[str]:
    return cues.find(brief.text[max(0, span.start - 2 * WINDOW_CHARS) : span.end + 2 * WINDOW_CHARS])


def _precedes(brief: Brief, cue: str, span: Span) -> bool:
    return bool(cues.CUES[cue].search(brief.text[max(0, span.start - WINDOW_CHARS) : span.start]))


def link(found: Sequence[Candidate], linker: Linear) -> list[Link]:
    """Weigh candidates; most probable first."""
    links = [
        Link(
            c.entry,
            1.0 / (1.0 + math.exp(-float(linker.logits(c.features)[0]))),
            c.cosine,
            c.sentence,
            c.mentions,
            c.named,
        )
        for c in found
    ]
    return sorted(links, key=lambda one: (-one.probability, one.entry))


def quote(brief: Brief, span: Span) -> Evidence:
    """Cut a span out of the received text."""
    return Evidence(span.start, span.end, brief.text[span.start : span.end])


def carried(links: Sequence[Link], cuts: Mapping[str, float], data: DataStatus) -> frozenset[str]:
    """Choose the datasets that the results rest on.

    Args:
        links: as ``link`` gives them, most probable first.
        cuts: the judge's: ``rests_on``, ``rests_on_own`` and ``first``.
        data: who made the data; where they are the author's own, a known dataset needs more to count.
    """
    rests_at = cuts["rests_on_own"] if data == "own" else cuts["rests_on"]
    first_at = cuts["first"] if data == "known" else rests_at
    likely = [one for n, one in enumerate(links) if one.probability >= (first_at if n == 0 else rests_at)]
    # Beside a dataset that is named, one that merely resembles the text is most often its namesake or its sibling.
    named = max((one.probability for one in likely if one.named), default=0.0)
    return frozenset(one.entry for one in likely if one.named or one.probability > named)


def datasets(reading: Reading, links: Sequence[Link], carries: Collection[str]) -> list[Match]:
    """Say in which role each dataset appears, most probable first.

    Args:
        carries: those that the results rest on; of the others, the ones named for sure are listed.
    """
    brief = reading.brief
    found: list[Match] = []
    for one in links:
        if one.entry in carries:
            role: Role = "rests_on"
        elif any(m.sure for m in one.mentions):
            role = _named_role(brief, one.mentions)
        else:
            continue
        spans = [m.span for m in one.mentions] or [brief.sentences[one.sentence].span]
        found.append(Match(one.entry, "dataset", role, one.cosine, one.probability, evidence(brief, spans)))
    return found


def techniques(reading: Reading) -> list[Match]:
    """List the techniques that are named for sure, in the order of the text."""
    named: dict[str, list[Mention]] = defaultdict(list)
    for mention in reading.mentions:
        if mention.kind == "technique" and mention.sure:
            named[mention.entry].append(mention)
    return [
        Match(
            entry,
            "technique",
            "contrast" if _named_role(reading.brief, tuple(mentions)) == "contrast" else "uses",
            reading.nearest[entry].cosine if entry in reading.nearest else 0.0,
            1.0,
            evidence(reading.brief, [m.span for m in mentions]),
        )
        for entry, mentions in named.items()
    ]


def themes(reading: Reading, kinds: Mapping[str, EntryKind], *, follows: float, resembles_at: float) -> list[Match]:
    """List the taught projects and clichés that the text comes near to, nearest first, at most three of a kind.

    Args:
        kinds: entry to kind.
        follows: probability that the text follows a recognised tutorial; from .5 the nearest is said to be followed.
        resembles_at: cosine from which one is shown.
    """
    found: list[Match] = []
    for kind in ("tutorial", "cliche"):
        near = sorted((-_nearness(reading, e), e) for e in reading.overall if kinds[e] == kind)[:3]
        for number, (negative, entry) in enumerate(near):
            if -negative < resembles_at:
                break
            role: Role = "follows" if number == 0 and follows >= 0.5 else "resembles"
            span = reading.brief.sentences[reading.counted[reading.nearest[entry].sentence]].span
            found.append(
                Match(
                    entry,
                    kinds[entry],
                    role,
                    -negative,
                    follows if role == "follows" else -negative,
                    evidence(reading.brief, [span]),
                )
            )
    return found


def _nearness(reading: Reading, entry: str) -> float:
    return max(reading.nearest[entry].cosine, reading.overall[entry])


def evidence(brief: Brief, spans: list[Span]) -> tuple[Evidence, ...]:
    """Quote up to five spans, in the order of the text; empty ones and repeats are left out."""
    return tuple(quote(brief, span) for span in sorted({span for span in spans if span.end > span.start})[:5])


def _named_role(brief: Brief, mentions: tuple[Mention, ...]) -> Role:
    """Tell the role of what is named and not rested on, by the cue that stands nearest before most of its names."""
    votes: Counter[Role] = Counter()
    for mention in mentions:
        before = brief.text[max(0, mention.span.start - WINDOW_CHARS) : mention.span.start]
        after = brief.text[mention.span.end : mention.span.end + WINDOW_CHARS // 2]
        if cues.CUES["pretrained"].search(before) or cues.CUES["pretrained"].match(after.lstrip(" -,(")):
            votes["pretrained_on"] += 1
        elif cues.CUES["contrast"].search(before) or cues.CUES["negated"].search(before[-WINDOW_CHARS // 2 :]):
            votes["contrast"] += 1
        elif cues.CUES["benchmark"].search(before):
            votes["benchmark"] += 1
        else:
            votes["mentioned"] += 1
    return votes.most_common(1)[0][0] if votes else "mentioned"
