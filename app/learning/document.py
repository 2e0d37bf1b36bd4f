"""Writes the page that says how well the checker judges, from labelled texts as numbers and the folds' judges."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from app import evaluation, judge, metrics
from app.learning import answers, examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from app.catalogue import Entry
    from app.judge import Judge
    from app.learning.examples import Example
    from app.metrics import Case

_FIGURES = {
    "flag_f1": "F1 of the flag",
    "flag_precision": "its precision",
    "flag_recall": "its recall",
    "flag_auc": "area under its curve",
    "flag_ece": "calibration error",
    "flag_kappa": "kappa of the flag",
    "originals_flagged": "originals flagged",
    "verdict_kappa": "kappa of the verdict",
    "verdict_macro_f1": "macro F1 of the verdict",
    "origin_kappa": "kappa of who made the data",
    "dataset_hit": "a right dataset named, of the texts that rest on one",
    "dataset_precision": "right, of the datasets named there",
    "own_matched": "texts on own data said to rest on a known set",
}
WRITTEN = "texts.train"
"""The source whose texts were written for this project."""
_NOT_FLUENT = re.compile(r"non-?native", re.IGNORECASE)
_FEW = 5
"""Tags and languages with fewer cases are summed up as others."""


SETS = {"ideas.dev": "ideas", "readmes.dev": "READMEs", "readmes.more": "other READMEs"}
"""Source of labelled texts to its title on the page."""


def from_repository(numbers: Path, folds: Path, entries: Mapping[str, Entry]) -> str:
    """Write the page from what is in the repository.

    Args:
        numbers: the labelled texts as numbers; beside it, as ``.json``, how well sentences are read, and, as
            ``texts.train.jsonl``, the voices of those that were written for it.
        folds: folder of the folds' judges.

    Raises:
        FileUnreadable, JudgeInvalid: if something of it can't be read.
    """
    _, judges = evaluation.fold_judges(folds)
    every, _ = examples.load(numbers)
    sets = {title: [e for e in every if e.source == source] for source, title in SETS.items()}
    precision = json.loads(numbers.with_suffix(".json").read_text(encoding="utf-8"))
    rows = evaluation.read_lines(numbers.with_name(f"{WRITTEN}.jsonl"), ("id", "voice"))
    voices = {str(row["id"]): str(row["voice"]) for row in rows}
    english = [e for e in every if e.source == WRITTEN and e.language == "en"]
    spoken = {
        "not fluent": [e for e in english if _NOT_FLUENT.search(voices[e.id])],
        "others": [e for e in english if not _NOT_FLUENT.search(voices[e.id])],
    }
    return document({title: some for title, some in sets.items() if some}, judges, entries, precision, spoken)


def document(
    sets: Mapping[str, Sequence[Example]],
    folds: Sequence[Judge],
    entries: Mapping[str, Entry],
    precision: Mapping[str, Mapping[str, Mapping[str, float]]],
    spoken: Mapping[str, Sequence[Example]],
) -> str:
    """Write the page.

    Args:
        sets: title to the labelled texts that are measured.
        precision: source to role to ``share`` and ``average_precision``.
        spoken: how fluent the English is, to texts that are compared by it.
    """
    cases = {name: answers.answered(some, folds, entries) for name, some in sets.items()}
    clear = {name: [c for c in some if not c.label["ambiguous"]] for name, some in cases.items()}
    lines = [*_head(cases, clear), *_figures(clear), *_reliability(clear), *_abstaining(clear)]
    for title, parts in (("By hard tag", metrics.by_tag), ("By language", metrics.by_language)):
        lines += _parts(title, {name: parts(some) for name, some in clear.items()})
    lines += _parts("By length", {name: metrics.by_length(some) for name, some in clear.items()}, few=0)
    lines += _fluency({name: answers.answered(some, folds, entries) for name, some in spoken.items()})
    lines += [*_unnamed(sets, folds, clear), *_sentences(precision), *_errors(clear)]
    return "\n".join(lines) + "\n"


def _head(cases: Mapping[str, Sequence[Case]], clear: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "# How well it judges"
    yield ""
    yield "Written by `scripts/evaluate.py --document`; a test fails if it differs from what the shipped judge says."
    yield "Every text is judged by coefficients that have not seen its author (five folds by author). The READMEs are"
    yield "other people's: their numbers are in this repository (`scripts/training/texts.parquet`), not their words."
    yield "Cases on which two readers differ are left out:"
    yield ", ".join(f"{len(some) - len(clear[name])} of {len(some)} {name}" for name, some in cases.items()) + "."
    yield "What is not held out: the mixture of the three models, the cuts for naming a dataset and the probability"
    yield "from which a text is flagged were chosen with the first two of these sets in sight."
    yield ""


def _figures(clear: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    found = {name: (metrics.figures(some), metrics.intervals(some)) for name, some in clear.items()}
    yield "## Figures, with 95 % intervals"
    yield ""
    yield from _row("figure", *(f"{name} ({len(some)})" for name, some in clear.items()))
    yield from _rule(len(clear))
    for key, words in _FIGURES.items():
        yield from _row(words, *(_with_interval(values, ends, key) for values, ends in found.values()))
    yield ""


def _with_interval(values: Mapping[str, float], ends: Mapping[str, tuple[float, float]], key: str) -> str:
    low, high = ends.get(key, (values[key], values[key]))
    return f"{values[key]:.2f} [{low:.2f}, {high:.2f}]"


def _reliability(clear: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "## Reliability"
    yield ""
    yield "Of the texts whose `flag_probability` lies in a bin: how many, what was said on average, what share is worn."
    yield ""
    tables = {
        name: {
            low: (n, said, true)
            for low, n, said, true in metrics.reliability(
                [(float(c.report["flag_probability"]), bool(c.label["flag"])) for c in some]
            )
        }
        for name, some in clear.items()
    }
    yield from _row("from", *tables)
    yield from _rule(len(tables))
    for n in range(10):
        cells = (table.get(n / 10) for table in tables.values())
        yield from _row(f".{n}", *("" if c is None else f"{c[0]}: said {c[1]:.2f}, are {c[2]:.2f}" for c in cells))
    yield ""


def _abstaining(clear: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "## Coverage and risk"
    yield ""
    yield "Share of wrong flags if only the surest texts were answered, and how many are answered with `unclear`."
    yield ""
    risks = [metrics.risk_by_coverage(some) for some in clear.values()]
    yield from _row("answered", *clear)
    yield from _rule(len(clear))
    for share in risks[0]:
        yield from _row(f"{share:.0%}", *(f"{risk[share]:.3f}" for risk in risks))
    unclear = [sum(c.report["verdict"] == "unclear" for c in some) for some in clear.values()]
    yield from _row("said to be unclear", *(str(n) for n in unclear))
    yield ""


def _parts(title: str, parts: Mapping[str, Mapping[str, tuple[int, int]]], few: int = _FEW) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "Flags that are right, of how many." + (f" With fewer than {few} cases: others." if few else "")
    yield ""
    summed = {name: _others(found, few) for name, found in parts.items()}
    order = sorted({key for found in summed.values() for key in found}, key=lambda key: (key == "others", key))
    yield from _row("", *summed)
    yield from _rule(len(summed))
    for key in order:
        cells = (found.get(key) for found in summed.values())
        yield from _row(key, *("" if c is None else f"{c[0]} of {c[1]}" for c in cells))
    yield ""


def _fluency(spoken: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "## By fluency of the English"
    yield ""
    yield "Of the English texts that were written for this project, those in the voice of people who learned English"
    yield "late, and the others. They imitate such English: nobody's own was gathered."
    yield ""
    yield from _row("", *spoken)
    yield from _rule(len(spoken))
    found = {name: metrics.by_length(some).values() for name, some in spoken.items()}
    right = (f"{sum(r for r, _ in parts)} of {sum(n for _, n in parts)}" for parts in found.values())
    yield from _row("flags that are right", *right)
    flags = ([c.flags[1] for c in some if c.label["verdict"] == "original"] for some in spoken.values())
    yield from _row("originals flagged", *(f"{sum(some)} of {len(some)}" for some in flags))
    yield ""


def _others(found: Mapping[str, tuple[int, int]], few: int) -> dict[str, tuple[int, int]]:
    kept = {key: value for key, value in found.items() if value[1] >= few}
    rest = [value for value in found.values() if value[1] < few]
    return kept | ({"others": (sum(r for r, _ in rest), sum(n for _, n in rest))} if rest else {})


def _unnamed(
    sets: Mapping[str, Sequence[Example]], folds: Sequence[Judge], clear: Mapping[str, Sequence[Case]]
) -> Iterator[str]:
    yield "## What isn't named"
    yield ""
    yield "Of texts that describe a known dataset without its name, how often a right one is the likeliest, or among"
    yield "five; and how many originals are said to rest on a known dataset that they don't rest on."
    yield ""
    yield from _row("", *sets)
    yield from _rule(len(sets))
    places = [answers.ranks(some, folds) for some in sets.values()]
    for k in (1, 5):
        yield from _row(f"recall at {k}", *(f"{sum(0 < p <= k for p in some)} of {len(some)}" for some in places))
    false = []
    for some in clear.values():
        originals = [c for c in some if c.label["verdict"] == "original"]
        wrong = sum(bool(metrics.rests_on(c.report) - set(c.label["dataset_ids"])) for c in originals)
        false.append(f"{wrong} of {len(originals)}")
    yield from _row("originals matched falsely", *false)
    yield ""


def _sentences(precision: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    yield "## Reading sentences"
    yield ""
    yield "Average precision per role on READMEs that are marked sentence by sentence, by readers that left the author"
    yield "out; in brackets the share of sentences that have the role, which is what chance reaches."
    yield ""
    roles = list(dict.fromkeys(role for found in precision.values() for role in found))
    yield from _row("role", *precision)
    yield from _rule(len(precision))
    for role in roles:
        cells = (found.get(role) for found in precision.values())
        yield from _row(role, *("" if c is None else f"{c['average_precision']:.2f} ({c['share']:.3f})" for c in cells))
    yield ""


def _errors(clear: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    yield "## The errors that remain, by kind"
    yield ""
    for name, some in clear.items():
        said = [*judge.VERDICTS, "unclear"]
        verdicts = [(str(c.label["verdict"]), str(c.report["verdict"])) for c in some]
        origins = [(str(c.label["dataset"]), str(c.report["facets"]["data"]["status"])) for c in some]
        for title, pairs, labels in (("verdict", verdicts, said), ("who made the data", origins, [*judge.ORIGINS])):
            yield f"{name}, {title}: a row per true label, a column per said one."
            yield ""
            yield from _row("", *labels)
            yield from _rule(len(labels))
            counts = metrics.confusion(pairs, labels)
            for label, row in zip(labels, counts, strict=True):
                if any(row):
                    yield from _row(label, *(str(n) for n in row))
            yield ""
        kinds = Counter(
            ("flagged, though " if c.flags[1] else "missed, though ")
            + (f"{c.label['verdict']} on {c.label['dataset']} data" if c.flags[1] else f"on {c.label['dataset']} data")
            for c in some
            if c.flags[0] != c.flags[1]
        )
        yield f"{name}, wrong flags: " + "; ".join(f"{n} {kind}" for kind, n in kinds.most_common()) + "."
        yield ""


def _row(*cells: str) -> Iterator[str]:
    yield "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> Iterator[str]:
    yield "| --- |" + " ---: |" * columns
