"""Roles of sentences: the network by hand, what a text is summed up in, and numbers that never depend on its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import intake, roles
from app.errors import BadInput
from app.roles import Network

if TYPE_CHECKING:
    from app.reader import Reader


def network(**parts: np.ndarray) -> Network:
    """Make a network of zeros but for the parts given."""
    zeros = {name: np.zeros(shape, dtype=np.float32) for name, shape in roles.SHAPES.items()}
    return Network(**zeros | parts)


def test_a_filter_sees_three_tokens_and_its_best_place_counts(tiny_reader: Reader) -> None:
    """A filter for one word after another fires where they follow each other, at any place, and nowhere else."""
    sentences = ["We weighed stones.", "Stones, we weighed.", "We saw."]
    readings = tiny_reader.read([intake.read(one) for one in sentences])
    we, weighed = (readings[0].states[0][n].astype(np.float32) for n in (0, 1))
    filters = np.zeros(roles.SHAPES["filters"], dtype=np.float32)
    filters[: roles.DIMENSION, 0], filters[roles.DIMENSION : 2 * roles.DIMENSION, 0] = we, weighed
    out = np.zeros(roles.SHAPES["out"], dtype=np.float32)
    out[0, roles.ROLES.index("own")] = 10.0
    bias = np.zeros(roles.SHAPES["filters_bias"], dtype=np.float32)
    bias[0] = -1.5
    made = network(filters=filters, filters_bias=bias, out=out, bias=np.full(6, -2.5, dtype=np.float32))
    own = [float(roles.scores(reading, made)[0, 0]) for reading in readings]
    assert own == pytest.approx([1 / (1 + np.exp(-2.5))] * 2 + [1 / (1 + np.exp(2.5))], abs=1e-2)


def test_a_text_is_summed_up_in_four_ways() -> None:
    """The highest, the mean of the highest three, the mean of all, and the chance of any."""
    found = np.zeros((4, len(roles.ROLES)))
    found[:, 0] = [0.2, 0.5, 0.0, 0.5]
    summed = roles.summed(found)
    assert tuple(summed) == roles.NAMES
    own = [summed[f"role.own.{how}"] for how in ("first", "top", "share", "any")]
    assert own == pytest.approx([0.5, 0.4, 0.3, 1 - 0.8 * 0.5 * 0.5])
    assert set(roles.summed(found[:0]).values()) == {0.0}


@given(st.lists(st.sampled_from(["We weighed it. ", "# Data\n", "- pebbles\n", "`x`\n", "é ", "\n\n"]), max_size=12))
def test_every_sentence_has_its_scores(tiny_reader: Reader, parts: list[str]) -> None:
    """Whatever the text, each counted sentence has a probability of every role, the same in any company."""
    try:
        brief = intake.read("".join(parts))
    except BadInput:
        return
    rng = np.random.default_rng(1)
    made = Network(**{k: rng.normal(size=s).astype(np.float32) * 0.1 for k, s in roles.SHAPES.items()})
    alone = tiny_reader.read([brief])[0]
    among = tiny_reader.read([intake.read("Other."), brief])[1]
    found = roles.scores(alone, made)
    assert found.shape == (len(alone.counted), len(roles.ROLES))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.array_equal(found, roles.scores(among, made))
