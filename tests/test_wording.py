"""Hashed wording: the same numbers in every process, and the same as scikit-learn's path gives in training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from app import wording
from app.learning import fit

HALF = 2**wording.WORD_BITS


@given(st.dictionaries(st.integers(0, wording.BUCKETS - 1), st.floats(1, 8), max_size=60), st.integers(0, 2**32 - 1))
def test_one_text_is_weighed_as_training_weighs_many(counted: dict[int, float], seed: int) -> None:
    """What the running judge multiplies is what the learning one did, on any counts."""
    buckets = np.array(sorted(counted), dtype=np.int32)
    values = np.array([counted[int(b)] for b in buckets], dtype=np.float64)
    idf = np.random.default_rng(seed).uniform(1, 9, wording.BUCKETS)
    rows = csr_matrix((values, buckets, [0, len(buckets)]), shape=(1, wording.BUCKETS))
    learned = fit._weigh(rows, idf).toarray()[0]
    running = np.zeros(wording.BUCKETS)
    running[buckets] = wording.weigh(buckets, values, idf)
    assert running == pytest.approx(learned, abs=1e-12)


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=60), max_size=5))
def test_counts_are_rising_buckets_and_logarithms(sentences: list[str]) -> None:
    """Buckets come once each, in order and in range; each value is 1 + ln of how often it was met."""
    keys, values = wording.counts(sentences)
    assert keys.tolist() == sorted(set(keys.tolist()))
    assert all(0 <= k < wording.BUCKETS for k in keys.tolist())
    met = [bucket for sentence in sentences for bucket in wording.buckets(sentence).tolist()]
    assert values.tolist() == [1 + math.log(met.count(k)) for k in keys.tolist()]


def test_groups_of_a_short_sentence() -> None:
    """Words and pairs go to the first half, groups of three and four letters of each padded token to the second."""
    words, letters = wording.groups("My bee")
    assert words == ["my", "bee", "my bee"]
    assert letters == [" my", "my ", " my ", " be", "bee", "ee ", " bee", "bee "]
    assert [bucket >= HALF for bucket in wording.buckets("My bee")] == [False] * len(words) + [True] * len(letters)


def test_buckets_never_change() -> None:
    """The judge's weights are bound to these numbers: they are the same in every process and release."""
    words, letters = wording.groups("titanic bee")
    buckets = dict(zip([*words, *letters], wording.buckets("titanic bee").tolist(), strict=True))
    assert (buckets["titanic"], buckets["bee"]) == (9_627, 19_561)  # of "bee" the last: as letters, in the second half
    assert wording.counts(["bee"])[0].tolist() == wording.counts(["BEE"])[0].tolist()


def test_nothing_weighs_nothing() -> None:
    """A text without words has no buckets and no weights."""
    keys, values = wording.counts([])
    assert (keys.tolist(), values.tolist()) == ([], [])
    assert wording.weigh(keys, values, np.ones(wording.BUCKETS)).tolist() == []
