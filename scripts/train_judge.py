#!/usr/bin/env python3
"""Learn the judge from labelled texts, and one judge per fold that has not seen it, for honest figures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import evaluation, judge, learning
from app.catalogue import Catalogue
from app.checker import ensure_index
from app.encoder import SentenceTransformersEncoder
from app.errors import OriginalityError
from app.index import ViewIndex
from app.reader import Reader
from app.settings import Settings

FOLDS = Path(__file__).parent / "folds"


def main(arguments: list[str] | None = None) -> int:
    """Learn and save; 2 if a file can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "texts", nargs="+", type=Path, help="JSONL files of labelled texts: cases and texts to learn from"
    )
    parser.add_argument("--output", type=Path, default=judge.FILE, help="where the coefficients go")
    parser.add_argument("--folds", type=Path, default=FOLDS, help="folder of the folds' coefficients")
    given = parser.parse_args(arguments)
    settings = Settings.from_environment()
    try:
        files = {path.stem: evaluation.read_cases(path) for path in given.texts}
        catalogue, encoder = Catalogue.load(settings.catalogue_dir), SentenceTransformersEncoder.open()
        ensure_index(settings, catalogue, encoder, print)
        reader = Reader(catalogue, encoder, ViewIndex.open(settings.index_dir, catalogue, encoder.name))
        examples = learning.examples(files, reader, print)
    except OriginalityError as error:
        print(f"train_judge: {error}", file=sys.stderr)
        return 2
    learning.release(
        learning.prepare(examples, catalogue.datasets), catalogue.entries, given.output, given.folds, print
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
