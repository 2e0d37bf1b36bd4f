#!/usr/bin/env python3
"""Print how searching grows with the number of rows: exact, and by cells, on real sentences.

The sentences are docstrings of installed packages and, where the machine has them, Debian's descriptions of its
packages. They are kept in --work with their vectors: what was broken off goes on where it was, also after a kill, and
the sentences stay those of the first run. --more FOLDER puts those of further packages behind them. --encode N encodes
so many without measuring.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from app import approximate
from app.encoder import DIMENSION
from app.runtime import OnnxEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.records import Vectors
    from app.runtime import Runtime

SIZES = (5_000, 25_000)
QUERIES = 200
K = 10
CHUNK = 1_024
SENTENCES = "sentences.txt"
SHORTEST, LONGEST = 20, 300
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n\s*\n|\n\s*[-*>=~:.]+\s*")
"""Also ends at an empty line, and before a line of a list or a heading's underline."""
NONE_GONE = np.zeros(0, np.int64)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 2 if there are too few sentences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of rows")
    parser.add_argument("--work", type=Path, required=True, help="folder for sentences and vectors; 1.6 kB a row")
    parser.add_argument(
        "--roots", type=Path, nargs="+", help="folders of Python files; the installed packages' if none"
    )
    parser.add_argument(
        "--more", type=Path, nargs="+", metavar="FOLDER", help="put these folders' sentences behind the kept ones"
    )
    parser.add_argument("--runtime", choices=["fp32", "int8"], default="int8", help="what the model runs on")
    parser.add_argument("--encode", type=int, metavar="N", help="encode N sentences, and measure nothing")
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    texts = _kept_sentences(given.work, given.roots or [Path(sysconfig.get_paths()["purelib"])])
    if given.more:
        texts = _added(given.work, texts, given.more)
    needed = given.encode or max(given.sizes) + QUERIES
    if len(texts) < needed:
        print(f"bench_index: {len(texts):,} sentences here; {needed:,} are needed", file=sys.stderr)
        return 2
    file = _encoded(texts[:needed], given.work, given.runtime)
    if given.encode:
        return 0
    print("| rows | search | build s | p50 ms | p99 ms | recall@10 | peak MB | cells |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in given.sizes:
        # One process a size and a search: the peak of memory is then its own.
        for how in ("exact", "cells"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                print(alone.submit(_measure, how, file, size).result(), flush=True)
    return 0


def _measure(how: str, file: Path, size: int) -> str:
    """Give a line of the table; the truth that recall is measured against comes from the exact search."""
    vectors = np.fromfile(file, dtype=np.float32, count=(QUERIES + size) * DIMENSION).reshape(-1, DIMENSION)
    queries, rows = vectors[:QUERIES], vectors[QUERIES:]
    began = time.perf_counter()
    exact = faiss.IndexFlatIP(DIMENSION)
    exact.add(rows)
    built = time.perf_counter() - began
    truth, times = _asked(lambda one: exact.search(one, K)[1], queries)
    if how == "exact":
        return _line(len(rows), how, built, times, 1.0, "")
    began = time.perf_counter()
    cells = approximate.build(rows)
    built = time.perf_counter() - began
    found, times = _asked(lambda one: approximate.search(cells, exact, one, K, NONE_GONE)[1], queries)
    return _line(len(rows), how, built, times, approximate.recall(found, truth), f"{cells.nprobe} of {cells.nlist}")


def _asked(search: Callable[[Vectors], Any], queries: Vectors) -> tuple[Any, list[float]]:
    """Ask one query at a time, as users do; the first is asked twice and not counted once."""
    search(queries[:1])
    numbers, times = [], []
    for n in range(len(queries)):
        began = time.perf_counter()
        numbers.append(search(queries[n : n + 1])[0])
        times.append(1_000 * (time.perf_counter() - began))
    return np.array(numbers), times


def _line(rows: int, how: str, built: float, times: list[float], recall: float, cells: str) -> str:
    p50, p99 = np.quantile(times, [0.5, 0.99])
    peak = _peak_mb()
    return f"| {rows:,} | {how} | {built:.1f} | {p50:.2f} | {p99:.2f} | {recall:.3f} | {peak:,.0f} | {cells} |"


def _peak_mb() -> float:
    """Read this process's peak of memory: getrusage would tell its parent's where that was higher."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmHWM:")), float("nan"))


def _encoded(texts: list[str], work: Path, runtime: Runtime) -> Path:
    """Encode chunk by chunk behind what is there; a row that a kill cut off is written again."""
    encoder = OnnxEncoder.open(work / "graphs", runtime)
    file = work / f"vectors-{runtime}.f32"
    row = 4 * DIMENSION
    done = file.stat().st_size // row if file.exists() else 0
    began = time.perf_counter()
    with file.open("r+b" if file.exists() else "w+b") as stream:
        stream.truncate(done * row)
        stream.seek(done * row)
        for start in range(done, len(texts), CHUNK):
            stream.write(encoder.encode(texts[start : start + CHUNK]).tobytes())
            stream.flush()
            print(f"encoded {min(start + CHUNK, len(texts)):,} of {len(texts):,}", file=sys.stderr)
    fresh = len(texts) - done
    if fresh > 0:
        print(f"{fresh / (time.perf_counter() - began):,.0f} sentences a second", file=sys.stderr)
    return file


def _kept_sentences(work: Path, roots: list[Path]) -> list[str]:
    """Read the sentences of the first run, or gather them; a kill leaves no half of a file."""
    file = work / SENTENCES
    if not file.exists():
        _keep(file, _shuffled(_sentences(chain(_debian(), _docstrings(roots)))))
    return file.read_text(encoding="utf-8").split("\n")[:-1]


def _added(work: Path, texts: list[str], roots: list[Path]) -> list[str]:
    """Put what is new behind what is kept: the vectors that are there stay those of the first sentences."""
    every = [*texts, *_shuffled(_sentences(_docstrings(roots), set(texts)))]
    _keep(work / SENTENCES, every)
    return every


def _keep(file: Path, texts: list[str]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    fresh.rename(file)


def _shuffled(texts: Iterator[str]) -> list[str]:
    """Put them in the order of a hash: any first N are drawn from all sources."""
    return sorted(texts, key=lambda text: hashlib.blake2b(text.encode(), digest_size=8).digest())


def _sentences(texts: Iterable[str], known: set[str] | None = None) -> Iterator[str]:
    """Give different sentences that aren't known yet, of which UTF-8 can hold every letter."""
    seen = set(known or ())
    for text in texts:
        for part in SENTENCE_END.split(text.encode("utf-8", "ignore").decode()):
            line = " ".join(part.split())
            if SHORTEST <= len(line) <= LONGEST and " " in line and line not in seen:
                seen.add(line)
                yield line


def _debian() -> Iterator[str]:
    try:
        done = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return
    for block in done.stdout.split("\n\n"):
        _, _, description = block.partition("\nDescription")
        yield description.partition(":")[2].partition("\n")[0]


def _docstrings(roots: list[Path]) -> Iterator[str]:
    for file in chain.from_iterable(sorted(root.rglob("*.py")) for root in roots):
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""


if __name__ == "__main__":
    sys.exit(main())
