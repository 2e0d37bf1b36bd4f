"""An organisation's own corpus, such as past submissions or hand-outs: found by meaning, grown without a rebuild.

A generation of a collection is a folder of segments. A segment never changes: ``*.arrow`` holds its rows, ``*.faiss``
their vectors, ``*.cells`` of a large one what finds them quickly, ``*.gone.npy`` the numbers of rows that were removed
since. Adding writes one more segment and links to the others, removing writes numbers; small segments are merged when
there are many. All of it is memory-mapped, so that processes share it.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app import approximate, generations
from app.corpus import FIELDS, Row
from app.encoder import DIMENSION
from app.errors import CollectionMissing, IndexStale
from app.store import (
    KEPT,
    LOCK_TIMEOUT_S,
    Found,
    checked,
    encoded,
    how_to_remake,
    missing,
    refuse_another,
    refuse_twins,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from app.encoder import TextEncoder
    from app.records import Vectors

LAYOUT = 1
MOST_SEGMENTS = 8
"""Segments that are searched one after the other before the small ones are merged."""
MOST_GONE = 0.2
"""Share of a segment's rows that may be removed before it is written anew: a search steps over them one by one."""
_CHUNK = 512


_SCHEMA = pa.schema([(name, pa.string()) for name in FIELDS])


@dataclass(frozen=True, slots=True)
class _Segment:
    name: str
    table: pa.Table
    index: Any
    cells: Any
    gone: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return int(self.table.num_rows - len(self.gone))

    def left(self) -> NDArray[np.int64]:
        """Number the rows that are still there."""
        return np.setdiff1d(np.arange(self.table.num_rows), self.gone, assume_unique=True)

    def search(self, queries: Vectors, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Give the cosines and numbers of the nearest rows that are still there, shape (queries, k)."""
        if self.cells is not None:
            return approximate.search(self.cells, self.index, queries, k, self.gone)
        found: tuple[NDArray[np.float32], NDArray[np.int64]] = self.index.search(queries, k, params=_without(self.gone))
        return found

    def row(self, number: int) -> Row:
        return Row(**self.table.slice(number, 1).to_pylist()[0])


class Collection:
    """One version of a collection, opened read-only."""

    def __init__(self, folder: Path, segments: Sequence[_Segment], manifest: dict[str, Any]) -> None:
        """Wrap opened segments; use ``open``."""
        self.name = folder.name
        self.manifest = manifest
        self._segments = tuple(segments)

    @classmethod
    def open(cls, folder: Path, model: str) -> Collection:
        """Open the current version.

        Raises:
            CollectionMissing: if there is no such collection.
            IndexStale: if another model made its vectors, or its files are damaged.
        """
        place = folder.resolve()
        if not (place / "manifest.json").is_file():
            raise missing(folder.name)
        try:
            manifest = json.loads((place / "manifest.json").read_bytes())
            refuse_another(folder.name, (manifest["model"], manifest["layout"]), (model, LAYOUT))
            return cls(folder, [_open_segment(place, name) for name in manifest["segments"]], manifest)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, pa.ArrowException) as error:
            raise IndexStale(
                f"The collection {folder.name!r} is damaged ({type(error).__name__}). {how_to_remake(folder.name)}"
            ) from error

    def __len__(self) -> int:
        """Count the rows."""
        return sum(segment.rows for segment in self._segments)

    def rows(self) -> Iterator[Row]:
        """Give all rows in the order of their adding."""
        for segment in self._segments:
            for batch in segment.table.take(segment.left()).to_batches(max_chunksize=_CHUNK):
                yield from (Row(**row) for row in batch.to_pylist())

    def search(self, queries: Vectors, k: int) -> list[list[Found]]:
        """Find the nearest rows of every query.

        Args:
            queries: float32 rows of unit length, shape (n, 384).
            k: rows a query, at least 1.

        Returns:
            n lists of at most k rows, best first.
        """
        found: list[list[tuple[float, int, int]]] = [[] for _ in queries]
        for place, segment in enumerate(self._segments):
            if not len(queries) or not segment.rows:
                continue
            cosines, numbers = segment.search(np.ascontiguousarray(queries, dtype=np.float32), min(k, segment.rows))
            for row, (line_cosines, line_numbers) in enumerate(zip(cosines, numbers, strict=True)):
                pairs = zip(line_cosines, line_numbers, strict=True)
                found[row] += [(float(c), place, int(n)) for c, n in pairs if n >= 0]
        return [
            [
                Found(self._segments[place].row(number), min(1.0, max(-1.0, cosine)), query)
                for cosine, place, number in sorted(line, key=lambda f: (-f[0], f[1:]))[:k]
            ]
            for query, line in enumerate(found)
        ]


_Stamp = tuple[str, int, int]


class Collections:
    """All collections below a folder; each is opened once a version, so that a new version is seen at once."""

    def __init__(self, root: Path, model: str) -> None:
        """Look below ``root``, which need not be there yet, for what ``model`` has made."""
        self._root = root
        self._model = model
        self._opened: dict[str, tuple[_Stamp, Collection]] = {}
        self._lock = Lock()

    def folder(self, name: str) -> Path:
        """Give the place of a collection, whether it's there or not.

        Raises:
            BadInput: if no collection can have that name.
        """
        return self._root / checked(name)

    def names(self) -> list[str]:
        """List what is there."""
        return sorted(p.name for p in self._root.iterdir() if p.is_symlink()) if self._root.is_dir() else []

    def open(self, name: str) -> Collection:
        """Open the current version; see ``Collection.open``."""
        folder = self.folder(name)
        stamp = _stamp(folder)
        with self._lock:
            known, found = self._opened.pop(name, (None, None))
            if found is None or known != stamp:
                found = Collection.open(folder, self._model)
            self._opened[name] = (stamp, found)
        return found

    def add(
        self, name: str, rows: Sequence[Row], encoder: TextEncoder, tell: Callable[[str], None] = lambda _: None
    ) -> Collection:
        """Add rows to a collection; see ``collection.add``."""
        return add(self.folder(name), rows, encoder, tell)

    def remove(self, name: str, ids: Iterable[str]) -> int:
        """Remove rows from a collection; see ``collection.remove``."""
        return remove(self.folder(name), ids, self._model)

    def drop(self, name: str) -> None:
        """Delete a collection; see ``collection.drop``."""
        drop(self.folder(name))

    def versions(self, name: str) -> list[int]:
        """List the versions that are kept; see ``Store.versions``."""
        return generations.versions(self.folder(name))

    def version(self, name: str) -> int:
        """Give the number of the current version; see ``Store.version``."""
        return generations.version(self.folder(name))

    def go_back(self, name: str, to: int | None = None) -> int:
        """Go to another version; see ``Store.go_back``."""
        folder = self.folder(name)
        with generations.lock(folder, LOCK_TIMEOUT_S):
            return generations.go_back(folder, to)


def add(
    folder: Path, rows: Sequence[Row], encoder: TextEncoder, tell: Callable[[str], None] = lambda _: None
) -> Collection:
    """Add rows, replacing those with the same id; the collection is made if there is none.

    Args:
        folder: the collection's, from ``Collections.folder``.
        tell: gets a line of progress now and then.

    Returns:
        The new version.

    Raises:
        BadInput: if an id stands twice.
        IndexStale: if the collection that is there can't be read.
        IndexBusy: if another process writes to it.
        IndexNotWritten: if the disk refuses; the version before stays.
    """
    refuse_twins(rows)
    vectors = encoded(rows, encoder, tell)
    with generations.lock(folder, LOCK_TIMEOUT_S):
        before = _before(folder, encoder.name)
        table = pa.Table.from_pylist([asdict(row) for row in rows], schema=_SCHEMA)
        segments = [_with_gone(s, _numbers_of(s, [row.id for row in rows])) for s in before]
        if rows:
            segments.append(_fresh(table, vectors))
        _write(folder, _tidied(segments), encoder.name)
        return Collection.open(folder, encoder.name)


def remove(folder: Path, ids: Iterable[str], model: str) -> int:
    """Remove rows by id; ids that aren't there are passed over.

    Returns:
        How many were removed.

    Raises:
        CollectionMissing, IndexStale: if the collection isn't there or can't be read.
    """
    wanted = list(ids)
    with generations.lock(folder, LOCK_TIMEOUT_S):
        before = Collection.open(folder, model)._segments
        after = [_with_gone(segment, _numbers_of(segment, wanted)) for segment in before]
        count = sum(s.rows for s in before) - sum(s.rows for s in after)
        if count:
            _write(folder, _tidied(after), model)
    return count


def drop(folder: Path) -> None:
    """Delete a whole collection with all its versions.

    Raises:
        CollectionMissing: if there is none.
    """
    with generations.lock(folder, LOCK_TIMEOUT_S):
        if not generations.versions(folder):
            raise missing(folder.name)
        generations.remove(folder)


def _before(folder: Path, model: str) -> tuple[_Segment, ...]:
    try:
        return Collection.open(folder, model)._segments
    except CollectionMissing:
        return ()


# --- segments and versions -------------------------------------------------------------------------------------------


def _fresh(table: pa.Table, vectors: Vectors) -> _Segment:
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(np.ascontiguousarray(vectors))
    cells = approximate.build(vectors) if len(vectors) >= approximate.FROM else None
    return _Segment("", table, index, cells, np.zeros(0, dtype=np.int64))


def _without(gone: NDArray[np.int64]) -> Any:
    if not len(gone):
        return None
    return faiss.SearchParameters(sel=faiss.IDSelectorNot(faiss.IDSelectorBatch(gone)))  # type: ignore[call-arg]


def _stamp(folder: Path) -> _Stamp:
    """Tell one version from every other, also from one of the same number after a collection was deleted."""
    manifest = folder.resolve() / "manifest.json"
    try:
        found = manifest.stat()
    except OSError:
        return str(manifest), 0, 0
    return str(manifest), found.st_ino, found.st_mtime_ns


def _open_segment(place: Path, name: str) -> _Segment:
    table = pa.ipc.open_file(pa.memory_map(str(place / f"{name}.arrow"))).read_all()
    index = faiss.read_index(str(place / f"{name}.faiss"), faiss.IO_FLAG_MMAP_IFC)
    cells_file = place / f"{name}.cells"
    cells = faiss.read_index(str(cells_file), faiss.IO_FLAG_MMAP_IFC) if cells_file.is_file() else None
    gone = np.load(place / f"{name}.gone.npy")
    if index.ntotal != table.num_rows or index.d != DIMENSION:
        raise ValueError(f"{index.ntotal} vectors for {table.num_rows} rows")
    return _Segment(name, table, index, cells, gone)


def _numbers_of(segment: _Segment, ids: Sequence[str]) -> NDArray[np.int64]:
    return np.flatnonzero(pc.is_in(segment.table["id"], pa.array(ids, pa.string())).to_numpy())


def _with_gone(segment: _Segment, numbers: NDArray[np.int64]) -> _Segment:
    gone = np.union1d(segment.gone, numbers).astype(np.int64)
    return replace(segment, gone=gone)


def _tidied(segments: Sequence[_Segment]) -> list[_Segment]:
    """Write anew what has lost many rows, merge the small ones if there are many, and leave out what is empty."""
    full = [s for s in segments if s.rows]
    fresh = [_merged([s]) if len(s.gone) > MOST_GONE * s.table.num_rows else s for s in full]
    if len(fresh) <= MOST_SEGMENTS:
        return fresh
    largest = max(range(len(fresh)), key=lambda n: fresh[n].rows)
    before, after = fresh[:largest], fresh[largest + 1 :]
    return [*([_merged(before)] if before else []), fresh[largest], *([_merged(after)] if after else [])]


def _merged(segments: Sequence[_Segment]) -> _Segment:
    table = pa.concat_tables([s.table.take(s.left()) for s in segments])
    vectors = np.concatenate([s.index.reconstruct_n(0, s.table.num_rows)[s.left()] for s in segments])
    return _fresh(table, vectors)


def _write(folder: Path, segments: Sequence[_Segment], model: str) -> None:
    """Write a version: new segments, links to those that are there, and what is gone of each."""
    old, number = folder.resolve(), max(generations.versions(folder), default=0) + 1
    names = [segment.name or f"{number:06d}-{place}" for place, segment in enumerate(segments)]

    def fill(place: Path) -> None:
        for name, segment in zip(names, segments, strict=True):
            if segment.name:
                for ending in ("arrow", "faiss", *(["cells"] if segment.cells is not None else [])):
                    _share(old / f"{name}.{ending}", place / f"{name}.{ending}")
            else:
                with pa.OSFile(str(place / f"{name}.arrow"), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
                    writer.write_table(segment.table)
                faiss.write_index(segment.index, str(place / f"{name}.faiss"))
                if segment.cells is not None:
                    faiss.write_index(segment.cells, str(place / f"{name}.cells"))
            np.save(place / f"{name}.gone.npy", segment.gone)
        manifest = {
            "layout": LAYOUT,
            "model": model,
            "dimension": DIMENSION,
            "rows": sum(segment.rows for segment in segments),
            "segments": names,
        }
        (place / "manifest.json").write_text(json.dumps(manifest, indent=0, sort_keys=True) + "\n", encoding="utf-8")

    generations.write(folder, fill, kept=KEPT)


def _share(file: Path, place: Path) -> None:
    """Let two versions have one file; where the file system knows no such links, copy it."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)
