"""Learning: folds by author, and a judge that runs on what was learned as the learning itself did."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from app import features, judge, matches, roles, wording
from app.errors import FileUnreadable
from app.evaluation import digest
from app.judge import Judge
from app.learning import answers, document, examples, fit, marks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.learning.examples import Example, Labelled
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


MARKS = {"well_worn": "usual", "partly_known": "public", "original": "own", "off_topic": "other"}


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Learn from three folds and few buckets, which takes seconds; the sizes are all that differs."""
    with pytest.MonkeyPatch.context() as patch:
        for room in (examples, marks, fit):
            patch.setattr(room, "FOLDS", 3)
        patch.setattr(marks, "SEEDS", 2)
        for name, value in {"WORD_BITS": 8, "LETTER_BITS": 8, "BUCKETS": 512}.items():
            patch.setattr(wording, name, value)
        yield


@pytest.fixture(scope="module")
def read(small: None, tiny_reader: Reader) -> list[Labelled]:
    """Read the labelled texts."""
    return examples.read({"ideas.dev": rows()}, tiny_reader)


@pytest.fixture(scope="module")
def marked(read: list[Labelled]) -> list[marks.Marked]:
    """Mark the first sentence of every text with the role that goes with its label."""
    known = {
        one.row["id"]: {"segments": [[0, len(one.row["text"].split(".")[0])]]}
        | {role: [0] if MARKS[one.row["verdict"]] == role else [] for role in roles.ROLES}
        for one in read
    }
    return [marks.marked(one, known) for one in read]


@pytest.fixture(scope="module")
def readers(marked: list[marks.Marked]) -> marks.Models:
    """Learn the sentence readers."""
    return marks.learn(marked)


@pytest.fixture(scope="module")
def made(read: list[Labelled], marked: list[marks.Marked], readers: marks.Models, tiny_reader: Reader) -> list[Example]:
    """Turn the labelled texts into numbers."""
    pairs = zip(read, marked, strict=True)
    return [examples.example(one, marks.said(truth, readers), tiny_reader) for one, truth in pairs]


def test_a_fold_is_its_authors_for_ever() -> None:
    """An author's fold is a hash of the name: pinned here, since published folds depend on it."""
    assert [examples.fold_of(f"author-{n}") for n in range(8)] == [1, 3, 0, 3, 4, 1, 4, 1]
    assert {examples.fold_of(f"a{n}") for n in range(60)} == set(range(5))


def test_no_author_is_in_two_folds(made: list[Example]) -> None:
    """All texts of one author lie in the same fold."""
    folds: dict[str, set[int]] = {}
    for one in made:
        folds.setdefault(one.group, set()).add(one.fold)
    assert {len(found) for found in folds.values()} == {1}
    assert {fold for found in folds.values() for fold in found} == {0, 1, 2}


def test_labels_become_numbers_and_names_become_ids(small: None, tiny_reader: Reader, readers: marks.Models) -> None:
    """Heads hold the places of labels; datasets without ids are looked up by name."""
    row = rows(1)[0] | {"dataset_ids": None, "datasets": ["the Pebble dataset", "unheard of"]}
    one = examples.read({"x": [row]}, tiny_reader)[0]
    found = examples.example(one, marks.said(marks.marked(one, {}), readers), tiny_reader)
    assert found.labels == {"verdict": 0, "origin": 0, "method": 0, "tutorial": 1}
    assert (found.datasets, found.source) == (frozenset({"pebbles"}), "x")


def test_counts_are_those_of_the_wording(read: list[Labelled], made: list[Example]) -> None:
    """Each row of the sparse table is what the running judge counts of that text."""
    counts = fit.prepare(made).counts
    for number in (0, 5, -1):
        reading = read[number].reading
        keys, values = wording.counts(reading.brief.sentences[i].text for i in reading.counted)
        row = counts[number].toarray()[0]
        assert np.flatnonzero(row).tolist() == keys.tolist()
        assert row[keys] == pytest.approx(values)


def test_a_marked_sentence_is_read_by_who_has_not_seen_it(marked: list[marks.Marked], readers: marks.Models) -> None:
    """On four plain kinds of sentence every role is ranked far above chance by the reader that left the fold out."""
    found = marks.precision(marked, readers, "ideas.dev")
    assert set(found) == set(MARKS.values())
    assert all(one["average_precision"] > 0.9 > 0.3 > one["share"] for one in found.values())


def test_a_network_learned_is_a_network_run(marked: list[marks.Marked], readers: marks.Models) -> None:
    """What is learned with tensors scores alike with arrays: the marked role of a text's first sentence is its best."""
    right = []
    for one in marked:
        assert one.truth is not None
        found = roles.scores(one.reading, readers[frozenset()])
        right.append(int(found[0].argmax()) == int(one.truth[0].argmax()))
    assert np.mean(right) > 0.95


def test_networks_side_by_side_are_their_mean(read: list[Labelled]) -> None:
    """The one wide network says what the mean of the several ones' logits says, and has the shapes of so many."""
    rng = np.random.default_rng(3)
    several = [
        roles.Network(**{k: rng.normal(size=s).astype(np.float32) * 0.1 for k, s in roles.SHAPES.items()})
        for _ in range(3)
    ]
    wide = marks.averaged(several)
    assert {name: getattr(wide, name).shape for name in roles.SHAPES} == roles.shapes(3)
    for one in read[:4]:
        odds = [np.log(found / (1 - found)) for found in (roles.scores(one.reading, net) for net in [wide, *several])]
        assert odds[0] == pytest.approx(np.mean(odds[1:], axis=0), abs=1e-3)


def test_numbers_are_of_code_that_counts(tiny_reader: Reader) -> None:
    """What made the numbers changes with a name of the catalogue, and neither with an address nor with a comment."""
    catalogue = tiny_reader.catalogue
    made = examples.made_by(catalogue, "m")
    first = next(iter(catalogue.datasets))

    def but(**changes: Any) -> dict[str, str]:
        changed = {**catalogue.entries, first: replace(catalogue.datasets[first], **changes)}
        return examples.made_by(replace(catalogue, entries=changed), "m")

    assert but(url="https://example.org/moved") == made
    assert but(aliases=("another name",))["catalogue"] != made["catalogue"]
    assert examples.bare('"""Says."""\n# why\nx = 1\n') == examples.bare("x = 1\n") != examples.bare("x = 2\n")


def test_readers_without_a_fold_never_saw_it(marked: list[marks.Marked], readers: marks.Models) -> None:
    """A reader without a fold is what is learned when that fold has no marks."""
    blind = [one if one.fold else replace(one, truth=None) for one in marked]
    again = marks.learn(blind)[frozenset()]
    for name in roles.SHAPES:
        assert getattr(again, name) == pytest.approx(getattr(readers[frozenset({0})], name), abs=1e-5)


def test_rounding_readers_moves_little(marked: list[marks.Marked], readers: marks.Models) -> None:
    """In the half precision of a judge's file a reader says the same to a hundredth."""
    half = marks.halved(readers)[frozenset()]
    for one in marked[:8]:
        exact = roles.scores(one.reading, readers[frozenset()])
        assert roles.scores(one.reading, half) == pytest.approx(exact, abs=1e-2)


def test_pieces_of_evidence_mark_their_sentence(small: None, tiny_reader: Reader) -> None:
    """A written text's telling pieces become roles of the sentences that hold them."""
    row = rows(1)[0] | {"text": "We weighed stones. It sorts them.", "evidence": [["own_data", "weighed"], ["x", "It"]]}
    one = marks.marked(examples.read({"texts": [row]}, tiny_reader)[0], {})
    assert one.truth is not None
    assert one.truth[:, roles.ROLES.index("own")].tolist() == [1.0, 0.0]
    assert one.truth.sum() == 1.0


def test_numbers_come_back_from_their_file(made: list[Example], tmp_path: Path) -> None:
    """A file of numbers gives the same examples, to the precision it keeps, and says what made them."""
    made_by = {"code": "c", "catalogue": "k", "model": "m"}
    examples.save(made, tmp_path / "n.parquet", made_by)
    back, found = examples.load(tmp_path / "n.parquet")
    assert found == made_by
    for one, other in zip(made, back, strict=True):
        assert (one.id, one.labels, one.datasets, one.group) == (other.id, other.labels, other.datasets, other.group)
        assert dict(one.settled) == pytest.approx(dict(other.settled), abs=1e-6)
        assert [c.entry for c in one.candidates] == [c.entry for c in other.candidates]
        assert [c.named for c in one.candidates] == [c.named for c in other.candidates]
        assert np.array_equal(one.buckets, other.buckets)
        assert np.allclose(one.roles, other.roles, atol=1e-3)


def test_numbers_hold_no_words(made: list[Example], tmp_path: Path) -> None:
    """The file of numbers has none of the words that stand in the texts alone."""
    examples.save(made, tmp_path / "n.parquet", {})
    shown = str(pq.read_table(tmp_path / "n.parquet").to_pylist())
    assert not re.search(r"shore|midwives|Note|React", shown)


def test_a_damaged_file_of_numbers_is_refused(tmp_path: Path) -> None:
    """The error names the file and what to do."""
    (tmp_path / "n.parquet").write_bytes(b"PAR1")
    with pytest.raises(FileUnreadable, match=r"n\.parquet can't be read .*train_judge\.py FILE"):
        examples.load(tmp_path / "n.parquet")


@pytest.fixture(scope="module")
def released(
    made: list[Example], readers: marks.Models, tiny_reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Learn and release a judge and its folds."""
    folder = tmp_path_factory.mktemp("release")
    entries = tiny_reader.catalogue.entries
    fit.release(fit.prepare(made), readers, entries, folder / "judge.safetensors", folder / "folds")
    return folder


@pytest.fixture(scope="module")
def folds(released: Path) -> list[Judge]:
    """Open the judges that have each not seen one fold."""
    return [Judge.open(released / "folds" / f"fold-{n}.safetensors") for n in range(3)]


def test_what_is_learned_is_found_again(
    released: Path, read: list[Labelled], folds: list[Judge], tiny_reader: Reader
) -> None:
    """On four plain kinds of text the judge says what it was taught, of texts that its fold had not seen too."""
    ledger = json.loads((released / "folds" / "ledger.json").read_text(encoding="utf-8"))
    entries, right = tiny_reader.catalogue.entries, []
    for one in read:
        held_out = folds[ledger[digest(one.reading.brief.text)]]
        links = matches.link(
            matches.candidates(one.reading, tiny_reader.catalogue.datasets), held_out.coefficients.linker
        )
        row = features.features(one.reading, links, held_out.said(one.reading), entries)
        opinion = held_out.opinion(judge.see(one.reading, row))
        right.append(judge.VERDICTS[int(opinion.verdict.argmax())] == one.row["verdict"])
    assert np.mean(right) > 0.95


def test_numbers_are_judged_as_their_texts_are(
    made: list[Example], read: list[Labelled], folds: list[Judge], tiny_reader: Reader
) -> None:
    """From the numbers alone the same probability comes out as from the text."""
    entries = tiny_reader.catalogue.entries
    for case, one in zip(answers.answered(made, folds, entries), read, strict=True):
        held_out = folds[one.fold]
        links = matches.link(
            matches.candidates(one.reading, tiny_reader.catalogue.datasets), held_out.coefficients.linker
        )
        row = features.features(one.reading, links, held_out.said(one.reading), entries)
        opinion = held_out.opinion(judge.see(one.reading, row))
        assert case.report["flag_probability"] == pytest.approx(opinion.flag, abs=2e-2)


def test_a_fold_never_saw_its_texts(released: Path, made: list[Example], folds: list[Judge]) -> None:
    """Each fold's judge tells how many texts and authors it learned from: all but its own."""
    for number, one in enumerate(folds):
        assert one.coefficients.about["texts"] == sum(e.fold != number for e in made)
    assert Judge.open(released / "judge.safetensors").coefficients.about["texts"] == len(made)


def test_the_page_has_every_part(made: list[Example], folds: list[Judge], tiny_reader: Reader) -> None:
    """The page that is written from numbers has its parts, and no number that isn't one."""
    precision = {"ideas.dev": {"own": {"share": 0.25, "average_precision": 0.9}}}
    spoken = {"not fluent": made[:3], "others": made[3:]}
    page = document.document({"ideas": made}, folds, tiny_reader.catalogue.entries, precision, spoken)
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert len(titles) == len(set(titles)) == 10
    assert "| F1 of the flag | " in page
    assert "| own | 0.90 (0.250) |" in page
    assert page.endswith("\n")
