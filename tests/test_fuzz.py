"""The fuzz: a short one holds, every target is reached, and what may go wrong in one would be seen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.errors import BadInput
from app.intake import MAX_CHARS
from scripts import fuzz, fuzz_inputs
from scripts.fuzz_inputs import KINDS, MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.checker import Checker

ROOT = Path(__file__).parent.parent


def seen(work: Callable[[], bool], size: int = 10) -> fuzz.Seen:
    """Fuzz one target of a hand-made input."""
    return fuzz.fuzz(range(3), 1, {"it": (1.0, lambda _: (size, work))}, lambda _: None)["it"]


def test_a_short_fuzz_of_the_parsers_holds() -> None:
    """Some hundreds of inputs through all parsers, as a command: nothing fails, and the table counts them."""
    told = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "fuzz.py"), "--inputs", "400", "--checks", "0"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    rows = {line[:24].strip(): line[24:].split() for line in told.stdout.splitlines()[2:]}
    assert rows.keys() == {*fuzz.PARSERS, "all"}
    assert rows["all"][0] == "400"
    assert rows["all"][2] == "0"
    assert all(int(row[0]) for row in rows.values())


@pytest.mark.model
def test_a_short_fuzz_of_the_check_holds(checker: Checker) -> None:
    """Some dozen hostile texts through the real check: valid reports, quotations from the text, the same again."""
    found = fuzz.fuzz(range(12), 2, {"it": (1.0, fuzz.of_check(checker))}, lambda _: None)["it"]
    assert found.failures == []
    assert found.refused < found.inputs == 12


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("x"), "KeyError at"),
        (BadInput(f"the text is {MARK}"), "repeats the text"),
        (BadInput(" "), "without a message"),
    ],
)
def test_what_does_not_hold_is_a_failure(error: Exception, told: str) -> None:
    """A foreign exception, a message with the text in it, and one that says nothing: each is named with its place."""

    def work() -> bool:
        raise error

    found = seen(lambda: fuzz._refused(work))
    assert len(found.failures) == 3
    assert all(told in failure and "test_fuzz.py" in failure and MARK not in failure for failure in found.failures)


def test_an_own_error_is_none() -> None:
    """One that says what is the matter, and repeats nothing, is counted as a refusal."""

    def work() -> bool:
        raise BadInput("Send less.")

    found = seen(lambda: fuzz._refused(work))
    assert (found.inputs, found.refused, found.failures) == (3, 3, [])


def test_what_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes longer than its length allows is ended and named, even if it catches every exception."""
    monkeypatch.setattr(fuzz, "LEAST_S", 0.05)

    def work() -> bool:
        while True:
            try:
                sum(range(1_000))
            except Exception:  # noqa: BLE001, S112  as careless code does
                continue

    assert all("Hung" in failure for failure in seen(work).failures)


def test_an_input_can_be_made_again() -> None:
    """The same number gives the same input, whichever process makes it, and another number another."""
    for kind in KINDS:
        if kind not in {".docx", ".zip", ".tar", ".tgz"}:  # these carry the time of their writing
            made = [fuzz_inputs.content(fuzz_inputs.chance_of(1, n), kind) for n in (1, 1, 2)]
            assert made[0] == made[1] != made[2]
    assert fuzz_inputs.text(fuzz_inputs.chance_of(1, 7)) == fuzz_inputs.text(fuzz_inputs.chance_of(1, 7))


def test_inputs_are_hostile() -> None:
    """Among some hundred texts there are halves of characters, NULs, turned directions, floods, and too long ones."""
    texts = [fuzz_inputs.text(fuzz_inputs.chance_of(1, n)) for n in range(600)]
    for odd in ("\ud800", "\x00", "\u202e", "\u200b", "`" * 3, "<!--"):
        assert any(odd in text for text in texts), ascii(odd)
    assert any(re.search(r"[\u0300-\u036f]{50}", text) for text in texts)
    assert any(re.search(r"\S{10000}", text) for text in texts)
    assert max(map(len, texts)) <= 2 * MAX_CHARS + 20
    assert all(MARK in text for text in texts)
