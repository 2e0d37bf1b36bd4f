"""Reads tables whose rows are projects: CSV, JSON Lines, Parquet; a bad row is an item with its error, never a stop."""

from __future__ import annotations

import csv
import io
import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from app.errors import FileUnreadable
from app.submissions import columns, links
from app.submissions.encoding import decoded
from app.submissions.item import Columns, Item, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.submissions.item import Limits

    Row = tuple[int, Mapping[str, Any] | str]
    """The number of its line, and its cells by column or what is wrong with it."""

_DELIMITERS = ",;\t|"
_MOST_BROKEN = 1_000
"""Records with broken quotes after which a file is given up: each may cost reading on for a cell's whole length."""
_BROKEN_QUOTES = (
    "a quoted cell isn't closed, has text behind its closing quote, or is too long. Write a quote inside a quoted cell "
    "twice."
)
_NEEDED = "Each line is one object with 'id' and 'text'."


def read_csv(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a table with comma, semicolon, tab or bar between its cells, in any encoding that can be told."""
    text, notices = decoded(name, whole(name, stream, limits.max_table_bytes))
    lines = list(io.StringIO(text, newline=""))
    first = 1 if lines and lines[0].lower().startswith("sep=") else 0  # a hint that spreadsheets write
    csv.field_size_limit(limits.max_cell_chars)
    records = _records(lines, first, _delimiter(lines[first:]))
    opening = next(((number, cells) for number, cells in records if not isinstance(cells, list) or any(cells)), None)
    if opening is None or isinstance(opening[1], str):
        raise FileUnreadable(f"{name} has no readable first line. A table begins with the names of its columns.")
    header = _distinct(opening[1])
    found = _items(name, header, _rows(header, records), limits.columns)
    return _with_notices(found, notices)


def read_jsonl(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a file that has one JSON object a line, with fields ``id`` and ``text`` or others that stand for them."""
    sample, rows = _sample((number, _object(line)) for number, line in enumerate(stream, start=1) if line.strip())
    fields = list(dict.fromkeys(key for _, row in sample if not isinstance(row, str) for key in row))
    if "text" in fields or not fields or (limits.columns == Columns() and not _guessable(fields, sample)):
        # The contract's own names: a field that is missing is then the row's error and not the file's.
        plain = {role: role for role in ("text", "id", "candidate", "title", "link") if role in {*fields, "text", "id"}}
        asked = {role: column for role in plain if (column := getattr(limits.columns, role))}
        yield from (_item(name, row, Columns(**(plain | asked)), needed=True) for row in rows)
        return
    yield from _items(name, fields, rows, limits.columns)


def read_parquet(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a Parquet file, some rows at a time."""
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second, and only this kind of file needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(stream) as file:
            names = [column for column in file.schema_arrow.names if isinstance(column, str)]
            batches: Iterable[Any] = file.iter_batches(batch_size=64)
            rows = enumerate((raw for batch in batches for raw in batch.to_pylist()), start=1)
            yield from _items(name, names, rows, limits.columns, unit=", row ")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileUnreadable(f"{name} is not a readable Parquet file ({type(error).__name__}).") from error


def _guessable(fields: Sequence[str], sample: Sequence[Row]) -> bool:
    try:
        columns.choose("", fields, _texts(sample), Columns())
    except FileUnreadable:
        return False
    return True


def _object(line: bytes) -> Mapping[str, Any] | str:
    try:
        row: Any = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start} of the line)."
    except ValueError:
        return f"not JSON. {_NEEDED}"
    except RecursionError:
        return f"nested too deeply. {_NEEDED}"
    return (
        row
        if isinstance(row, dict)
        else f"a JSON {type(row).__name__}, where an object with 'id' and 'text' is needed."
    )


def _delimiter(lines: Sequence[str]) -> str:
    """Take the sign that cuts the first lines into the same number of cells, and into most of them."""

    def fit(delimiter: str) -> tuple[float, int]:
        found = list(itertools.islice(csv.reader(lines[: 4 * columns.SAMPLE_ROWS], delimiter=delimiter), 20))
        counts = [len(cells) for cells in found if cells]
        if not counts or counts[0] < 2:
            return 0.0, 0
        return counts.count(counts[0]) / len(counts), counts[0]

    try:
        return max(_DELIMITERS, key=fit)
    except csv.Error:  # a cell past the limit: the reading itself says where
        return ","


def _records(lines: Sequence[str], at: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Cut lines into records; where quotes are broken, the next line is tried as the start of a record.

    Yields:
        The number of a record's first line, and its cells or what is wrong.
    """
    broken = 0
    while at < len(lines):
        reader = csv.reader((lines[n] for n in range(at, len(lines))), delimiter=delimiter, strict=True)
        start = at
        try:
            for cells in reader:
                yield start + 1, cells
                start = at + reader.line_num
            at = len(lines)
        except csv.Error:
            broken += 1
            at = start + 1
            if broken > _MOST_BROKEN:
                yield start + 1, f"the quotes of more than {_MOST_BROKEN:,} rows are broken. The rest was not read."
                return
            yield start + 1, _BROKEN_QUOTES


def _rows(header: Sequence[str], records: Iterable[tuple[int, list[str] | str]]) -> Iterator[Row]:
    for number, cells in records:
        if isinstance(cells, str):
            yield number, cells
        elif len(cells) > len(header):
            # A comma in an unquoted text: half of it would be judged, and nobody would know.
            yield (
                number,
                f"{len(cells)} cells where the first line names {len(header)}. Put a text with commas in quotes.",
            )
        elif any(cells):
            yield number, dict(zip(header, cells, strict=False))


def _distinct(header: Sequence[str]) -> list[str]:
    """Number the names that stand twice, and those that are empty."""
    seen: dict[str, int] = {}
    names = []
    for place, cell in enumerate(header, start=1):
        name = cell.strip() or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names


def _sample(rows: Iterable[Row]) -> tuple[list[Row], Iterator[Row]]:
    """Look at the first rows, and give them back."""
    rest = iter(rows)
    sample = list(itertools.islice(rest, columns.SAMPLE_ROWS))
    return sample, itertools.chain(sample, rest)


def _texts(sample: Iterable[Row]) -> list[Mapping[str, str]]:
    return [
        {column: cell for column, cell in row.items() if isinstance(cell, str)}
        for _, row in sample
        if not isinstance(row, str)
    ]


def _items(name: str, header: Sequence[str], rows: Iterable[Row], asked: Columns, unit: str = ":") -> Iterator[Item]:
    sample, rows = _sample(rows)
    chosen = columns.choose(name, header, _texts(sample), asked)
    found = (_item(name, row, chosen, unit) for row in rows)
    yield from _with_notices(found, columns.told(name, chosen, asked))


def _with_notices(items: Iterator[Item], notices: Sequence[Any]) -> Iterator[Item]:
    """Put what is to be said of the file to its first item."""
    for item in itertools.islice(items, 1):
        yield replace(item, notices=(*notices, *item.notices))
    yield from items


def _item(name: str, row: Row, chosen: Columns, unit: str = ":", *, needed: bool = False) -> Item:
    number, cells = row
    origin = f"{name}{unit}{number}"
    if isinstance(cells, str):
        return Item(str(number), "", origin, f"{origin}: {cells}", line=number)
    key = _name(cells.get(chosen.id)) or str(number)
    whose, title = _name(cells.get(chosen.candidate)), _name(cells.get(chosen.title))
    item = Item(key, "", origin, candidate=whose, title=title, line=number)
    text, link = cells.get(chosen.text), _name(cells.get(chosen.link))
    if isinstance(text, str) and (text.strip() or not links.is_link(link)):
        return replace(item, link=text.strip()) if links.is_link(text.strip()) else replace(item, text=text)
    if links.is_link(link):
        return replace(item, link=link)
    missing = chosen.text or chosen.link
    if needed or text is not None:
        return replace(item, error=f"{origin}: field {columns.shown(missing)!r} is missing or not a string.")
    wanted = "there is nothing" if chosen.text else "there is no web address"
    return replace(item, error=f"{origin}: {wanted} in column {columns.shown(missing)!r}.")


def _name(cell: Any) -> str:
    """Take a cell as a name: a text or a whole number, on one line."""
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        return ""
    return " ".join(str(cell).split())
