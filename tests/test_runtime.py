"""The encoder's runtimes: the same vectors as the reference, files that are checked, and no PyTorch at all."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import pytest

from app import cues, judge, roles, runtime, wording
from app.checker import Checker
from app.encoder import MAX_STATES, SentenceTransformersEncoder
from app.errors import BadSetting, ModelUnavailable
from app.runtime import OnnxEncoder, ServedEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app.encoder import Encoder
    from app.records import States, Vectors
    from app.settings import Settings

TEXTS = [
    "I predict who survived the Titanic with a random forest.",
    "Counting swifts at dusk",
    "",
    "数据集",
    "Which of my town's benches stand in the shade at noon? " * 30,
    "Our choir's recordings are labelled by the singers themselves; a small network tells who came in too early.",
]


class Counting:
    """Hands on to another encoder and remembers each call."""

    def __init__(self, inner: Encoder) -> None:
        """Wrap an encoder."""
        self.inner, self.name = inner, inner.name
        self.calls: list[list[str]] = []

    def words(self) -> frozenset[str]:
        """Know what the other knows."""
        return self.inner.words()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode and remember."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Read and remember."""
        self.calls.append(list(texts))
        return self.inner.read(texts)


def watched(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[tuple[Any, ...]]:
    """Write down what a function is called with."""
    calls: list[tuple[Any, ...]] = []
    plain = getattr(owner, name)

    def noted(*given: Any, **more: Any) -> Any:
        calls.append(given)
        return plain(*given, **more)

    monkeypatch.setattr(owner, name, noted)
    return calls


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which graphs were written from the real weights."""
    folder = tmp_path_factory.mktemp("runtimes")
    OnnxEncoder.open(folder, "fp32")
    OnnxEncoder.open(folder, "int8")
    return folder


@pytest.mark.parametrize(("lengths", "runs"), [([], []), ([5], [[0]]), ([60, 60, 9], [[0, 1], [2]]), ([300], [[0]])])
def test_a_run_is_filled_by_whole_sentences(lengths: list[int], runs: list[list[int]]) -> None:
    """None is lost, split or moved, and only a lone one is longer than the limit."""
    assert runtime._runs(lengths, 128) == runs
    assert runtime._runs(lengths, 0) == [[n] for n in range(len(lengths))]


def test_a_runtime_that_is_not_there_is_refused() -> None:
    """The message names what there is."""
    assert runtime.chosen("auto") == "fp32"
    assert runtime.chosen("int8") == "int8"
    with pytest.raises(BadSetting, match="auto, reference, fp32, int8"):
        runtime.chosen("fp16")


@pytest.mark.model
def test_fp32_is_the_reference(graphs: Path) -> None:
    """Vectors and states are the reference's to rounding, for empty, foreign and overlong texts too."""
    reference, fast = SentenceTransformersEncoder.open(), OnnxEncoder.open(graphs, "fp32")
    expected, states = reference.read(TEXTS)
    vectors, fast_states = fast.read(TEXTS)
    assert np.abs(vectors - expected).max() < 1e-5
    assert [s.shape for s in fast_states] == [s.shape for s in states]
    assert max(len(s) for s in fast_states) == MAX_STATES
    for one, other in zip(fast_states, states, strict=True):
        np.testing.assert_allclose(one.astype(np.float32), other.astype(np.float32), atol=0.02)
    assert fast.words() == reference.words()
    assert fast.name == reference.name


@pytest.mark.model
def test_int8_is_near_and_hangs_on_no_neighbour(graphs: Path) -> None:
    """Each vector is near the 32-bit one, and is to the last bit the one that its sentence gets alone."""
    exact, rounded = OnnxEncoder.open(graphs, "fp32"), OnnxEncoder.open(graphs, "int8")
    together = rounded.encode(TEXTS)
    assert (together * exact.encode(TEXTS)).sum(axis=1).min() > 0.97
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.array_equal(rounded.encode([text])[0], vector)


@pytest.mark.model
def test_a_damaged_graph_is_told_and_a_lost_one_made_anew(graphs: Path) -> None:
    """One changed byte is found before anything runs; the message names the folder, whose removal mends it."""
    place = next(graphs.glob("minilm-int8-*"))
    whole = (place / "model.onnx").read_bytes()
    (place / "model.onnx").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelUnavailable, match=place.name):
        OnnxEncoder.open(graphs, "int8")
    (place / "manifest.json").write_text("[", encoding="utf-8")
    with pytest.raises(ModelUnavailable, match="JSONDecodeError"):
        OnnxEncoder.open(graphs, "int8")
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    OnnxEncoder.open(graphs, "int8")
    assert (place / "model.onnx").read_bytes() == whole
    assert not [one for one in graphs.iterdir() if one.name.startswith(".")]


@pytest.mark.model
def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    """A file in the folder's place stands for every refusal of the disk."""
    (tmp_path / "runtimes").write_text("", encoding="utf-8")
    with pytest.raises(ModelUnavailable, match="ORIGINALITY_ENCODER=reference"):
        OnnxEncoder.open(tmp_path / "runtimes", "fp32")


@pytest.mark.model
@pytest.mark.usefixtures("checker")  # the index is built
def test_a_check_encodes_each_sentence_once(graphs: Path, settings: Settings) -> None:
    """The text is one call, rewrites are few others, together, that hold only what is new, and a repeat is none."""
    counting = Counting(OnnxEncoder.open(graphs, "fp32"))
    checker = Checker.open(settings, encoder=ServedEncoder(counting, "fp32"))
    text = "I predict who survived the Titanic. The data is Kaggle's CSV. A random forest is trained with scikit-learn."
    report = checker.check(text)
    assert report.suggestions
    assert len(counting.calls[0]) == 3
    assert len(counting.calls) == 3  # of the six rewrites tried at first one does no good, and the next is tried
    every = [sentence for call in counting.calls for sentence in call]
    assert len(set(every)) == len(every) <= 25
    checker.check(text)
    assert len(counting.calls) == 3


@pytest.mark.model
@pytest.mark.usefixtures("checker")  # the index is built
def test_a_check_does_nothing_twice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rewrites share most sentences with their text: each is searched for, and taken apart, once; a repeat costs none.

    Counts, since a clock says little on a shared machine. They rose and fell together with the time that checks took.
    """
    searched = watched(monkeypatch, faiss, "knn")
    worded = watched(monkeypatch, wording, "groups")
    filtered = watched(monkeypatch, roles, "phrases")
    cued = watched(monkeypatch, cues, "find")
    judge._buckets.cache_clear()
    counting = Counting(OnnxEncoder.open(settings.runtimes_dir, "fp32"))
    checker = Checker.open(settings, encoder=ServedEncoder(counting, "fp32"))
    read = watched(monkeypatch, checker._reader, "read")
    text = "I predict who survived the Titanic. The data is Kaggle's CSV. A random forest is trained with scikit-learn."
    assert checker.check(text).suggestions
    sentences = sum(map(len, counting.calls))
    texts = sum(len(briefs) for (briefs,) in read)
    assert texts <= 10  # the idea, its control and as many of nine rewrites as it takes to find five that do good
    blocks = [(query.tobytes(), rows.ctypes.data) for queries, rows, *_ in searched for query in queries]
    assert len(set(blocks)) == len(blocks)
    assert len({query for query, _ in blocks}) <= sentences + texts
    assert len(worded) == len(set(worded)) == sentences
    assert sum(len(states) for states, _ in filtered) == sentences
    before = len(searched), len(worded), len(filtered), len(cued)
    assert len(cued) == sentences
    checker.check(text)
    assert (len(searched), len(worded), len(filtered), len(cued)) == before


@pytest.mark.model
@pytest.mark.usefixtures("checker")  # the index is built
def test_a_check_needs_no_pytorch() -> None:
    """Neither it nor what takes a second beside it is imported by a whole check with its suggestions."""
    code = (
        "import sys, json\n"
        "from app import console\n"
        "report = console.open_checker().check('Titanic survival with a random forest.')\n"
        "slow = {'torch', 'transformers', 'sentence_transformers', 'datasets', 'scipy', 'sklearn', 'onnx', 'bm25s',\n"
        "        'pyarrow', 'fastapi', 'httpx', 'babel', 'jinja2'}\n"
        "print(json.dumps([report.provenance.model, sorted(slow & set(sys.modules))]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [f"{SentenceTransformersEncoder.pinned_name()} (fp32)", []]


@pytest.mark.model
def test_what_is_kept_is_never_rounded(graphs: Path) -> None:
    """A service on int8 writes its collections in the numbers that fp32 gives; any other uses the encoder it has."""
    rounded, exact = (ServedEncoder(OnnxEncoder.open(graphs, name), name) for name in ("int8", "fp32"))
    writer = runtime.writing(graphs, rounded)
    assert np.array_equal(writer.encode(TEXTS[:2]), exact.encode(TEXTS[:2]))
    assert not np.array_equal(rounded.encode(TEXTS[:2]), exact.encode(TEXTS[:2]))
    assert runtime.writing(graphs, exact) is exact
