"""What is weak in a catalogue is shown: twins, misleading names, entries that nothing finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app import quality
from app.catalogue import Catalogue, View, views
from app.quality import Pair

if TYPE_CHECKING:
    from app.encoder import Encoder


def view(entry: str, name: str, text: str) -> View:
    """Make a view of a data set."""
    return View(entry, "dataset", name, text)


def test_twins_are_found(fake_encoder: Encoder) -> None:
    """Two entries of one kind with the same description are shown, those of other words aren't."""
    some = [
        view("a", "about", "weights of stones on a beach"),
        view("b", "about", "weights of stones on a beach"),
        view("c", "about", "timetables of ferries"),
        View("d", "technique", "about", "weights of stones on a beach"),
    ]
    found = quality.twins(some, fake_encoder.encode([v.text for v in some]))
    assert found == [Pair("a", "b", "1.00")]


def test_an_entry_must_be_found_by_what_is_told_of_it(fake_encoder: Encoder) -> None:
    """One whose descriptions share no word with its other views is listed when others stand nearer."""
    some = [
        view("told", "about", "weights of stones on a beach"),
        view("told", "tell.1", "stones on the beach and their weights"),
        view("lost", "about", "ferries at night"),
        view("lost", "tell.1", "weights of stones"),
        view("alone", "about", "songs of whales"),
    ]
    vectors = fake_encoder.encode([v.text for v in some])
    assert quality.unfound(some, vectors, among=1) == ["alone", "lost"]
    assert quality.unfound(some, vectors, among=3) == ["alone"]
    # Whoever says it in other words is answered; whoever speaks of something else isn't.
    asked = fake_encoder.encode([some[-1].text, some[0].text])
    assert quality.unanswered(["alone", "lost"], asked, some, vectors, among=1) == ["lost"]


def test_shared_and_common_names_are_shown(tiny: Catalogue) -> None:
    """The tiny catalogue has none that is shared; its pebbles are a word that people use."""
    assert quality.shared_names(tiny) == []
    assert quality.common_names(tiny, {"pebbles", "stones", "the"}) == [
        Pair("pebbles", "pebbles", "is an ordinary word")
    ]


def test_coverage_counts_any_form(tiny: Catalogue) -> None:
    """A packaged set is covered by its name, its loader or a doubtful form, however these are written."""
    shipped = {"beach": [["pebbles"], ["x", "Load Pebbles"], ["STONES"], ["shells", "load_shells"]]}
    assert quality.covered(shipped, tiny) == {"beach": (3, ["shells"])}


def test_no_view_no_answer(tiny: Catalogue) -> None:
    """Nothing in, nothing out."""
    assert quality.twins([], np.zeros((0, 384), np.float32)) == []
    assert quality.unfound([], np.zeros((0, 384), np.float32)) == []
    assert quality.covered({}, tiny) == {}


@pytest.mark.model
def test_the_shipped_catalogue_is_sound(shipped: Catalogue, checker: object) -> None:
    """Nearly every entry is found by what is told of it, and of ordinary words only six are sure names of data."""
    from app.encoder import SentenceTransformersEncoder  # noqa: PLC0415  the quick tests do without it

    encoder = SentenceTransformersEncoder.open()
    some = [v for v in views(shipped) if v.entry in {*list(shipped.datasets)[::40]}]
    assert len(quality.unfound(some, encoder.encode([v.text for v in some]))) <= len({v.entry for v in some}) / 20
    common = {pair.other for pair in quality.common_names(shipped, encoder.words())}
    assert common <= {"ames", "atari", "delaney", "kits", "squad", "titanic"}
