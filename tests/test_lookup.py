"""Ranking by three signs: names first, then what both words and meaning speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import lookup
from app.errors import BadInput
from app.lookup import Filter, Words

if TYPE_CHECKING:
    from app.catalogue import Catalogue

RANKING = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(RANKING, RANKING, RANKING)
def test_everything_is_ranked_once_and_names_go_first(named: list[str], worded: list[str], near: list[str]) -> None:
    """Nothing is lost or doubled, whatever is named stands before the rest, and the signs say who found it."""
    fused = lookup.fuse(named, worded, near)
    ids = [name for name, _ in fused]
    assert sorted(ids) == sorted({*named, *worded, *near})
    assert set(ids[: len(named)]) == set(named)
    for name, signs in fused:
        assert signs == tuple(
            sign for sign, some in (("name", named), ("words", worded), ("meaning", near)) if name in some
        )


@given(RANKING, st.sampled_from("abcdefgh"))
def test_one_ranking_alone_is_kept(near: list[str], name: str) -> None:
    """Where the other signs are silent the order is that of meaning; what both speak for rises."""
    assert [one for one, _ in lookup.fuse([], [], near)] == near
    if name in near:
        both = [one for one, _ in lookup.fuse([], [name], near)]
        assert both.index(name) <= near.index(name)


def test_a_filter_and_a_collection_do_not_go_together() -> None:
    """Rows have no kind or form: asking for both is refused, asking for one isn't."""
    lookup.refuse_filters("past", Filter())
    lookup.refuse_filters("", Filter(tiers=(1,)))
    with pytest.raises(BadInput, match="name a collection without those"):
        lookup.refuse_filters("past", Filter(tiers=(1,)))


def test_words_find_by_rare_words_first(tiny: Catalogue) -> None:
    """An entry that has the rarer word comes before one that has the commoner; none is found for unknown words."""
    words = Words(tiny)
    everything = set(tiny.entries)
    assert words.find("which envelope?", everything)[0] == "letters"
    assert words.find("LOAD_PEBBLES", everything)[0] == "pebbles"
    assert words.find("zeppelin", everything) == []
    assert words.find("", everything) == []
    assert "pebbles" not in words.find("stones on a beach", everything - {"pebbles"})


@pytest.mark.parametrize(
    ("asked", "let_through"),
    [
        (Filter(), {"letters", "pebbles", "ruler", "sort-your-pebbles", "cliche-sorting-stones", "alt-harbour-log"}),
        (Filter(kinds=("dataset", "cliche")), {"letters", "pebbles", "cliche-sorting-stones"}),
        (Filter(modalities=("image",)), {"letters"}),
        (Filter(tasks=("classification",), tiers=(1,)), {"pebbles", "ruler"}),
        (Filter(tiers=(3,)), {"alt-harbour-log"}),
    ],
)
def test_a_filter_lets_through_what_fits(asked: Filter, let_through: set[str], tiny: Catalogue) -> None:
    """Every condition must hold; an entry that has no such field isn't let through where one is asked for."""
    assert {name for name, entry in tiny.entries.items() if asked.lets(entry)} == let_through
