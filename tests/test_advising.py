"""The advice's figures: what is counted, what is masked, what a rater may see, and the floor under it all."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import advising, evaluation
from app.advice import first_person
from app.catalogue import Catalogue
from app.report import Facet, Facets, Match, Projected, Provenance, Report, Resource, Suggestion

if TYPE_CHECKING:
    from types import ModuleType

    from app.checker import Checker
    from app.records import VerdictLabel

ROOT = Path(__file__).parent.parent
FOLDS = ROOT / "scripts" / "folds"
CASES = Path(__file__).parent / "cases" / "ideas.dev.jsonl"
NOT_GATED = {"commonest masked text"}
"""Over every other idea one text told twice is 6 %; over all ideas a test of the candidates holds it."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """Give the released catalogue."""
    return Catalogue.load()


def suggestion(name: str, title: str, after: float = 0.1, verdict: VerdictLabel = "original") -> Suggestion:
    """Make a suggestion about the wreck."""
    return Suggestion(
        id=name,
        title=title,
        detail="Key in the passengers of Titanic passengers with 300 cards.",
        first_steps=["one", "two"],
        facet="data",
        effort="a weekend",
        resources=[Resource(name="a", url="https://example.org/"), Resource(name="b", url="https://example.org/b")],
        entries=["titanic"],
        rewrite="I keyed them in.",
        projected=Projected(verdict=verdict, flag_probability=after),
    )


def advised(name: str, *suggestions: Suggestion, before: float = 0.9) -> advising.Advised:
    """Make an idea about the wreck with its report."""
    none = Facet(status="none", items=[], evidence=[])
    match = Match(
        entry="titanic", kind="dataset", name="Titanic passengers", url=None, tier=1, role="rests_on", cosine=0.7,
        confidence=0.9, evidence=[],
    )  # fmt: skip
    report = Report(
        id=name, verdict="well_worn", flagged=True, flag_probability=before, summary="", change="", keep="", why=[],
        facets=Facets(problem=none, data=none, method=none, additions=none), matches=[match], neighbours=[],
        suggestions=list(suggestions), warnings=[], projects=[],
        provenance=Provenance(software="", catalogue="", model="", rules="", index=""),
    )  # fmt: skip
    case = {"id": name, "text": "who survived the wreck, by fare", "verdict": "well_worn", "dataset_ids": ["titanic"]}
    return advising.Advised(case, report)


def judged_at(probability: float) -> advising.Judging:
    """Make a judge that finds the same in every text."""

    def judge(texts: Any) -> list[Report]:
        flagged = probability > 0.5
        return [advised(name, before=probability).report.model_copy(update={"flagged": flagged}) for name, _ in texts]

    return judge


def test_figures_count_what_they_say(catalogue: Catalogue) -> None:
    """Of two suggestions one moves nothing; one idea of two has three suggestions."""
    ideas = [
        advised("a", suggestion("1", "Passengers"), suggestion("2", "Cabins", 0.89, "well_worn")),
        advised("b", suggestion("3", "Decks"), suggestion("4", "Boats"), suggestion("5", "Ports")),
    ]
    found = advising.figures(ideas, catalogue.entries, judged_at(0.5))
    assert found["three or more"] == 0.5
    assert found["cites the catalogue"] == found["link besides the principle's"] == 1.0
    assert found["moves the verdict"] == found["moves verdict or probability"] == 0.8
    assert found["beats its control"] == 0.8
    assert found["commonest masked text"] == 1.0
    assert found["near-duplicates"] == 4


def test_a_suggestion_about_something_else_is_seen(catalogue: Catalogue) -> None:
    """Words of the idea or its dataset's name count; words that every project has don't."""
    other = suggestion("1", "Score the model").model_copy(update={"detail": "Train and test it on other data."})
    found = advising.figures([advised("a", other, suggestion("2", "Fares"))], catalogue.entries, judged_at(0.5))
    assert found["names the idea's domain"] == 0.5


def test_texts_that_differ_in_names_and_numbers_alone_are_one(catalogue: Catalogue) -> None:
    """Masking finds the template behind two ideas."""
    other = suggestion("1", "x").model_copy(update={"detail": "Key in the passengers of TITANIC with 4,000 cards."})
    (times, text), *_ = advising.commonest([advised("a", suggestion("1", "y")), advised("b", other)], catalogue.entries)
    assert times == 2
    assert text in {"key in the passengers of # with 0 cards.", "i keyed them in."}


def test_placebos_are_judged_on_worn_ideas() -> None:
    """A judge that is fooled by everything moves all of them, one that isn't moves none."""
    ideas = [advised("a"), advised("b")]
    assert {(moved, fell) for _, moved, fell, _ in advising.placebos(ideas, judged_at(0.05))} == {(1.0, 1.0)}
    assert {(moved, fell) for _, moved, fell, _ in advising.placebos(ideas, judged_at(0.9))} == {(0.0, 0.0)}


def test_a_mentor_and_we_are_told_by_one_rule() -> None:
    """The same orders become the same account, whoever gave them."""
    assert first_person("Ask your users what you miss, and test it yourself.") == (
        "ask my users what I miss, and test it myself."
    )
    seen: list[str] = []

    def judge(texts: Any) -> list[Report]:
        seen.extend(text for _, text in texts)
        return judged_at(0.05)(texts)

    rows = list(advising.told_alike([advised("a", suggestion("1", "Cabins"))], {"a": ["Ask your crew."]}, judge))
    assert [(name, count, moved) for name, count, moved, _ in rows] == [
        ("mentor, alone", 1, 1.0),
        ("ours, alone", 1, 1.0),
        ("mentor, with the old base named", 1, 1.0),
        ("ours, with the old base named", 1, 1.0),
    ]
    assert seen[0] == "I ask my crew."
    assert seen[2].endswith("my method is the usual method. I ask my crew.")


def test_below_names_what_is_missed() -> None:
    """A figure under its floor is named with both numbers."""
    assert advising.below({"moves the verdict": 0.5, "commonest masked text": 0.01, "mean overlap of two": 0.9}) == [
        "moves the verdict: 0.500, must be >= 0.9"
    ]
    assert advising.below({"placebo claims moves": 0.2}) == ["placebo claims moves: 0.200, must be <= 0.05"]


def test_the_sheet_doesn_t_tell_whose_is_whose(tmp_path: Path) -> None:
    """The key alone does, and over several ideas both sides are used."""
    ideas = [advised(f"i{n}", suggestion("1", "Cabins")) for n in range(12)]
    advising.sheet(ideas, {f"i{n}": ["Ask the crew."] for n in range(12)}, tmp_path / "sheet.csv")
    with (tmp_path / "sheet.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "sheet.key.csv").open(encoding="utf-8", newline="") as file:
        key = {row["id"]: row["ours"] for row in csv.DictReader(file)}
    assert len(rows) == 12
    assert set(key.values()) == {"A", "B"}
    assert all(row[key[row["id"]]].startswith("Cabins.") for row in rows)
    assert all("mentor" not in "".join(row.values()) for row in rows)


def script() -> ModuleType:
    """Load the script."""
    spec = importlib.util.spec_from_file_location("evaluate_advice", ROOT / "scripts" / "evaluate_advice.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_refuses_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 2 and one sentence."""
    assert script().main([str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.startswith("evaluate_advice: ")


@pytest.mark.model
def test_the_floor_under_the_advice(checker: Checker) -> None:
    """Over every other worn idea, each judged by a fold that hasn't seen its author, no figure misses its floor."""
    worn = [case for case in evaluation.read_cases(CASES) if case["verdict"] == "well_worn"][::2]
    lines: list[str] = []
    found = advising.evaluate(worn, {}, checker, FOLDS, lines.append)
    assert advising.below({name: value for name, value in found.items() if name not in NOT_GATED}) == []
    assert lines[0].startswith("33 worn ideas, ")
    texts = {case["text"] for case in worn if len(case["text"]) > 60}
    assert not any(text in line for line in lines for text in texts), json.dumps(lines)
