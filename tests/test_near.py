"""What candidates share: pairs and hand-outs, for any texts, in any order, and in time that grows with them."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from app.screenings import near

WORDS = st.lists(st.sampled_from([*"abcdefgh", "É", "ß", "\n", "…", "\u202e", "👩🏽‍🔬", "\ud800"]), max_size=60).map(
    " ".join
)
TEXTS = st.lists(st.tuples(st.sampled_from(["", "Ada", "Bob", "Cy", "Di", "Eve"]), WORDS), max_size=8)


def read(rows: list[tuple[str, str]]) -> list[near.Text]:
    """Number texts."""
    return [near.Text(number, who, text) for number, (who, text) in enumerate(rows, start=1)]


@given(TEXTS)
def test_what_is_shown_is_the_texts(rows: list[tuple[str, str]]) -> None:
    """Joined, a text's pieces are the text; shares are shares; nobody is compared with themselves."""
    pairs, handouts = near.find(read(rows))
    for pair in pairs:
        assert ["".join(piece.text for piece in pieces) for pieces in pair.pieces] == [
            pair.first.text,
            pair.second.text,
        ]
        assert all("shared" in {piece.kind for piece in pieces} for pieces in pair.pieces)
        assert 0.0 < pair.share <= 1.0
        assert pair.words >= near.LEAST_WORDS
        assert pair.first.candidate != pair.second.candidate or not pair.first.candidate
    assert all(any(handout.text in text for _, text in rows) for handout in handouts)
    assert all(near.MANY <= handout.candidates <= len(rows) for handout in handouts)


@given(TEXTS)
def test_the_order_says_nothing(rows: list[tuple[str, str]]) -> None:
    """Whoever is sent first, the same two are found with the same share."""

    def found(texts: list[near.Text]) -> set[tuple[frozenset[int], float, int]]:
        return {(frozenset((p.first.number, p.second.number)), p.share, p.words) for p in near.find(texts)[0]}

    texts = read(rows)
    assert found(texts) == found(texts[::-1])


@given(st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=near.LEAST_WORDS, max_size=80), WORDS)
def test_a_copy_is_always_found(words: list[str], other: str) -> None:
    """Two candidates with one text are a pair that shares all of it, unless it is a hand-out, whoever else is there."""
    text = " ".join(words)
    pairs, _ = near.find(read([("Ada", text), ("Bob", text), ("Cy", other)]))
    assert any({p.first.candidate, p.second.candidate} == {"Ada", "Bob"} and p.share == 1.0 for p in pairs)


def test_many_copies_take_no_more_time_than_many_texts() -> None:
    """Two candidates who send one text again and again, as an attacker would, keep nobody waiting."""
    text = " ".join(f"w{n}" for n in range(100))
    began = time.process_time()
    pairs, _ = near.find(read([("AB"[n % 2], f"{text} {n}") for n in range(2_000)]))
    assert time.process_time() - began < 5
    assert pairs[0].words == 100
