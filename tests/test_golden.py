"""Whole reports of a dozen ideas: a change of mind shows here, is read in review, and is never an accident.

Rewrite them with ``--update-golden``. What differs from machine to machine is left out (provenance) or rounded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.checker import Submission
from app.report import Report

if TYPE_CHECKING:
    from app.checker import Checker

pytestmark = pytest.mark.model

FOLDER = Path(__file__).parent / "golden" / "reports"
TOLERANCE = 0.02
IDEAS = {
    "titanic": "titanic survival w/ logistic regression",
    "unnamed-housing": (
        "Guess what a home sold for in a city in Iowa from 79 columns on its size, garage and roof, "
        "with ridge and XGBoost."
    ),
    "tutorial-chat-pdf": (
        "Streamlit app that lets you chat with your PDF: LangChain, OpenAI embeddings, FAISS and a prompt template."
    ),
    "contrast": (
        "Instead of yet another MNIST notebook I photographed 1,200 price tags written by hand at our Saturday market, "
        "labelled them with two stall keepers, and ask which digits they themselves misread."
    ),
    "pretrained": (
        "We recorded bats under three bridges for nine weeks with detectors we soldered ourselves, and fine-tune a "
        "network pretrained on AudioSet to tell which species comes out first."
    ),
    "known-base-real-addition": (
        "Credit card fraud on the ULB Kaggle set, but split by time rather than at random: I measure how fast each "
        "model goes stale, retrain weekly, and report bootstrap confidence intervals of the money saved."
    ),
    "bundle": (
        "My portfolio:\n\n1. Iris classification with kNN\n2. House prices with linear regression\n"
        "3. Spam filter with naive Bayes on the SMS collection\n"
    ),
    "readme": (
        "# Customer churn\n\nPredicts which customers of a phone company leave, on the Telco dataset.\n\n"
        "## Installation\n```\npip install -r requirements.txt\n```\n\n## Results\n"
        "Random forest 81 % accuracy, SMOTE, ROC curve.\n\n"
        "## License\nMIT\n"
    ),
    "german": "Ich sage mit einem CNN auf dem MNIST-Datensatz handgeschriebene Ziffern voraus, wie im Keras-Tutorial.",
    "chinese": "我们在校园里自己录制了三个月的鸟叫声，并请两位老师标注，用来研究施工噪音对鸟类的影响。",
    "very-short": "hmm bees",
    "off-topic": "A to-do list in React with login, dark mode and drag and drop, stored in MongoDB.",
}


@pytest.fixture(scope="module")
def reports(checker: Checker) -> dict[str, Report]:
    """Judge all ideas together."""
    found = checker.check_many([Submission(text, name) for name, text in IDEAS.items()])
    return {one.id: one for one in found if isinstance(one, Report)}


def golden(report: Report) -> dict[str, Any]:
    """Give what is kept of a report: all but provenance, numbers to two decimals."""
    rounded: dict[str, Any] = json.loads(
        report.model_dump_json(exclude={"provenance"}), parse_float=lambda f: round(float(f), 2)
    )
    return rounded


def decisions(kept: dict[str, Any]) -> dict[str, Any]:
    """Give what must be the same on every machine."""
    return {
        "verdict": kept["verdict"],
        "flagged": kept["flagged"],
        "facets": {side: (facet["status"], facet["items"]) for side, facet in kept["facets"].items()},
        "matches": sorted((m["entry"], m["role"]) for m in kept["matches"]),
        "warnings": [w["code"] for w in kept["warnings"]],
    }


@pytest.mark.parametrize("name", IDEAS)
def test_a_report_is_as_it_was_read_in_review(name: str, reports: dict[str, Report], update_golden: bool) -> None:
    """Verdict, facets, matches and warnings are the same, and probabilities within two hundredths."""
    path, now = FOLDER / f"{name}.json", golden(reports[name])
    if update_golden:
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"text": IDEAS[name], "report": now}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["text"] == IDEAS[name]
    before = kept["report"]
    assert decisions(now) == decisions(before)
    assert now["flag_probability"] == pytest.approx(before["flag_probability"], abs=TOLERANCE)
    for a, b in zip(sorted(now["matches"], key=str), sorted(before["matches"], key=str), strict=True):
        assert a["confidence"] == pytest.approx(b["confidence"], abs=TOLERANCE)


def test_every_golden_report_has_its_idea() -> None:
    """No file is left over from an idea that is gone."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(IDEAS)
