#!/usr/bin/env python3
"""Show what a service's memory is made of: its parts are loaded one after the other, and each time it is looked.

``private`` is this process's alone; ``files`` are pages of libraries and of the index, which the system shares between
processes and takes back where it needs them. What lies free is given back before each look, as a service does. The
order matters a little: what a part shares with one before it is counted there.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import memory
from scripts.ideas import ideas_without_end

if TYPE_CHECKING:
    from app.checker import Checker

IMPORTS = {
    "NumPy and FAISS": ("faiss",),
    "ONNX Runtime, tokenizers": ("onnxruntime", "tokenizers"),
    "the service's code, packages too": ("app.api", "uvicorn"),
}


class Looks:
    """Looks at the memory and prints what came since the last time."""

    def __init__(self) -> None:
        """Begin with what there is."""
        self.held = (0.0, 0.0)
        print(f"{'part':36} {'private':>8} {'files':>8}   MB")

    def at(self, part: str) -> None:
        """Print what a part that was loaded just now has taken."""
        now = resident_mb()
        self._say(part, now[0] - self.held[0], now[1] - self.held[1])
        self.held = now

    def behind(self, owner: Any, name: str, part: str) -> None:
        """Look behind every call of a function."""
        plain = getattr(owner, name)

        def watched(*given: Any, **more: Any) -> Any:
            made = plain(*given, **more)
            self.at(part)
            return made

        setattr(owner, name, watched)

    def end(self) -> None:
        """Print what there is in all."""
        self._say("all", *self.held)

    def _say(self, part: str, private: float, files: float) -> None:
        print(f"{part:36} {private:8.1f} {files:8.1f}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Load, look and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=200, help="ideas that are judged in the end, each another")
    given = parser.parse_args(arguments)
    memory.few_arenas()
    looks = Looks()
    looks.at("Python")
    for part, packages in IMPORTS.items():
        for package in packages:
            importlib.import_module(package)
        looks.at(part)
    checker = _opened(looks)
    looks.at("what else the checker holds")
    checker.check("Titanic survival with a random forest.")
    looks.at("a first check")
    for idea in itertools.islice(ideas_without_end(), given.checks):
        checker.check(idea)
    looks.at(f"{given.checks} checks: what is remembered")
    checker.search("wine quality")
    looks.at("a first search")
    looks.end()
    return 0


def _opened(looks: Looks) -> Checker:
    """Open the checker as a service does, with a look behind each of its parts."""
    from app import index, judge, nametable, runtime  # noqa: PLC0415  what they import is loaded, and looked at, before
    from app.catalogue import Catalogue  # noqa: PLC0415  likewise
    from app.checker import Checker  # noqa: PLC0415  likewise
    from app.settings import Settings  # noqa: PLC0415  likewise

    looks.behind(Catalogue, "load", "catalogue")
    looks.behind(runtime, "served", "model and tokenizer")
    looks.behind(index.ViewIndex, "open", "index")
    looks.behind(judge.Judge, "open", "judge")
    looks.behind(nametable, "finder", "names")
    return Checker.open(Settings.from_environment())


def resident_mb() -> tuple[float, float]:
    """Tell how much memory this process holds of its own, and how much of files, as Linux tells it."""
    gc.collect()
    memory.give_back()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    held = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith(" kB")}
    return held["RssAnon"], held["RssFile"] + held["RssShmem"]


if __name__ == "__main__":
    raise SystemExit(main())
