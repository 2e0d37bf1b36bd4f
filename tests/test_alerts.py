"""The alerts: Prometheus reads them, what they name is at /metrics, and the run-book knows what to do on each."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.api import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docs" / "deploy" / "alerts.yaml"
BOOK = (ROOT / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
OF_PROMETHEUS = {"up"}


def selectors(expression: Any) -> Iterator[Any]:
    """Find every place of an expression that asks for a metric."""
    if type(expression).__name__ == "VectorSelector":
        yield expression
    for part in ("lhs", "rhs", "expr", "vector_selector", "param"):
        if (inner := getattr(expression, part, None)) is not None:
            yield from selectors(inner)
    for inner in getattr(expression, "args", ()):
        yield from selectors(inner)


def test_every_rule_is_one_that_prometheus_reads() -> None:
    """Names are unique, expressions parse, times are times, and each says how urgent it is and what happened."""
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names) >= 15
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert list(selectors(promql_parser.parse(rule["expr"])))
        assert re.fullmatch(r"[1-9][0-9]*[smh]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook_url"] == f"docs/RUNBOOK.md#{rule['alert'].lower()}"
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(up")


@pytest.mark.model
def test_every_metric_that_an_alert_names_is_there(settings: Settings, checker: Checker) -> None:
    """A service that has checked a text shows each of them, with the values of labels that are asked for."""
    with TestClient(create_app(settings, checker)) as client:
        client.post("/api/v1/checks", json={"text": "titanic survival w/ logistic regression"})
        text = client.get("/metrics").text
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    asked = [one for rule in RULES for one in selectors(promql_parser.parse(rule["expr"]))]
    for one in asked:
        if one.name in OF_PROMETHEUS:
            continue
        wanted = {(m.name, m.value) for m in one.matchers.matchers if m.name != "job"}
        assert [s for s in samples if s.name == one.name and wanted <= set(s.labels.items())], f"{one.name} {wanted}"
    by = re.findall(r"by \(([^)]*)\)", " ".join(rule["expr"] for rule in RULES))
    known = {label for s in samples for label in s.labels} | {"instance"}
    assert {label.strip() for some in by for label in some.split(",")} <= known


def test_the_run_book_has_a_section_on_each() -> None:
    """In the order of the rules: what it means, where to look, what to do, and how to know that it is over."""
    sections = re.split(r"^## ", BOOK.partition("\n# The alerts\n")[2], flags=re.MULTILINE)[1:]
    assert [one.splitlines()[0] for one in sections] == [rule["alert"] for rule in RULES]
    for one in sections:
        assert re.findall(r"^\*\*(\w+)\.\*\* \S", one, re.MULTILINE) == ["Means", "Look", "Do", "Over"]


def test_the_run_book_names_what_there_is() -> None:
    """Its figures and settings are the service's."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    for name in set(re.findall(r"ORIGINALITY_[A-Z_]*[A-Z]", BOOK)):
        assert name in code, name
    for name in set(re.findall(r"\boriginality_([a-z_]+?)(?:_sum|_total|_bucket)?\b", BOOK)):
        assert f'"{name}"' in code or f'"originality_{name}"' in code, name


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus' own tool, which Debian's package brings")
def test_prometheus_own_tool_agrees() -> None:
    """It checks the rules, and tries them on series that must set them off and that must not."""
    for command in (["check", "rules", str(FILE)], ["test", "rules", str(FILE.with_name("alerts.test.yaml"))]):
        subprocess.run(["promtool", *command], check=True, capture_output=True)
