"""The soak: a short one holds, and each thing that may go wrong in one would be seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.soak import GROWTH_MB, MOST_MB, NOISE_MB, OWN_S, Answer, Soak

if TYPE_CHECKING:
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
DONE, REFUSED = Answer(200, 1.0, 2.0), Answer(503, 2.0, 0.1, "7")


def soaked(*more: Answer, memory: float = 300.0, rise: float = 0.0, minutes: int = 10, unready: int = 0) -> Soak:
    """Give a soak in which all held but what is given."""
    course = [(60.0 * minute, memory + rise * minute) for minute in range(minutes + 1)]
    return Soak(280.0, 2.0, 4.0, [DONE, REFUSED, *more], course, unready)


def test_what_holds_is_no_fault() -> None:
    """A refusal that says when to come back is as it should be, of either kind, and so is memory that came and goes."""
    assert soaked(replace(REFUSED, status=429)).faults(45.0) == []
    assert soaked(rise=GROWTH_MB - 0.01).faults(45.0) == []
    assert soaked(memory=MOST_MB, rise=-3.0).faults(45.0) == []
    assert soaked(rise=NOISE_MB - 0.1, minutes=2).faults(45.0) == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (soaked(replace(DONE, status=500)), "1 answers of status 500"),
        (soaked(replace(DONE, status=0), replace(DONE, status=0)), "2 answers of status 0"),
        (soaked(replace(REFUSED, retry_after="")), "1 answers of status 503"),
        (soaked(replace(REFUSED, retry_after="0")), "1 answers of status 503"),
        (soaked(replace(DONE, took_s=45 + OWN_S + 0.1)), "1 reports after more than 60 s"),
        (soaked(unready=2), "/health failed 2 times"),
        (soaked(rise=GROWTH_MB + 0.1), "memory grew by 3.0 MB, more than 2.5"),
        (soaked(rise=NOISE_MB + 0.1, minutes=2), "memory grew by 10.1 MB, more than 10.0"),
        (soaked(memory=MOST_MB + 1), "memory came to 351 MB, more than 350"),
        (replace(soaked(), answers=[DONE]), "nobody was refused: this was no overload"),
        (replace(soaked(), answers=[REFUSED]), "no report at all"),
    ],
)
def test_what_does_not_hold_is_a_fault(seen: Soak, fault: str) -> None:
    """Each is named, and nothing else is."""
    assert seen.faults(45.0) == [fault]


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read as Linux tells it")
def test_a_short_soak_holds(settings: Settings) -> None:
    """A real service under twice its load for some seconds: reports in time, refusals with a time, no other answer."""
    told = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "soak.py"), "--seconds", "5", "--warm-up", "3", "--max-wait", "1"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ORIGINALITY_INDEX_DIR": str(settings.index_dir), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    statuses = re.search(r"answers by status: (\{.*\})", told.stdout)
    assert statuses is not None, told.stderr
    assert set(re.findall(r"(\d+): ", statuses[1])) == {"200", "503"}
    # So soon after its start memory still fills up; the run of ten minutes is what says that it is level.
    assert [line for line in told.stdout.splitlines() if line.startswith("FAILED") and "memory" not in line] == []
