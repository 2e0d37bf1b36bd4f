"""Weighs a text's named numbers, wording and meaning into probabilities; the only room that knows their file.

Three linear models each give logits for four questions (verdict, origin of the data, method, tutorial): one over the
named features of ``app.features``, one over hashed wording, one over the vector of the whole text. Their logits are
mixed, and a last linear model lets the answers to all four questions speak on verdict and origin. ``app.learning`` fits
all of it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from app import features as named
from app import roles, wording
from app.errors import JudgeInvalid
from app.matches import Linear
from app.memo import Memo
from app.records import Brief, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "judge.safetensors"

VERDICTS = ("well_worn", "partly_known", "original", "off_topic")
ORIGINS = ("known", "own", "unknown", "none")
METHODS = ("known", "novel", "none")
TUTORIAL = ("no", "yes")
HEADS: dict[str, tuple[str, ...]] = {"verdict": VERDICTS, "origin": ORIGINS, "method": METHODS, "tutorial": TUTORIAL}
OUTPUTS = sum(len(labels) for labels in HEADS.values())
CUTS = ("flag", "first", "rests_on", "rests_on_own", "resembles")
FLOOR = 1e-3
"""Smallest probability that a question hands on: below it there is too little data to tell more."""
KEPT = 2_048
"""Sentences whose filters' answers are kept, some 1.5 kB each."""
MOST = 4.0
"""Deviations from the mean beyond which a feature says nothing more: one in 16,000 of normal ones lies there."""


@dataclass(frozen=True, slots=True)
class Text:
    """What the judge sees of a text: no words, only numbers.

    Attributes:
        features: as ``features.features`` gives them.
        buckets, values: as ``wording.counts`` gives them.
        whole: the text's vector, float32, shape (384,).
    """

    features: Mapping[str, float]
    buckets: NDArray[np.int32]
    values: Numbers
    whole: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Opinion:
    """Probabilities of every question's labels; each sums to 1, in the order of ``HEADS``."""

    verdict: Numbers
    origin: Numbers
    method: Numbers
    tutorial: float

    @property
    def flag(self) -> float:
        """Calibrated probability that the text is well worn."""
        return float(self.verdict[0])


@dataclass(frozen=True, slots=True)
class _Sides:
    """A text's standardised features, and the logits that its wording and its meaning give, shape (OUTPUTS,) each."""

    row: Numbers
    wording: Numbers
    sense: Numbers


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Everything that was learned.

    Attributes:
        linker: one output over the features of a candidate dataset.
        roles: the sentence reader.
        named: OUTPUTS outputs over the named features.
        wording: shape (OUTPUTS, wording.BUCKETS); in the file's own float16, for a text asks for few of its columns.
        wording_bias: shape (OUTPUTS,).
        idf: shape (wording.BUCKETS,).
        sense: shape (OUTPUTS, 384).
        sense_bias: shape (OUTPUTS,).
        mix: weight of named, wording and sense; sums to 1.
        last_verdict, last_origin: four outputs each over the OUTPUTS log-probabilities.
        cuts: ``flag``: probability from which a text is flagged; ``rests_on``: from which it rests on a dataset;
            ``first``: the same for the likeliest one where the data are known; ``rests_on_own``: where they are the
            author's own; ``resembles``: cosine from which a theme is shown.
        about: date, data hash, figures, numbers of texts; for people.
    """

    linker: Linear
    roles: roles.Network
    named: Linear
    wording: NDArray[np.floating[Any]]
    wording_bias: Numbers
    idf: Numbers
    sense: Numbers
    sense_bias: Numbers
    mix: Numbers
    last_verdict: Linear
    last_origin: Linear
    cuts: Mapping[str, float]
    about: Mapping[str, Any]


class Judge:
    """The learned model, read-only."""

    def __init__(self, coefficients: Coefficients, sha256: str = "") -> None:
        """Wrap coefficients; ``sha256`` is that of their file."""
        self.coefficients = coefficients
        self._phrases: Memo[NDArray[np.float32]] = Memo(KEPT)
        self.rules = f"{coefficients.about.get('date', 'unsaved')}@{sha256[:12]}"

    @classmethod
    def open(cls, file: Path = FILE) -> Judge:
        """Read the coefficients.

        Raises:
            JudgeInvalid: if the file is missing, damaged, or learned for other features.
        """
        try:
            data = file.read_bytes()
            coefficients = load(file)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise JudgeInvalid(
                f"The judge's coefficients {file.name} can't be read ({type(error).__name__}). "
                "Restore the file, or learn it anew: scripts/train_judge.py"
            ) from error
        return cls(coefficients, hashlib.sha256(data).hexdigest())

    def said(self, reading: Reading) -> NDArray[np.float32]:
        """Score what each counted sentence does, shape (counted, roles), in the order of ``roles.ROLES``."""
        network, states = self.coefficients.roles, reading.states
        seen = self._phrases.answers(
            [one.tobytes() for one in states],
            lambda new: [row.copy() for row in roles.phrases([states[n] for n in new], network)],
        )
        return roles.scores(reading, network, np.stack(seen) if seen else None)

    def opinion(self, text: Text, without: str = "") -> Opinion:
        """Judge a text.

        Args:
            without: a family of features, ``wording`` or ``sense`` that is to be taken as the average text's.
        """
        return self._answer(self._sides(text), without)

    def _sides(self, text: Text) -> _Sides:
        c = self.coefficients
        return _Sides(
            bounded(c.named.standardise(text.features)),
            wording.weigh(text.buckets, text.values, c.idf) @ c.wording.T[text.buckets].astype(np.float64)
            + c.wording_bias,
            c.sense @ text.whole.astype(np.float64) + c.sense_bias,
        )

    def _answer(self, sides: _Sides, without: str = "") -> Opinion:
        c = self.coefficients
        row = np.where(self._families[without], 0.0, sides.row) if without in self._families else sides.row
        parts = [
            c.named.weights @ row + c.named.intercepts,
            c.wording_bias if without == "wording" else sides.wording,
            c.sense_bias if without == "sense" else sides.sense,
        ]
        return last(np.asarray(c.mix @ np.stack(parts)), c.last_verdict, c.last_origin)

    @cached_property
    def _families(self) -> dict[str, NDArray[np.bool_]]:
        """Which of the named features each family has, shape (features,)."""
        of = np.array([named.family(name) for name in self.coefficients.named.names])
        return {family: of == family for family in named.FAMILIES}

    @cached_property
    def _leanings(self) -> tuple[Numbers, Numbers]:
        """How far each bucket, shape (wording.BUCKETS,), and each side of meaning, shape (384,), lean to worn."""
        c, rest = self.coefficients, list(range(1, len(VERDICTS)))
        worded = c.wording.astype(np.float64)
        return worded[0] - worded[rest].mean(axis=0), c.sense[0] - c.sense[rest].mean(axis=0)

    def pulls(self, text: Text) -> dict[str, float]:
        """Tell how far each side of a text pulls towards well worn: log-odds with it less those without."""
        c, sides = self.coefficients, self._sides(text)
        # All answers at once: the text's own, one without each family, one without wording, one without meaning.
        lacking = [np.zeros(len(sides.row), dtype=bool), *self._families.values()]
        rows = np.where(np.stack([*lacking, lacking[0], lacking[0]]), 0.0, sides.row)
        parts = np.empty((3, len(rows), OUTPUTS))
        parts[0], parts[1], parts[2] = rows @ c.named.weights.T + c.named.intercepts, sides.wording, sides.sense
        parts[1, -2], parts[2, -1] = c.wording_bias, c.sense_bias
        answers = _standardised(split(np.tensordot(c.mix, parts, 1)), c.last_verdict)
        flags = softmax(answers @ c.last_verdict.weights.T + c.last_verdict.intercepts)[:, 0]
        odds, *without = map(_logit, flags.tolist())
        return {side: odds - less for side, less in zip((*self._families, "wording", "sense"), without, strict=True)}

    def words(self, reading: Reading, text: Text) -> dict[int, float]:
        """Tell how far the wording and meaning of each counted sentence lean to worn, by index into its sentences."""
        c = self.coefficients
        lean, sense = self._leanings
        weights = wording.weigh(text.buckets, text.values, c.idf)
        found = {}
        for row, i in enumerate(reading.counted):
            buckets = np.unique(_buckets(reading.brief.sentences[i].text))
            worded = lean[buckets] @ weights[np.searchsorted(text.buckets, buckets)]
            found[i] = float(c.mix[1] * worded + c.mix[2] * (sense @ reading.vectors[row].astype(np.float64)))
        return found


def see(reading: Reading, row: Mapping[str, float]) -> Text:
    """Take from a reading what the judge looks at."""
    buckets, values = wording.counted([_buckets(reading.brief.sentences[i].text) for i in reading.counted])
    return Text(row, buckets, values, reading.vectors[-1])


@lru_cache(maxsize=KEPT)
def _buckets(sentence: str) -> NDArray[np.int32]:
    """Give the bucket of every group in a sentence; kept, since the rewrites of a text share most sentences with it."""
    return wording.buckets(sentence)


def bounded(standard: Numbers) -> Numbers:
    """Keep standardised features within ``MOST``: in a text of one sentence a rare cue's share is 25 deviations off."""
    return np.clip(standard, -MOST, MOST)


def last(logits: Numbers, verdict: Linear, origin: Linear) -> Opinion:
    """Let the answers to all questions speak on verdict and origin.

    Args:
        logits: shape (OUTPUTS,), the heads one after the other.
    """
    answers = split(logits)
    row = _standardised(answers, verdict)
    return Opinion(
        verdict=softmax(row @ verdict.weights.T + verdict.intercepts),
        origin=softmax(row @ origin.weights.T + origin.intercepts),
        method=answers["method"],
        tutorial=float(answers["tutorial"][1]),
    )


def _standardised(answers: Mapping[str, Numbers], linear: Linear) -> Numbers:
    """Give the answers to all questions as a last linear model takes them, along the last axis."""
    likely = np.log(np.clip(np.concatenate(list(answers.values()), axis=-1), FLOOR, 1.0))
    return np.asarray((likely - linear.mean) / linear.scale)


def split(logits: Numbers) -> dict[str, Numbers]:
    """Cut rows of logits into heads and squash each to probabilities."""
    found, at = {}, 0
    for head, labels in HEADS.items():
        found[head] = softmax(logits[..., at : at + len(labels)])
        at += len(labels)
    return found


def softmax(logits: Numbers) -> Numbers:
    """Squash logits to probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _logit(probability: float) -> float:
    p = min(1 - 1e-6, max(1e-6, probability))
    return math.log(p / (1 - p))


_LINEAR = ("linker", "named", "last_verdict", "last_origin")
_ARRAYS = ("wording", "wording_bias", "idf", "sense", "sense_bias", "mix")


def save(coefficients: Coefficients, file: Path) -> None:
    """Write coefficients to one file: arrays as float16 where there are many, names and figures as its metadata."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in _ARRAYS:
        value = getattr(coefficients, name)
        arrays[name] = _packed(value, np.float16 if value.size > 10_000 else np.float32)
    names = {}
    for name in _LINEAR:
        linear: Linear = getattr(coefficients, name)
        names[name] = list(linear.names)
        for part in ("mean", "scale", "weights", "intercepts"):
            arrays[f"{name}.{part}"] = _packed(getattr(linear, part), np.float32)
    for name in roles.SHAPES:
        arrays[f"roles.{name}"] = _packed(getattr(coefficients.roles, name), np.float16)
    header = {"names": names, "cuts": dict(coefficients.cuts), "about": dict(coefficients.about)}
    save_file(arrays, file, metadata={"judge": json.dumps(header, sort_keys=True)})
    file.chmod(0o644)


def _packed(value: NDArray[Any], dtype: type) -> NDArray[Any]:
    # safetensors writes the buffer as it lies: rows of scikit-learn lie the other way round.
    return np.ascontiguousarray(value, dtype=dtype)


def load(file: Path) -> Coefficients:
    """Read what ``save`` wrote.

    Raises:
        OSError, SafetensorError, KeyError, ValueError: if it isn't such a file.
    """
    # First of all, since it checks the header: what stands in a damaged one is no length to be read.
    arrays = {name: value if name == "wording" else value.astype(np.float64) for name, value in load_file(file).items()}
    with file.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))["__metadata__"]
    judge = json.loads(header["judge"])
    linears = {
        name: Linear(
            tuple(judge["names"][name]), *(arrays[f"{name}.{p}"] for p in ("mean", "scale", "weights", "intercepts"))
        )
        for name in _LINEAR
    }
    if set(judge["cuts"]) != set(CUTS):
        raise ValueError("the cuts differ")
    if linears["named"].names != _feature_names():
        raise ValueError("the features differ")
    several = max(1, arrays["roles.filters_bias"].size // roles.FILTERS)
    if any(arrays[f"roles.{name}"].shape != shape for name, shape in roles.shapes(several).items()):
        raise ValueError("the sentence reader differs")
    if arrays["wording"].shape != (OUTPUTS, wording.BUCKETS):
        raise ValueError("the wording's width differs")
    # One bucket's weights stand together: a text has some hundreds of them.
    arrays["wording"] = np.asfortranarray(arrays["wording"])
    reader = roles.Network(**{name: arrays[f"roles.{name}"].astype(np.float32) for name in roles.SHAPES})
    found: dict[str, Any] = {**linears, "roles": reader, **{name: arrays[name] for name in _ARRAYS}}
    return Coefficients(**found, cuts=judge["cuts"], about=judge["about"])


def _feature_names() -> tuple[str, ...]:
    """Give the names of the features that this code counts, off a blank text."""
    blank = Reading(Brief("", "", "", (), "und", 0), (), np.zeros((1, 1), dtype=np.float32), (), " ", (), (), {}, {})
    return tuple(named.features(blank, [], np.zeros((0, len(roles.ROLES))), {}))
