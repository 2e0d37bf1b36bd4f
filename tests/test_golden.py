"""Reports of some fifty ideas: a change of mind shows here, is read in review, and is never an accident.

``tests/golden/reports`` has a file an idea: its text, and below it what was concluded, short enough to be read as a
diff. A new idea is a new file with a text alone. ``--update-golden`` writes the rest, and with it ``app/release.json``:
what the reports were made with, by which a start notices drift. What differs from machine to machine is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from app import drift, tongues
from app.checker import Submission
from app.report import Report

if TYPE_CHECKING:
    from app.checker import Checker

pytestmark = pytest.mark.model

FOLDER = Path(__file__).parent / "golden" / "reports"
FILES = sorted(FOLDER.glob("*.yaml"))
TOLERANCE = 0.02
KNOWN = ("titanic", "contrast", "known-base-real-addition", "tutorial-chat-pdf", "german", "off-topic", "sensors-own")
"""Those that a start with another release of a library is tried on: of each verdict, one in another language."""


def kept(path: Path) -> dict[str, Any]:
    """Read what stands in an idea's file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def reports(checker: Checker) -> dict[str, Report]:
    """Judge all ideas together."""
    found = checker.check_many([Submission(kept(path)["text"], path.stem) for path in FILES])
    return {one.id: one for one in found if isinstance(one, Report)}


def golden(report: Report) -> dict[str, Any]:
    """Give what is kept of a report: its conclusions, in the order in which a person reads them."""
    return {
        "verdict": report.verdict,
        "flag_probability": round(report.flag_probability, 2),
        "facets": {
            side: [facet.status, *facet.items]
            for side, facet in ((name, getattr(report.facets, name)) for name in type(report.facets).model_fields)
        },
        "matches": sorted(f"{match.role} {match.entry}" for match in report.matches),
        "suggestions": [f"{one.facet}, makes it {one.projected.verdict}" for one in report.suggestions],
        "warnings": [warning.code for warning in report.warnings],
        "projects": [f"{one.verdict} {round(one.flag_probability, 1)}" for one in report.projects],
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_report_is_as_it_was_read_in_review(path: Path, reports: dict[str, Report], update_golden: bool) -> None:
    """Verdict, facets, matches, kinds of suggestions, warnings are the same, the probability within two hundredths."""
    before, now = kept(path), golden(reports[path.stem])
    if update_golden:
        before = {"text": before["text"], **now}
        told = yaml.safe_dump(before, allow_unicode=True, sort_keys=False, width=110)
        path.write_text(told, encoding="utf-8")
    assert now.pop("flag_probability") == pytest.approx(before.pop("flag_probability"), abs=TOLERANCE)
    assert before.pop("text").strip()
    assert now == before


def test_the_release_says_what_the_reports_were_made_with(
    checker: Checker, reports: dict[str, Report], update_golden: bool
) -> None:
    """Coefficients, libraries and known ideas are those of ``app/release.json``: who changes one changes that file."""
    texts = {path.stem: kept(path)["text"] for path in FILES}
    now: dict[str, Any] = {
        "about": "What the golden reports were made with; written by: pytest tests/test_golden.py --update-golden",
        "with": drift.present(checker.info()["rules"]),
        "ideas": [
            {
                "id": name,
                "text": texts[name],
                "verdict": reports[name].verdict,
                "flag_probability": round(reports[name].flag_probability, 2),
            }
            for name in KNOWN
        ],
    }
    if update_golden:
        drift.FILE.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert drift.seen(checker) == ()
    assert drift.astray(checker) == []
    assert [one["text"] for one in drift.release()["ideas"]] == [one["text"] for one in now["ideas"]]


@pytest.mark.parametrize("language", [one for one in tongues.LANGUAGES if one != tongues.SOURCE])
def test_what_the_reports_say_is_said_in_every_language(reports: dict[str, Report], language: str) -> None:
    """No summary, change, hint, reason or warning of the reports is left in English."""
    tongue = tongues.Tongue.open(language)
    said: set[str] = set()
    for report in reports.values():
        for one in (report, *report.projects):
            said |= {one.summary, one.change, one.keep}
            said |= {reason.text for reason in one.why} | {notice.message for notice in one.warnings}
    said.discard("")
    assert len(said) > 50
    assert [text for text in said if 'lang="en"' in tongue.say(text)] == []


def test_the_ideas_are_many_and_of_every_kind() -> None:
    """There are fifty and more, of every verdict, and each file is named for one."""
    found = [kept(path)["verdict"] for path in FILES]
    assert len(found) >= 50
    counts = {verdict: found.count(verdict) for verdict in found}
    assert set(counts) == {"well_worn", "partly_known", "original", "off_topic", "unclear"}
    assert {kept(FOLDER / f"{name}.yaml")["verdict"] for name in KNOWN} >= {"well_worn", "original", "off_topic"}
