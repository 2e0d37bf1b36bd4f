"""Measures the advice over labelled ideas: whether it is specific, grounded, various, and moves what it should.

A rewrite that moves the verdict proves little if any rewrite did. So the same ideas are judged with controls that add
no fact, and with a mentor's own suggestions told by the same rule as ours.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from app import advice
from app.checker import GROUP, Checker, Submission
from app.evaluation import digest, fold_judges
from app.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from app.judge import Judge
    from app.report import Suggestion

    Judging = Callable[[Sequence[tuple[str, str]]], list[Report]]
    """From (id of the idea, text) to reports, each by a judge that has not learned from that idea."""

FALL = 0.1
"""Fall of the flag probability that counts as a move; the advice's own margin."""

AT_LEAST = 3
"""Suggestions that every worn idea must get."""

PLACEBOS: dict[str, str] = {
    "claims": "{text} This is a completely novel idea that nobody has tried before. It is unique and highly original.",
    "buzzwords": "{text} We leveraged a cutting-edge, human-centric and scalable pipeline with robust engineering to "
    "deliver actionable insights and real impact for stakeholders.",
    "care": "{text} I worked carefully and with a rigorous approach, checked every step, and thought hard about what "
    "the results mean.",
    "onward": "{text} From there I went on. I did all of it once more with a rigorous approach, and the second half is "
    "new.",
    "retold": "I set out to do this well. I used {data} with {method}, worked carefully and with a rigorous approach, "
    "and compared the result with other models. The write-up tells what I did and what I learned.",
    "again": "My data are {data} and my method is {method}. I did it again with the same data and the same method, "
    "more carefully, and wrote down what I found.",
}
"""Ways of retelling an idea that add no fact. The last two drop the idea's own words and keep a rewrite's form."""

FLOORS: dict[str, tuple[str, float]] = {
    "three or more": (">=", 1.0),
    "cites the catalogue": (">=", 1.0),
    "names the idea's domain": (">=", 0.95),
    "moves the verdict": (">=", 0.9),
    "moves verdict or probability": (">=", 1.0),
    "link besides the principle's": (">=", 1.0),
    "three facets or more": (">=", 0.95),
    "commonest masked text": ("<=", 0.05),
    "near-duplicates": ("<=", 0.0),
    "beats its control": (">=", 0.95),
    "placebo claims moves": ("<=", 0.05),
    "placebo buzzwords moves": ("<=", 0.05),
    "placebo care moves": ("<=", 0.05),
    "placebo onward moves": ("<=", 0.05),
}
"""What the figures must reach: what was asked for, and for placebos one in twenty. ``retold`` and ``again`` are printed
only: there a text loses its own words, and how the judge takes that is the judge's matter, not the advice's."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        about after also among another answer because been before beside both case cases could data dataset date
        each every first four from have hours into know later less list look made make many method model more most
        much nobody number only other others over people project read record records same score should show small
        somebody such take test than that their them then there these they thing this those three time under until
        used uses using very week weeks were what when where which while whom whose will with without word words
        work would write your yours kaggle python accuracy trained training tried result results sklearn keras
        notebook predict prediction
        """,
    )
)
"""Words that belong to no domain: what every project's text and every advice has."""


@dataclass(frozen=True, slots=True)
class Advised:
    """One idea with what the checker said of it."""

    case: Mapping[str, Any]
    report: Report


def evaluate(
    cases: Sequence[Mapping[str, Any]],
    references: Mapping[str, Sequence[str]],
    checker: Checker,
    folds: Path,
    tell: Callable[[str], None],
    sheet_at: Path | None = None,
) -> dict[str, float]:
    """Advise on worn ideas and tell the figures, line by line.

    Args:
        cases: worn ideas by their label.
        references: id of an idea to a mentor's suggestions; may be empty.
        folds: folder of the judges that each have not learned from a part of the ideas.
        sheet_at: where the sheet for a human rater goes.

    Returns:
        Name to figure; ``below`` names those that are too low.
    """
    with_advice, plainly = judging(checker, cases, *fold_judges(folds))
    reports = with_advice([(str(case["id"]), str(case["text"])) for case in cases])
    advised = [Advised(case, report) for case, report in zip(cases, reports, strict=True)]
    entries = checker.catalogue.entries
    found = figures(advised, entries, plainly)
    tell(f"{len(cases)} worn ideas, {sum(len(r.suggestions) for r in reports)} suggestions")
    for name, value in found.items():
        tell(f"  {name:30} {value:.3f}")
    tell("  facets: " + ", ".join(f"{facet} {count}" for facet, count in sorted(facets(advised).items())))
    few = [str(one.case["id"]) for one in advised if len(one.report.suggestions) < AT_LEAST]
    tell(f"  fewer than {AT_LEAST}: {' '.join(few) or 'none'}")
    off = [
        f"{one.report.id} {s.id}"
        for one in advised
        for s in one.report.suggestions
        if not _names_domain(one, s, entries)
    ]
    tell(f"  not of the idea's domain: {', '.join(off[:12]) or 'none'}")
    for times, text in commonest(advised, entries):
        tell(f"  told to {times} ideas: {text[:110]}")
    tell("retold without a new fact:            verdict moved   probability fell")
    for name, moved, fell, which in placebos(advised, plainly):
        found[f"placebo {name} moves"] = moved
        tell(f"  {name:36} {moved:.3f}           {fell:.3f}   {' '.join(which[:8])}")
    if references:
        tell("told in the first person by one rule:  verdict moved   that or probability")
        for name, count, moved, either in told_alike(advised, references, plainly):
            tell(f"  {name:36} {moved:.3f}           {either:.3f}   of {count}")
    if sheet_at:
        sheet(advised, references, sheet_at)
        tell(f"wrote {sheet_at} and its key")
    return found


def judging(
    checker: Checker, cases: Sequence[Mapping[str, Any]], ledger: Mapping[str, int], folds: Sequence[Judge]
) -> tuple[Judging, Judging]:
    """Give two ways of judging texts about these ideas, with advice and without, by judges that know none of them."""
    fold_of = {str(case["id"]): ledger.get(digest(str(case["text"]))) for case in cases}

    def judge(texts: Sequence[tuple[str, str]], *, advise: bool) -> list[Report]:
        places: dict[int | None, list[int]] = defaultdict(list)
        for place, (name, _) in enumerate(texts):
            places[fold_of[name]].append(place)
        found: dict[int, Report] = {}
        for fold, some in places.items():
            one = checker if fold is None else checker.with_judge(folds[fold])
            for start in range(0, len(some), GROUP):
                group = some[start : start + GROUP]
                answers = one.check_many([Submission(texts[p][1], texts[p][0]) for p in group], advise=advise)
                found |= {p: a for p, a in zip(group, answers, strict=True) if isinstance(a, Report)}
        return [found[place] for place in range(len(texts))]

    return (lambda texts: judge(texts, advise=True)), (lambda texts: judge(texts, advise=False))


def figures(advised: Sequence[Advised], catalogue: Mapping[str, Any], plainly: Judging) -> dict[str, float]:
    """Count over worn ideas what the floors ask for."""
    every = [(one, s) for one in advised for s in one.report.suggestions]
    texts = _masked(advised, catalogue)
    pairs = [pair for one in advised for pair in combinations(one.report.suggestions, 2)]
    found = {
        "three or more": _share([len(one.report.suggestions) >= AT_LEAST for one in advised]),
        "cites the catalogue": _share([any(e in catalogue for e in s.entries) for _, s in every]),
        "names the idea's domain": _share([_names_domain(one, s, catalogue) for one, s in every]),
        "moves the verdict": _share([_moves_verdict(one.report, s) for one, s in every if _movable(one.report)]),
        "moves verdict or probability": _share([_moves(one.report, s) for one, s in every if _movable(one.report)]),
        "link besides the principle's": _share([len([r for r in s.resources if r.url]) > 1 for _, s in every]),
        "three facets or more": _share([len({s.facet for s in one.report.suggestions}) >= 3 for one in advised]),
        "commonest masked text": max(len(ideas) for ideas in texts.values()) / len(advised),
        "near-duplicates": sum(advice.overlap(_said(a), _said(b)) > advice.NEAR_DUPLICATE for a, b in pairs),
        "mean overlap of two": sum(advice.overlap(_said(a), _said(b)) for a, b in pairs) / max(1, len(pairs)),
    }
    worn = [one for one in advised if one.report.flagged]
    controls = plainly([(one.report.id, _retold("again", one)) for one in worn])
    found["beats its control"] = _share(
        [
            s.projected.flag_probability < control.flag_probability
            for one, control in zip(worn, controls, strict=True)
            for s in one.report.suggestions
        ]
    )
    return found


def placebos(advised: Sequence[Advised], plainly: Judging) -> Iterator[tuple[str, float, float, list[str]]]:
    """Judge the worn ideas retold without any new fact.

    Yields:
        Name of the placebo, share whose verdict moved, share whose probability fell, ids of those that moved.
    """
    worn = [one for one in advised if one.report.flagged]
    for name in PLACEBOS:
        after = plainly([(one.report.id, _retold(name, one)) for one in worn])
        moved = [one.report.id for one, now in zip(worn, after, strict=True) if not now.flagged]
        fell = [one.report.flag_probability - a.flag_probability > FALL for one, a in zip(worn, after, strict=True)]
        yield name, len(moved) / max(1, len(worn)), _share(fell), moved


def told_alike(
    advised: Sequence[Advised], references: Mapping[str, Sequence[str]], plainly: Judging
) -> Iterator[tuple[str, int, float, float]]:
    """Tell a mentor's suggestions and ours by one rule in the first person, and judge both.

    Yields:
        Whose and how told, number, share that moved the verdict, share that moved it or the probability.
    """
    worn = [one for one in advised if one.report.flagged and one.report.id in references]
    whose = {
        "mentor": [(one, text) for one in worn for text in references[one.report.id]],
        "ours": [(one, _told(s)) for one in worn for s in one.report.suggestions],
    }
    for how, frame in {
        "alone": "I {told}",
        "with the old base named": "My data are {data} and my method is {method}. I {told}",
    }.items():
        for name, rows in whose.items():
            texts = [(one.report.id, _filled(frame, one, told=advice.first_person(text))) for one, text in rows]
            after = plainly(texts)
            yield (
                f"{name}, {how}",
                len(rows),
                _share([not a.flagged for a in after]),
                _share(
                    [
                        not a.flagged or one.report.flag_probability - a.flag_probability > FALL
                        for (one, _), a in zip(rows, after, strict=True)
                    ]
                ),
            )


def below(found: Mapping[str, float]) -> list[str]:
    """Name the figures that miss their floor."""
    return [
        f"{name}: {found[name]:.3f}, must be {sign} {bar:g}"
        for name, (sign, bar) in FLOORS.items()
        if name in found and (found[name] < bar if sign == ">=" else found[name] > bar)
    ]


def sheet(advised: Sequence[Advised], references: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write references and ours side by side for a person who must not know which is which; the key beside it.

    Raises:
        OSError: if a file can't be written.
    """
    rows, key = [], []
    for one in advised:
        mentor = references.get(one.report.id)
        if mentor:
            ours = [_told(s) for s in one.report.suggestions[: len(mentor)]]
            swap = int(hashlib.sha256(one.report.id.encode()).hexdigest(), 16) % 2
            sides = [ours, list(mentor)][:: -1 if swap else 1]
            rows.append([one.report.id, str(one.case["text"]), *("\n".join(side) for side in sides), "", ""])
            key.append([one.report.id, "B" if swap else "A"])
    for where, head, lines in (
        (path, ["id", "idea", "A", "B", "better (A, B, alike)", "why"], rows),
        (path.with_name(f"{path.stem}.key.csv"), ["id", "ours"], key),
    ):
        with where.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *lines])


def commonest(advised: Sequence[Advised], catalogue: Mapping[str, Any], most: int = 3) -> list[tuple[int, str]]:
    """List the masked texts that serve most different ideas, with how many."""
    texts = sorted(_masked(advised, catalogue).items(), key=lambda item: (-len(item[1]), item[0]))
    return [(len(ideas), text) for text, ideas in texts[:most]]


def facets(advised: Sequence[Advised]) -> Counter[str]:
    """Count suggestions by facet."""
    return Counter(s.facet for one in advised for s in one.report.suggestions)


def _masked(advised: Sequence[Advised], catalogue: Mapping[str, Any]) -> dict[str, set[str]]:
    """Find, for each title, detail and rewrite with names and numbers masked, the ideas that it was told to."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in advised:
        names = {m.name for m in one.report.matches} | {
            catalogue[e].name for s in one.report.suggestions for e in s.entries if e in catalogue
        }
        short = {re.sub(r"\s*\(.*?\)", "", part) for name in names for part in (name, *name.split(" / "))}
        longest = sorted((names | short) - {""}, key=lambda n: (-len(n), n))
        mask = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)
        for s in one.report.suggestions:
            for text in (s.title, s.detail, s.rewrite):
                found[re.sub(r"\d[\d,.]*", "0", mask.sub("#", text)).casefold()].add(one.report.id)
    return found


def _names_domain(one: Advised, suggestion: Suggestion, catalogue: Mapping[str, Any]) -> bool:
    """Tell whether a suggestion speaks of the idea's own matter: its words, or its dataset by name."""
    own = _stems(str(one.case["text"])) - {_stem(word) for word in _COMMON}
    for entry in one.case.get("dataset_ids", ()):
        if entry in catalogue:
            own |= _stems(catalogue[entry].name) - {_stem(word) for word in _COMMON}
    return bool(own & _stems(" ".join([_said(suggestion), *suggestion.first_steps])))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.casefold())}


def _stem(word: str) -> str:
    return word[:6]  # enough to see that "sales" is "sale" and "classified" is "classifier"


def _said(suggestion: Suggestion) -> str:
    return f"{suggestion.title} {suggestion.detail}"


def _told(suggestion: Suggestion) -> str:
    return f"{suggestion.title}{'' if suggestion.title.endswith(('?', '.')) else '.'} {suggestion.detail}"


def _movable(report: Report) -> bool:
    return report.verdict in {"well_worn", "partly_known"}


def _moves_verdict(report: Report, suggestion: Suggestion) -> bool:
    return suggestion.projected.verdict != report.verdict


def _moves(report: Report, suggestion: Suggestion) -> bool:
    fall = report.flag_probability - suggestion.projected.flag_probability
    return _moves_verdict(report, suggestion) or fall >= min(FALL, report.flag_probability / 2)


def _retold(name: str, one: Advised) -> str:
    return _filled(PLACEBOS[name], one)


def _filled(frame: str, one: Advised, told: str = "") -> str:
    text = str(one.case["text"]).strip()
    names = [(m.kind, m.role, m.name) for m in one.report.matches]
    slots = {
        "text": text if text.endswith((".", "!", "?")) else f"{text}.",
        "data": next((n for kind, role, n in names if kind == "dataset" and role == "rests_on"), "the usual data"),
        "method": next((n for kind, role, n in names if kind == "technique"), "the usual method"),
        "told": told,
    }
    return re.sub(r"\{(\w+)\}", lambda slot: slots[slot.group(1)], frame)


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 1.0
