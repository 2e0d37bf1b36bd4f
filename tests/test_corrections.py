"""An author's word: what can be said, how it is read, and that it is marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app import corrections, words


def test_every_choice_has_its_sentence() -> None:
    """What the page offers is what can be read, facet by facet."""
    assert list(corrections.STATEMENTS) == list(words.CORRECTIONS)
    assert {corrections.facet_of(one) for one in corrections.STATEMENTS} == set(words.FACETS)


def test_one_word_a_facet() -> None:
    """Unknown words are passed over, and of two on one facet the first in the list counts."""
    assert corrections.known(["data.public", "x", "data.own", "method.own", ""]) == ("data.own", "method.own")


@given(st.text(max_size=40), st.sets(st.sampled_from(sorted(corrections.STATEMENTS))))
def test_positions_stay(text: str, given_words: set[str]) -> None:
    """The text comes first and whole, so that evidence in it stands where it stood."""
    read = corrections.applied(text, corrections.known(given_words))
    assert read.startswith(text)
    assert (read == text) == (not given_words)
