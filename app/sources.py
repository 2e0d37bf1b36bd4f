"""Reads submissions out of files and folders, one at a time; a bad line is an item with its error, never a stop."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.errors import FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT_COLUMNS = ("text", "description", "idea", "project", "readme", "summary", "abstract")
"""Column names taken for the text of a CSV, in this order, whatever their case."""
ID_COLUMNS = ("id", "custom_id", "name", "title", "repo", "url")
TEXT_SUFFIXES = (".md", ".markdown", ".txt", ".rst")
MAX_FIELD_CHARS = 2_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """One input: its text, or why there is none.

    Attributes:
        origin: file and line, for messages.
    """

    id: str
    text: str
    origin: str
    error: str = ""


def items(paths: list[Path]) -> Iterator[Item]:
    """Read JSONL (fields ``id`` and ``text``), CSV, text and Markdown files and folders of them, in the order given.

    Raises:
        FileUnreadable: if a path doesn't exist, or its kind isn't known; before anything is yielded.
    """
    for path in paths:
        if not path.exists():
            raise FileUnreadable(f"There is no {path}. Give a JSONL, CSV, text or Markdown file, or a folder of them.")
        if path.is_file() and path.suffix.lower() not in {".jsonl", ".csv", *TEXT_SUFFIXES}:
            raise FileUnreadable(
                f"{path.name} is of an unknown kind ({path.suffix or 'no suffix'}). "
                f"Known: .jsonl, .csv, {', '.join(TEXT_SUFFIXES)}."
            )
    return (item for path in paths for item in _of(path))


def _of(path: Path) -> Iterator[Item]:
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in TEXT_SUFFIXES):
            yield _text_file(file, file.relative_to(path).as_posix())
    elif path.suffix.lower() == ".jsonl":
        yield from _jsonl(path)
    elif path.suffix.lower() == ".csv":
        yield from _csv(path)
    else:
        yield _text_file(path, path.name)


def _text_file(path: Path, name: str) -> Item:
    try:
        return Item(name, path.read_text(encoding="utf-8-sig"), name)
    except UnicodeDecodeError as error:
        return Item(name, "", name, f"{name} is not UTF-8 (byte {error.start}). Save it as UTF-8 text.")
    except OSError as error:
        return Item(name, "", name, f"{name} can't be read: {error.strerror}.")


def _jsonl(path: Path) -> Iterator[Item]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield _json_item(line, f"{path.name}:{number}", number)


def _json_item(line: bytes, origin: str, number: int) -> Item:
    try:
        row: Any = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Item(str(number), "", origin, f"{origin}: not UTF-8 (byte {error.start} of the line).")
    except ValueError:
        return Item(str(number), "", origin, f"{origin}: not JSON. Each line is one object with 'id' and 'text'.")
    except RecursionError:
        return Item(
            str(number), "", origin, f"{origin}: nested too deeply. Each line is one object with 'id' and 'text'."
        )
    if not isinstance(row, dict):
        return Item(
            str(number),
            "",
            origin,
            f"{origin}: a JSON {type(row).__name__}, where an object with 'id' and 'text' is needed.",
        )
    name = str(row.get("id", number))
    if not isinstance(row.get("text"), str):
        return Item(name, "", origin, f"{origin}: field 'text' is missing or not a string.")
    return Item(name, row["text"], origin)


def _csv(path: Path) -> Iterator[Item]:
    csv.field_size_limit(min(sys.maxsize, MAX_FIELD_CHARS))
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            columns = {(name or "").strip().lower(): name for name in rows.fieldnames or []}
            text = next((columns[c] for c in TEXT_COLUMNS if c in columns), None)
            key = next((columns[c] for c in ID_COLUMNS if c in columns), None)
            if text is None:
                found = ", ".join(columns) or "none"
                raise FileUnreadable(
                    f"{path.name} has no column for the text (found: {found}). Name one of: {', '.join(TEXT_COLUMNS)}."
                )
            for number, row in enumerate(rows, start=2):
                name = (row.get(key) if key else None) or str(number)
                yield Item(name, row.get(text) or "", f"{path.name}:{rows.line_num}")
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path.name} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except csv.Error as error:
        raise FileUnreadable(f"{path.name} is not a readable CSV file: {error}.") from error
