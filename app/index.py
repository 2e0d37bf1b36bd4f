"""Builds, keeps and searches the vectors of the catalogue's views; the only room that knows FAISS.

On disk an index is a link to a folder of one generation: ``index.faiss`` (the vectors), ``ids.json`` (what each row
stands for) and ``manifest.json``, which binds the two to the model, the catalogue and the code that made them. The same
catalogue and versions give the same bytes of ids and manifest.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from app.encoder import DIMENSION
from app.errors import IndexBusy, IndexMissing, IndexStale
from app.records import EntryKind, Hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app.catalogue import Catalogue, View
    from app.encoder import Encoder
    from app.records import Vectors

LAYOUT = 1
METRIC = "inner product of unit vectors (cosine)"
HOW_TO_BUILD = "Run: originality index build"
LOCK_TIMEOUT_S = 900
"""Longest wait for another process's build; a build takes one to three minutes on two cores."""
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Row:
    """What one vector stands for."""

    entry: str
    kind: EntryKind
    view: str


class ViewIndex:
    """An opened index; exact search, read-only, the vectors memory-mapped."""

    def __init__(self, index: Any, rows: Sequence[Row], manifest: dict[str, Any]) -> None:
        """Wrap an opened FAISS index; use ``open``."""
        self._index = index
        self.rows = tuple(rows)
        self.manifest = manifest
        self._rows_of: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            self._rows_of.setdefault(row.entry, []).append(number)
        kinds = [row.kind for row in self.rows]
        self._ranges = {kind: (kinds.index(kind), len(kinds) - kinds[::-1].index(kind)) for kind in sorted(set(kinds))}

    @classmethod
    def open(cls, folder: Path, catalogue: Catalogue, model: str) -> ViewIndex:
        """Open an index and check that it was built for this catalogue and model.

        Raises:
            IndexMissing: if there is none.
            IndexStale: if it was built for something else, or its files don't belong together.
        """
        generation = folder.resolve()  # once: the link may be turned to another generation at any moment
        manifest = _read_manifest(generation)
        expected = _expected(catalogue, model)
        for key, value in expected.items():
            if manifest.get(key) != value:
                raise IndexStale(
                    f"The index in {folder.name}/ was built for {key} {_short(manifest.get(key))}, "
                    f"and this is {_short(value)}. {HOW_TO_BUILD}"
                )
        try:
            rows = [Row(*row) for row in json.loads((generation / "ids.json").read_bytes())]
            index = faiss.read_index(str(generation / "index.faiss"), faiss.IO_FLAG_MMAP_IFC)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise IndexStale(
                f"The index in {folder.name}/ is damaged ({type(error).__name__}). {HOW_TO_BUILD}"
            ) from error
        if not index.ntotal == len(rows) == manifest.get("rows") or index.d != DIMENSION:
            raise IndexStale(
                f"The index in {folder.name}/ holds {index.ntotal} vectors of width {index.d} for {len(rows)} ids; "
                f"{manifest.get('rows')} of width {DIMENSION} are expected. {HOW_TO_BUILD}"
            )
        return cls(index, rows, manifest)

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
        among = faiss.SearchParameters(sel=faiss.IDSelectorRange(first, last))  # type: ignore[call-arg]
        wanted = np.ascontiguousarray(queries, dtype=np.float32)
        cosines, numbers = self._index.search(wanted, min(k, last - first), params=among)
        return [
            [
                Hit(self.rows[n].entry, self.rows[n].kind, self.rows[n].view, _clip(c), q)
                for c, n in zip(line_cosines, line_numbers, strict=True)
            ]
            for q, (line_cosines, line_numbers) in enumerate(zip(cosines, numbers, strict=True))
        ]

    def best(self, entry: str, queries: Vectors) -> Hit | None:
        """Find the one query and view of an entry that are nearest to each other; None if the entry has no view."""
        numbers = self._rows_of.get(entry)
        if not numbers or not len(queries):
            return None
        vectors = np.stack([self._index.reconstruct(n) for n in numbers])
        cosines = queries @ vectors.T
        query, view = np.unravel_index(int(np.argmax(cosines)), cosines.shape)
        row = self.rows[numbers[int(view)]]
        return Hit(row.entry, row.kind, row.view, _clip(cosines[query, view]), int(query))


def build(
    folder: Path,
    views: Sequence[View],
    catalogue: Catalogue,
    encoder: Encoder,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Encode the views and write the index; readers see the old one until the new one is whole.

    Args:
        folder: made if missing; only one process builds into it at a time.
        tell: gets a line of progress now and then.

    Returns:
        The manifest.

    Raises:
        IndexBusy: if another process builds there for longer than ``LOCK_TIMEOUT_S``.
        OSError: if the disk refuses; the old index stays.
    """
    from datasets import Dataset  # noqa: PLC0415  takes a second, and only a build needs it

    views = sorted(views, key=lambda v: (v.kind, v.entry))  # one kind's rows stand together: a search can keep to them
    table = Dataset.from_dict(
        {
            "entry": [v.entry for v in views],
            "kind": [v.kind for v in views],
            "view": [v.name for v in views],
            "text": [v.text for v in views],
        }
    )
    parts = []
    for done, batch in enumerate(table.iter(batch_size=_CHUNK)):
        parts.append(encoder.encode(batch["text"]))
        tell(f"encoded {min((done + 1) * _CHUNK, len(table)):,} of {len(table):,} views")
    vectors = np.concatenate(parts) if parts else np.zeros((0, DIMENSION), dtype=np.float32)
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(vectors)
    rows = list(zip(table["entry"], table["kind"], table["view"], strict=True))
    manifest = _expected(catalogue, encoder.name) | {
        "dimension": DIMENSION,
        "metric": METRIC,
        "rows": len(rows),
        "counts": catalogue.counts(),
        "catalogue_version": catalogue.version,
        "versions": {
            name: importlib.metadata.version(name) for name in ("faiss-cpu", "sentence-transformers", "datasets")
        },
    }
    _write(folder, index, rows, manifest)
    return manifest


@contextmanager
def build_lock(folder: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the right to build into a folder; freed by the system if the process dies.

    Raises:
        IndexBusy: if another process holds it for longer than ``timeout_s``.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("a+b") as stream:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise IndexBusy(
                        f"Another process has been building {folder.name}/ for over {timeout_s:.0f} s. "
                        "Wait for it, or end it and build again."
                    ) from error
                time.sleep(0.2)
        yield


def is_current(folder: Path, catalogue: Catalogue, model: str) -> bool:
    """Tell whether the folder holds an index for this catalogue and model."""
    try:
        ViewIndex.open(folder, catalogue, model)
    except (IndexMissing, IndexStale):
        return False
    return True


def _expected(catalogue: Catalogue, model: str) -> dict[str, Any]:
    return {"layout": LAYOUT, "model": model, "catalogue": catalogue.sha256}


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    if not file.is_file():
        raise IndexMissing(f"There is no index in {folder}. {HOW_TO_BUILD}")
    try:
        manifest = json.loads(file.read_bytes())
    except ValueError as error:
        raise IndexStale(f"{file.name} of the index is not JSON. {HOW_TO_BUILD}") from error
    if not isinstance(manifest, dict):
        raise IndexStale(f"{file.name} of the index is not a JSON object. {HOW_TO_BUILD}")
    return manifest


def _write(folder: Path, index: Any, rows: list[tuple[str, str, str]], manifest: dict[str, Any]) -> None:
    """Write a new generation beside the old one, then turn the link: at any moment a reader sees one or the other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    generation = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        faiss.write_index(index, str(generation / "index.faiss"))
        (generation / "ids.json").write_bytes(_json(rows))
        (generation / "manifest.json").write_bytes(_json(manifest))
        generation.chmod(0o755)
        link = folder.parent / f".{folder.name}.new"
        link.unlink(missing_ok=True)
        link.symlink_to(generation.name, target_is_directory=True)
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        link.replace(folder)
    except BaseException:
        shutil.rmtree(generation, ignore_errors=True)
        raise
    # The one before stays: somebody may be in the middle of opening it.
    others = [old for old in folder.parent.glob(f".{folder.name}-*") if old.is_dir() and old.name != generation.name]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[:-1]:
        shutil.rmtree(old, ignore_errors=True)


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=0, sort_keys=True) + "\n").encode()


def _clip(cosine: float) -> float:
    return float(min(1.0, max(-1.0, cosine)))


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
