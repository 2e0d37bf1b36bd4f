"""Work that is spread comes back as if it had been done here: the same, and in order."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app import engine
from app.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXTS = [f"t{n}" for n in range(300)]


@dataclass(frozen=True)
class Process:
    """Answers with the parcel and the process that it was worked on in."""

    def open(self) -> Callable[[str], bytes]:
        """Give the function."""
        return lambda parcel: f"{parcel} {os.getpid()}".encode()


@dataclass(frozen=True)
class Failing:
    """Can't do one of the parcels."""

    def open(self) -> Callable[[str], bytes]:
        """Give the function."""
        return self._do

    def _do(self, parcel: str) -> bytes:
        if parcel == "t7":
            raise ZeroDivisionError("the work's own")
        return parcel.encode()


def test_answers_come_in_order_out_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each parcel has its own answer at its own place, whatever the waves; without a cluster none leaves."""
    monkeypatch.setattr(engine, "WAVE", 128)
    found = [one.decode().split() for one in engine.spread(Process(), TEXTS)]
    assert [text for text, _ in found] == TEXTS
    assert {int(process) for _, process in found} == {os.getpid()}
    assert list(engine.spread(Process(), [])) == []


def test_no_more_is_read_than_a_wave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump of millions is no heap of memory: the first answer comes when one wave has been read."""
    monkeypatch.setattr(engine, "WAVE", 10)
    read = 0

    def parcels() -> Iterator[str]:
        nonlocal read
        for text in TEXTS:
            read += 1
            yield text

    answers = engine.spread(Process(), parcels())
    assert next(answers).decode().startswith("t0 ")
    assert read == 10
    assert len(list(answers)) == len(TEXTS) - 1


def test_a_fault_of_the_work_is_not_the_engines() -> None:
    """What goes wrong in the work itself is seen, and is not taken for a cluster that is lost."""
    with pytest.raises(Exception, match="the work's own"):
        list(engine.spread(Failing(), TEXTS))


@pytest.mark.parametrize(("package", "address"), [("ray", "auto"), ("daft", "")])
def test_a_missing_package_says_what_to_install(package: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Daft, or without Ray where a cluster is named, one sentence says which extra to install."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineUnavailable, match=rf"missing \({package}\).*originality-checker\[{package}\]"):
        list(engine.spread(Process(), ["x"], address))
