"""Learns to read what a sentence does from texts that people have marked, and measures how well that goes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from app import roles
from app.learning.examples import FOLDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from app.learning.examples import Labelled
    from app.records import Reading

    Numbers = NDArray[np.float32]

EPOCHS = 8
BATCH = 256
RATE, DECAY = 2e-3, 0.02
DROPOUT = 0.3
"""Source of these five: the first values tried, but for the epochs, of which 3, 7 and 8 were: average precision of
``own`` on READMEs of other authors rose from .37 to .51 and stayed. A linear reader of vectors and words has .44."""
SEEDS = 3
"""Networks that are learned from as many starts of chance, and whose answers are averaged (Hansen and Salamon 1990,
Neural Network Ensembles): one start's average precision moves by some .02 from the next one's. A reader without two
folds has one start, for it serves the figures alone and half an hour is saved: they come out a little too low."""
PARTLY_MARKED = 0.5
"""How much a text counts whose marks are only the pieces that decided its label, against one marked exhaustively."""
OVERLAP = 0.5
"""Share of the shorter of a marked segment and a sentence that they must have in common."""

_OF_EVIDENCE = {"own_data": "own", "data": "public", "addition": "addition", "contrast": "other", "pretrained": "other"}
_OF_WORN = {"problem", "method"}

Models = dict[frozenset[int], roles.Network]
"""Folds that were left out to what was learned from the others."""


@dataclass(frozen=True, slots=True)
class Marked:
    """One text and, where people have marked its sentences, the truth.

    Attributes:
        truth: zeros and ones, shape (counted sentences, roles); none if nobody has marked the text.
        weight: how much its sentences count.
    """

    reading: Reading
    truth: Numbers | None
    weight: float
    fold: int
    source: str


def marked(one: Labelled, marks: Mapping[str, Mapping[str, Any]]) -> Marked:
    """Bring a text's marks onto its sentences.

    Args:
        marks: id to ``segments`` and, by role, the numbers of the segments that have it; a text that isn't there is
            taken at the ``evidence`` of its row, and at nothing if it has none.
    """
    if str(one.row["id"]) in marks:
        return Marked(one.reading, _of_segments(one, marks[str(one.row["id"])]), 1.0, one.fold, one.source)
    if one.row.get("evidence") and "readmes" not in one.source:
        return Marked(one.reading, _of_pieces(one), PARTLY_MARKED, one.fold, one.source)
    return Marked(one.reading, None, 0.0, one.fold, one.source)


def _of_segments(one: Labelled, marks: Mapping[str, Any]) -> Numbers:
    spans = [one.reading.brief.sentences[i].span for i in one.reading.counted]
    truth = np.zeros((len(spans), len(roles.ROLES)), dtype=np.float32)
    for column, role in enumerate(roles.ROLES):
        for number in marks[role]:
            start, end = marks["segments"][number]
            for row, span in enumerate(spans):
                shared = min(end, span.end) - max(start, span.start)
                if shared > OVERLAP * min(end - start, max(1, span.end - span.start)):
                    truth[row, column] = 1.0
    return truth


def _of_pieces(one: Labelled) -> Numbers:
    brief = one.reading.brief
    truth = np.zeros((len(one.reading.counted), len(roles.ROLES)), dtype=np.float32)
    for kind, piece in one.row["evidence"]:
        role = _OF_EVIDENCE.get(kind)
        if kind in _OF_WORN and one.row["verdict"] == "well_worn":
            role = "usual"
        start = brief.text.find(piece)
        if role is None or start < 0:
            continue
        for row, number in enumerate(one.reading.counted):
            span = brief.sentences[number].span
            if span.start < start + len(piece) and start < span.end:
                truth[row, roles.ROLES.index(role)] = 1.0
    return truth


@dataclass(frozen=True, slots=True)
class _Sentences:
    """Marked sentences as tensors, and where in the states each one's tokens lie."""

    states: torch.Tensor
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    around: torch.Tensor
    truth: torch.Tensor
    weight: torch.Tensor
    folds: NDArray[np.int64]


def learn(texts: Sequence[Marked], tell: Callable[[str], None] = lambda _: None) -> Models:
    """Learn one reader from everything, and one without every fold and every pair of folds."""
    data = _gathered([t for t in texts if t.truth is not None and t.reading.counted])
    models: Models = {}
    for left_out in [(), *combinations(range(FOLDS), 1), *combinations(range(FOLDS), 2)]:
        train = np.flatnonzero(~np.isin(data.folds, left_out))
        starts = range(SEEDS if len(left_out) < 2 else 1)
        models[frozenset(left_out)] = averaged([_learn(data, train, seed) for seed in starts])
        tell(f"sentence reader {len(models)} of {1 + FOLDS + FOLDS * (FOLDS - 1) // 2}")
    return models


def _gathered(texts: Sequence[Marked]) -> _Sentences:
    states = [tokens for t in texts for tokens in t.reading.states]
    counts = np.array([len(tokens) for tokens in states])
    per_text = [len(t.reading.counted) for t in texts]
    return _Sentences(
        states=torch.from_numpy(np.concatenate(states)),
        starts=np.cumsum(counts) - counts,
        counts=counts,
        around=torch.from_numpy(np.concatenate([roles.around(t.reading) for t in texts])),
        truth=torch.from_numpy(np.concatenate([t.truth for t in texts if t.truth is not None])),
        weight=torch.from_numpy(np.repeat([t.weight for t in texts], per_text).astype(np.float32)),
        folds=np.repeat([t.fold for t in texts], per_text),
    )


def averaged(networks: Sequence[roles.Network]) -> roles.Network:
    """Give the one network whose logits are the mean of several's: their filters side by side, each with its share."""
    several = len(networks)

    def beside(name: str) -> Numbers:
        return np.concatenate([getattr(one, name) for one in networks], axis=-1)

    def mean(name: str) -> Numbers:
        return np.asarray(np.mean([getattr(one, name) for one in networks], axis=0), dtype=np.float32)

    # The rows of ``out`` follow what they weigh: first everybody's filters, then everybody's context.
    halves = [np.split(one.out / np.float32(several), [roles.FILTERS]) for one in networks]
    return roles.Network(
        filters=beside("filters"),
        filters_bias=beside("filters_bias"),
        context=beside("context"),
        context_bias=beside("context_bias"),
        out=np.concatenate([part for parts in zip(*halves, strict=True) for part in parts]),
        direct=mean("direct"),
        bias=mean("bias"),
    )


def _learn(data: _Sentences, train: NDArray[np.int64], seed: int) -> roles.Network:
    """Minimise the weighed cross-entropy of every role by AdamW with one cycle of the rate (arXiv:1708.07120)."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    weights = {name: torch.zeros(shape) for name, shape in roles.SHAPES.items()}
    for name in ("filters", "context", "out"):
        bound = roles.SHAPES[name][0] ** -0.5
        torch.nn.init.uniform_(weights[name], -bound, bound)
    for one in weights.values():
        one.requires_grad_(True)
    optimiser = torch.optim.AdamW(weights.values(), RATE, weight_decay=DECAY)
    batches = [b for _ in range(EPOCHS) for b in _batches(data, train, rng)]
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=len(batches) + 1)
    for batch in batches:
        logits = _logits(weights, data, batch)
        losses = functional.binary_cross_entropy_with_logits(logits, data.truth[batch], reduction="none").mean(1)
        loss = (losses * data.weight[batch]).sum() / data.weight[batch].sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cycle.step()
    return roles.Network(**{name: one.detach().numpy() for name, one in weights.items()})


def _batches(data: _Sentences, train: NDArray[np.int64], rng: np.random.Generator) -> Iterable[NDArray[np.int64]]:
    """Put sentences of about the same length together, in an order that chance gives."""
    mixed = rng.permutation(train)
    sorted_ = mixed[np.argsort(data.counts[mixed] // 8, kind="stable")]
    batches = [sorted_[start : start + BATCH] for start in range(0, len(sorted_), BATCH)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _logits(weights: Mapping[str, torch.Tensor], data: _Sentences, batch: NDArray[np.int64]) -> torch.Tensor:
    """Do with tensors, and with dropout, what ``roles.scores`` does with arrays."""
    counts, longest = data.counts[batch], int(data.counts[batch].max())
    inside = torch.from_numpy(np.arange(longest) < counts[:, None])
    places = np.minimum(data.starts[batch][:, None] + np.arange(longest), len(data.states) - 1)
    tokens = data.states[torch.from_numpy(places)].float() * inside[..., None]
    filters = weights["filters"].T.reshape(roles.FILTERS, roles.REACH, roles.DIMENSION).permute(0, 2, 1)
    answers = functional.conv1d(tokens.transpose(1, 2), filters, weights["filters_bias"], padding=1)
    phrases = functional.relu(answers).masked_fill(~inside[:, None], 0).amax(2)
    near = data.around[batch]
    context = functional.relu(near @ weights["context"] + weights["context_bias"])
    seen = functional.dropout(torch.cat([phrases, context], 1), DROPOUT)
    return seen @ weights["out"] + near @ weights["direct"] + weights["bias"]


def said(text: Marked, models: Models) -> list[dict[str, float]]:
    """Sum a text up once per fold k, by the reader that saw neither its own fold nor fold k."""
    return [roles.summed(roles.scores(text.reading, models[frozenset({text.fold, k})])) for k in range(FOLDS)]


def precision(texts: Sequence[Marked], models: Models, source: str) -> dict[str, dict[str, float]]:
    """Measure how well sentences of exhaustively marked texts are ranked by the reader that left their fold out.

    Returns:
        Role to ``share`` (of sentences that have it: what chance reaches) and ``average_precision``; a role that no
        sentence has is left out.
    """
    chosen = [t for t in texts if t.source == source and t.truth is not None and t.reading.counted]
    truth = np.concatenate([t.truth for t in chosen if t.truth is not None])
    found = np.concatenate([roles.scores(t.reading, models[frozenset({t.fold})]) for t in chosen])
    return {
        role: {
            "share": round(float(truth[:, n].mean()), 4),
            "average_precision": round(float(average_precision_score(truth[:, n], found[:, n])), 3),
        }
        for n, role in enumerate(roles.ROLES)
        if truth[:, n].any()
    }


def halved(models: Models) -> Models:
    """Round to the half precision in which a judge's file keeps its reader."""
    return {
        folds: roles.Network(
            **{f.name: getattr(one, f.name).astype(np.float16).astype(np.float32) for f in fields(one)}
        )
        for folds, one in models.items()
    }
