#!/usr/bin/env python3
"""Print how the judge does on files of labelled cases, every figure with its 95 % interval; or write the page of it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app import evaluation
from app.catalogue import Catalogue
from app.checker import Checker
from app.errors import OriginalityError
from app.learning import document
from app.settings import Settings

HERE = Path(__file__).parent
FOLDS = HERE / "folds"
NUMBERS = HERE / "training" / "texts.parquet"
PAGE = HERE.parent / "docs" / "EVALUATION.md"


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; 2 if a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", type=Path, help="JSONL files: id, text, verdict, flag, dataset, ...")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--cross-validate",
        action="store_true",
        help="the default: what the released judge learned from is judged by one that left its author out",
    )
    which.add_argument("--in-sample", action="store_true", help="the released judge on everything, labelled as such")
    parser.add_argument(
        "--search",
        nargs="?",
        type=int,
        const=0,
        metavar="WORDS",
        help="search for the data of each text instead, of at most so many words, and print what finds them",
    )
    parser.add_argument("--clear", action="store_true", help="leave out the cases on which two readers differ")
    parser.add_argument("--errors", type=int, default=0, help="list so many wrong flags, by id")
    parser.add_argument("--json", action="store_true", help="print the figures alone, as JSON")
    parser.add_argument(
        "--document",
        nargs="?",
        type=Path,
        const=PAGE,
        help="write docs/EVALUATION.md, or the file given, from what is in this repository",
    )
    given = parser.parse_args(arguments)
    if not given.cases and not given.document:
        parser.error("give files of cases, or --document")
    tell = (lambda _: None) if given.json else print
    try:
        settings = Settings.from_environment()
        if given.document:
            page = document.from_repository(NUMBERS, FOLDS, Catalogue.load(settings.catalogue_dir).entries)
            given.document.write_text(page, encoding="utf-8")
            tell(f"wrote {given.document}")
        if not given.cases:
            return 0
        checker = Checker.open(settings, build=True)
        if given.search is not None:
            figures = {p.name: evaluation.searched(p, checker, given.search or None, tell) for p in given.cases}
            if given.json:
                print(json.dumps(figures, indent=1))
            return 0
        found = evaluation.evaluate(
            given.cases, checker, FOLDS, tell, in_sample=given.in_sample, clear=given.clear, errors=given.errors
        )
    except OriginalityError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
