"""Judges labelled texts from their numbers alone, where the words may not be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import judge, matches, verdict
from app.judge import Text
from app.learning import fit
from app.metrics import Case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.catalogue import Entry
    from app.judge import Judge
    from app.learning.examples import Example


def answered(examples: Sequence[Example], folds: Sequence[Judge], entries: Mapping[str, Entry]) -> list[Case]:
    """Judge each example by the judge that has not seen its author, as the checker would judge its text."""
    return [Case(_label(e), _report(e, folds[e.fold], entries)) for e in examples]


def _label(example: Example) -> dict[str, object]:
    said = judge.VERDICTS[example.labels["verdict"]]
    return {
        "id": example.id,
        "verdict": said,
        "flag": said == "well_worn",
        "dataset": judge.ORIGINS[example.labels["origin"]],
        "dataset_ids": sorted(example.datasets),
        "hard": example.hard,
        "words": example.length,
        "language": example.language,
        "ambiguous": example.ambiguous,
    }


def _report(example: Example, the_judge: Judge, entries: Mapping[str, Entry]) -> dict[str, object]:
    c = the_judge.coefficients
    row = fit.row(example, c.linker, entries, example.fold)
    opinion = the_judge.opinion(Text(row, example.buckets, example.values.astype(float), example.whole))
    links = matches.link(example.candidates, c.linker)
    data = verdict.ORIGIN[int(opinion.origin.argmax())]
    carries = matches.carried(links, c.cuts, data)
    found = verdict.decide(
        opinion,
        c.cuts,
        words=example.words,
        language=example.language,
        names_known=bool(carries) or any(x.features["sure"] for x in example.candidates) or example.cliche,
    )
    return {
        "id": example.id,
        "verdict": found.label,
        "flagged": found.label == "well_worn",
        "flag_probability": round(found.flag_probability, 4),
        "facets": {"data": {"status": data}},
        "matches": [{"entry": entry, "kind": "dataset", "role": "rests_on"} for entry in sorted(carries)],
    }


def ranks(examples: Sequence[Example], folds: Sequence[Judge]) -> list[int]:
    """Rank, for each text tagged ``unnamed`` that rests on known datasets, its best right one; 0 where it isn't there.

    The ranking is by the linker of the judge that has not seen the author, over all candidates; 1 is the likeliest.
    """
    found = []
    for example in examples:
        if "unnamed" in example.hard and example.datasets:
            links = matches.link(example.candidates, folds[example.fold].coefficients.linker)
            right = [place for place, one in enumerate(links, start=1) if one.entry in example.datasets]
            found.append(right[0] if right else 0)
    return found
