"""Reading the rows of a corpus: every kind of file gives the same rows, and one bad row means that none is taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import corpus
from app.corpus import Row
from app.errors import FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

TWO = [
    {"id": "b", "name": "Hives", "about": "Weights of hives.", "url": "https://example.org/b"},
    {"id": "7", "name": "Frogs", "about": "", "licence": "CC0"},
]
WANTED = [
    Row("b", "Hives", "Weights of hives.", url="https://example.org/b"),
    Row("7", "Frogs", "", licence="CC0"),
]


def jsonl(path: Path, *rows: Any) -> Path:
    """Write objects a line each; bytes go as they are."""
    path.write_bytes(b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows) + b"\n")
    return path


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    """JSONL, CSV with any case of its columns, and Parquet with columns that nobody asked for."""
    assert corpus.rows([jsonl(tmp_path / "a.jsonl", *TWO)]) == WANTED
    (tmp_path / "a.csv").write_text(
        "Name,ID,About,URL,licence,mark\nHives,b,Weights of hives.,https://example.org/b,,1\nFrogs,7,,,CC0,2\n",
        encoding="utf-8-sig",
    )
    assert corpus.rows([tmp_path / "a.csv"]) == WANTED
    table = pa.Table.from_pylist([row | {"mark": 3} for row in TWO], schema=None)
    pq.write_table(table.append_column("licence", pa.array([None, "CC0"])), tmp_path / "a.parquet")
    assert corpus.rows([tmp_path / "a.parquet"]) == WANTED


def test_a_folder_of_texts_gives_a_row_a_file(tmp_path: Path) -> None:
    """The path below the folder is the id, the first line the name; other files are passed over."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text("# Bees\n\nWeights of hives.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Frogs", encoding="utf-8")
    (tmp_path / "c.png").write_bytes(b"\x89PNG")
    found = corpus.rows([tmp_path])
    assert [(r.id, r.name, r.about) for r in found] == [
        ("b.txt", "Frogs", "Frogs"),
        ("in/a.md", "Bees", "# Bees\n\nWeights of hives."),
    ]


def test_a_number_is_an_id(tmp_path: Path) -> None:
    """Whole numbers are taken as they are written; true is none."""
    assert corpus.rows([jsonl(tmp_path / "a.jsonl", {"id": 7, "name": "x"})])[0].id == "7"
    with pytest.raises(FileUnreadable, match="field 'id' is of type bool"):
        corpus.rows([jsonl(tmp_path / "a.jsonl", {"id": True, "name": "x"})])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "a.jsonl:2: not JSON"),
        (b"[" * 100_000, "a.jsonl:2: not JSON"),
        (b"[1]", "a.jsonl:2: a JSON list where an object is needed"),
        (b'{"id": "x", "name": "caf\xe9"}', "a.jsonl:2: not UTF-8 (byte 24 of the line)"),
        ({"name": "x"}, "a.jsonl:2: field 'id' is missing or empty"),
        ({"id": "x", "name": ""}, "a.jsonl:2: field 'name' is missing or empty"),
        ({"id": "x", "name": ["x"]}, "a.jsonl:2: field 'name' is of type list, where a text is needed"),
        ({"id": "x" * 201, "name": "x"}, "a.jsonl:2: field 'id' has 201 characters; at most 200 are kept"),
        ({"id": "x", "name": "\ud800"}, "a.jsonl:2: field 'name' holds half a character (a lone surrogate)"),
        ({"id": "x", "name": "x", "url": "javascript:1"}, "a.jsonl:2: field 'url' is no web address"),
        ({"id": "b", "name": "x"}, "a.jsonl:2: its id stands at a.jsonl:1 already"),
    ],
)
def test_one_bad_row_means_none_is_taken(line: Any, error: str, tmp_path: Path) -> None:
    """The error names file, line and what is wrong, and says that nothing was taken."""
    with pytest.raises(FileUnreadable) as failed:
        corpus.rows([jsonl(tmp_path / "a.jsonl", TWO[0], line, TWO[1])])
    assert str(failed.value).startswith(error)
    assert str(failed.value).endswith("Nothing was taken.")


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    """The first five are named, the others counted."""
    with pytest.raises(FileUnreadable, match=r"a\.jsonl:5: not JSON\n\.\.\. and 3 more\n"):
        corpus.rows([jsonl(tmp_path / "a.jsonl", *[b"{"] * 8)])


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.xlsx", "gone.jsonl"])
def test_a_file_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    """Bytes that aren't what the name says, an unknown kind and a missing file are one sentence each."""
    if not name.startswith("gone"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FileUnreadable, match=r"not a readable Parquet|not UTF-8|unknown kind|There is no"):
        corpus.rows([tmp_path / name])


@given(st.dictionaries(st.sampled_from(corpus.FIELDS), st.none() | st.booleans() | st.integers() | st.text(max_size=9)))
def test_any_object_is_a_row_or_has_a_reason(raw: dict[str, Any]) -> None:
    """Whatever a line holds, it is a row of texts, or there is a sentence on why not."""
    row = corpus._row(raw)
    if isinstance(row, Row):
        assert all(isinstance(getattr(row, name), str) for name in corpus.FIELDS)
        assert row.id
        assert row.name
    else:
        assert row.startswith("field '")
