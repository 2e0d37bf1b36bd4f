#!/usr/bin/env python3
"""Print how searching grows with the number of rows: exact, and by cells, on real sentences.

The sentences are the docstrings of the installed packages and, where the machine has them, Debian's descriptions of its
packages; they are encoded by the shipped model. Encoding is kept beside --work and goes on where it was broken off.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import resource
import subprocess
import sys
import sysconfig
import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from app import approximate
from app.encoder import DIMENSION, SentenceTransformersEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.records import Vectors

SIZES = (5_000, 25_000)
QUERIES = 200
K = 10
CHUNK = 1_024
SHORTEST, LONGEST = 20, 200
NONE_GONE = np.zeros(0, np.int64)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 2 if there are too few sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of rows")
    parser.add_argument("--work", type=Path, required=True, help="folder for the encoded sentences; 1.5 kB a row")
    given = parser.parse_args(arguments)
    texts = list(islice(_sentences(), max(given.sizes) + QUERIES))
    if len(texts) < max(given.sizes) + QUERIES:
        print(f"bench_index: {len(texts):,} sentences here; {max(given.sizes) + QUERIES:,} are needed", file=sys.stderr)
        return 2
    vectors = _encoded(texts, given.work)
    queries, rows = np.ascontiguousarray(vectors[:QUERIES]), vectors[QUERIES:]
    print(f"{'rows':>10}{'search':>8}{'build s':>9}{'p50 ms':>8}{'p99 ms':>8}{'recall@10':>11}{'peak MB':>9}  cells")
    for size in given.sizes:
        _measure(np.ascontiguousarray(rows[:size]), queries)
    return 0


def _measure(rows: Vectors, queries: Vectors) -> None:
    began = time.perf_counter()
    exact = faiss.IndexFlatIP(DIMENSION)
    exact.add(rows)
    built = time.perf_counter() - began
    truth, times = _asked(lambda one: exact.search(one, K)[1], queries)
    _line(len(rows), "exact", built, times, 1.0, "")
    began = time.perf_counter()
    cells = approximate.build(rows)
    built = time.perf_counter() - began
    found, times = _asked(lambda one: approximate.search(cells, exact, one, K, NONE_GONE)[1], queries)
    _line(len(rows), "cells", built, times, approximate.recall(found, truth), f"{cells.nprobe} of {cells.nlist}")


def _asked(search: Callable[[Vectors], Any], queries: Vectors) -> tuple[Any, list[float]]:
    """Ask one query at a time, as users do; the first is asked twice and not counted once."""
    search(queries[:1])
    numbers, times = [], []
    for n in range(len(queries)):
        began = time.perf_counter()
        numbers.append(search(queries[n : n + 1])[0])
        times.append(1_000 * (time.perf_counter() - began))
    return np.array(numbers), times


def _line(rows: int, how: str, built: float, times: list[float], recall: float, cells: str) -> None:
    p50, p99 = np.quantile(times, [0.5, 0.99])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"{rows:10,}{how:>8}{built:9.1f}{p50:8.2f}{p99:8.2f}{recall:11.3f}{peak:9,.0f}  {cells}", flush=True)


def _encoded(texts: list[str], work: Path) -> Vectors:
    """Encode chunk by chunk into a file named for the texts and the model; what is there is not encoded again."""
    encoder = SentenceTransformersEncoder.open()
    key = hashlib.sha256("\n".join([encoder.name, *texts]).encode()).hexdigest()[:16]
    work.mkdir(parents=True, exist_ok=True)
    file = work / f"{key}.f32"
    row = 4 * DIMENSION
    done = file.stat().st_size // row if file.exists() else 0
    began = time.perf_counter()
    with file.open("r+b" if file.exists() else "w+b") as stream:
        stream.seek(done * row)
        for start in range(done, len(texts), CHUNK):
            stream.write(encoder.encode(texts[start : start + CHUNK]).tobytes())
            stream.flush()
            print(f"encoded {min(start + CHUNK, len(texts)):,} of {len(texts):,}", file=sys.stderr)
    fresh = len(texts) - done
    if fresh:
        print(f"{fresh / (time.perf_counter() - began):,.0f} sentences a second")
    return np.memmap(file, dtype=np.float32, mode="r", shape=(len(texts), DIMENSION))


def _sentences() -> Iterator[str]:
    """Give different sentences, in an order that depends on the machine's packages alone."""
    seen: set[str] = set()
    for text in chain(_debian(), _docstrings()):
        for part in text.replace("\n", " ").split(". "):
            line = " ".join(part.split())
            if SHORTEST <= len(line) <= LONGEST and line not in seen:
                seen.add(line)
                yield line


def _debian() -> Iterator[str]:
    try:
        done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return
    for block in done.stdout.split("\n\n"):
        _, _, description = block.partition("\nDescription")
        yield description.partition(":")[2]


def _docstrings() -> Iterator[str]:
    for file in sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py")):
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""


if __name__ == "__main__":
    sys.exit(main())
