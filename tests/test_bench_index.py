"""The bench of searching: what it encodes survives a kill, and what it measures is the search that collections use."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.encoder import DIMENSION

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parent.parent / "scripts" / "bench_index.py"
SENTENCES = [f"The {n}th sentence is about thing {n * n} and its neighbour." for n in range(30)]


@pytest.fixture
def bench() -> ModuleType:
    """Load the script."""
    spec = importlib.util.spec_from_file_location("bench_index", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sentences_are_gathered_once(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are whole sentences of docstrings, each once; the first run's are kept, and no half of a file is."""
    monkeypatch.setattr(bench, "_debian", lambda: iter(()))
    (tmp_path / "roots").mkdir()
    source = '"""One sentence that is long enough. Too short.\n\nOne sentence that is long enough."""\n'
    (tmp_path / "roots" / "a.py").write_text(source, encoding="utf-8")
    (tmp_path / "roots" / "b.py").write_text("not Python (", encoding="utf-8")
    assert bench._kept_sentences(tmp_path, [tmp_path / "roots"]) == ["One sentence that is long enough."]
    (tmp_path / "roots" / "a.py").unlink()
    assert bench._kept_sentences(tmp_path, [tmp_path / "roots"]) == ["One sentence that is long enough."]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["roots", "sentences.txt"]


def test_more_sentences_go_behind(bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Further packages' sentences stand behind the kept ones, whose vectors may be there; none stands twice."""
    monkeypatch.setattr(bench, "_debian", lambda: iter(("One sentence of the first run.",)))
    kept = bench._kept_sentences(tmp_path, [])
    (tmp_path / "more").mkdir()
    source = '"""Another one that is new.\n\nOne sentence of the first run. A third one, which is new."""\n'
    (tmp_path / "more" / "a.py").write_text(source, encoding="utf-8")
    both = bench._added(tmp_path, kept, [tmp_path / "more"])
    assert both[0] == "One sentence of the first run."
    assert set(both[1:]) == {"Another one that is new.", "A third one, which is new."}
    assert len(both) == 3
    assert bench._added(tmp_path, both, [tmp_path / "more"]) == both == bench._kept_sentences(tmp_path, [])


@pytest.mark.model
def test_encoding_goes_on_after_a_kill(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that ends in the middle of a row ends as one that was never broken off; what is there isn't done again."""
    (tmp_path / "sentences.txt").write_text("".join(f"{text}\n" for text in SENTENCES), encoding="utf-8")
    monkeypatch.setattr(bench, "CHUNK", 8)
    encode = ["--work", str(tmp_path), "--encode", "30"]
    assert bench.main(encode) == 0
    file = tmp_path / "vectors-int8.f32"
    whole = file.read_bytes()
    assert np.allclose(np.linalg.norm(np.frombuffer(whole, np.float32).reshape(30, DIMENSION), axis=1), 1, atol=1e-5)
    file.write_bytes(whole[: 4 * DIMENSION * 13 + 100])
    capsys.readouterr()
    assert bench.main(encode) == 0
    assert file.read_bytes() == whole
    assert "encoded 21 of 30" in capsys.readouterr().err
    assert bench.main(["--work", str(tmp_path), "--encode", "31"]) == 2


def test_a_line_tells_the_recall_of_the_cells(bench: ModuleType, tmp_path: Path) -> None:
    """Five thousand vectors in groups: both searches answer, and the cells find what the exact one finds."""
    rng = np.random.default_rng(3)
    near = rng.normal(size=(100, DIMENSION))[rng.integers(0, 100, 5_200)] + 0.3 * rng.normal(size=(5_200, DIMENSION))
    vectors = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    vectors.tofile(tmp_path / "vectors.f32")
    exact, cells = (bench._measure(how, tmp_path / "vectors.f32", 5_000).split(" | ") for how in ("exact", "cells"))
    assert exact[0] == cells[0] == "| 5,000"
    assert float(exact[5]) == 1
    assert float(cells[5]) >= 0.97
