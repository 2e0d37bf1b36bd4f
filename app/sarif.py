"""Writes reports as SARIF 2.1.0, so that code hosts show them beside the lines that they are about."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.report import Evidence, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RULE = "well-worn"


def document(results: Sequence[tuple[str, str, Report]], version: str) -> dict[str, Any]:
    """Write one run.

    Args:
        results: path from the repository's root, text, and report; only flagged ones become findings.
        version: the checker's.
    """
    rule = {
        "id": RULE,
        "name": "WellWorn",
        "shortDescription": {"text": "The project is a known method on known data."},
        "fullDescription": {
            "text": "A worn problem, with known data and a textbook method, or a recognised tutorial followed as "
            "taught, and nothing of substance added. A public dataset alone is no fault."
        },
        "defaultConfiguration": {"level": "warning"},
    }
    driver = {"name": "originality-checker", "version": version, "rules": [rule]}
    findings = [_finding(path, text, report) for path, text, report in results if report.flagged]
    # Columns count code points, as the reports' positions do.
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": findings}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _finding(path: str, text: str, report: Report) -> dict[str, Any]:
    where = line_of(text, report)
    message = " ".join(filter(None, (report.summary, report.change)))
    location = {"artifactLocation": {"uri": path}, "region": where}
    return {
        "ruleId": RULE,
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
        "properties": {"flagProbability": report.flag_probability, "verdict": report.verdict},
    }


def line_of(text: str, report: Report) -> dict[str, int]:
    """Give the place that decided: of the strongest reason that has evidence, else the first line; from 1."""
    shown: list[Evidence] = [
        one for reason in report.why if reason.direction == "worn" for one in reason.evidence if one.end <= len(text)
    ]
    if not shown:
        return {"startLine": 1}
    starts = [0, *(n + 1 for n, letter in enumerate(text) if letter == "\n")]
    start, end = ({"line": bisect_right(starts, at), "at": at} for at in (shown[0].start, shown[0].end))
    return {
        "startLine": start["line"],
        "startColumn": start["at"] - starts[start["line"] - 1] + 1,
        "endLine": end["line"],
        "endColumn": end["at"] - starts[end["line"] - 1] + 1,
    }
