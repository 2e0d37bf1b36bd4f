"""Judges labelled cases and prints the figures; cases that the judge learned from are judged by a fold that has not."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from app import metrics
from app.checker import GROUP, Checker, Submission
from app.errors import FileUnreadable, OriginalityError
from app.judge import Judge
from app.lookup import SIGNS, Filter, Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from app.metrics import Case

LEDGER = "ledger.json"
SEARCHED_BY: tuple[tuple[Sign, ...], ...] = (("meaning",), ("words",), ("words", "meaning"), SIGNS)


def read_cases(path: Path) -> list[dict[str, Any]]:
    """Read labelled cases, one JSON object a line; ``words`` is counted where it isn't given.

    Raises:
        FileUnreadable: naming file, line and what is wrong.
    """
    cases = read_lines(path, ("id", "text", "verdict", "flag", "dataset"))
    return [row | {"words": row.get("words", len(str(row["text"]).split()))} for row in cases]


def read_lines(path: Path, needed: tuple[str, ...] = ("id",)) -> list[dict[str, Any]]:
    """Read one JSON object a line.

    Args:
        needed: fields that every object must have.

    Raises:
        FileUnreadable: naming file, line and what is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # JSON strings may hold the other line ends
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(
            f"{path} can't be read ({type(error).__name__}). Give a JSONL file of labelled cases."
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileUnreadable(f"{path.name}:{number}: not JSON.") from error
        missing = [name for name in needed if not isinstance(row, dict) or name not in row]
        if missing:
            raise FileUnreadable(
                f"{path.name}:{number}: field {missing[0]!r} is missing; a case has {', '.join(needed)}."
            )
        rows.append(row)
    return rows


def digest(text: str) -> str:
    """Give the name under which a learned text is remembered: the first half of its sha256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fold_judges(folder: Path) -> tuple[dict[str, int], list[Judge]]:
    """Open the judges that each have not seen one fold, and the list of which text lies in which fold.

    Raises:
        FileUnreadable: if the list is missing or damaged.
        JudgeInvalid: if a fold's coefficients are.
    """
    try:
        ledger: dict[str, int] = json.loads((folder / LEDGER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileUnreadable(
            f"{folder.name}/{LEDGER} can't be read. Learn the folds anew: scripts/train_judge.py"
        ) from error
    return ledger, [Judge.open(folder / f"fold-{n}.safetensors") for n in range(max(ledger.values()) + 1)]


def judged(
    cases: Sequence[Mapping[str, Any]], checker: Checker, ledger: Mapping[str, int], folds: Sequence[Judge]
) -> list[Case]:
    """Judge every case with a judge that has not learned from it; advice is left out, since it moves no verdict."""
    places: dict[int | None, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        places[ledger.get(digest(str(case["text"])))].append(place)
    reports: dict[int, Mapping[str, Any]] = {}
    for fold, some in places.items():
        one = checker if fold is None else checker.with_judge(folds[fold])
        for start in range(0, len(some), GROUP):
            group = some[start : start + GROUP]
            results = one.check_many(
                [Submission(str(cases[p]["text"]), str(cases[p]["id"])) for p in group], advise=False
            )
            for place, result in zip(group, results, strict=True):
                reports[place] = {} if isinstance(result, OriginalityError) else result.model_dump(mode="json")
    return [metrics.Case(case, reports[place]) for place, case in enumerate(cases)]


def table(cases: Sequence[Case], *, name: str, note: str, errors: int = 0) -> Iterator[str]:
    """Write the figures line by line, each with its 95 % interval."""
    figures, intervals = metrics.figures(cases), metrics.intervals(cases)
    yield f"{name}: {len(cases)} cases, {note}"
    for key, value in figures.items():
        if key != "n":
            low, high = intervals.get(key, (value, value))
            yield f"  {key:18} {value:.3f}  [{low:.3f}, {high:.3f}]"
    for title, parts in (("by tag", metrics.by_tag(cases)), ("by length", metrics.by_length(cases))):
        yield f"  flag right, {title}: " + ", ".join(f"{tag} {right}/{all_}" for tag, (right, all_) in parts.items())
    for case in [c for c in cases if c.flags[0] != c.flags[1]][:errors]:
        yield f"  {case.label['id']}: label {case.label['verdict']}, said {case.report.get('verdict')}"


def evaluate(
    paths: Sequence[Path],
    checker: Checker,
    folds: Path,
    tell: Callable[[str], None],
    *,
    in_sample: bool,
    clear: bool,
    errors: int,
) -> dict[str, dict[str, float]]:
    """Evaluate files of cases and tell the figures.

    Args:
        in_sample: judge with the released judge even what it learned from; the figures are labelled so.
        clear: leave out the cases on which two readers differ.

    Returns:
        File name to figures.
    """
    ledger, judges = ({}, []) if in_sample else fold_judges(folds)
    result = {}
    for path in paths:
        cases = [c for c in read_cases(path) if not (clear and c.get("ambiguous"))]
        learned = sum(digest(str(c["text"])) in ledger for c in cases)
        note = (
            "in-sample: the released judge has learned from cases like these"
            if in_sample
            else (f"none learned from by what judges it ({learned} by the judge that left its author out)")
        )
        found = judged(cases, checker, ledger, judges)
        for line in table(found, name=path.name, note=note, errors=errors):
            tell(line)
        result[path.name] = metrics.figures(found)
    return result


def searched(
    path: Path, checker: Checker, longest: int | None = None, tell: Callable[[str], None] = lambda _: None
) -> dict[str, dict[str, float]]:
    """Search for the data of each text that rests on known data, by one sign and by several, and tell the figures.

    Args:
        path: JSONL file of cases; what a case rests on are its ``dataset_ids``, or the names in ``datasets``.
        longest: leave out texts of more words.

    Returns:
        Signs to figures: ``n`` texts, and the share of them that have a right one ``first`` and ``among_5``.

    Raises:
        FileUnreadable: naming file, line and what is wrong.
    """
    asked = [(row, _sought(row, checker)) for row in read_cases(path) if row["dataset"] == "known"]
    asked = [(row, ids) for row, ids in asked if ids and (longest is None or row["words"] <= longest)]
    figures = {}
    for signs in SEARCHED_BY:
        places = [_place(checker, str(row["text"]), ids, signs) for row, ids in asked]
        shares = {name: sum(p < k for p in places) / max(len(places), 1) for name, k in (("first", 1), ("among_5", 5))}
        figures[" + ".join(signs)] = {"n": len(places), **shares}
    tell(f"{path.name}: searching for the data of {len(asked)} texts that rest on known data")
    for signs_name, found in figures.items():
        tell(f"  {signs_name:22} a right one first {found['first']:.3f}, among five {found['among_5']:.3f}")
    return figures


def _sought(row: Mapping[str, Any], checker: Checker) -> set[str]:
    ids = row.get("dataset_ids")
    return set(ids if ids is not None else [one for name in row["datasets"] for one in checker.datasets_named(name)])


def _place(checker: Checker, text: str, ids: set[str], signs: Sequence[Sign]) -> int:
    """Give the place of the first right one, 0 for the best; a large number where none is near."""
    hits = checker.search(text, 5, Filter(kinds=("dataset",)), signs)
    return next((place for place, hit in enumerate(hits) if hit.entry in ids), 5)
