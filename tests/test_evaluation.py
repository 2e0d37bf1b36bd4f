"""Evaluation: cases judged by a judge that hasn't learned from them, and the floor under the figures."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import evaluation, metrics
from app.errors import FileUnreadable
from app.learning import answers, document, examples

if TYPE_CHECKING:
    from types import ModuleType

    from app.catalogue import Catalogue
    from app.checker import Checker
    from app.learning.examples import Example

ROOT = Path(__file__).parent.parent
FOLDS = ROOT / "scripts" / "folds"
NUMBERS = ROOT / "scripts" / "training" / "texts.parquet"
CASES = Path(__file__).parent / "cases" / "ideas.dev.jsonl"
CASE = {"id": "a", "text": "titanic knn", "verdict": "well_worn", "flag": True, "dataset": "known"}


def written(folder: Path, *lines: str) -> Path:
    """Write a file of cases."""
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "cases.jsonl"


def script(name: str) -> ModuleType:
    """Load one of the scripts."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cases_are_read_with_their_length(tmp_path: Path) -> None:
    """Blank lines are no cases, and words are counted where they aren't given."""
    path = written(tmp_path, json.dumps(CASE), "", json.dumps(CASE | {"words": 99}))
    assert [c["words"] for c in evaluation.read_cases(path)] == [2, 99]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"cases\.jsonl:2: not JSON"),
        ("[]", r"cases\.jsonl:2: field 'id' is missing"),
        (
            '{"id": 1, "text": "x"}',
            r"cases\.jsonl:2: field 'verdict' is missing; a case has id, text, verdict, flag, dataset",
        ),
    ],
)
def test_a_bad_case_names_file_line_and_field(line: str, message: str, tmp_path: Path) -> None:
    """A file of cases is all good or an error that says where not."""
    with pytest.raises(FileUnreadable, match=message):
        evaluation.read_cases(written(tmp_path, json.dumps(CASE), line))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """A missing file, or one in another encoding, is an error in one sentence."""
    with pytest.raises(FileUnreadable, match=r"can't be read"):
        evaluation.read_cases(tmp_path / "none.jsonl")
    (tmp_path / "u.jsonl").write_bytes("x".encode("utf-16"))
    with pytest.raises(FileUnreadable, match=r"UnicodeDecodeError"):
        evaluation.read_cases(tmp_path / "u.jsonl")


@pytest.mark.parametrize("data", [None, "{", ""])
def test_folds_without_their_list_are_refused(data: str | None, tmp_path: Path) -> None:
    """Without knowing what was learned from, nothing is measured."""
    if data is not None:
        (tmp_path / evaluation.LEDGER).write_text(data, encoding="utf-8")
    with pytest.raises(FileUnreadable, match=r"ledger\.json can't be read\. Learn the folds anew"):
        evaluation.fold_judges(tmp_path)


def test_a_text_is_remembered_by_half_a_hash() -> None:
    """The list of learned texts holds no words; a lone surrogate has a digest too."""
    assert evaluation.digest("") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert len(evaluation.digest("\ud800")) == 32


def test_no_author_of_the_cases_is_in_two_folds() -> None:
    """Every case that was learned from lies in its author's fold."""
    ledger, judges = evaluation.fold_judges(FOLDS)
    folds: dict[str, set[int]] = {}
    for case in evaluation.read_cases(CASES):
        folds.setdefault(case["group"], set()).add(ledger[evaluation.digest(case["text"])])
    assert {len(found) for found in folds.values()} == {1}
    assert {fold for found in folds.values() for fold in found} == set(range(len(judges)))


@pytest.mark.model
@pytest.mark.parametrize("name", ["train_judge", "evaluate"])
def test_a_script_refuses_what_it_cannot_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The scripts end with 2 and one sentence, and nothing is written."""
    assert script(name).main([str(tmp_path / "none.jsonl")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(f"{name}: ")


@pytest.mark.model
def test_the_floor_under_the_figures(checker: Checker) -> None:
    """On 150 short ideas, each judged by a fold that hasn't seen its author, the figures stay above the floor.

    They stand in the first release at some .02 above these; who lowers a floor says why in the changelog.
    """
    cases = evaluation.read_cases(CASES)
    ledger, folds = evaluation.fold_judges(FOLDS)
    assert {evaluation.digest(c["text"]) for c in cases} <= set(ledger)
    judged = evaluation.judged(cases, checker, ledger, folds)
    assert [c.report["id"] for c in judged] == [c["id"] for c in cases]
    found = metrics.figures(judged)
    assert found["n"] == 150
    assert found["flag_f1"] >= 0.90
    assert found["flag_auc"] >= 0.97
    assert found["originals_flagged"] <= 0.03
    assert found["verdict_kappa"] >= 0.76
    assert found["origin_kappa"] >= 0.76
    assert found["dataset_hit"] >= 0.85


@pytest.fixture(scope="module")
def numbers() -> list[Example]:
    """Load the labelled texts as numbers."""
    return examples.load(NUMBERS)[0]


@pytest.mark.model
def test_numbers_are_judged_as_their_texts_are(checker: Checker, numbers: list[Example]) -> None:
    """The figures of READMEs come from numbers alone; on ideas, whose words are here, both ways agree."""
    ledger, folds = evaluation.fold_judges(FOLDS)
    by_text = evaluation.judged(evaluation.read_cases(CASES), checker, ledger, folds)
    ideas = [e for e in numbers if e.source == "ideas.dev"]
    by_number = answers.answered(ideas, folds, checker.catalogue.entries)
    assert [c.label["id"] for c in by_number] == [c.label["id"] for c in by_text]
    for one, other in zip(by_text, by_number, strict=True):
        assert one.report["flag_probability"] == pytest.approx(other.report["flag_probability"], abs=0.02)
        assert metrics.rests_on(one.report) == metrics.rests_on(other.report)
    same = [one.report["verdict"] == other.report["verdict"] for one, other in zip(by_text, by_number, strict=True)]
    assert sum(same) >= len(same) - 1


def test_the_floor_under_the_figures_of_readmes(numbers: list[Example], shipped: Catalogue) -> None:
    """The same for READMEs, on which two readers agree: each judged by a fold that hasn't seen its author."""
    _, folds = evaluation.fold_judges(FOLDS)
    readmes = [e for e in numbers if e.source == "readmes.dev" and not e.ambiguous]
    found = metrics.figures(answers.answered(readmes, folds, shipped.entries))
    assert found["n"] == 220
    assert found["flag_f1"] >= 0.78
    assert found["flag_auc"] >= 0.93
    assert found["originals_flagged"] <= 0.05
    assert found["flag_ece"] <= 0.08
    assert found["verdict_kappa"] >= 0.54
    assert found["origin_kappa"] >= 0.50
    assert found["dataset_hit"] >= 0.75


def test_the_page_says_what_the_shipped_judge_says(shipped: Catalogue) -> None:
    """docs/EVALUATION.md is what the script writes; if not: scripts/evaluate.py --document, and read the change."""
    assert (ROOT / "docs" / "EVALUATION.md").read_text(encoding="utf-8") == document.from_repository(
        NUMBERS, FOLDS, shipped.entries
    )


@pytest.mark.model
def test_the_table_tells_every_figure_with_its_interval(checker: Checker, tmp_path: Path) -> None:
    """The printed table has a line a figure, the tags, the lengths and the wrong flags by id, never a text."""
    path = written(tmp_path, *(json.dumps(c) for c in evaluation.read_cases(CASES)[:8]))
    lines: list[str] = []
    found = evaluation.evaluate([path], checker, FOLDS, lines.append, in_sample=True, clear=False, errors=5)
    assert lines[0] == "cases.jsonl: 8 cases, in-sample: the released judge has learned from cases like these"
    assert [line.split()[0] for line in lines[1:14]] == [name for name in found["cases.jsonl"] if name != "n"]
    assert any(line.startswith("  flag right, by length: below 45 words") for line in lines)


@pytest.mark.model
def test_searching_is_told_by_sign(checker: Checker, tmp_path: Path) -> None:
    """What is sought is taken from ids or names; texts without it, or too long, are left out; each sign is told."""
    rows = [
        CASE | {"dataset_ids": ["titanic"]},
        CASE | {"id": "b", "text": "sentiment of film reviews", "datasets": ["IMDB reviews"]},
        CASE | {"id": "c", "datasets": ["what nobody has heard of"]},
        CASE | {"id": "d", "dataset": "new", "dataset_ids": ["titanic"]},
        CASE | {"id": "e", "text": "titanic " * 9, "dataset_ids": ["titanic"]},
    ]
    told: list[str] = []
    found = evaluation.searched(written(tmp_path, *map(json.dumps, rows)), checker, 8, told.append)
    assert list(found) == ["meaning", "words", "words + meaning", "name + words + meaning"]
    assert {figures["n"] for figures in found.values()} == {2}
    assert found["name + words + meaning"]["first"] >= 0.5
    assert len(told) == 5
    hits = checker.search("titanic", 3, by=["meaning"])
    assert {sign for hit in hits for sign in hit.found_by} == {"meaning"}
    assert checker.search("titanic", 3, by=[]) == []
