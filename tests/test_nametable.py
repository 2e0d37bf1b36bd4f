"""The kept name tables: they find what fresh ones find, and a damaged file costs time alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from app import intake, nametable
from app.aliases import _TYPO_TWO_EDITS_CHARS, AliasFinder, Tables, _only_long_words_differ, fold
from app.reader import tables
from app.records import Name

if TYPE_CHECKING:
    from app.catalogue import Catalogue
    from app.checker import Checker
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
    fresh = AliasFinder(tables(tiny, fake_encoder))
    assert len(list(tmp_path.iterdir())) == 1
    assert found(first) == found(second) == found(fresh)
    assert {entry for entry, *_ in found(second)} == {"letters", "pebbles", "ruler"}
    assert list(second.tables.names) == list(fresh.tables.names)
    assert [second.tables.names[form] for form in second.tables.names] == list(fresh.tables.names.values())
    assert (second.tables.vocabulary, second.tables.typos) == (fresh.tables.vocabulary, fresh.tables.typos)


def nearest(finder: AliasFinder, gram: str) -> str | None:
    """Find what a slip means the plain way: every form of as many words and the same letter is measured."""
    edits = 2 if len(gram) >= _TYPO_TWO_EDITS_CHARS else 1
    bucket = finder.tables.typos.get((gram.count(" ") + 1, gram[0]), [])
    near = [form for form in bucket if abs(len(form) - len(gram)) <= edits and _only_long_words_differ(form, gram)]
    best = process.extractOne(gram, near, scorer=OSA.distance, score_cutoff=edits)
    return str(best[0]) if best and finder._is_a_slip(str(best[0]), gram) else None


@given(st.text("abcdelprst ", min_size=7, max_size=24), st.lists(st.text("abcdelprst ", min_size=7, max_size=24)))
def test_a_slip_is_found_alike(gram: str, forms: list[str]) -> None:
    """Whatever the names and the word, the quick search gives the same one, or none, as the plain one."""
    gram = " ".join(gram.split()) or "a"
    finder = AliasFinder(Tables.of([Name(f"e{n}", "dataset", name, sure=True) for n, name in enumerate(forms)]))
    slips = {gram, *forms, *(f"{form[: len(form) // 2]}{form[len(form) // 2 + 1 :]}" for form in finder.tables.names)}
    for slip in sorted(" ".join(some.split()) for some in slips if some.strip()):
        assert finder._nearest(slip, slip.count(" ") + 1) == nearest(finder, slip)


@pytest.mark.model
def test_slips_in_real_ideas_are_found_alike(checker: Checker) -> None:
    """The shipped catalogue's names, found in the labelled ideas with every fifth letter left out."""
    kept = checker._reader._finder
    lines = (Path(__file__).parent / "cases" / "ideas.dev.jsonl").read_text(encoding="utf-8").splitlines()[::5]
    grams = [
        " ".join(word[:at] + word[at + 1 :] for word in some)
        for line in lines
        for words in [fold(json.loads(line)["text"]).text.split()]
        for start in range(len(words))
        for some in [words[start : start + 2]]
        for at in [4]
    ]
    checked = [gram for gram in grams if len(gram) > 6]
    answers = [kept._nearest(gram, gram.count(" ") + 1) for gram in checked]
    assert answers == [nearest(kept, gram) for gram in checked]
    assert sum(answer is not None for answer in answers) > 5


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
