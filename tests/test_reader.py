"""Readings: names, cues and nearness of a text, over a catalogue of six entries and word counts for vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import intake
from app.errors import BadInput
from app.reader import NEAREST_VIEWS

if TYPE_CHECKING:
    from app.reader import Reader

TEXT = "We weighed stones ourselves. The Ruler method sorts them.\n\n## Installation\n- pip install ruler\n"


def test_a_reading_holds_what_counts_and_the_whole(tiny_reader: Reader) -> None:
    """One unit row a counted sentence, and last the unit-length mean of them."""
    reading = tiny_reader.read([intake.read(TEXT)])[0]
    assert [reading.brief.sentences[i].text for i in reading.counted] == [
        "We weighed stones ourselves.",
        "The Ruler method sorts them.",
    ]
    mean = reading.vectors[:-1].mean(axis=0)
    assert reading.vectors[-1] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    assert [sorted(found) for found in reading.cues] == [["own_data", "self"], []]


def test_cues_and_names_point_into_the_received_text(tiny_reader: Reader) -> None:
    """Spans of cues and mentions quote the text; a doubtful name is found and marked so."""
    reading = tiny_reader.read([intake.read(TEXT)])[0]
    own = reading.cues[0]["own_data"]
    assert TEXT[own.start : own.end] == "We weighed"
    assert [(m.entry, TEXT[m.span.start : m.span.end], m.sure) for m in reading.mentions] == [
        ("pebbles", "stones", False),
        ("ruler", "Ruler method", True),
    ]


def test_nearness_is_of_the_best_view_and_sentence(tiny_reader: Reader) -> None:
    """A sentence that is an entry's own telling is at cosine one; the whole of two sentences is further off."""
    reading = tiny_reader.read([intake.read("A cat sat. Read the street off an envelope")])[0]
    nearest = reading.nearest["letters"]
    assert (nearest.view, nearest.sentence) == ("tell.1", 1)
    assert nearest.cosine == pytest.approx(1.0, abs=1e-5)
    assert 0 < reading.overall["letters"] < 1


def test_briefs_read_together_are_read_as_alone(tiny_reader: Reader) -> None:
    """Company changes nothing, nor does the order; a brief without sentences has a reading too."""
    briefs = [intake.read(t) for t in (TEXT, "?!", "Pebbles again.", TEXT)]
    together = tiny_reader.read(briefs)
    for brief, reading in zip(briefs, together, strict=True):
        alone = tiny_reader.read([brief])[0]
        assert np.array_equal(alone.vectors, reading.vectors)
        assert (alone.mentions, alone.cues, alone.nearest, alone.overall) == (
            reading.mentions, reading.cues, reading.nearest, reading.overall,
        )  # fmt: skip
    assert (together[1].counted, together[1].nearest) == ((), {})
    assert tiny_reader.read([]) == []


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=120))
def test_any_text_can_be_read(tiny_reader: Reader, text: str) -> None:
    """Whatever gets past the door has a reading whose numbers keep their ranges and whose names are entries."""
    try:
        brief = intake.read(text)
    except BadInput:
        return
    reading = tiny_reader.read([brief])[0]
    assert reading.nearest.keys() == reading.overall.keys()
    assert set(reading.nearest) <= set(tiny_reader.catalogue.entries)
    assert all(-1 <= h.cosine <= 1 for h in reading.nearest.values())
    assert {m.entry for m in reading.mentions} <= set(reading.nearest) or not reading.counted
    assert len(reading.vectors) == len(reading.counted) + 1


def test_search_ranks_entries_once_each(tiny_reader: Reader) -> None:
    """An entry stands once, at its nearest view, best first, and only of the kinds asked for."""
    hits = tiny_reader.search("weights and colours of stones picked on a beach", 3, tuple(NEAREST_VIEWS))
    assert (hits[0].entry, hits[0].name, hits[0].view) == ("pebbles", "Pebbles", "about")
    assert hits[0].cosine == pytest.approx(1.0, abs=1e-5)
    assert len({h.entry for h in hits}) == len(hits) == 3
    assert [h.cosine for h in hits] == sorted((h.cosine for h in hits), reverse=True)
    assert [h.entry for h in tiny_reader.search("stones", 5, ("technique",))] == ["ruler"]


def test_a_dataset_is_looked_up_by_its_name(tiny_reader: Reader) -> None:
    """The longest written form decides; a name of no dataset gives none."""
    assert tiny_reader.datasets_named("the Pebble dataset") == ["pebbles"]
    assert tiny_reader.datasets_named("ruler method") == []
