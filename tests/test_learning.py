"""Learning: folds by author, and a judge that runs on what was learned as the learning itself did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from app import features, judge, learning, matches, wording
from app.evaluation import digest
from app.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.reader import Reader

Row = dict[str, Any]
TEMPLATES: dict[str, tuple[str, str, str, bool]] = {
    "well_worn": ("Sort Pebbles with the Ruler method, lesson {n}.", "known", "known", True),
    "partly_known": ("Public counts of site {n}, with an error analysis.", "unknown", "known", False),
    "original": ("We weighed {n} stones of our shore and asked midwives.", "own", "novel", False),
    "off_topic": ("A login page in React number {n}.", "none", "none", False),
}


def rows(count: int = 40) -> list[Row]:
    """Make labelled texts, two an author, of four plain kinds."""
    made = []
    for n in range(count):
        for verdict, (text, dataset, technique, tutorial) in TEMPLATES.items():
            made.append(
                {
                    "id": f"{verdict}-{n}",
                    "text": text.format(n=n) + f" Note {n * 7 % 13} of {verdict[:2]}.",
                    "group": f"author-{n // 2}",
                    "verdict": verdict,
                    "dataset": dataset,
                    "technique": technique,
                    "tutorial": tutorial,
                    "flag": verdict == "well_worn",
                    "dataset_ids": ["pebbles"] if dataset == "known" else [],
                }
            )
    return made


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Learn from three folds and 512 buckets, which takes seconds; the sizes are all that differs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "FOLDS", 3)
        for name, value in {"WORD_BITS": 8, "LETTER_BITS": 8, "BUCKETS": 512}.items():
            patch.setattr(wording, name, value)
        yield


@pytest.fixture(scope="module")
def prepared(small: None, tiny_reader: Reader) -> learning.Prepared:
    """Prepare the labelled texts."""
    return learning.prepare(learning.examples({"ideas.dev": rows()}, tiny_reader), tiny_reader.catalogue.datasets)


def test_a_fold_is_its_authors_for_ever() -> None:
    """An author's fold is a hash of the name: pinned here, since published folds depend on it."""
    assert [learning.fold_of(f"author-{n}") for n in range(8)] == [1, 3, 0, 3, 4, 1, 4, 1]
    assert {learning.fold_of(f"a{n}") for n in range(60)} == set(range(5))


def test_no_author_is_in_two_folds(prepared: learning.Prepared) -> None:
    """All texts of one author lie in the same fold."""
    folds: dict[str, set[int]] = {}
    for example, fold in zip(prepared.examples, prepared.folds, strict=True):
        folds.setdefault(example.group, set()).add(int(fold))
    assert {len(found) for found in folds.values()} == {1}


def test_labels_become_numbers_and_names_become_ids(tiny_reader: Reader) -> None:
    """Heads hold the places of labels; datasets without ids are looked up by name."""
    row = rows(1)[0] | {"dataset_ids": None, "datasets": ["the Pebble dataset", "unheard of"]}
    example = learning.examples({"x": [row]}, tiny_reader)[0]
    assert example.labels == {"verdict": 0, "origin": 0, "method": 0, "tutorial": 1}
    assert (example.datasets, example.source) == (frozenset({"pebbles"}), "x")


def test_counts_are_those_of_the_wording(prepared: learning.Prepared) -> None:
    """Each row of the sparse table is what the running judge counts of that text."""
    for number in (0, 5, -1):
        reading = prepared.examples[number].reading
        keys, values = wording.counts(reading.brief.sentences[i].text for i in reading.counted)
        row = prepared.counts[number].toarray()[0]
        assert np.flatnonzero(row).tolist() == keys.tolist()
        assert row[keys] == pytest.approx(values)


@pytest.fixture(scope="module")
def released(prepared: learning.Prepared, tiny_reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learn and release a judge and its folds."""
    folder = tmp_path_factory.mktemp("release")
    learning.release(prepared, tiny_reader.catalogue.entries, folder / "judge.safetensors", folder / "folds")
    return folder


def test_what_is_learned_is_found_again(released: Path, prepared: learning.Prepared, tiny_reader: Reader) -> None:
    """On four plain kinds of text the judge says what it was taught, of texts that its fold had not seen too."""
    ledger = json.loads((released / "folds" / "ledger.json").read_text(encoding="utf-8"))
    folds = [Judge.open(released / "folds" / f"fold-{n}.safetensors") for n in range(learning.FOLDS)]
    entries, right = tiny_reader.catalogue.entries, []
    for example, of in zip(prepared.examples, prepared.candidates, strict=True):
        reading = example.reading
        held_out = folds[ledger[digest(reading.brief.text)]]
        links = matches.link(list(of), held_out.coefficients.linker)
        opinion = held_out.opinion(judge.see(reading, features.features(reading, links, entries)))
        right.append(int(opinion.verdict.argmax()) == example.labels["verdict"])
    assert np.mean(right) > 0.95


def test_a_fold_never_saw_its_texts(released: Path, prepared: learning.Prepared) -> None:
    """Each fold's judge tells how many texts and authors it learned from: all but its own."""
    for number in range(learning.FOLDS):
        about = Judge.open(released / "folds" / f"fold-{number}.safetensors").coefficients.about
        assert about["texts"] == int((prepared.folds != number).sum())
    assert Judge.open(released / "judge.safetensors").coefficients.about["texts"] == len(prepared.examples)


def test_the_cut_lets_few_originals_through(released: Path) -> None:
    """The flag's cut is a probability, chosen where few originals are flagged."""
    assert 0.3 <= Judge.open(released / "judge.safetensors").coefficients.cuts["flag"] <= 0.8
