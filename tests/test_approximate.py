"""Quick search among many vectors: nearly all that the exact search finds, ranked by the vectors themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np
import pytest

from app import approximate, collection
from app.collection import Collection
from app.corpus import Row
from app.encoder import DIMENSION

if TYPE_CHECKING:
    from pathlib import Path

    from app.encoder import Encoder
    from app.records import Vectors

NONE_GONE = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    """Give 6,000 unit rows around 60 centres, as sentences lie around their topics."""
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(60, DIMENSION))[rng.integers(0, 60, 6_000)] + rng.normal(size=(6_000, DIMENSION))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def exact(vectors: Vectors) -> faiss.IndexFlatIP:
    """Give the exact index."""
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(vectors)
    return index


@pytest.fixture(scope="module")
def cells(vectors: Vectors) -> object:
    """Give the approximate one."""
    return approximate.build(vectors)


def test_nearly_all_is_found_without_looking_everywhere(
    vectors: Vectors, exact: faiss.IndexFlatIP, cells: faiss.IndexIVF
) -> None:
    """On queries that it wasn't tuned with, ten of ten come back in 98 of 100 places, from a part of the cells."""
    rng = np.random.default_rng(6)
    asked = vectors[rng.choice(len(vectors), 300)] + 0.3 * vectors[rng.choice(len(vectors), 300)]
    asked = np.asarray(asked / np.linalg.norm(asked, axis=1, keepdims=True), dtype=np.float32)
    cosines, numbers = approximate.search(cells, exact, asked, 10, NONE_GONE)
    true_cosines, truth = exact.search(asked, 10)
    assert approximate.recall(numbers, truth) >= 0.97
    assert cells.nprobe < cells.nlist
    assert (np.diff(cosines, axis=1) <= 0).all()
    same = numbers == truth
    assert cosines[same] == pytest.approx(true_cosines[same], abs=1e-5)


def test_what_is_gone_is_not_found(vectors: Vectors, exact: faiss.IndexFlatIP, cells: faiss.IndexIVF) -> None:
    """A vector that was removed doesn't come back for itself; what was second does."""
    alone = approximate.search(cells, exact, vectors[:50], 2, NONE_GONE)[1]
    assert alone[:, 0].tolist() == list(range(50))
    without = approximate.search(cells, exact, vectors[:50], 1, np.arange(50))[1]
    assert not set(without[:, 0].tolist()) & set(range(50))


def test_recall_counts_what_both_have() -> None:
    """Order doesn't matter; what is missing does."""
    truth = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert approximate.recall(np.array([[4, 3, 2, 1], [5, 6, 0, -1]]), truth) == pytest.approx(0.75)


def test_a_large_collection_uses_it(tmp_path: Path, fake_encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the size on a segment has cells, keeps them when rows are added or removed, and answers as before."""
    monkeypatch.setattr(approximate, "FROM", 2_000)
    rows = [Row(f"r{n}", f"thing{n}", f"topic{n % 50} group{n % 7}") for n in range(2_400)]
    folder = tmp_path / "past"
    collection.add(folder, rows, fake_encoder)
    found = collection.add(folder, [Row("late", "latecomer", "topic3")], fake_encoder)
    assert len(list(folder.glob("*.cells"))) == 1
    queries = fake_encoder.encode(["thing77: topic27 group0", "latecomer: topic3"])
    assert [line[0].row.id for line in found.search(queries, 3)] == ["r77", "late"]
    collection.remove(folder, ["r77"], fake_encoder.name)
    after = Collection.open(folder, fake_encoder.name)
    assert len(list(folder.glob("*.cells"))) == 1
    assert "r77" not in {one.row.id for one in after.search(queries, 10)[0]}
    assert len(after) == 2_400
