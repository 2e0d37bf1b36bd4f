"""Reading submissions out of files: a bad line is an item with its place, and the rest goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from app import sources
from app.errors import FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, data: bytes) -> list[tuple[str, str, str]]:
    """Write a file and give the id, text and error of each item in it."""
    path.write_bytes(data)
    return [(i.id, i.text, i.error) for i in sources.items([path])]


def test_jsonl_gives_ids_and_texts_in_order(tmp_path: Path) -> None:
    """Numbers are ids too, a missing id is the line's number, blank lines are no items, and a BOM is no text."""
    lines = ['\ufeff{"id": "b", "text": "hives"}', "", '{"id": 7, "text": "frogs"}', '{"text": "rain"}']
    assert read(tmp_path / "a.jsonl", "\n".join(lines).encode()) == [
        ("b", "hives", ""),
        ("7", "frogs", ""),
        ("4", "rain", ""),
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "a.jsonl:2: not JSON. Each line is one object with 'id' and 'text'."),
        (b"[1]", "a.jsonl:2: a JSON list, where an object with 'id' and 'text' is needed."),
        (b'"text"', "a.jsonl:2: a JSON str, where an object with 'id' and 'text' is needed."),
        (b'{"id": 1}', "a.jsonl:2: field 'text' is missing or not a string."),
        (b'{"text": 3}', "a.jsonl:2: field 'text' is missing or not a string."),
        (b'{"text": "caf\xe9"}', "a.jsonl:2: not UTF-8 (byte 13 of the line)."),
        (b"[" * 100_000, "a.jsonl:2: nested too deeply. Each line is one object with 'id' and 'text'."),
    ],
)
def test_a_bad_line_names_its_place_and_stops_nothing(line: bytes, error: str, tmp_path: Path) -> None:
    """The item of a bad line says file, line and what is wrong; the lines around it are read."""
    found = read(tmp_path / "a.jsonl", b'{"text": "x"}\n' + line + b'\n{"text": "y"}\n')
    assert [text for _, text, _ in found] == ["x", "", "y"]
    assert found[1][2] == error


def test_a_lone_surrogate_in_json_is_a_text(tmp_path: Path) -> None:
    """JSON may hold half a pair; it is the reader's to judge, not the file's."""
    assert read(tmp_path / "a.jsonl", rb'{"text": "\ud83d hives"}') == [("1", "\ud83d hives", "")]


def test_csv_finds_its_columns(tmp_path: Path) -> None:
    """The text's and the id's columns go by several names, whatever their case; quotes may hold line ends."""
    data = '\ufeffName,Stars,Description\nbees,3,"hives,\nweighed"\n,4,frogs\n'.encode()
    assert read(tmp_path / "a.csv", data) == [("bees", "hives,\nweighed", ""), ("3", "frogs", "")]
    assert [i.origin for i in sources.items([tmp_path / "a.csv"])] == ["a.csv:3", "a.csv:4"]


def test_csv_without_a_text_says_what_it_found(tmp_path: Path) -> None:
    """The error names the columns there are and those that would do."""
    with pytest.raises(
        FileUnreadable, match=r"no column for the text \(found: a, b\)\. Name one of: text, description"
    ):
        read(tmp_path / "a.csv", b"a,b\n1,2\n")


def test_csv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """UTF-16 as spreadsheets save it is an error that says so."""
    with pytest.raises(FileUnreadable, match=r"a\.csv is not UTF-8 \(byte 0\)\. Save it as UTF-8"):
        read(tmp_path / "a.csv", "text\nhives\n".encode("utf-16"))


def test_a_text_file_is_one_item(tmp_path: Path) -> None:
    """Its name is its id; another encoding is an item with its error."""
    assert read(tmp_path / "idea.md", "\ufeffhives".encode()) == [("idea.md", "hives", "")]
    assert read(tmp_path / "idea.txt", "hives".encode("utf-16")) == [
        ("idea.txt", "", "idea.txt is not UTF-8 (byte 0). Save it as UTF-8 text.")
    ]


def test_a_folder_gives_its_texts_by_path(tmp_path: Path) -> None:
    """Every text or Markdown file below a folder, in the order of paths, each under its path."""
    for name, text in {"b/README.md": "two", "a.txt": "one", "c.png": "no", "b/z.JSON": "no"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [(i.id, i.text) for i in sources.items([tmp_path])] == [("a.txt", "one"), ("b/README.md", "two")]


def test_paths_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    """A path that isn't there, or of an unknown kind, is refused at once, though good ones stand before it."""
    good = tmp_path / "a.jsonl"
    good.write_text(json.dumps({"text": "x"}), encoding="utf-8")
    with pytest.raises(FileUnreadable, match=r"There is no .*b\.jsonl"):
        sources.items([good, tmp_path / "b.jsonl"])
    (tmp_path / "c.docx").write_bytes(b"PK")
    with pytest.raises(FileUnreadable, match=r"c\.docx is of an unknown kind \(\.docx\)\. Known: \.jsonl, \.csv, \.md"):
        sources.items([good, tmp_path / "c.docx"])


def test_several_paths_come_in_the_order_given(tmp_path: Path) -> None:
    """Files follow each other as they were named."""
    for name in ("z.txt", "a.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert [i.id for i in sources.items([tmp_path / "z.txt", tmp_path / "a.txt"])] == ["z.txt", "a.txt"]
