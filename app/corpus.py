"""Reads the rows of a corpus out of JSONL, CSV, Parquet files and folders of texts: all are good, or none is taken."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from app.errors import BadInput, FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

TEXT_SUFFIXES = (".md", ".markdown", ".txt", ".rst")
SHOWN_PROBLEMS = 5
MAX_ID_CHARS, MAX_NAME_CHARS, MAX_ABOUT_CHARS = 200, 500, 200_000
_WHAT = "Each row has 'id', 'name', 'about' and perhaps 'url', 'source', 'licence' and 'retrieved', all of them texts."


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of a corpus.

    Attributes:
        id: unique in its corpus.
        source, licence, retrieved: where it comes from, on what terms, and the ISO date of its reading; may be empty.
    """

    id: str
    name: str
    about: str
    url: str = ""
    source: str = ""
    licence: str = ""
    retrieved: str = ""


FIELDS = tuple(field.name for field in fields(Row))
_LIMITS = {"id": MAX_ID_CHARS, "name": MAX_NAME_CHARS, "about": MAX_ABOUT_CHARS}


def rows(paths: Sequence[Path]) -> list[Row]:
    """Read files and folders in the order given.

    Raises:
        FileUnreadable: naming the first few lines that can't be rows, or an id that stands twice.
    """
    found: list[Row] = []
    problems: list[str] = []
    places: dict[str, str] = {}
    for place, raw in (pair for path in paths for pair in _of(path)):
        row = raw if isinstance(raw, str) else _row(raw)
        if isinstance(row, str):
            problems.append(f"{place}: {row}")
        elif row.id in places:
            problems.append(f"{place}: its id stands at {places[row.id]} already")
        else:
            places[row.id] = place
            found.append(row)
    if problems:
        more = [f"... and {len(problems) - SHOWN_PROBLEMS} more"] if len(problems) > SHOWN_PROBLEMS else []
        raise FileUnreadable("\n".join([*problems[:SHOWN_PROBLEMS], *more, f"{_WHAT} Nothing was taken."]))
    return found


def row(raw: Mapping[str, Any]) -> Row:
    """Make a row of a mapping.

    Raises:
        BadInput: if it can't be one.
    """
    found = _row(raw)
    if isinstance(found, str):
        raise BadInput(f"{found[0].upper()}{found[1:]}. {_WHAT}")
    return found


def _of(path: Path) -> Iterator[tuple[str, Any]]:
    """Give each raw row with its place; a text in a row's stead says what is wrong with it."""
    suffix = path.suffix.lower()
    if not path.exists():
        raise FileUnreadable(f"There is no {path}. Give a JSONL, CSV or Parquet file of rows, or a folder of texts.")
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in TEXT_SUFFIXES):
            yield file.name, _of_text(file, file.relative_to(path).as_posix())
    elif suffix == ".jsonl":
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield f"{path.name}:{number}", _of_json(line)
    elif suffix == ".csv":
        yield from _of_csv(path)
    elif suffix == ".parquet":
        yield from _of_parquet(path)
    else:
        raise FileUnreadable(
            f"{path.name} is of an unknown kind ({suffix or 'no suffix'}). Known: .jsonl, .csv, .parquet."
        )


def _of_text(file: Path, name: str) -> Mapping[str, Any] | str:
    try:
        text = file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start})"
    first = text.partition("\n")[0].strip("#=* \t")[:MAX_NAME_CHARS]
    return {"id": name, "name": first or name, "about": text}


def _of_json(line: bytes) -> Mapping[str, Any] | str:
    try:
        row: Any = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start} of the line)"
    except (ValueError, RecursionError):
        return "not JSON"
    return row if isinstance(row, dict) else f"a JSON {type(row).__name__} where an object is needed"


def _of_csv(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
            for row in reader:
                yield f"{path.name}:{reader.line_num}", row
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path.name} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except csv.Error as error:
        raise FileUnreadable(f"{path.name} is not a readable CSV file: {error}.") from error


def _of_parquet(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second, and only this kind of file needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            known = [name for name in FIELDS if name in file.schema_arrow.names]
            raws: Iterable[Any] = (raw for batch in file.iter_batches(columns=known) for raw in batch.to_pylist())
            for number, raw in enumerate(raws, start=1):
                yield f"{path.name}, row {number}", raw
    except (OSError, pa.ArrowException) as error:
        raise FileUnreadable(f"{path.name} is not a readable Parquet file ({type(error).__name__}).") from error


def _row(raw: Mapping[str, Any]) -> Row | str:
    """Make a row, or say why it is none."""
    given: dict[str, Any] = {name: raw.get(name) for name in FIELDS if raw.get(name) not in (None, "")}
    if isinstance(given.get("id"), int) and not isinstance(given["id"], bool):
        given["id"] = str(given["id"])
    for name in ("id", "name"):
        if name not in given:
            return f"field {name!r} is missing or empty"
    for name, value in given.items():
        most = _LIMITS.get(name, MAX_NAME_CHARS)
        if not isinstance(value, str):
            return f"field {name!r} is of type {type(value).__name__}, where a text is needed"
        if len(value) > most:
            return f"field {name!r} has {len(value):,} characters; at most {most:,} are kept"
        if any(0xD800 <= ord(letter) <= 0xDFFF for letter in value):
            return f"field {name!r} holds half a character (a lone surrogate)"
    if "url" in given and not given["url"].startswith(("http://", "https://")):
        return "field 'url' is no web address (http:// or https://)"
    return Row(**{"about": "", **given})
