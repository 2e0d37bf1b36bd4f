"""Labelled texts as numbers: all that learning looks at, and the file that keeps it where the words may not be kept."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import app
from app import claims, features, gloss, intake, judge, wording
from app.errors import FileUnreadable
from app.evaluation import digest
from app.features import Taught
from app.matches import Candidate, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from app.catalogue import Catalogue
    from app.reader import Reader
    from app.records import Reading

    Floats = NDArray[np.float32]

FOLDS = 5
READ_TOGETHER = 64
_CODE = (
    *("aliases", "claims", "cues", "features", "gloss", "intake"),
    *("letters", "matches", "reader", "roles", "wording"),
)
"""Modules whose change makes other numbers of the same text; the encoder is known by its model's name."""
_FOR_SHOW = ("evidence", "licence", "twists", "alternatives", "publisher", "level", "url", "url_verified")
"""Fields of an entry that no number depends on: a mended address is no reason to learn anew."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled text that has been read.

    Attributes:
        row: as its file gives it.
        source: the file that it comes from, without its extension.
    """

    row: Mapping[str, Any]
    source: str
    reading: Reading

    @property
    def fold(self) -> int:
        """The fold of its author."""
        return fold_of(str(self.row["group"]))


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text as numbers.

    Attributes:
        digest: ``evaluation.digest`` of its text.
        group: its author; never split over folds.
        source: the file that it comes from, without its extension.
        labels: head to the index of its label.
        datasets: ids that its results rest on.
        hard: its tags, separated by commas.
        ambiguous: whether two readers differ on it.
        length: words, as its file counts them.
        words: words that count, as the reader does.
        cliche: whether it names a cliché for sure.
        settled: as ``features.settled``.
        roles: row k is ``roles.summed`` of scores by a sentence reader that saw neither its own fold nor fold k.
        buckets, values: as ``wording.counts``.
        whole: the text's vector, shape (384,).
    """

    id: str
    digest: str
    group: str
    source: str
    labels: Mapping[str, int]
    datasets: frozenset[str]
    hard: str
    ambiguous: bool
    length: int
    words: int
    language: str
    cliche: bool
    settled: Mapping[str, float]
    roles: Floats
    taught: tuple[Taught, ...]
    candidates: tuple[Candidate, ...]
    buckets: NDArray[np.int32]
    values: Floats
    whole: Floats

    @property
    def fold(self) -> int:
        """The fold of its author."""
        return fold_of(self.group)


def fold_of(group: str) -> int:
    """Give a group's fold: a hash, so that it stays where it is when other groups come and go."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def read(
    files: Mapping[str, Sequence[Mapping[str, Any]]], reader: Reader, tell: Callable[[str], None] = lambda _: None
) -> list[Labelled]:
    """Read labelled rows.

    Args:
        files: source name (a file's name without ``.jsonl``) to its rows: id, text, group, verdict, dataset, technique,
            tutorial, and ``dataset_ids`` or, where a row has none, the names in ``datasets``, which are looked up.
    """
    found = []
    for source, rows in files.items():
        for start in range(0, len(rows), READ_TOGETHER):
            some = rows[start : start + READ_TOGETHER]
            briefs = [claims.mute(intake.read(str(row["text"]), id=str(row["id"]))) for row in some]
            readings = reader.read(briefs)
            found += [Labelled(row, source, reading) for row, reading in zip(some, readings, strict=True)]
            tell(f"read {start + len(some):,} of {len(rows):,} of {source}")
    return found


def example(one: Labelled, said: Sequence[Mapping[str, float]], reader: Reader) -> Example:
    """Turn a text into numbers.

    Args:
        said: per fold k the summed roles by a sentence reader that saw neither the text's own fold nor fold k.
    """
    row, reading, entries = one.row, one.reading, reader.catalogue.entries
    buckets, values = wording.counts(reading.brief.sentences[i].text for i in reading.counted)
    ids = row.get("dataset_ids")
    named = ids if ids is not None else [entry for name in row["datasets"] for entry in reader.datasets_named(name)]
    return Example(
        id=str(row["id"]),
        digest=digest(reading.brief.text),
        group=str(row["group"]),
        source=one.source,
        labels={
            "verdict": judge.VERDICTS.index(row["verdict"]),
            "origin": judge.ORIGINS.index(row["dataset"]),
            "method": judge.METHODS.index(row["technique"]),
            "tutorial": int(bool(row["tutorial"])),
        },
        datasets=frozenset(named),
        hard=str(row.get("hard") or ""),
        ambiguous=bool(row.get("ambiguous")),
        length=int(row.get("words", len(str(row["text"]).split()))),
        words=reading.brief.words,
        language=reading.brief.language,
        cliche=any(m.sure and m.kind == "cliche" for m in reading.mentions),
        settled=features.settled(reading, entries),
        roles=np.array([list(one.values()) for one in said], dtype=np.float32),
        taught=features.taught(reading, entries),
        candidates=tuple(candidates(reading, reader.catalogue.datasets)),
        buckets=buckets,
        values=values.astype(np.float32),
        whole=reading.vectors[-1],
    )


def made_by(catalogue: Catalogue, model: str) -> dict[str, str]:
    """Tell what numbers depend on besides the text: the hash of the code, the catalogue and the model."""
    code, known = hashlib.sha256(), hashlib.sha256()
    for name in _CODE:
        code.update(bare((Path(app.__file__).parent / f"{name}.py").read_text(encoding="utf-8")).encode())
    for table in sorted(gloss.FOLDER.glob("*.tsv")):
        code.update(table.read_bytes())
    for entry in catalogue.entries.values():
        if entry.kind != "alternative":
            read = {field: value for field, value in asdict(entry).items() if field not in _FOR_SHOW}
            known.update(json.dumps(read, sort_keys=True).encode())
    return {"code": code.hexdigest()[:16], "catalogue": known.hexdigest()[:16], "model": model}


def bare(source: str) -> str:
    """Give code without what no number depends on: comments on lines of their own, docstrings, blank lines."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    kept = (line.rstrip() for line in lines)
    return "\n".join(line for line in kept if line and not line.lstrip().startswith("#"))


def save(examples: Sequence[Example], path: Path, made: Mapping[str, str]) -> None:
    """Write examples to a Parquet file: ids, labels and numbers, no words of any text."""
    settled, weighed = _names(examples)
    columns = {
        name: [getattr(e, name) for e in examples]
        for name in ("id", "digest", "group", "source", "hard", "ambiguous", "length", "words", "language", "cliche")
    }
    columns |= {head: [e.labels[head] for e in examples] for head in judge.HEADS}
    columns |= {
        "datasets": [sorted(e.datasets) for e in examples],
        "taught": [[t.entry for t in e.taught] for e in examples],
        "candidates": [[c.entry for c in e.candidates] for e in examples],
    }
    columns |= {
        name: [np.asarray(array, dtype=kind).tobytes() for array in map(numbers, examples)]
        for name, (kind, numbers) in _ARRAYS.items()
    }
    header = dict(made) | {"settled": "\n".join(settled), "candidate": "\n".join(weighed)}
    table = pa.table(columns).replace_schema_metadata(header)
    pq.write_table(table, path, compression="zstd", compression_level=19)


def load(path: Path) -> tuple[list[Example], dict[str, str]]:
    """Read what ``save`` wrote.

    Returns:
        The examples, and what made their numbers.

    Raises:
        FileUnreadable: if there is no such file, or it isn't one.
    """
    try:
        table = pq.read_table(path)
        header = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        settled, weighed = header["settled"].split("\n"), header["candidate"].split("\n")
        rows = table.to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise FileUnreadable(
            f"{path.name} can't be read as numbers of labelled texts ({type(error).__name__}). "
            "Restore it, or make it anew: scripts/train_judge.py FILE..."
        ) from error
    made = {name: header.get(name, "") for name in ("code", "catalogue", "model")}
    return [_loaded(row, settled, weighed) for row in rows], made


def _loaded(row: Mapping[str, Any], settled: Sequence[str], weighed: Sequence[str]) -> Example:
    arrays: dict[str, NDArray[Any]] = {
        name: np.frombuffer(row[name], dtype=kind) for name, (kind, _) in _ARRAYS.items()
    }
    taught = arrays["taught_numbers"].astype(float).reshape(-1, 3).tolist()
    numbers = arrays["candidate_numbers"].astype(float).reshape(-1, 1 + len(weighed)).tolist()
    plain = ("id", "digest", "group", "source", "hard", "ambiguous", "length", "words", "language", "cliche")
    return Example(
        **{name: row[name] for name in plain},
        labels={head: row[head] for head in judge.HEADS},
        datasets=frozenset(row["datasets"]),
        settled=dict(zip(settled, arrays["settled"].astype(float).tolist(), strict=True)),
        roles=arrays["roles"].astype(np.float32).reshape(FOLDS, -1),
        taught=tuple(Taught(entry, *some) for entry, some in zip(row["taught"], taught, strict=True)),
        candidates=tuple(
            Candidate(entry, 0, cosine, (), dict(zip(weighed, some, strict=True)))
            for entry, (cosine, *some) in zip(row["candidates"], numbers, strict=True)
        ),
        buckets=arrays["buckets"].astype(np.int32),
        values=arrays["values"].astype(np.float32),
        whole=arrays["whole"].astype(np.float32),
    )


_ARRAYS: dict[str, tuple[type, Callable[[Example], Any]]] = {
    "settled": (np.float32, lambda e: list(e.settled.values())),
    "roles": (np.float16, lambda e: e.roles),
    "taught_numbers": (np.float16, lambda e: [(t.method, t.cosine, t.overall) for t in e.taught]),
    "candidate_numbers": (np.float16, lambda e: [(c.cosine, *c.features.values()) for c in e.candidates]),
    "buckets": (np.int16, lambda e: e.buckets),
    "values": (np.float16, lambda e: e.values),
    "whole": (np.float16, lambda e: e.whole),
}
"""Column to the precision in which it is kept and what it holds. Half precision moves no probability by a hundredth."""


def _names(examples: Sequence[Example]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    settled = tuple(examples[0].settled)
    weighed = next((tuple(e.candidates[0].features) for e in examples if e.candidates), ())
    return settled, weighed
