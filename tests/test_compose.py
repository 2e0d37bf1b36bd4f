"""Composing: what the stages concluded reaches the contract's report unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import compose, intake
from app.records import Evidence, Facet, Facets, Match, Projected, Reason, Resource, Suggestion, Verdict
from app.report import Provenance, Report

if TYPE_CHECKING:
    from app.catalogue import Catalogue

PROVENANCE = Provenance(software="1", catalogue="2", model="3", rules="4", index="5")
SPOT = Evidence(0, 2, "We")
SIDES = Facets(Facet("worn", ("a",), (SPOT,)), Facet("known"), Facet("novel"), Facet("some"))
SUGGESTION = Suggestion(
    "s1",
    "Weigh",
    "Weigh them.",
    ("Buy a scale",),
    "data",
    "a weekend",
    (Resource("n", "https://example.org"),),
    ("pebbles",),
    "We weigh.",
)


def made(tiny: Catalogue, text: str = "We weigh stones.", label: str = "well_worn", language: str = "en") -> Report:
    """Compose a report with one of everything."""
    return compose.report(
        intake.read(text, id="x", language=language),
        Verdict(label, 0.123456, {}),  # type: ignore[arg-type]
        [Reason("known data", 1.0, "seen", (SPOT,)), Reason("own data", -0.5, "made")],
        SIDES,
        [Match("pebbles", "dataset", "rests_on", 0.98765432, 1.7, (SPOT,))],
        [(SUGGESTION, Projected("original", 0.04321))],
        tiny.entries,
        PROVENANCE,
        kept="Keep the scale.",
    )


def test_a_report_is_its_json_and_back(tiny: Catalogue) -> None:
    """Report to JSON to report is the identity."""
    report = made(tiny)
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_every_conclusion_is_in_the_report(tiny: Catalogue) -> None:
    """Ids, names, directions, rounded numbers and evidence arrive where the contract has them."""
    report = made(tiny)
    assert (report.id, report.verdict, report.flagged, report.flag_probability) == ("x", "well_worn", True, 0.1235)
    assert [(r.feature, r.direction) for r in report.why] == [("known data", "worn"), ("own data", "original")]
    assert (report.facets.problem.status, report.facets.problem.items) == ("worn", ["a"])
    match = report.matches[0]
    assert (match.entry, match.name, match.tier, match.cosine, match.confidence) == (
        "pebbles",
        "Pebbles",
        1,
        0.9877,
        1.0,
    )
    assert (match.evidence[0].start, match.evidence[0].end, match.evidence[0].quote) == (0, 2, "We")
    assert (report.suggestions[0].id, report.suggestions[0].projected.flag_probability) == ("s1", 0.0432)
    assert (report.keep, report.provenance) == ("Keep the scale.", PROVENANCE)


def test_only_well_worn_is_flagged(tiny: Catalogue) -> None:
    """The flag is the verdict's, not the probability's."""
    assert not any(made(tiny, label=label).flagged for label in ("partly_known", "original", "off_topic", "unclear"))


def test_another_language_is_warned_of(tiny: Catalogue) -> None:
    """Outside English the reader is told, with the language; in English nothing is said."""
    assert [n.code for n in made(tiny, language="de").warnings] == ["language"]
    assert "'de'" in made(tiny, language="de").warnings[0].message
    assert made(tiny).warnings == []


def test_notices_of_reading_are_warnings(tiny: Catalogue) -> None:
    """What was left out at the door is told in the report."""
    assert [n.code for n in made(tiny, text="We weigh stones. We weigh stones.").warnings] == ["repeated"]
