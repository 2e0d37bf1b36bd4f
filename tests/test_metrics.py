"""Figures: as worked out by hand, and as scikit-learn gives them where it has them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from app import metrics
from app.metrics import Case

FLAGS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)
ODDS = st.lists(st.tuples(st.integers(0, 10).map(lambda n: n / 10), st.booleans()), min_size=1, max_size=40)
LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40)


@given(FLAGS)
def test_f1_is_the_usual_one(pairs: list[tuple[bool, bool]]) -> None:
    """Precision, recall and F1 are scikit-learn's, with 0 where they are undefined."""
    truth, said = [a for a, _ in pairs], [b for _, b in pairs]
    expected = sk.precision_recall_fscore_support(truth, said, average="binary", pos_label=True, zero_division=0)[:3]
    assert metrics.f1(pairs) == pytest.approx(expected)


@given(ODDS)
def test_auc_is_the_usual_one(pairs: list[tuple[float, bool]]) -> None:
    """Ties count half, as in scikit-learn; one class alone has no area."""
    truth = [b for _, b in pairs]
    if len(set(truth)) < 2:
        assert math.isnan(metrics.auc(pairs))
    else:
        assert metrics.auc(pairs) == pytest.approx(sk.roc_auc_score(truth, [a for a, _ in pairs]))


@given(LABELS)
def test_kappa_is_the_usual_one(pairs: list[tuple[str, str]]) -> None:
    """Cohen's kappa is scikit-learn's; two raters who only ever say the same one thing agree."""
    if len({a for a, _ in pairs} | {b for _, b in pairs}) == 1:
        assert metrics.kappa(pairs) == 1.0
    else:
        assert metrics.kappa(pairs) == pytest.approx(sk.cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs]))


def test_kappa_by_hand() -> None:
    """Six of ten alike where five would be by chance is a fifth of the way."""
    pairs = [(True, True)] * 3 + [(False, False)] * 3 + [(True, False)] * 2 + [(False, True)] * 2
    assert metrics.kappa(pairs) == pytest.approx(0.2)


def test_calibration_error_by_hand() -> None:
    """Two bins: one right on average, one off by .4 over half the texts."""
    pairs = [(0.25, False), (0.25, False), (0.25, False), (0.25, True), *[(0.9, True)] * 2, *[(0.9, False)] * 2]
    assert metrics.calibration_error(pairs) == pytest.approx(0.2)
    assert metrics.calibration_error([(1.0, True), (0.0, False)]) == 0.0


def test_macro_f1_is_over_the_verdicts_that_occur() -> None:
    """A verdict that no label has doesn't lower the mean; one never said does."""
    pairs = [("well_worn", "well_worn"), ("original", "well_worn"), ("original", "original")]
    assert metrics.macro_f1(pairs) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert metrics.macro_f1([("well_worn", "unclear")]) == 0.0
    assert math.isnan(metrics.macro_f1([]))


def case(verdict: str, said: str, *, ids: tuple[str, ...] = (), rests: tuple[str, ...] = (), **more: Any) -> Case:
    """Make a labelled case and what was said of it."""
    label = {
        "id": "x",
        "verdict": verdict,
        "flag": verdict == "well_worn",
        "dataset": "known",
        "dataset_ids": ids,
        "words": 40,
    }
    report = {
        "verdict": said,
        "flagged": said == "well_worn",
        "flag_probability": 0.9 if said == "well_worn" else 0.1,
        "facets": {"data": {"status": more.pop("status", "known")}},
        "matches": [{"entry": e, "kind": "dataset", "role": "rests_on"} for e in rests]
        + [{"entry": "imagenet", "kind": "dataset", "role": "pretrained_on"}],
    }
    return Case(label | more, report)


def test_every_figure_of_four_cases_by_hand() -> None:
    """A hit, a miss, a false flag on an original with own data, and a text without a report."""
    cases = [
        case("well_worn", "well_worn", ids=("iris",), rests=("iris", "wine")),
        case("well_worn", "partly_known", ids=("wine",), rests=("iris",)),
        case("original", "well_worn", dataset="own", status="own", rests=("iris",)),
        Case(
            {"id": "y", "verdict": "off_topic", "flag": False, "dataset": "none", "words": 50, "hard": "short, typo"},
            {},
        ),
    ]
    found = metrics.figures(cases)
    assert found["n"] == 4
    assert (found["flag_precision"], found["flag_recall"], found["flag_f1"]) == (0.5, 0.5, 0.5)
    assert found["flag_auc"] == pytest.approx(0.5 * (0.5 + 1) / 2 + 0.5 * (0 + 1) / 2)
    assert found["originals_flagged"] == 1.0
    assert found["dataset_hit"] == 0.5
    assert found["dataset_precision"] == pytest.approx(1 / 3)
    assert found["own_matched"] == 1.0
    assert metrics.by_tag(cases) == {"plain": (1, 3), "short": (1, 1), "typo": (1, 1)}
    assert metrics.by_length(cases) == {"below 45 words": (1, 3), "from 45 words": (1, 1)}


def test_figures_without_a_bearing_case_are_not_numbers() -> None:
    """Where no case bears on a figure it is NaN rather than a made-up 0 or 1, and it has no interval."""
    cases = [case("partly_known", "partly_known", dataset="unknown")]
    found = metrics.figures(cases)
    assert all(
        math.isnan(found[name]) for name in ("originals_flagged", "dataset_hit", "dataset_precision", "own_matched")
    )
    assert "dataset_hit" not in metrics.intervals(cases)


def test_intervals_hold_their_figure_and_are_the_same_every_time() -> None:
    """The bootstrap is seeded, and the figure lies within its interval."""
    cases = (
        [case("well_worn", "well_worn")] * 12 + [case("well_worn", "original")] * 4 + [case("original", "original")] * 9
    )
    intervals = metrics.intervals(cases)
    low, high = intervals["flag_f1"]
    assert 0 < low < metrics.figures(cases)["flag_f1"] < high <= 1
    assert metrics.intervals(cases) == intervals
