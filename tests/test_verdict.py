"""Verdicts: the learned cut, the cases in which nothing is claimed, and reasons in plain words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import features, intake, verdict
from app.judge import Opinion
from app.records import Evidence, Facet, Facets, Match, Verdict, VerdictLabel

CUTS = {"flag": 0.4}
NOTHING = Facets(Facet("own"), Facet("unknown"), Facet("known"), Facet("none"))
SPOT = Evidence(0, 5, "Bees.")


def opinion(*odds: float) -> Opinion:
    """Make an opinion with these probabilities of the four verdicts."""
    return Opinion(np.array(odds), np.full(4, 0.25), np.full(3, 1 / 3), 0.5)


def decided(
    *odds: float, text: str = "We weigh the hives each night.", named: bool = False, language: str = "en"
) -> str:
    """Give the label of a text with these probabilities."""
    words = intake.read(text).words
    return verdict.decide(opinion(*odds), CUTS, words=words, language=language, names_known=named).label


@pytest.mark.parametrize(
    ("odds", "label"),
    [
        ((0.4, 0.1, 0.5, 0.0), "well_worn"),
        ((0.39, 0.2, 0.38, 0.03), "original"),
        ((0.1, 0.6, 0.2, 0.1), "partly_known"),
        ((0.0, 0.2, 0.2, 0.6), "off_topic"),
        ((0.30, 0.25, 0.33, 0.12), "unclear"),
    ],
)
def test_the_cut_decides_the_flag_and_the_rest_its_name(odds: tuple[float, ...], label: str) -> None:
    """From the cut on a text is worn; below it the likeliest of the others is said, unless none is likely."""
    assert decided(*odds) == label


def test_too_thin_a_text_is_unclear() -> None:
    """Two words say nothing unless they name something known."""
    assert decided(0.9, 0.05, 0.03, 0.02, text="hive scales") == "unclear"
    assert decided(0.9, 0.05, 0.03, 0.02, text="titanic knn", named=True) == "well_worn"


def test_another_language_needs_more() -> None:
    """Where the vectors read poorly and nothing known is named, a middling likelihood is no verdict."""
    assert decided(0.45, 0.2, 0.3, 0.05, language="tr") == "unclear"
    assert decided(0.45, 0.2, 0.3, 0.05, language="tr", named=True) == "well_worn"
    assert decided(0.55, 0.2, 0.2, 0.05, language="tr") == "well_worn"


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.booleans())
def test_a_verdict_carries_its_probabilities(raw: list[float], named: bool) -> None:
    """Whatever the label, the four probabilities are handed on and the flag's is that of well worn."""
    odds = [p / sum(raw) for p in raw]
    found = verdict.decide(opinion(*odds), CUTS, words=3, language="en", names_known=named)
    assert list(found.probabilities) == list(verdict.ORDER)
    assert list(found.probabilities.values()) == pytest.approx(odds)
    assert found.flag_probability == found.probabilities["well_worn"]
    assert (found.label == "well_worn") <= (found.flag_probability >= CUTS["flag"])


@pytest.mark.parametrize(
    ("whole", "parts", "label"),
    [
        ("well_worn", [("well_worn", 0.9), ("original", 0.09)], "partly_known"),
        ("well_worn", [("well_worn", 0.9), ("original", 0.1)], "well_worn"),
        ("well_worn", [("partly_known", 0.02)], "well_worn"),
        ("original", [("original", 0.0)], "original"),
        ("well_worn", [], "well_worn"),
    ],
)
def test_a_whole_listens_to_its_parts(whole: VerdictLabel, parts: list[tuple[VerdictLabel, float]], label: str) -> None:
    """Exercises beside a surely original project don't flag it; nothing else moves."""
    found = verdict.of_whole(Verdict(whole, 0.8, {}), [Verdict(one, p, {}) for one, p in parts])
    assert (found.label, found.flag_probability) == (label, 0.8)


def test_reasons_are_the_strongest_first() -> None:
    """Sides that pull too little are left out, the rest speak for their own direction, with what shows them."""
    match = Match("x", "technique", "uses", 0.5, 1.0, (SPOT,))
    sides = Facets(Facet("own"), Facet("own", (), (SPOT,)), Facet("known", ("x",)), Facet("none"))
    pulls = {"known method": 0.5, "own data": -1.2, "form": 0.14, "wording": -0.15}
    found = verdict.reasons(pulls, [match], sides, {"wording": [SPOT]})
    assert [(r.feature, r.weight, r.evidence) for r in found] == [
        ("own data", -1.2, (SPOT,)),
        ("known method", 0.5, (SPOT,)),
        ("wording", -0.15, (SPOT,)),
    ]
    assert found[0].text == "The author made, gathered or labelled the data"


@pytest.mark.parametrize(
    ("side", "sides"),
    [
        ("known data", Facets(Facet("own"), Facet("known"), Facet("none"), Facet("none"))),
        ("known method", Facets(Facet("own"), Facet("own"), Facet("known", ("kNN",)), Facet("none"))),
        ("tutorial", Facets(Facet("worn"), Facet("own"), Facet("none"), Facet("none"))),
        ("own data", Facets(Facet("own"), Facet("known"), Facet("none"), Facet("none"))),
        ("additions", Facets(Facet("own"), Facet("own"), Facet("none"), Facet("none"))),
    ],
)
def test_no_reason_denies_its_facet(side: str, sides: Facets) -> None:
    """A pull is against the average text, so it may point the other way than the facet: then it isn't said."""
    assert [r.feature for r in verdict.reasons({side: 1.0}, [], sides, {})] == [side]
    assert verdict.reasons({side: -1.0}, [], sides, {}) == ()


def test_every_side_has_words_for_both_directions() -> None:
    """No family of features can pull without a sentence for it, and the two directions say different things."""
    worn = Facets(Facet("worn"), Facet("known"), Facet("known", ("kNN",)), Facet("none"))
    free = Facets(Facet("own"), Facet("own"), Facet("novel"), Facet("some"))
    every = (*features.FAMILIES, "wording", "sense")
    texts = [
        verdict.reasons({side: pull}, [], sides, {})[0].text
        for side in every
        for pull, sides in ((1.0, worn), (-1.0, free))
    ]
    assert len(set(texts)) == 2 * len(every)


@pytest.mark.parametrize("label", ["well_worn", "partly_known", "original", "off_topic", "unclear"])
def test_summaries_are_two_sentences(label: str) -> None:
    """Every verdict is told in two sentences, with or without anything found."""
    full = Facets(
        Facet("worn", ("Bees",)), Facet("known", ("Hives",)), Facet("known", ("kNN",)), Facet("some", ("a study",))
    )
    for sides in (NOTHING, full):
        text = verdict.summary(Verdict(label, 0.5, {}), sides, intake.read("We weigh hives."))  # type: ignore[arg-type]
        assert text.endswith(".")
        assert 2 <= len(text.split(". ")) <= 3
        assert "  " not in text
    told = verdict.summary(Verdict("well_worn", 0.9, {}), full, intake.read("We weigh hives."))
    assert "Hives and kNN" in told


@pytest.mark.parametrize(
    ("label", "data", "additions", "start"),
    [
        ("well_worn", Facet("known", ("Iris",)), Facet("none"), "Data of your own in place of, or beside, Iris"),
        ("well_worn", Facet("own"), Facet("none"), "Something beyond the usual"),
        ("partly_known", Facet("own"), Facet("some"), "A question of your own"),
        ("unclear", Facet("own"), Facet("some"), "Add what is predicted"),
    ],
)
def test_one_change_is_named(label: str, data: Facet, additions: Facet, start: str) -> None:
    """What would move the verdict most is named, by what is missing."""
    sides = Facets(Facet("own"), data, Facet("known"), additions)
    assert verdict.change(Verdict(label, 0.5, {}), sides).startswith(start)  # type: ignore[arg-type]


@pytest.mark.parametrize("label", ["original", "off_topic"])
def test_what_needs_no_change_gets_none(label: str) -> None:
    """An original idea, and what is none of ours, are told to change nothing."""
    assert verdict.change(Verdict(label, 0.1, {}), NOTHING) == ""  # type: ignore[arg-type]
