"""Builds, keeps and searches the vectors of the catalogue's views; the only room that knows FAISS.

A generation of it is a folder with ``index.faiss`` (the vectors), ``ids.json`` (what each row stands for, and the hash
of its text) and ``manifest.json``, which binds the two to the model, the catalogue and the code that made them. The
same catalogue and versions give the same bytes of ids and manifest. A view whose text was in the generation before
keeps its vector: a new entry costs its own few views.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

import faiss
import numpy as np

from app import generations
from app.encoder import DIMENSION, at_once
from app.errors import IndexMissing, IndexStale
from app.memo import Memo
from app.records import EntryKind, Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from app.catalogue import Catalogue, View
    from app.encoder import TextEncoder
    from app.records import Vectors

    Tops = tuple[NDArray[np.int32], Vectors]
    """Numbers of rows and their cosines to what was asked for."""

LAYOUT = 2
METRIC = "inner product of unit vectors (cosine)"
HOW_TO_BUILD = "Run: originality index build"
KEPT = 2_048
"""Sentences whose nearest rows are kept, some 700 bytes each: the rewrites of a text share most of theirs with it."""
TOGETHER = 16
"""Queries that are searched for at a time."""
BLOCK = 2_048
"""Rows of a block, 3 MB: of 600 to 4,800, the quickest on two processors' caches."""
_NONE = np.zeros((0, DIMENSION), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Row:
    """What one vector stands for; ``digest`` is of the text that it was made from."""

    entry: str
    kind: EntryKind
    view: str
    digest: str = ""


class ViewIndex:
    """An opened index; exact search, read-only, the vectors memory-mapped."""

    def __init__(self, index: Any, rows: Sequence[Row], manifest: dict[str, Any]) -> None:
        """Wrap an opened FAISS index; use ``open``."""
        self._index = index
        self.rows = tuple(rows)
        self._tops: Memo[Tops] = Memo(KEPT)
        self.manifest = manifest
        # The rows of an entry stand together, as ``build`` sorts them; the first and the one past the last.
        self._rows_of: dict[str, tuple[int, int]] = {}
        for number, row in enumerate(self.rows):
            self._rows_of[row.entry] = (self._rows_of.get(row.entry, (number, 0))[0], number + 1)
        self._entry_of = np.repeat(
            np.arange(len(self._rows_of)), [last - first for first, last in self._rows_of.values()]
        )
        kinds = [row.kind for row in self.rows]
        # The mapped vectors themselves, shape (rows, 384): copying them out one by one took a third of a check.
        held = index.ntotal * index.d
        self._vectors: Vectors = faiss.rev_swig_ptr(index.get_xb(), held).reshape(-1, index.d) if held else _NONE
        self._ranges = {kind: (kinds.index(kind), len(kinds) - kinds[::-1].index(kind)) for kind in sorted(set(kinds))}

    @classmethod
    def open(cls, folder: Path, catalogue: Catalogue, model: str) -> ViewIndex:
        """Open an index and check that it was built for this catalogue and model.

        Raises:
            IndexMissing: if there is none.
            IndexStale: if it was built for something else, or its files don't belong together.
        """
        return _opened(folder, _expected(catalogue, model))

    def vector(self, number: int) -> Vectors:
        """Give the vector of a row, shape (384,)."""
        return np.array(self._vectors[number], dtype=np.float32)

    def search(self, queries: Vectors, k: int, kind: EntryKind | None = None) -> list[list[Hit]]:
        """Find the nearest views of every query.

        Args:
            queries: float32 rows of unit length, shape (n, 384).
            k: views a query, at least 1.
            kind: look among this kind's views alone.

        Returns:
            n lists of at most k hits, best first; ``Hit.sentence`` is the query's row number.

        Raises:
            ValueError: if the shape or k is wrong.
        """
        if queries.ndim != 2 or queries.shape[1] != DIMENSION:
            raise ValueError(f"queries has shape {queries.shape}; (n, {DIMENSION}) is needed")
        if k < 1:
            raise ValueError(f"k is {k}; at least 1 is needed")
        first, last = self._ranges.get(kind, (0, 0)) if kind else (0, len(self.rows))
        if not len(queries):
            return []
        ranked = self._ranked(np.ascontiguousarray(queries, dtype=np.float32), k, first, last)
        return [
            list(self._hits(numbers, cosines, np.full(len(numbers), query)))
            for query, (numbers, cosines) in enumerate(zip(*ranked, strict=True))
        ]

    def tops(self, queries: Vectors, views: Mapping[EntryKind, int]) -> list[Tops]:
        """Find the views nearest to each of many queries.

        Args:
            queries: float32 rows of unit length, shape (n, 384).
            views: kind to the number of its views that each query is asked for.

        Returns:
            For each query the rows that were found and their cosines, best first within a kind.
        """
        wanted = np.ascontiguousarray(queries, dtype=np.float32)
        asked = repr(sorted(views.items())).encode()
        return self._tops.answers(
            [asked + query.tobytes() for query in wanted], lambda new: self._all_tops(wanted[new], views)
        )

    def _all_tops(self, queries: Vectors, views: Mapping[EntryKind, int]) -> list[Tops]:
        parts = [self._ranked(queries, k, *self._ranges.get(kind, (0, 0))) for kind, k in views.items()]
        numbers, cosines = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        return [(one.copy(), other.copy()) for one, other in zip(numbers, cosines, strict=True)]

    def near(
        self, vectors: Vectors, tops: Sequence[Tops], named: Collection[str]
    ) -> tuple[dict[str, Hit], dict[str, float]]:
        """Find what comes near a text, or is named in it: how near each entry is to a sentence, and to the whole.

        Args:
            vectors: float32 rows of unit length, the sentences and last the whole text, shape (sentences + 1, 384).
            tops: what ``tops`` gives for them.
            named: entries that are told of, near or not.

        Returns:
            Entry to its nearest view and sentence, and entry to the cosine of its nearest view to the whole; both of
            the same entries.
        """
        sentences, whole = vectors[:-1], vectors[-1:]
        if not len(sentences):
            return {}, {}
        # Of one entry's views the nearest stands first; read backwards, it is the one that stays.
        places, nearness = tops[-1]
        overall = {hit.entry: hit.cosine for hit in self._hits(places[::-1], nearness[::-1])}
        numbers, cosines = (np.concatenate(part) for part in zip(*tops[:-1], strict=True))
        # The first of each entry by falling cosine is its nearest; of equally near ones, the earliest sentence's.
        falling = np.argsort(-cosines, kind="stable")
        _, firsts = np.unique(self._entry_of[numbers[falling]], return_index=True)
        best = falling[firsts]
        owners = best // (len(numbers) // len(sentences))
        nearest = {hit.entry: hit for hit in self._hits(numbers[best], cosines[best], owners)}
        missing = self._stretches((overall.keys() | named) - nearest.keys())
        if missing:
            nearest |= {hit.entry: hit for hit in self._best(missing, sentences)}
        further = self._stretches(nearest.keys() - overall.keys())
        if further:
            every, starts = _laid_out(further)
            most = np.maximum.reduceat(self._cosines(whole, every)[0], starts)
            overall |= dict(zip(further, _clipped(most).tolist(), strict=True))
        return nearest, overall

    def _hits(
        self, numbers: NDArray[np.integer], cosines: Vectors, queries: NDArray[np.integer] | None = None
    ) -> Iterator[Hit]:
        """Say what rows stand for; ``queries`` are the numbers of those that found them, 0 if not given."""
        owners = repeat(0) if queries is None else queries.tolist()
        for number, cosine, query in zip(numbers.tolist(), _clipped(cosines).tolist(), owners, strict=False):
            row = self.rows[number]
            yield Hit(row.entry, row.kind, row.view, cosine, query)

    def _ranked(self, queries: Vectors, k: int, first: int, last: int) -> Tops:
        """Search a stretch of rows: their numbers and cosines, best first, both of shape (queries, at most k).

        Not by the index itself, which takes twice the time where it is told what to look among. Queries go together
        through blocks of rows that stay in the processor's cache; but fewer than twenty, since FAISS multiplies more
        as one matrix, in which the last digits of each hang on the others.
        """
        if first == last:
            return np.zeros((len(queries), 0), dtype=np.int32), np.zeros((len(queries), 0), dtype=np.float32)
        faiss.omp_set_num_threads(1)  # of this thread: its helpers would wait in a busy loop for the next search
        answers = []
        for at in range(0, len(queries), TOGETHER):
            some = queries[at : at + TOGETHER]
            found = [
                (start, *faiss.knn(some, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT))
                for start in range(first, last, BLOCK)
                for block in [self._vectors[start : min(start + BLOCK, last)]]
            ]
            numbers = np.concatenate([numbers + start for start, _, numbers in found], axis=1)
            cosines = np.concatenate([cosines for _, cosines, _ in found], axis=1)
            best = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
            answers.append([np.take_along_axis(part, best, axis=1) for part in (numbers, cosines)])
        numbers, cosines = (np.concatenate(part) for part in zip(*answers, strict=True))
        return numbers.astype(np.int32), cosines

    def _stretches(self, entries: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Give the rows of those entries that have any, in the order of ids."""
        return {entry: self._rows_of[entry] for entry in sorted(entries) if entry in self._rows_of}

    def _best(self, stretches: Mapping[str, tuple[int, int]], queries: Vectors) -> Iterator[Hit]:
        """Find, for each entry, the one query and view that are nearest to each other."""
        every, starts = _laid_out(stretches)
        cosines = self._cosines(queries, every)
        nearest = np.maximum.reduceat(cosines, starts, axis=1).argmax(axis=0)
        ends = (*starts[1:].tolist(), len(every))
        places = [
            start + int(cosines[query, start:end].argmax())
            for query, start, end in zip(nearest.tolist(), starts.tolist(), ends, strict=True)
        ]
        return self._hits(every[places], cosines[nearest, places], nearest)

    def _cosines(self, queries: Vectors, numbers: NDArray[np.int64]) -> Vectors:
        """Multiply queries with some rows, shape (queries, rows), to the same last digit as a search does."""
        found = np.empty((len(queries), len(numbers)), dtype=np.float32)
        wanted = np.ascontiguousarray(queries, dtype=np.float32)
        every = np.ascontiguousarray(np.broadcast_to(numbers, found.shape))
        pointers = [faiss.swig_ptr(array) for array in (found, wanted, self._vectors, every)]
        faiss.fvec_inner_products_by_idx(*pointers, DIMENSION, *found.shape)  # type: ignore[attr-defined]
        return found


def build(
    folder: Path,
    views: Sequence[View],
    catalogue: Catalogue,
    encoder: TextEncoder,
    tell: Callable[[str], None] = lambda _: None,
    *,
    afresh: bool = False,
) -> dict[str, Any]:
    """Encode the views and write the index; readers see the old one until the new one is whole.

    Args:
        folder: made if missing; hold ``generations.lock`` where other processes may build into it.
        tell: gets a line of progress now and then.
        afresh: encode every view, also those whose text was in the generation before.

    Returns:
        The manifest.

    Raises:
        IndexNotWritten: if the disk refuses; the old index stays.
    """
    views = sorted(views, key=lambda v: (v.kind, v.entry))  # one kind's rows stand together: a search can keep to them
    rows = [Row(v.entry, cast("EntryKind", v.kind), v.name, _digest(v.text)) for v in views]
    vectors = _vectors(views, rows, {} if afresh else _kept(folder, encoder.name), encoder, tell)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(vectors)
    ids = _json([(r.entry, r.kind, r.view, r.digest) for r in rows])
    manifest = _expected(catalogue, encoder.name) | {
        "sha256": _sha256(ids, vectors),
        "dimension": DIMENSION,
        "metric": METRIC,
        "rows": len(rows),
        "counts": catalogue.counts(),
        "catalogue_version": catalogue.version,
        "versions": {
            name: importlib.metadata.version(name) for name in ("faiss-cpu", "sentence-transformers", "datasets")
        },
    }

    def fill(generation: Path) -> None:
        faiss.write_index(index, str(generation / "index.faiss"))
        (generation / "ids.json").write_bytes(ids)
        (generation / "manifest.json").write_bytes(_json(manifest))

    generations.write(folder, fill)
    return manifest


def _vectors(
    views: Sequence[View],
    rows: Sequence[Row],
    kept: dict[str, Vectors],
    encoder: TextEncoder,
    tell: Callable[[str], None],
) -> Vectors:
    """Give every view's vector: the kept one, or a new one."""
    from datasets import Dataset  # noqa: PLC0415  takes a second, and only a build needs it

    fresh = [number for number, row in enumerate(rows) if row.digest not in kept]
    vectors = np.zeros((len(rows), DIMENSION), dtype=np.float32)
    for number, row in enumerate(rows):
        if row.digest in kept:
            vectors[number] = kept[row.digest]
    table = Dataset.from_dict({"text": [views[number].text for number in fresh]})
    size = at_once(encoder)
    for start, batch in zip(range(0, len(fresh), size), table.iter(batch_size=size), strict=True):
        vectors[fresh[start : start + size]] = encoder.encode(batch["text"])
        tell(f"encoded {min(start + size, len(fresh)):,} of {len(fresh):,} views")
    return vectors


def _kept(folder: Path, model: str) -> dict[str, Vectors]:
    """Read the vectors of the generation before, by the digest of their text; none if it is another model's."""
    try:
        found = _opened(folder, {"layout": LAYOUT, "model": model})
    except (IndexMissing, IndexStale):
        return {}
    return {row.digest: found.vector(number) for number, row in enumerate(found.rows)}


def why_stale(folder: Path, catalogue: Catalogue, model: str) -> str:
    """Tell why the folder holds no index for this catalogue and model; empty where it holds one."""
    try:
        ViewIndex.open(folder, catalogue, model)
    except (IndexMissing, IndexStale) as error:
        return str(error).removesuffix(HOW_TO_BUILD).strip()
    return ""


def _opened(folder: Path, expected: dict[str, Any]) -> ViewIndex:
    generation = folder.resolve()  # once: the link may be turned to another generation at any moment
    manifest = _read_manifest(generation)
    for key, value in expected.items():
        if manifest.get(key) != value:
            raise IndexStale(
                f"The index in {folder.name}/ was built for {key} {_short(manifest.get(key))}, "
                f"and this is {_short(value)}. {HOW_TO_BUILD}"
            )
    try:
        ids = (generation / "ids.json").read_bytes()
        rows = [_row(*one) for one in json.loads(ids)]
        index = faiss.read_index(str(generation / "index.faiss"), faiss.IO_FLAG_MMAP_IFC)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise IndexStale(f"The index in {folder.name}/ is damaged ({type(error).__name__}). {HOW_TO_BUILD}") from error
    if not index.ntotal == len(rows) == manifest.get("rows") or index.d != DIMENSION:
        raise IndexStale(
            f"The index in {folder.name}/ holds {index.ntotal} vectors of width {index.d} for {len(rows)} ids; "
            f"{manifest.get('rows')} of width {DIMENSION} are expected. {HOW_TO_BUILD}"
        )
    opened = ViewIndex(index, rows, manifest)
    # What a release before this check has built names no hash.
    if manifest.get("sha256") not in {None, _sha256(ids, opened._vectors)}:
        raise IndexStale(f"The index in {folder.name}/ is damaged: its vectors have changed. {HOW_TO_BUILD}")
    return opened


def _row(entry: str, kind: str, view: str, digest: str) -> Row:
    """Make a row; JSON gives each word anew, and most are those of the row before."""
    return Row(sys.intern(entry), cast("EntryKind", sys.intern(kind)), sys.intern(view), digest)


def _sha256(ids: bytes, vectors: Vectors) -> str:
    """Bind ids and vectors together: a flipped bit would be a wrong verdict, and kept by all later builds."""
    whole = hashlib.sha256(ids)
    whole.update(np.ascontiguousarray(vectors, dtype=np.float32).data)
    return whole.hexdigest()


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _expected(catalogue: Catalogue, model: str) -> dict[str, Any]:
    return {"layout": LAYOUT, "model": model, "catalogue": catalogue.sha256}


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    if not file.is_file():
        raise IndexMissing(f"There is no index in {folder}. {HOW_TO_BUILD}")
    try:
        manifest = json.loads(file.read_bytes())
    except OSError as error:
        raise IndexStale(f"{file.name} of the index can't be read ({error.strerror}). {HOW_TO_BUILD}") from error
    except ValueError as error:
        raise IndexStale(f"{file.name} of the index is not JSON. {HOW_TO_BUILD}") from error
    if not isinstance(manifest, dict):
        raise IndexStale(f"{file.name} of the index is not a JSON object. {HOW_TO_BUILD}")
    return manifest


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=0, sort_keys=True) + "\n").encode()


def _laid_out(stretches: Mapping[str, tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the numbers of all rows of some stretches, one stretch after the other, and where each begins among them."""
    bounds = np.array(list(stretches.values()))
    lengths = bounds[:, 1] - bounds[:, 0]
    starts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(bounds[:, 0] - starts, lengths), starts


def _clipped(cosines: Vectors) -> Vectors:
    return np.clip(cosines, -1.0, 1.0)


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
