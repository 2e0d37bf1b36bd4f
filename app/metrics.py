"""Measures how reports agree with labels; pure. A text without a report counts as wrong.

The definitions are those of the labelled cases' guide: the flag is the positive class, ties in the area under the curve
count half, calibration error uses ten bins of equal width.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

VERDICTS = ("well_worn", "partly_known", "original", "off_topic")
SAMPLES = 300
"""Bootstrap samples behind an interval; with so many its ends repeat to about .01."""
SHORT_WORDS = 45


@dataclass(frozen=True, slots=True)
class Case:
    """A label and what was said, by the names of both files."""

    label: Mapping[str, Any]
    report: Mapping[str, Any]

    @property
    def flags(self) -> tuple[bool, bool]:
        """Whether it should be flagged, and whether it was."""
        return bool(self.label["flag"]), bool(self.report.get("flagged"))


def f1(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of (truth, said) pairs; 0 where undefined."""
    hits = sum(truth and said for truth, said in pairs)
    said_count = sum(said for _, said in pairs)
    true_count = sum(truth for truth, _ in pairs)
    precision = hits / said_count if said_count else 0.0
    recall = hits / true_count if true_count else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def auc(pairs: Sequence[tuple[float, bool]]) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties half; NaN with one class alone."""
    positives = sum(truth for _, truth in pairs)
    negatives = len(pairs) - positives
    if not positives or not negatives:
        return math.nan
    ranks, at = 0.0, 0
    ordered = sorted(pairs, key=lambda pair: pair[0])
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(truth for _, truth in ordered[at:end])
        at = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def calibration_error(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width; in [0, 1]."""
    inside: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, truth in pairs:
        inside[min(bins - 1, int(probability * bins))].append((probability, truth))
    return sum(abs(sum(p for p, _ in some) - sum(t for _, t in some)) for some in inside.values()) / len(pairs)


def reliability(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> list[tuple[float, int, float, float]]:
    """Compare what was said with what was true, over bins of equal width that hold any text.

    Returns:
        Lower end of the bin, number of texts, their mean probability, their share that is true.
    """
    inside: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for probability, truth in pairs:
        inside[min(bins - 1, int(probability * bins))].append((probability, truth))
    return [
        (n / bins, len(some), sum(p for p, _ in some) / len(some), sum(t for _, t in some) / len(some))
        for n, some in sorted(inside.items())
    ]


def risk_by_coverage(
    cases: Sequence[Case], shares: Sequence[float] = (1, 0.9, 0.8, 0.7, 0.6, 0.5)
) -> dict[float, float]:
    """Tell how often the flag is wrong if only the surest share of the texts were answered.

    Sureness is how far the flag's probability lies from even. Source: El-Yaniv and Wiener 2010, the risk-coverage
    trade-off of selective classification.
    """
    surest = sorted(cases, key=lambda c: -abs(float(c.report.get("flag_probability") or 0.0) - 0.5))
    chosen = {share: surest[: max(1, round(share * len(surest)))] for share in shares}
    return {share: sum(c.flags[0] != c.flags[1] for c in some) / len(some) for share, some in chosen.items()}


def confusion(pairs: Sequence[tuple[str, str]], labels: Sequence[str]) -> list[list[int]]:
    """Count what was said of what was true: a row per true label, a column per said one, both in this order."""
    counts = Counter(pairs)
    return [[counts[truth, said] for said in labels] for truth in labels]


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float:
    """Cohen's kappa (1960) of two raters; 1 where chance alone would agree always."""
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(left[value] * right[value] for value in left) / n**2
    return (observed - expected) / (1 - expected) if expected < 1 else 1.0


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean F1 over the verdicts that occur among the labels."""
    scores = [f1([(a == v, b == v) for a, b in pairs])[2] for v in VERDICTS if any(a == v for a, _ in pairs)]
    return sum(scores) / len(scores) if scores else math.nan


def rests_on(report: Mapping[str, Any]) -> set[str]:
    """Give the ids of the datasets that a report says the results rest on."""
    return {m["entry"] for m in report.get("matches") or () if m["kind"] == "dataset" and m["role"] == "rests_on"}


def figures(cases: Sequence[Case]) -> dict[str, float]:
    """Give every figure by name; NaN where no case bears on it."""
    precision, recall, score = f1([c.flags for c in cases])
    probabilities = [(float(c.report.get("flag_probability") or 0.0), c.flags[0]) for c in cases]
    verdicts = [(str(c.label["verdict"]), str(c.report.get("verdict"))) for c in cases]
    origins = [(str(c.label["dataset"]), _origin(c.report)) for c in cases]
    known = [
        (set(c.label.get("dataset_ids") or ()), rests_on(c.report))
        for c in cases
        if c.label["dataset"] == "known" and c.label.get("dataset_ids")
    ]
    return {
        "n": float(len(cases)),
        "flag_precision": precision,
        "flag_recall": recall,
        "flag_f1": score,
        "flag_auc": auc(probabilities),
        "flag_ece": calibration_error(probabilities),
        "flag_kappa": kappa([c.flags for c in cases]),
        "verdict_kappa": kappa(verdicts),
        "verdict_macro_f1": macro_f1(verdicts),
        "origin_kappa": kappa(origins),
        "originals_flagged": _share([c.flags[1] for c in cases if c.label["verdict"] == "original"]),
        "dataset_hit": _share([bool(gold & said) for gold, said in known]),
        "dataset_precision": _share([entry in gold for gold, said in known for entry in said]),
        "own_matched": _share(
            [
                bool(rests_on(c.report) - set(c.label.get("dataset_ids") or ()))
                for c in cases
                if c.label["dataset"] == "own"
            ]
        ),
    }


def intervals(
    cases: Sequence[Case], measure: Callable[[Sequence[Case]], dict[str, float]] = figures
) -> dict[str, tuple[float, float]]:
    """Give each figure's 95 % interval by the percentile bootstrap over cases (Efron 1979); the same at every call."""
    rng = random.Random(0)  # noqa: S311  resampling, not secrecy
    samples = [measure([rng.choice(cases) for _ in cases]) for _ in range(SAMPLES)]
    result = {}
    for name in samples[0]:
        values = sorted(s[name] for s in samples if not math.isnan(s[name]))
        if values:
            result[name] = (values[int(0.025 * len(values))], values[min(len(values) - 1, int(0.975 * len(values)))])
    return result


def by_tag(cases: Sequence[Case]) -> dict[str, tuple[int, int]]:
    """Give, per hard tag (``plain`` for none), how many flags were right of how many; the commonest first."""
    found: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        tags = case.label.get("hard") or "plain"
        for tag in tags if isinstance(tags, list) else str(tags).replace(";", ",").split(","):
            found[tag.strip() or "plain"].append(case.flags[0] == case.flags[1])
    return {
        tag: (sum(right), len(right)) for tag, right in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def by_language(cases: Sequence[Case]) -> dict[str, tuple[int, int]]:
    """Give the same by the language that the text was read as; the commonest first."""
    found: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        found[str(case.label.get("language") or "und")].append(case.flags[0] == case.flags[1])
    return {
        name: (sum(right), len(right))
        for name, right in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def by_length(cases: Sequence[Case]) -> dict[str, tuple[int, int]]:
    """Give the same below and from 45 words, so that length can't pass for judgement."""
    short = [c.flags[0] == c.flags[1] for c in cases if c.label["words"] < SHORT_WORDS]
    long = [c.flags[0] == c.flags[1] for c in cases if c.label["words"] >= SHORT_WORDS]
    return {f"below {SHORT_WORDS} words": (sum(short), len(short)), f"from {SHORT_WORDS} words": (sum(long), len(long))}


def _origin(report: Mapping[str, Any]) -> str:
    return str(((report.get("facets") or {}).get("data") or {}).get("status"))


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else math.nan
