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
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import faiss
import numpy as np

from app import generations
from app.encoder import DIMENSION, at_once
from app.errors import IndexMissing, IndexStale
from app.records import EntryKind, Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from app.catalogue import Catalogue, View
    from app.encoder import TextEncoder
    from app.records import Vectors

    Numbers = NDArray[np.int32]

LAYOUT = 2
METRIC = "inner product of unit vectors (cosine)"
HOW_TO_BUILD = "Run: originality index build"
KEPT = 2_048
"""Searches whose answers are kept, some .5 kB each: those of five hundred sentences."""
KEPT_VIEWS = 32
"""Views of a search up to which its answer is kept: a check's. Those of the catalogue's own search are a thousand."""
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
        self._found: OrderedDict[tuple[bytes, int, int, int], tuple[Numbers, Vectors]] = OrderedDict()
        self._lock = Lock()
        self.manifest = manifest
        # The rows of an entry stand together, as ``build`` sorts them; the first and the one past the last.
        self._rows_of: dict[str, tuple[int, int]] = {}
        for number, row in enumerate(self.rows):
            self._rows_of[row.entry] = (self._rows_of.get(row.entry, (number, 0))[0], number + 1)
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
        if not len(queries) or first == last:
            return [[] for _ in queries]
        wanted = np.ascontiguousarray(queries, dtype=np.float32)
        return [
            [
                Hit(self.rows[n].entry, self.rows[n].kind, self.rows[n].view, cosine, q)
                for n, cosine in self._nearest(query, k, first, last)
            ]
            for q, query in enumerate(wanted)
        ]

    def _nearest(self, query: Vectors, k: int, first: int, last: int) -> Iterator[tuple[int, float]]:
        """Search a stretch of rows, or remember: the rewrites of a text share most sentences with it."""
        key = hashlib.blake2b(query.tobytes(), digest_size=16).digest(), k, first, last
        with self._lock:
            known = self._found.get(key)
        if known is None:
            # Not the index's own search: one that is told which rows to look among takes twice the time.
            cosines, numbers = faiss.knn(
                query[None], self._vectors[first:last], min(k, last - first), metric=faiss.METRIC_INNER_PRODUCT
            )
            known = (first + numbers[0]).astype(np.int32), cosines[0]
            if k <= KEPT_VIEWS:
                with self._lock:
                    self._found[key] = known
                    while len(self._found) > KEPT:
                        self._found.popitem(last=False)
        # Kept as they come: as numbers of Python's own they would take five times the memory.
        return zip(known[0].tolist(), map(_clip, known[1]), strict=True)

    def best(self, entry: str, queries: Vectors) -> Hit | None:
        """Find the one query and view of an entry that are nearest to each other; None if the entry has no view."""
        first, last = self._rows_of.get(entry, (0, 0))
        if first == last or not len(queries):
            return None
        cosines = queries @ self._vectors[first:last].T
        query, view = divmod(int(cosines.argmax()), last - first)
        row = self.rows[first + view]
        return Hit(row.entry, row.kind, row.view, _clip(cosines[query, view]), query)


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


def _clip(cosine: float) -> float:
    return float(min(1.0, max(-1.0, cosine)))


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
