"""Letters that look like others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.letters import CJK, INVISIBLE, latin


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("pеtаl lеngth", "petal length"),
        ("ТITANIC Iris", "TITANIC Iris"),
        ("Титаник и ирисы", "Титаник и ирисы"),
        ("α-helix of νερό", "α-helix of νερό"),
        ("café naïve 花", "café naïve 花"),
    ],
)
def test_look_alikes_are_read_as_what_they_mimic(typed: str, read: str) -> None:
    """Only words that also hold Latin letters change: Russian and Greek words stay what they are."""
    assert latin(typed) == read


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_reading_look_alikes_keeps_every_place(text: str) -> None:
    """One character stands for one, ASCII never changes, and once is enough."""
    plain = latin(text)
    assert len(plain) == len(text)
    assert all(a == b for a, b in zip(text, plain, strict=True) if a.isascii())
    assert latin(plain) == plain


def test_marks_that_cannot_be_seen() -> None:
    """Zero-width marks and soft hyphens are invisible; blanks and letters are not."""
    assert INVISIBLE.sub("", "ti\u200bta\u00adnic\ufeff") == "titanic"
    assert INVISIBLE.search("a b\u3000c") is None
    assert [bool(CJK.match(c)) for c in "知ひ한a"] == [True, True, True, False]
