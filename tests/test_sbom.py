"""The bill of materials names what is installed, at the releases that are pinned, and our own data by their hashes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from scripts import sbom

AGAIN = "run scripts/sbom.py where the service is installed"


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    """Read the file."""
    found: dict[str, Any] = json.loads(sbom.FILE.read_text(encoding="utf-8"))
    return found


def test_every_package_is_named_at_its_pinned_release(bom: dict[str, Any]) -> None:
    """The packages are those of the lock, but for what other systems need; each says its licence or nothing."""
    lines = (sbom.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {(canonicalize_name(m[1]), m[2]) for line in lines if (m := re.match(r"([\w.-]+)==([^ ;]+)", line))}
    named = {(canonicalize_name(one["name"]), one["version"]) for one in bom["components"] if "version" in one}
    assert named <= pins
    names = {name for name, _ in named}
    assert sbom.listed() - names <= {"colorama", "fasttext-predict-v2", "pywin32"}, AGAIN
    assert names <= sbom.listed()


def test_what_is_no_package_is_named_by_its_hash(bom: dict[str, Any]) -> None:
    """Weights, judge, catalogue and advice stand there as they are."""
    kept = [one for one in bom["components"] if "hashes" in one]
    assert kept == sorted(sbom.ours(), key=lambda one: one["bom-ref"]), AGAIN
    assert {"app/data/datasets.jsonl", "app/data/judge.safetensors"} < {one["name"] for one in kept}


def test_what_is_needed_is_named(bom: dict[str, Any]) -> None:
    """Nothing needs what isn't there, and no name stands twice."""
    refs = [one["bom-ref"] for one in bom["components"]]
    assert len(set(refs)) == len(refs)
    assert {need for one in bom["dependencies"] for need in one["dependsOn"]} <= set(refs)
    assert bom["bomFormat"] == "CycloneDX"
