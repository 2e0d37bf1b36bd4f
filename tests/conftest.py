"""What all tests share: the real checker, opened once, stand-ins for it, and the flag that rewrites golden files."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import hypothesis
import numpy as np
import pytest

from app import index
from app.catalogue import DATA, Catalogue, format_line, views
from app.encoder import DIMENSION, MAX_STATES
from app.reader import Reader
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from app.catalogue import Kind
    from app.checker import Checker
    from app.records import States, Vectors


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the one flag; without it a golden file is only ever compared."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the files in tests/golden, then read the change"
    )


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Give the settings that the machine's environment makes."""
    return Settings.from_environment()


@pytest.fixture(scope="session")
def checker(settings: Settings) -> Checker:
    """Open the checker on the built index; one that is missing or stale is built first, which takes a few minutes."""
    from app.checker import Checker  # noqa: PLC0415  tests of pure rooms do without the model

    return Checker.open(settings, build=True)


@dataclass
class Attempts:
    """Counts the attacks of one test, and those that were let in."""

    made: int = 0
    let_in: list[str] = field(default_factory=list)

    def note(self, attack: str, *, held: bool) -> None:
        """Note how an attack ended."""
        self.made += 1
        if not held:
            self.let_in.append(attack)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many attacks were made and let in, by the file that made them."""
    made: Counter[str] = Counter()
    let_in: Counter[str] = Counter()
    for report in (one for some in terminalreporter.stats.values() for one in some):
        if getattr(report, "when", "") == "teardown":
            told = dict(report.user_properties)
            made[report.location[0]] += told.get("attacks", 0)
            let_in[report.location[0]] += told.get("let_in", 0)
    for file in sorted(+made):
        terminalreporter.write_line(f"{file}: {made[file]:,} attacks, {let_in[file]:,} let in")


@pytest.fixture
def attempts(record_property: Callable[[str, object], None]) -> Iterator[Attempts]:
    """Count attacks, and fail at the end if one was let in; the summary prints the counts."""
    counted = Attempts()
    yield counted
    record_property("attacks", counted.made)
    record_property("let_in", len(counted.let_in))
    assert counted.made
    assert counted.let_in == []


# --- stand-ins that run in milliseconds ------------------------------------------------------------------------------

hypothesis.settings.register_profile(
    "fast",
    max_examples=60,
    deadline=None,  # two cores are shared: a slow example is not a wrong one
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


class FakeEncoder:
    """Counts words: two texts of n and m different words that share s of them have the cosine s / sqrt(n m)."""

    name = "words@000000000000"

    def words(self) -> frozenset[str]:
        """Know no word whole."""
        return frozenset()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give each text the unit vector of its word counts; a text without words points to the first axis."""
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[zlib.crc32(word.encode("utf-8", "surrogatepass")) % DIMENSION] += 1
            if not row.any():
                row[0] = 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Give the vectors, and for every word its own; a text without words has the first axis."""
        words = [re.findall(r"\w+", text.casefold())[:MAX_STATES] or [""] for text in texts]
        return self.encode(texts), [self.encode(some).astype(np.float16) for some in words]


@pytest.fixture(scope="session")
def fake_encoder() -> FakeEncoder:
    """Give an encoder whose vectors can be worked out by hand."""
    return FakeEncoder()


_TINY: dict[Kind, list[dict[str, Any]]] = {
    "dataset": [
        {
            "id": "letters",
            "name": "Letters",
            "aliases": ["letters.csv", "load_letters"],
            "about": "Scans of envelopes with the street written by hand.",
            "tells": ["read the street off an envelope"],
            "modality": "image",
            "tasks": ["classification"],
            "domain": "documents",
            "year": 1999,
            "tier": 2,
            "url_verified": False,
        },
        {
            "id": "pebbles",
            "name": "Pebbles",
            "aliases": ["load_pebbles", "pebble dataset"],
            "ambiguous": ["stones"],
            "about": "Weights and colours of stones picked on a beach.",
            "tells": ["tell the beach from the weight and colour of a stone"],
            "columns": ["weight_grams", "shade"],
            "modality": "tabular",
            "tasks": ["classification"],
            "domain": "nature",
            "year": 2001,
            "tier": 1,
            "url_verified": False,
        },
    ],
    "technique": [
        {
            "id": "ruler",
            "name": "Ruler method",
            "aliases": ["RulerClassifier"],
            "about": "Measures every thing and takes the nearest known one.",
            "family": "clustering",
            "tasks": ["classification"],
            "year": 1950,
            "tier": 1,
            "url_verified": False,
        },
    ],
    "tutorial": [
        {
            "id": "sort-your-pebbles",
            "name": "Sort your pebbles",
            "about": "A first lesson in sorting what lies on a beach.",
            "publisher": "Beach school",
            "genre": "ml",
            "level": "beginner",
            "datasets": ["pebbles"],
            "techniques": ["ruler"],
            "tier": 1,
            "url_verified": False,
        },
    ],
    "cliche": [
        {
            "id": "cliche-sorting-stones",
            "name": "Sorting stones",
            "aliases": ["stone sorter"],
            "about": "Stones are put into heaps by a camera, and nobody needs the heaps.",
            "datasets": ["pebbles"],
            "techniques": ["ruler"],
            "twists": ["Ask which stones the sea brought since last winter.", "Weigh what a wall of them would cost."],
            "tier": 2,
        },
    ],
    "alternative": [
        {
            "id": "alt-harbour-log",
            "name": "Harbour log",
            "domain": "environment",
            "modalities": ["text"],
            "access": ["dump"],
            "licence": "open",
            "refresh": "daily",
            "question": "Which storms moved the beach?",
            "replaces_datasets": ["pebbles"],
            "replaces_cliches": ["cliche-sorting-stones"],
            "url": "https://example.org/log",
            "url_verified": False,
        },
    ],
}


def write_tiny(folder: Path, version: str = "0.1.0") -> Path:
    """Write a catalogue of six entries."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("fields.yaml", "vocabulary.yaml"):
        shutil.copy(DATA / name, folder / name)
    (folder / "catalogue.yaml").write_text(f'version: "{version}"\ndate: "2026-01-01"\n', encoding="utf-8")
    files = ("datasets", "techniques", "tutorials", "cliches", "alternatives")
    for file, (kind, rows) in zip(files, _TINY.items(), strict=True):
        lines = [format_line(kind, row) + "\n" for row in rows]
        (folder / f"{file}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a catalogue of six entries; not to be changed."""
    return write_tiny(tmp_path_factory.mktemp("tiny") / "data")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Catalogue:
    """Give a catalogue of six entries whose views can be worked with by hand."""
    return Catalogue.load(tiny_folder)


@pytest.fixture(scope="session")
def shipped() -> Catalogue:
    """Give the shipped catalogue."""
    return Catalogue.load()


@pytest.fixture(scope="session")
def tiny_reader(tmp_path_factory: pytest.TempPathFactory, tiny: Catalogue, fake_encoder: FakeEncoder) -> Reader:
    """Give a reader over six entries and word counts: the real path without the model."""
    folder = tmp_path_factory.mktemp("index") / "tiny"
    index.build(folder, views(tiny), tiny, fake_encoder)
    return Reader(tiny, fake_encoder, index.ViewIndex.open(folder, tiny, fake_encoder.name))
