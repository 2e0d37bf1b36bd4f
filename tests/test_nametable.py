"""The kept name tables: they find what fresh ones find, and a damaged file costs time alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import intake, nametable
from app.aliases import AliasFinder, fold
from app.nametable import KeptFinder

if TYPE_CHECKING:
    from pathlib import Path

    from app.catalogue import Catalogue
    from app.encoder import Encoder

TEXT = "load_pebbles gives stones, the Pebble datasett and a RulerClassifier for letters.csv."


def found(finder: AliasFinder) -> list[tuple[str, str, str, bool, int]]:
    """List what a finder sees in the text."""
    brief = intake.read(TEXT)
    return [(m.entry, m.kind, m.alias, m.sure, m.span.start) for m in finder.find(brief, fold(brief.text))]


def test_kept_tables_find_the_same(tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Names, doubtful names and slips of the pen are found alike, with the same owners."""
    first = nametable.finder(tmp_path, tiny, fake_encoder)
    second = nametable.finder(tmp_path, tiny, fake_encoder)
    assert not isinstance(first, KeptFinder)
    assert isinstance(second, KeptFinder)
    assert found(first) == found(second)
    assert {entry for entry, *_ in found(second)} == {"letters", "pebbles", "ruler"}
    assert vars(first).keys() == vars(second).keys()


def test_a_damaged_file_is_made_anew(tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Whatever stands in the file, the names are found; then the file is whole again."""
    nametable.finder(tmp_path, tiny, fake_encoder)
    file = next(tmp_path.glob("names-*.json"))
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"pebbles", b"puddles"))
    assert {entry for entry, *_ in found(nametable.finder(tmp_path, tiny, fake_encoder))} >= {"pebbles"}
    assert file.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_is_done_without(
    tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder
) -> None:
    """The tables are made in memory, and nothing is raised."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert found(nametable.finder(tmp_path / "taken", tiny, fake_encoder))
