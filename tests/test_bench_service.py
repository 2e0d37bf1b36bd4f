"""The command that sizes a service: it starts one, has it judge, and its figures hang together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
CHECKS = "16"
"""So many that they cost more than one start differs from another on a busy machine."""


@pytest.mark.model
def test_it_prints_what_a_check_takes(settings: Settings) -> None:
    """Some checks on a service of its own give a cost, a rate that is its inverse, and a memory that was measured."""
    told = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "bench_service.py"), "--checks", CHECKS, "--together", "2"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ORIGINALITY_INDEX_DIR": str(settings.index_dir), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    figures = json.loads(told.stdout)
    assert figures["checks"] == int(CHECKS)
    assert figures["checks_per_second_and_core"] == pytest.approx(1 / figures["processor_s_per_check"], rel=0.05)
    memory = figures["largest_memory_mb"]
    assert 100 < memory["idle"] <= memory["after_checks"] * 1.1
    assert figures["start_processor_s"] > 0
