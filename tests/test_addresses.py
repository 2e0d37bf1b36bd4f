"""Addresses are marked as seen only where they stand beside a name of their entry, in a file that people read."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from app.catalogue import DATA, format_line
from scripts.coverage import find_addresses

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("list.md", "| Iris | [UCI](https://archive.ics.uci.edu/dataset/53/flowers) |", True),
        ("METADATA", "The Iris flowers: http://archive.ics.uci.edu/dataset/53", True),
        ("list.md", "Iris " + "and more " * 400 + "https://archive.ics.uci.edu/dataset/53", False),
        ("list.md", "flowers: https://archive.ics.uci.edu/dataset/53", False),
        ("list.md", "| Iris | https://archive.ics.uci.edu/dataset/531 |", False),
        ("list.bin", "| Iris | https://archive.ics.uci.edu/dataset/53 |", False),
    ],
)
def test_an_address_counts_beside_a_name(tmp_path: Path, name: str, text: str, seen: bool) -> None:
    """Near a name of the entry, whole, in a file with words; then it is marked, and where it stood is kept."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    iris = {"id": "iris", "name": "Iris flowers", "aliases": ["iris"], "url_verified": False}
    rows = {"dataset": [iris | {"url": "https://archive.ics.uci.edu/dataset/53"}], "technique": []}
    assert find_addresses.look(rows, [f"a list={tmp_path}"]) == f"{int(seen)} of 1"
    assert rows["dataset"][0]["url_verified"] is seen
    assert rows["dataset"][0].get("evidence", []) == ["its address stands in: a list"] * seen


def test_what_is_found_is_written_to_a_catalogue_that_stays_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files are written in the catalogue's own form; --dry only says what would be."""
    folder, source = tmp_path / "catalogue", tmp_path / "source"
    shutil.copytree(DATA, folder)
    file = folder / "datasets.jsonl"
    kept = file.read_text(encoding="utf-8")
    row = next(row for row in map(json.loads, kept.splitlines()) if row["id"] == "iris")
    before = format_line("dataset", row)
    unseen = format_line("dataset", row | {"url_verified": False})
    file.write_text(kept.replace(before, unseen), encoding="utf-8")
    source.mkdir()
    (source / "list.md").write_text(f"Iris: {row['url']}", encoding="utf-8")
    told = [f"a list={source}", "--catalogue", str(folder)]
    assert find_addresses.main([*told, "--dry"]) == 0
    assert unseen in file.read_text(encoding="utf-8")
    assert find_addresses.main(told) == 0
    assert '"its address stands in: a list"' in file.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"iris  {row['url']}  a list\n" * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.kaggle.com/datasets/uciml/iris", "http://kaggle.com/uciml/iris/data"),
        ("https://www.kaggle.com/competitions/titanic", "https://www.kaggle.com/c/titanic/overview"),
        ("https://archive.ics.uci.edu/dataset/53", "https://archive-beta.ics.uci.edu/dataset/53/iris"),
        ("https://www.openml.org/d/61", "https://www.openml.org/search?type=data&sort=runs&id=61"),
        ("https://github.com/numenta/NAB", "https://github.com/numenta/NAB/tree/master"),
    ],
)
def test_a_page_is_known_by_each_of_its_addresses(one: str, other: str) -> None:
    """Hosts have named the same page in several ways over the years."""
    assert find_addresses.plain(one) == find_addresses.plain(other)
