"""Searches many vectors quickly: cells around centres, the nearest few of which are looked through, then exact ranks.

Exact search multiplies a query with every vector; past some hundred thousand that takes too long. Here vectors lie in
cells (an inverted file, Jégou, Douze and Schmid 2011) with eight bits a number, and what looks best is ranked by the
vectors themselves. How many cells are looked through is not guessed: it is the least that finds enough of what the
exact search finds, on the vectors at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from app.encoder import DIMENSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.records import Vectors

FROM = 100_000
"""Vectors from which this is used. By ``scripts/bench_index.py`` on two cores 100,000 take the exact search 14 ms, that
grows with their number, and this one 2.7 ms at a recall of .998; building it took 6 s."""
RECALL = 0.99
"""Share of the exact ten nearest that must be found on average when the number of cells is chosen. That is tried with
rows of the index, each of which finds itself: questions from outside found .981 of 171,832 rows where .985 was set."""
AMONG = 10
CANDIDATES = 4
"""Times as many as asked for are ranked exactly."""
_TRIALS = 200
_PER_CENTRE = 40
_SEED = 7


def build(vectors: Vectors) -> Any:
    """Put vectors into cells and choose how many to look through.

    Args:
        vectors: float32 unit rows, shape (n, 384), at least some thousands.

    Returns:
        A FAISS index whose ``nprobe`` is set.
    """
    cells = int(4 * np.sqrt(len(vectors)))
    quantizer = faiss.IndexFlatIP(DIMENSION)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, DIMENSION, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    rng = np.random.default_rng(_SEED)
    sample = rng.choice(len(vectors), min(len(vectors), _PER_CENTRE * cells), replace=False)
    index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
    index.add(vectors)
    asked = vectors[rng.choice(len(vectors), min(len(vectors), _TRIALS), replace=False)]
    index.nprobe = _enough_cells(index, vectors, np.ascontiguousarray(asked))
    return index


def search(
    index: Any, exact: Any, queries: Vectors, k: int, gone: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Find the nearest of every query.

    Args:
        index: from ``build``.
        exact: the index that holds the vectors themselves.
        k: how many, at most as many as are left.
        gone: numbers that are not to be found.

    Returns:
        Cosines and numbers, each of shape (queries, k), best first; number -1 where the cells held too few.
    """
    without = faiss.IDSelectorNot(faiss.IDSelectorBatch(gone)) if len(gone) else None
    how = faiss.SearchParametersIVF(nprobe=index.nprobe, sel=without)  # type: ignore[call-arg]
    _, candidates = index.search(queries, CANDIDATES * k, params=how)
    cosines = np.full((len(queries), k), -np.inf, dtype=np.float32)
    numbers = np.full((len(queries), k), -1, dtype=np.int64)
    for row, found in enumerate(candidates):
        real = found[found >= 0]
        if not len(real):
            continue
        likeness = np.stack([exact.reconstruct(int(n)) for n in real]) @ queries[row]
        best = np.argsort(-likeness, kind="stable")[:k]
        cosines[row, : len(best)], numbers[row, : len(best)] = likeness[best], real[best]
    return cosines, numbers


def recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Give the share of the true numbers that were found, each of shape (queries, k)."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)]))


def _enough_cells(index: Any, vectors: Vectors, asked: Vectors) -> int:
    exact = faiss.IndexFlatIP(DIMENSION)
    exact.add(vectors)
    _, truth = exact.search(asked, AMONG)
    cells = 4
    while cells < index.nlist:
        index.nprobe = cells
        if recall(search(index, exact, asked, AMONG, np.zeros(0, np.int64))[1], truth) >= RECALL:
            break
        cells *= 2
    return min(cells, int(index.nlist))
