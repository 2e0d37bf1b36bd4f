#!/usr/bin/env python3
"""Learn the judge, and one judge per fold that has not seen it, for honest figures.

Without arguments it learns from this repository alone: from the numbers of all labelled texts, whose words are in part
other people's. With files of texts the numbers, and the sentence readers that they need, are made anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app import evaluation, judge
from app.catalogue import Catalogue
from app.checker import ensure_index
from app.encoder import SentenceTransformersEncoder
from app.errors import FileUnreadable, OriginalityError
from app.index import ViewIndex
from app.judge import Judge
from app.learning import examples, fit, marks
from app.reader import Reader
from app.settings import Settings

HERE = Path(__file__).parent
FOLDS = HERE / "folds"
TRAINING = HERE / "training"


def main(arguments: list[str] | None = None) -> int:
    """Learn and save; 2 if a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="*", type=Path, help="JSONL files of labelled texts, from all of which to learn")
    parser.add_argument(
        "--marks", type=Path, nargs="+", default=[TRAINING / "marks.jsonl"], help="JSONL files of marks"
    )
    parser.add_argument("--numbers", type=Path, default=TRAINING / "texts.parquet", help="where the numbers are kept")
    parser.add_argument("--output", type=Path, default=judge.FILE, help="where the coefficients go")
    parser.add_argument("--folds", type=Path, default=FOLDS, help="folder of the folds' coefficients")
    parser.add_argument("--stale", action="store_true", help="take numbers that other code or another catalogue made")
    try:
        _learn(parser.parse_args(arguments))
    except OriginalityError as error:
        print(f"train_judge: {error}", file=sys.stderr)
        return 2
    return 0


def _learn(given: argparse.Namespace) -> None:
    settings = Settings.from_environment()
    catalogue = Catalogue.load(settings.catalogue_dir)
    if given.texts:
        readers = _refresh(given, settings, catalogue)
    else:
        readers = {frozenset(): Judge.open(given.output).coefficients.roles} | {
            frozenset({number}): one.coefficients.roles
            for number, one in enumerate(evaluation.fold_judges(given.folds)[1])
        }
    found, made = examples.load(given.numbers)
    today = examples.made_by(catalogue, SentenceTransformersEncoder.pinned_name())
    stale = sorted(name for name in today if today[name] != made[name])
    if stale and not given.stale:
        raise FileUnreadable(
            f"{given.numbers.name} was made by another {' and another '.join(stale)} than today's. Give the texts, go "
            "back to what made it, or take it as it is (--stale)."
        )
    fit.release(fit.prepare(found), readers, catalogue.entries, given.output, given.folds, print)


def _refresh(given: argparse.Namespace, settings: Settings, catalogue: Catalogue) -> marks.Models:
    """Learn the sentence readers, and make every text's numbers."""
    files = {path.stem: evaluation.read_cases(path) for path in given.texts}
    known = {str(row["id"]): row for path in given.marks for row in evaluation.read_lines(path)}
    encoder = SentenceTransformersEncoder.open()
    ensure_index(settings, catalogue, encoder, print)
    reader = Reader(catalogue, encoder, ViewIndex.open(settings.index_dir, catalogue, encoder.name))
    texts = examples.read(files, reader, print)
    truth = [marks.marked(one, known) for one in texts]
    readers = marks.halved(marks.learn(truth, print))
    sources = sorted({one.source for one in truth if str(one.source).startswith("readmes")})
    precision = {source: marks.precision(truth, readers, source) for source in sources}
    found = [examples.example(one, marks.said(of, readers), reader) for one, of in zip(texts, truth, strict=True)]
    examples.save(found, given.numbers, examples.made_by(catalogue, encoder.name))
    given.numbers.with_suffix(".json").write_text(json.dumps(precision, indent=1) + "\n", encoding="utf-8")
    return readers


if __name__ == "__main__":
    sys.exit(main())
