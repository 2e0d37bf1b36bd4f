"""Reads what each sentence does: who made the data, what is only planned, what goes beyond the usual.

A small network looks at the states of a sentence's tokens three at a time (a convolution whose best place counts), and
at the sentence's vector, its neighbours', its cues, names and place. ``app.learning`` fits it to texts that people have
marked sentence by sentence. Its scores are evidence: the facets quote them, the judge weighs them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from app import cues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.records import Reading, States

    Numbers = NDArray[np.float32]

ROLES = ("own", "plan", "public", "other", "addition", "usual")
"""``own``: the author made the data; ``plan``: only means to; ``public``: it rests on ready-made data; ``other``: data
named and not rested on; ``addition``: beyond the usual; ``usual``: the textbook core. A sentence may have several."""
SUMMED = ("own", "public", "other", "addition", "usual")
"""Roles that a text is summed up in; plans are too rare to weigh."""
NAMES = tuple(f"role.{role}.{how}" for role in SUMMED for how in ("first", "top", "share", "any"))
TOP = 3
"""Sentences behind ``top``: a README that says something important of its data says it about so often."""

DIMENSION = 384
REACH = 3
FILTERS = 128
CONTEXT = 64
_OF_HEADINGS = ("own_data", "others_data", "planned", "dataset_word")
_PLACES = 10
_LONG_WORDS = 40
_SHORT_TEXT = 8
_VECTOR_SCALE, _AROUND_SCALE = 3.0, 1.5
"""Brings the vectors' numbers, of about .05, nearer to the size of the cues', so that one penalty serves both."""
AROUND = 3 * DIMENSION + 3 * len(cues.NAMES) + _PLACES + len(_OF_HEADINGS) + 1
"""Numbers of a sentence besides its tokens."""
SHAPES: dict[str, tuple[int, ...]] = {
    "filters": (REACH * DIMENSION, FILTERS),
    "filters_bias": (FILTERS,),
    "context": (AROUND, CONTEXT),
    "context_bias": (CONTEXT,),
    "out": (FILTERS + CONTEXT, len(ROLES)),
    "direct": (AROUND, len(ROLES)),
    "bias": (len(ROLES),),
}
"""Of one network; several that are averaged stand side by side in one of as many times the width."""


def shapes(several: int) -> dict[str, tuple[int, ...]]:
    """Give the shapes of so many networks side by side."""
    wide = {"filters", "filters_bias", "context", "context_bias"}
    sized = {name: (*shape[:-1], shape[-1] * several) if name in wide else shape for name, shape in SHAPES.items()}
    return sized | {"out": ((FILTERS + CONTEXT) * several, len(ROLES))}


@dataclass(frozen=True, slots=True)
class Network:
    """The learned weights, float32, each of the shape that ``shapes`` gives for its name."""

    filters: Numbers
    filters_bias: Numbers
    context: Numbers
    context_bias: Numbers
    out: Numbers
    direct: Numbers
    bias: Numbers


def scores(reading: Reading, network: Network, seen: Numbers | None = None) -> Numbers:
    """Give the probability of every role for every counted sentence, shape (counted, roles), in [0, 1].

    Args:
        seen: what ``phrases`` gives for the sentences' states, where that is known already.
    """
    if not reading.counted:
        return np.zeros((0, len(ROLES)), dtype=np.float32)
    near = around(reading)
    found = phrases(reading.states, network) if seen is None else seen
    said = np.hstack([found, np.maximum(near @ network.context + network.context_bias, 0)])
    logits = said @ network.out + near @ network.direct + network.bias
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def phrases(states: Sequence[States], network: Network) -> Numbers:
    """Apply the filters at every token of every sentence and keep each one's best place, shape (sentences, filters)."""
    rows = np.concatenate(states).astype(np.float32)
    before, here, after = (rows @ part for part in np.split(network.filters, REACH))
    here += network.filters_bias
    starts = np.cumsum([0, *map(len, states)])
    for start, end in pairwise(starts.tolist()):
        here[start + 1 : end] += before[start : end - 1]
        here[start : end - 1] += after[start + 1 : end]
    return np.asarray(np.maximum(np.maximum.reduceat(here, starts[:-1], axis=0), 0), dtype=np.float32)


def summed(found: NDArray[np.floating]) -> dict[str, float]:
    """Sum a text's scores up, by ``NAMES``: the highest, the mean of the highest three, the mean, and that of any."""
    if not len(found):
        return dict.fromkeys(NAMES, 0.0)
    columns = found[:, [ROLES.index(role) for role in SUMMED]]
    falling = np.sort(columns, axis=0)[::-1]
    any_of = 1 - np.prod(1 - columns, axis=0)
    parts = np.stack([falling[0], falling[:TOP].mean(axis=0), columns.mean(axis=0), any_of], axis=1)
    return dict(zip(NAMES, parts.ravel().tolist(), strict=True))


def around(reading: Reading) -> Numbers:
    """Give what stands about every counted sentence, shape (counted, AROUND): vectors, cues, names, place."""
    count = len(reading.counted)
    if not count:
        return np.zeros((0, AROUND), dtype=np.float32)
    own = reading.vectors[:-1]
    found = np.array([[float(name in one) for name in cues.NAMES] for one in reading.cues], dtype=np.float32)
    places = _places(reading)
    return np.hstack(
        [
            own * np.float32(_VECTOR_SCALE),
            _beside(own) * np.float32(_AROUND_SCALE),
            np.repeat(reading.vectors[-1:], count, axis=0),
            found,
            _beside(found),
            np.repeat(found.mean(axis=0, keepdims=True), count, axis=0),
            places,
            found[:, [cues.NAMES.index(name) for name in _OF_HEADINGS]] * places[:, :1],
            np.ones((count, 1), dtype=np.float32),
        ]
    )


def _beside(rows: Numbers) -> Numbers:
    """Give half the sum of the row before and the row after."""
    result = np.zeros_like(rows)
    result[1:] += rows[:-1] / 2
    result[:-1] += rows[1:] / 2
    return result


def _places(reading: Reading) -> Numbers:
    """Tell of each counted sentence whether it is a heading, what it names, its length and where it stands."""
    named: dict[int, set[tuple[str, bool]]] = defaultdict(set)
    for mention in reading.mentions:
        named[mention.sentence].add((mention.kind, mention.sure))
    count = len(reading.counted)
    rows = []
    for place, number in enumerate(reading.counted):
        sentence, names = reading.brief.sentences[number], named[number]
        rows.append(
            [
                sentence.kind == "heading",
                sentence.kind == "item",
                sentence.kind == "code",
                ("dataset", True) in names,
                ("dataset", False) in names,
                ("technique", True) in names,
                min(_LONG_WORDS, len(sentence.text.split())) / _LONG_WORDS,
                place / count,
                place < TOP,
                count < _SHORT_TEXT,
            ]
        )
    return np.array(rows, dtype=np.float32).reshape(count, _PLACES)
