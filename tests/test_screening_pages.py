"""The pages of screenings, and what they are made of: overview, near-identical projects, measured error rates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app import words
from app.screenings import fairness, near, overview
from app.screenings.people import People, account

EVALUATION = Path(__file__).resolve().parents[1] / "docs" / "EVALUATION.md"


def measured() -> dict[str, Any]:
    """Read from the evaluation what the screener is told: the figures of the largest set, which nobody here wrote."""
    written = EVALUATION.read_text(encoding="utf-8")

    def row(name: str) -> list[float]:
        found = re.search(rf"^\| {name} \|.*\| ([\d.]+) \[([\d.]+), ([\d.]+)\] \|$", written, re.MULTILINE)
        assert found, name
        return [float(number) for number in found.groups()]

    part = written.partition("## By language")[2].partition("\n## ")[0]
    counts = re.findall(r"^\| (\w+) \|.*\| (\d+) of (\d+) \|$", part, re.MULTILINE)
    spoken = written.partition("## By fluency")[2].partition("\n## ")[0]
    fluency = re.search(r"^\| flags that are right \| (\d+) of (\d+) \| (\d+) of (\d+) \|$", spoken, re.MULTILINE)
    assert fluency
    numbers = list(map(int, fluency.groups()))
    texts = re.search(r"other READMEs \((\d+)\)", written)
    assert texts
    return {
        "texts": int(texts[1]),
        "precision": row("its precision"),
        "recall": row("its recall"),
        "originals_flagged": row("originals flagged"),
        "fluency": {"not fluent": numbers[:2], "other English": numbers[2:]},
        "languages": {name: [int(right), int(count)] for name, right, count in counts},
    }


def test_the_error_rates_are_the_measured_ones(update_golden: bool) -> None:
    """What the screener reads is what the evaluation says, which is held to the shipped judge."""
    if update_golden:
        fairness.FILE.write_text(json.dumps(measured(), indent=1) + "\n", encoding="utf-8")
        fairness.figures.cache_clear()
    assert json.loads(fairness.FILE.read_text(encoding="utf-8")) == measured()
    figures = fairness.figures()
    assert all(rate.low <= rate.value <= rate.high for rate in (*figures.rates, *figures.languages, *figures.fluency))
    assert figures.languages[0].name == "en"
    assert tuple(rate.name for rate in figures.fluency) == words.FLUENCY


def test_wilsons_interval() -> None:
    """A known value: none of ten lies between 0 and .278."""
    value, low, high = fairness._wilson(0, 10)
    assert (value, low, round(high, 3)) == (0, 0, 0.278)


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://github.com/ada/engine", "ada"),
        ("https://www.kaggle.com/code/ada/engine", "ada"),
        ("https://ada.github.io/engine", "ada"),
        ("https://example.org/ada", ""),
        ("https://[broken", ""),
    ],
)
def test_an_account_is_read_from_a_link(link: str, named: str) -> None:
    """So that it can be hidden where it stands as a plain word."""
    assert account(link) == named


# --- overview --------------------------------------------------------------------------------------------------------


def row(number: int, candidate: str, verdict: str | None, probability: float = 0.5, **more: Any) -> dict[str, Any]:
    """Write a row as the store gives it."""
    plain = {"name": f"note{number}", "title": "", "origin": "", "link": "", "error": "", "override": None}
    return {"number": number, "candidate": candidate, "verdict": verdict, "probability": probability} | plain | more


ROWS = [
    row(1, "Ada", "well_worn", 0.9),
    row(2, "Ada", "original", 0.1),
    row(3, "Bob", "well_worn", 0.8, title="Titanic by Bob"),
    row(4, "Bob", "well_worn", 0.7, override={"verdict": "original", "reason": "Bob's own data", "by": "x", "at": 0}),
    row(5, "Cy", None),
    row(6, "", "", 0.0, error="note6: not UTF-8."),
]
PEOPLE = People.of([(r["candidate"], r["link"]) for r in ROWS])


def test_a_candidate_is_told_by_their_best_work() -> None:
    """Practice is counted and costs nothing; a person's word goes before the judge's; nobody's work is nobody's."""
    found = overview.summaries(overview.lines(ROWS, PEOPLE, reveal=True))
    assert [(s.candidate, s.best.number, dict(s.counts)) for s in found] == [
        ("Ada", 2, {"original": 1, "well_worn": 1}),
        ("Bob", 4, {"original": 1, "well_worn": 1}),
        ("Cy", 5, {"waiting": 1}),
    ]


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (overview.Choice(), [2, 1, 4, 3, 5, 6]),
        (overview.Choice(order="sent"), [1, 2, 3, 4, 5, 6]),
        (overview.Choice(order="worn"), [1, 3, 4, 2, 5, 6]),
        (overview.Choice(verdict="original"), [2, 4]),
        (overview.Choice(verdict="error"), [6]),
        (overview.Choice(verdict="waiting"), [5]),
        (overview.Choice(verdict="override"), [4]),
        (overview.Choice(candidate="Bob"), [4, 3]),
    ],
)
def test_filters_and_orders(choice: overview.Choice, numbers: list[int]) -> None:
    """Each shows what it says, in the order that it says."""
    assert [line.number for line in overview.chosen(overview.lines(ROWS, PEOPLE, reveal=True), choice)] == numbers


def test_names_are_hidden_until_they_are_asked_for() -> None:
    """In titles, reasons and errors, too."""
    hidden = overview.lines(ROWS, PEOPLE, reveal=False)
    assert [line.label for line in hidden[:3]] == ["Project 1", "Project 2", "Titanic by [name]"]
    assert [line.candidate for line in hidden] == [*["Candidate 1"] * 2, *["Candidate 2"] * 2, "Candidate 3", ""]
    told = " ".join(str(line) for line in hidden)
    assert not [name for name in ("Ada", "Bob", "note6") if name in told]


# --- what candidates share -------------------------------------------------------------------------------------------

BEES = "We weighed forty hives on my aunt's farm every night for two winters and asked which colony would starve first."
TRAMS = "Late trams were counted by hand at two stops of line nine, in rain and in sun, for five weeks in the autumn."
TASK = "Describe your data, your method and your results in at most four hundred words and add a link to the code."


def found(*texts: tuple[str, str]) -> tuple[list[near.Pair], list[near.Handout]]:
    """Compare texts of candidates."""
    return near.find(near.Text(n, who, text) for n, (who, text) in enumerate(texts, start=1))


def test_a_copy_is_found_and_marked() -> None:
    """Whatever stands around it; the pieces joined are the text, and what is marked is what both have."""
    (pair,), handouts = found(("a", f"Hello. {BEES} Thanks."), ("b", BEES.upper()), ("c", TRAMS))
    assert (pair.first.number, pair.second.number, handouts) == (1, 2, [])
    assert pair.share == 1.0
    for text, pieces in zip((pair.first, pair.second), pair.pieces, strict=True):
        assert "".join(piece.text for piece in pieces) == text.text
        shared = "".join(piece.text for piece in pieces if piece.kind == "shared")
        assert shared.casefold() == BEES.casefold().rstrip(".")


def test_one_candidate_may_repeat_themselves() -> None:
    """A pair is of two candidates; texts without one are of different people."""
    assert found(("a", BEES), ("a", BEES))[0] == []
    assert len(found(("", BEES), ("", BEES))[0]) == 1


def test_what_many_share_is_a_hand_out() -> None:
    """And no copying: neither are those pairs, nor does it count towards the share of one."""
    own = [BEES, TRAMS, "Nothing else here is like anything that others wrote."]
    given = [(f"c{n}", f"{TASK} {text}") for n, text in enumerate([*own, "And this one is short."])]
    pairs, (handout,) = found(*given)
    assert pairs == []
    assert (handout.text, handout.candidates) == (TASK.rstrip("."), 4)
    (pair,), _ = found(*given, ("thief", f"{TASK} {BEES}"))
    assert {pair.first.candidate, pair.second.candidate} == {"c0", "thief"}
    assert [p.kind for p in pair.pieces[0] if p.kind] == ["handout", "shared"]


def test_a_common_sentence_is_no_pair() -> None:
    """Two texts about the same data that share one usual phrase are not near-identical."""
    usual = "the dataset was split into training and test sets with a ratio of"
    assert found(("a", f"{BEES} In it {usual} four to one."), ("b", f"{TRAMS} Then {usual} nine to one."))[0] == []
