"""Counts a text's word and letter groups in a fixed number of buckets, so that a linear model can read its wording.

Source: feature hashing, Weinberger et al. 2009 (arXiv:0902.2206), with one sign; sublinear term frequency and inverse
document frequency as in Manning, Raghavan, Schütze, Introduction to Information Retrieval, section 6.4.
"""

from __future__ import annotations

import re
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Buckets = NDArray[np.int32]
    Floats = NDArray[np.float64]

WORD_BITS = 14
LETTER_BITS = 14
BUCKETS = 2**WORD_BITS + 2**LETTER_BITS
"""Words and pairs in the first half, groups of three and four letters in the second. Doubling them moved the flag's F1
by less than .01."""

_WORD = re.compile(r"\w\w+")


def counts(sentences: Iterable[str]) -> tuple[Buckets, Floats]:
    """Count the groups of a text.

    Returns:
        Bucket numbers, rising, and 1 + ln(count) of each; both shape (distinct groups,).
    """
    return counted([buckets(sentence) for sentence in sentences])


def counted(parts: Sequence[Buckets]) -> tuple[Buckets, Floats]:
    """Count the groups of a text whose sentences have been taken apart; see ``counts``."""
    keys, times = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *parts]), return_counts=True)
    return keys, 1.0 + np.log(times.astype(np.float64))


def buckets(sentence: str) -> Buckets:
    """Give the bucket of every group in a sentence, in the order of ``groups``."""
    words, letters = groups(sentence)
    return np.concatenate([_numbers(words, WORD_BITS), _numbers(letters, LETTER_BITS) + 2**WORD_BITS])


def groups(sentence: str) -> tuple[list[str], list[str]]:
    """Take a sentence apart into words and pairs, and into groups of three and four letters."""
    folded = sentence.casefold()
    words = _WORD.findall(folded)
    padded = [f" {token} " for token in folded.split()]
    letters = [
        token[at : at + size] for token in padded for size in (3, 4) for at in range(max(1, len(token) - size + 1))
    ]
    return [*words, *(f"{left} {right}" for left, right in pairwise(words))], letters


def _numbers(groups: Sequence[str], bits: int) -> Buckets:
    # crc32 is the same in every process and on every machine, which Python's own hash is not.
    codes = np.fromiter((zlib.crc32(group.encode("utf-8", "replace")) for group in groups), np.uint32, len(groups))
    return np.asarray(codes % 2**bits, dtype=np.int32)


def weigh(buckets: Buckets, values: Floats, idf: Floats) -> Floats:
    """Weigh counts by rarity and bring each half to unit length.

    Args:
        buckets, values: as ``counts`` gives them.
        idf: shape (BUCKETS,).

    Returns:
        Weights of the buckets, shape (distinct groups,).
    """
    weighed = values * idf[buckets]
    for half in (buckets < 2**WORD_BITS, buckets >= 2**WORD_BITS):
        norm = float(np.sqrt((weighed[half] ** 2).sum()))
        if norm:
            weighed[half] /= norm
    return weighed
