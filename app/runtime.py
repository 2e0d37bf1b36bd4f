"""Runs the model's graph with ONNX Runtime and chooses how: the room that makes start-up quick and reading cheap.

``app.encoder`` is the reference, over PyTorch. Here run the same weights without it: as 32-bit numbers, which give the
same vectors to six digits, or as 8-bit integers, which give nearly the same ones sooner; docs/SPEED.md has the figures.
The graph is written once, on first use, into a folder of its own that is checked whenever it is opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from app.encoder import DIMENSION, MAX_STATES, MODEL_SHA256, CachedEncoder, SentenceTransformersEncoder, weights
from app.errors import BadSetting, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    from app.encoder import Encoder
    from app.records import States, Vectors

    Tokens = NDArray[np.int64]

Runtime = Literal["reference", "fp32", "int8"]

MAX_TOKENS = 256
"""Word pieces that the model reads of a text, special ones included; sentence_bert_config.json of the weights."""
RUN_TOKENS: dict[Runtime, int] = {"fp32": 128, "int8": 0}
"""Tokens up to which sentences share a run. The 32-bit graph is quickest around 128 (scripts/bench_speed.py). The 8-bit
one rounds by the largest value of a run: a sentence has one to itself, or its vector would hang on its neighbours."""
_GRAPH, _WORDS, _TOKENIZER, _MANIFEST = "model.onnx", "words.npy", "tokenizer.json", "manifest.json"
_FILES = (_GRAPH, _WORDS, _TOKENIZER)
_LAYOUT = 1
"""Raised whenever what ``app.graph`` writes changes, so that what an older release wrote is left alone."""


class ServedEncoder(CachedEncoder):
    """An encoder that remembers, and can say what it runs on."""

    def __init__(self, inner: Encoder, runtime: Runtime) -> None:
        """Wrap an encoder."""
        super().__init__(inner)
        self.runtime = runtime


def chosen(asked: str) -> Runtime:
    """Settle what to run on.

    ``auto`` is fp32 on every processor: its verdicts are the reference's, and stay the same where a service moves to
    another machine. Reading is 2.3 times the reference's speed by it, and 4.7 times by int8 where the processor
    multiplies 8-bit integers in one step (docs/SPEED.md); whoever needs that asks for it.

    Raises:
        BadSetting: if there is no such runtime.
    """
    if asked == "auto":
        return "fp32"
    if asked not in get_args(Runtime):
        raise BadSetting(f"ORIGINALITY_ENCODER is {asked[:20]!r}; auto, {', '.join(get_args(Runtime))} are allowed.")
    return cast("Runtime", asked)


def served(folder: Path, asked: str = "auto") -> ServedEncoder:
    """Open the encoder that checks and searches use; see ``OnnxEncoder.open``.

    Raises:
        BadSetting: if there is no such runtime.
        ModelUnavailable: if the weights or what was made of them can't be used.
    """
    runtime = chosen(asked)
    if runtime == "reference":
        return ServedEncoder(SentenceTransformersEncoder.open(), runtime)
    return ServedEncoder(OnnxEncoder.open(folder, runtime), runtime)


def writing(folder: Path, encoder: Encoder) -> Encoder:
    """Give the encoder for vectors that are kept, beside the one that checks run on.

    It is the same, but for int8: all runtimes share the model's name, and a collection that some services wrote in
    rounded numbers and others in exact ones would rank its rows by who wrote them.

    Raises:
        ModelUnavailable: if the weights or what was made of them can't be used.
    """
    return served(folder, "fp32") if isinstance(encoder, ServedEncoder) and encoder.runtime == "int8" else encoder


def reference() -> Encoder:
    """Open the encoder that indexes are built with, whatever checks run on."""
    return SentenceTransformersEncoder.open()


def pinned_name() -> str:
    """Give the model's name, which all runtimes share: an index serves them all, and another model is refused."""
    return SentenceTransformersEncoder.pinned_name()


def described(encoder: Encoder) -> str:
    """Name the model and, where it is known, what it runs on; for a report's provenance."""
    return f"{encoder.name} ({encoder.runtime})" if isinstance(encoder, ServedEncoder) else encoder.name


class Rows:
    """Rows of an array on the disk, read when they are asked for.

    Mapped, every page that a text ever touched would count as this process's memory: forty megabytes after some hundred
    texts. The system keeps the file's pages for all processes either way.
    """

    def __init__(self, file: Path) -> None:
        """Open a file of NumPy's that holds an array of two dimensions, its rows one after the other."""
        head = np.load(file, mmap_mode="r")
        self._dtype, self._width, self._begin = head.dtype, head.shape[1], head.offset
        self._file = os.open(file, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __getitem__(self, numbers: Tokens) -> Vectors:
        """Give rows by their numbers, in order, each read once; any number of threads may ask."""
        wanted, places = np.unique(numbers, return_inverse=True)
        size = self._width * self._dtype.itemsize
        read = b"".join(os.pread(self._file, size, self._begin + row * size) for row in wanted.tolist())
        return np.frombuffer(read, dtype=self._dtype).reshape(len(wanted), self._width)[places]


class OnnxEncoder:
    """The pinned weights under ONNX Runtime: every sentence once, without padding, on as many cores as there are."""

    def __init__(self, session: InferenceSession, table: Rows, tokenizer: Tokenizer, runtime: Runtime) -> None:
        """Wrap an opened graph; use ``open``."""
        self._session = session
        self._table = table
        self._tokenizer = tokenizer
        self._most = RUN_TOKENS[runtime]
        # One thread a core for all callers together: checks that run side by side take turns sentence by sentence.
        self._pool = ThreadPoolExecutor(_cores(), thread_name_prefix="encoder")
        self.name = pinned_name()

    @classmethod
    def open(cls, folder: Path, runtime: Runtime) -> OnnxEncoder:
        """Open the graph, written first if there is none.

        Args:
            folder: where graphs are kept, a folder for each.

        Raises:
            ModelUnavailable: if the weights' package is missing or holds other weights, or the graph can't be
                written or is damaged.
        """
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the pool below is what shares the cores out
        import onnxruntime  # noqa: PLC0415  a tenth of a second that --help needn't wait for
        from tokenizers import Tokenizer  # noqa: PLC0415

        place = _kept(folder / f"minilm-{runtime}-{MODEL_SHA256[:12]}-{_LAYOUT}", runtime)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # cores are shared out by sentence, which costs no waiting within one
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # What a run needs is kept from run to run: asked of the C library each time, it left that library's memory in
        # pieces. MAX_TOKENS bounds it, to some four megabytes a core and to ten where sentences are that long. Grown by
        # what is needed, not by doubling; a plan for each length of a run, all of which would be kept, saves nothing.
        options.enable_mem_pattern = False
        providers = [("CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})]
        session = onnxruntime.InferenceSession(place / _GRAPH, options, providers=providers)
        tokenizer = Tokenizer.from_file(str(place / _TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return cls(session, Rows(place / _WORDS), tokenizer, runtime)

    def words(self) -> frozenset[str]:
        """Give the words that the model knows whole; see ``Encoder.words``."""
        return frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode texts; see ``Encoder.encode``."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Encode texts and keep the states of their tokens; see ``Encoder.read``."""
        if not texts:
            return np.zeros((0, DIMENSION), dtype=np.float32), []
        tokens = [np.array(one.ids, dtype=np.int64) for one in self._tokenizer.encode_batch(list(texts))]
        runs = _runs([len(one) for one in tokens], self._most)
        work = ([tokens[i] for i in run] for run in runs)
        done = list(map(self._run, work) if len(runs) == 1 else self._pool.map(self._run, work))
        return np.concatenate([vectors for vectors, _ in done]), [one for _, states in done for one in states]

    def _run(self, sentences: Sequence[Tokens]) -> tuple[Vectors, list[States]]:
        lengths = [len(one) for one in sentences]
        last, states = self._session.run(
            ["last", "states"],
            {
                "words": self._table[np.concatenate(sentences)],
                "places": np.concatenate([np.arange(length) for length in lengths]),
                "owners": np.repeat(np.arange(len(lengths)), lengths),
            },
        )
        starts = np.cumsum([0, *lengths[:-1]])
        # The mean over a sentence's tokens points where their sum does.
        sums = np.add.reduceat(last, starts, axis=0)
        kept = [
            states[start : start + min(length, MAX_STATES)].astype(np.float16)
            for start, length in zip(starts, lengths, strict=True)
        ]
        return sums / np.linalg.norm(sums, axis=1, keepdims=True), kept


def _runs(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Part sentences into runs, in their order, none longer than ``most`` tokens unless it is a single sentence."""
    runs: list[list[int]] = []
    filled = most
    for number, length in enumerate(lengths):
        if filled + length > most:
            runs.append([])
            filled = 0
        runs[-1].append(number)
        filled += length
    return runs


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _kept(folder: Path, runtime: Runtime) -> Path:
    """Give the folder of a graph and what goes with it, written if it isn't there, and checked.

    Raises:
        ModelUnavailable: if it can't be written, or holds something else than was written.
    """
    if not folder.is_dir():
        try:
            _write(folder, runtime)
        except OSError as error:
            raise ModelUnavailable(
                f"{folder} can't be written ({error.strerror}). Make {folder.parent} writable once, or set "
                "ORIGINALITY_ENCODER=reference, which is slower and needs no file."
            ) from error
    try:
        expected = json.loads((folder / _MANIFEST).read_bytes())
        right = expected == _manifest(folder)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{folder} can't be read ({type(error).__name__}). {_mend(folder)}") from error
    if not right:
        raise ModelUnavailable(f"The files in {folder} are not those that were written there. {_mend(folder)}")
    return folder


def _write(folder: Path, runtime: Runtime) -> None:
    """Write a whole folder or none; whoever is second leaves the first one's."""
    from app import graph  # noqa: PLC0415  needed once a machine

    source, _ = weights()
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (begun / _GRAPH).write_bytes(graph.write(source, "int8" if runtime == "int8" else "fp32"))
        np.save(begun / _WORDS, graph.words(source))
        shutil.copyfile(source / _TOKENIZER, begun / _TOKENIZER)
        (begun / _MANIFEST).write_text(json.dumps(_manifest(begun), indent=1) + "\n", encoding="utf-8")
        begun.chmod(0o755)
        begun.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _manifest(folder: Path) -> dict[str, Any]:
    return {"model": pinned_name(), "sha256": {n: _sha256(folder / n) for n in _FILES}}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _mend(folder: Path) -> str:
    return f"Delete the folder {folder.name}: it is made anew at the next start."
