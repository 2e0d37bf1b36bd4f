"""The commands that keep things: what they did is said on standard error, what was asked for on standard output."""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from app import cli, console, keys
from app.catalogue import Catalogue
from app.collection import Collections
from tests.conftest import write_tiny
from tests.test_admission import FERRIES

if TYPE_CHECKING:
    from pathlib import Path

    from app.encoder import Encoder


def run(*arguments: str) -> int:
    """Run the command line in this process and give its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture
def held(tmp_path: Path, fake_encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Collections:
    """Keep collections in a fresh folder, their vectors made of word counts."""
    found = Collections(tmp_path / "collections", fake_encoder.name)
    monkeypatch.setattr(console, "collections", lambda: found)
    monkeypatch.setattr(console, "encoder", lambda *_: nullcontext(fake_encoder))
    return found


def rows(folder: Path, *ids: str) -> str:
    """Write a file of rows."""
    lines = [json.dumps({"id": one, "name": f"thing {one}", "about": "stones"}) for one in ids]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return str(folder / "rows.jsonl")


def test_a_collection_from_its_first_row_to_its_end(
    held: Collections, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adding, listing, exporting, removing, going back and deleting, each with its word on what was done."""
    assert run("index", "add", rows(tmp_path, "a", "b"), "--collection", "past") == 0
    assert run("index", "add", rows(tmp_path, "b", "c"), "--collection", "past") == 0
    assert "past: 2 rows added or replaced, 3 in all." in capsys.readouterr().err
    assert run("index", "list") == 0
    assert capsys.readouterr().out == "past  3 rows  version 2 (kept: 1, 2)\n"
    assert run("index", "list", "--collection", "past") == 0
    exported = capsys.readouterr().out
    assert [json.loads(line)["id"] for line in exported.splitlines()] == ["a", "b", "c"]
    assert run("index", "remove", "--collection", "past", "a", "nobody") == 0
    assert capsys.readouterr().err == "past: 1 rows removed.\n"
    assert run("index", "back", "--collection", "past") == 0
    assert capsys.readouterr().err == "past: version 2.\n"
    assert len(held.open("past")) == 3
    (tmp_path / "export.jsonl").write_text(exported, encoding="utf-8")
    assert run("index", "add", str(tmp_path / "export.jsonl"), "--collection", "copy") == 0
    assert list(held.open("copy").rows()) == list(held.open("past").rows())
    assert run("index", "remove", "--collection", "past", "--everything") == 0
    assert held.names() == ["copy"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["index", "add", "gone.jsonl", "--collection", "past"], "There is no gone.jsonl"),
        (["index", "add", "gone.jsonl", "--collection", "../past"], "A collection's name has"),
        (["index", "remove", "--collection", "past"], "either the ids to remove or --everything"),
        (["index", "remove", "--collection", "past", "a", "--everything"], "either the ids to remove or --everything"),
        (["index", "remove", "--collection", "past", "a"], "There is no collection 'past'"),
        (["index", "list", "--collection", "past"], "There is no collection 'past'"),
        (["search", "x", "--collection", "past", "--kind", "dataset"], "name a collection without those"),
    ],
)
def test_a_wrong_command_is_one_sentence(
    held: Collections, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can't be done ends with 2 and says why; nothing is made on the way."""
    assert run(*arguments) == 2
    assert says in capsys.readouterr().err
    assert held.names() == []


def test_a_gathered_list_becomes_a_collection(
    held: Collections, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a source lists is read into a table, and the table is a collection's rows."""
    table = str(tmp_path / "sklearn.parquet")
    assert run("index", "gather", "sklearn", table, "--limit", "5") == 0
    assert "gather: sklearn: 5 rows in" in capsys.readouterr().err
    assert run("index", "add", table, "--collection", "public") == 0
    assert {row.source for row in held.open("public").rows()} == {"scikit-learn"}
    assert run("index", "gather", "nowhere", table) == 2
    assert "There is no source 'nowhere'. Known: files, hub" in capsys.readouterr().err


def test_a_version_that_is_not_kept(held: Collections, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Going where nothing is kept ends with 4 and names what is."""
    run("index", "add", rows(tmp_path, "a"), "--collection", "past")
    assert run("index", "back", "--collection", "past", "--to", "7") == 4
    assert "Version 7 of past isn't kept. Kept: 1." in capsys.readouterr().err


def test_keys_are_made_listed_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The key is printed once; the list shows names, rights and last days, and never a key."""
    file = tmp_path / "keys.json"
    monkeypatch.setenv("ORIGINALITY_KEYS_FILE", str(file))
    assert run("keys", "add", "hr", "--may", "read:past", "--may", "write:drafts", "--until", "2031-05-01") == 0
    key = capsys.readouterr().out.strip()
    assert keys.identify(keys.load(file), key).name == "hr"
    assert run("keys", "list") == 0
    assert capsys.readouterr().out == "hr  read:past, write:drafts  until 2031-05-01\n"
    assert run("keys", "remove", "hr") == 0
    assert keys.load(file) == ()
    assert run("keys", "add", "hr", "--may", "everything") == 2


def test_an_entry_is_added_to_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a file or standard input, one object or a line each; the template shows the fields and adds nothing."""
    folder = write_tiny(tmp_path / "data")
    monkeypatch.setenv("ORIGINALITY_CATALOGUE_DIR", str(folder))
    assert run("catalogue", "add", "dataset", "--template") == 0
    assert "modality" in json.loads(capsys.readouterr().out)
    (tmp_path / "new.json").write_text(json.dumps(FERRIES, indent=2), encoding="utf-8")
    assert run("catalogue", "add", "dataset", str(tmp_path / "new.json")) == 0
    assert "Added: ferries-of-1990." in capsys.readouterr().err
    two: list[dict[str, Any]] = [FERRIES | {"name": name, "id": name.lower()} for name in ("Trams", "Buses")]
    piped = "\n".join(map(json.dumps, two)) + "\n\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.encode())))
    assert run("catalogue", "add", "dataset") == 0
    assert {"ferries-of-1990", "trams", "buses"} < set(Catalogue.load(folder).datasets)


@pytest.mark.parametrize("text", ["", "{", "7", "[7]", "[" * 100_000])
def test_what_is_no_entry_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything else than objects ends with 2 and says what to give."""
    monkeypatch.setenv("ORIGINALITY_CATALOGUE_DIR", str(write_tiny(tmp_path / "data")))
    (tmp_path / "new.json").write_text(text, encoding="utf-8")
    assert run("catalogue", "add", "dataset", str(tmp_path / "new.json")) == 2
    assert "Give one object, a list of objects, or one object a line." in capsys.readouterr().err
