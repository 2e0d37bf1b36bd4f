"""Gives ideas to judge, on and on, none of which was seen before."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "ideas.dev.jsonl"


def ideas_without_end() -> Iterator[str]:
    """Give labelled ideas on and on, each with another number in every sentence."""
    ideas = [str(json.loads(line)["text"]) for line in CASES.read_text(encoding="utf-8").splitlines()]
    for number in itertools.count():
        yield ideas[number % len(ideas)].replace(". ", f" (no. {number}). ") + f" (No. {number})"
