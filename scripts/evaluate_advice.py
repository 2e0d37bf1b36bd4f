#!/usr/bin/env python3
"""Print how good the advice is on worn ideas, beside controls and a mentor's references; 1 if a figure is too low."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import advising, evaluation
from app.checker import Checker
from app.errors import OriginalityError
from app.settings import Settings

FOLDS = Path(__file__).parent / "folds"


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; 1 below a floor, 2 if a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, help="JSONL file of labelled ideas: id, text, verdict, flag, dataset, ...")
    parser.add_argument("--references", type=Path, help="JSONL file: id, and suggestions as a mentor would give them")
    parser.add_argument("--sheet", type=Path, help="write a CSV with references and ours side by side, unlabelled")
    given = parser.parse_args(arguments)
    try:
        cases = [case for case in evaluation.read_cases(given.cases) if case["verdict"] == "well_worn"]
        rows = evaluation.read_lines(given.references, ("id", "suggestions")) if given.references else []
        checker = Checker.open(Settings.from_environment(), build=True)
        found = advising.evaluate(cases, {r["id"]: r["suggestions"] for r in rows}, checker, FOLDS, print, given.sheet)
    except (OriginalityError, OSError) as error:
        print(f"evaluate_advice: {error}", file=sys.stderr)
        return 2
    missed = advising.below(found)
    print("\n".join(["", "below the floor:", *missed] if missed else ["", "every floor is reached"]))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
