"""Facets: the four sides of a project, each with a status out of a closed list and where one can see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app import facets, intake, roles
from app.records import Evidence, Match

if TYPE_CHECKING:
    from app.reader import Reader
    from app.records import DataStatus, Facets

NAMES = {"pebbles": "Pebbles", "ruler": "Ruler method", "sort-your-pebbles": "Sort your pebbles"}
SPOT = Evidence(0, 2, "We")


def read(
    reader: Reader,
    text: str,
    *found: Match,
    data: DataStatus = "unknown",
    follows: float = 0.0,
    own: float = 0.5,
    said: float = facets.HINTED_AT,
) -> Facets:
    """Read the facets of a text with given matches, every sentence scored alike for every role."""
    reading = reader.read([intake.read(text)])[0]
    scores = np.full((len(reading.counted), len(roles.ROLES)), said)
    return facets.read(reading, found, NAMES, scores, data=data, method="known", follows=follows, own=own)


def theme(cosine: float) -> Match:
    """Make a tutorial that is so near."""
    return Match("sort-your-pebbles", "tutorial", "resembles", cosine, cosine, (SPOT,))


@pytest.mark.parametrize(
    ("cosine", "follows", "status"),
    [(0.9, 0.5, "worn"), (0.6, 0.49, "familiar"), (0.59, 0.49, "own"), (0.0, 0.9, "worn")],
)
def test_the_problem_is_worn_familiar_or_own(cosine: float, follows: float, status: str, tiny_reader: Reader) -> None:
    """A followed tutorial makes it worn, a near theme familiar; an own problem names no theme."""
    problem = read(tiny_reader, "We sort.", theme(cosine), follows=follows).problem
    assert (problem.status, problem.items) == (status, () if status == "own" else ("Sort your pebbles",))


def test_known_data_name_what_the_results_rest_on(tiny_reader: Reader) -> None:
    """Only datasets that are rested on belong to the data."""
    rested = Match("pebbles", "dataset", "rests_on", 0.7, 0.9, (SPOT,))
    contrast = Match("letters", "dataset", "contrast", 0.7, 0.1, (SPOT,))
    data = read(tiny_reader, "We use Pebbles.", rested, contrast, data="known").data
    assert (data.status, data.items, data.evidence) == ("known", ("Pebbles",), (SPOT,))


def test_own_data_show_who_made_them(tiny_reader: Reader) -> None:
    """Own data are quoted where the author says so, with known data beside them where there are any."""
    rested = Match("pebbles", "dataset", "rests_on", 0.7, 0.9, (SPOT,))
    data = read(tiny_reader, "We weighed stones beside Pebbles.", rested, data="own").data
    assert data.items == ("the author's own data", "Pebbles")
    assert [e.quote for e in data.evidence] == ["We weighed", "We"]


def test_methods_are_the_techniques_used(tiny_reader: Reader) -> None:
    """A technique that is set apart from is no method of the project."""
    used, other = (
        Match("ruler", "technique", "uses", 0.5, 1.0, (SPOT,)),
        Match("eye", "technique", "contrast", 0.5, 1.0),
    )
    assert read(tiny_reader, "We measure.", used, other).method.items == ("Ruler method",)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("We weighed stones.", ("data of one's own",)),
        ("We will label stones ourselves and plan interviews.", ()),
        ("Error analysis by site. Midwives use it.", ("a rigorous study", "people who use it or need it")),
        ("The sea is blue.", ()),
    ],
)
def test_additions_are_what_was_done(text: str, items: tuple[str, ...], tiny_reader: Reader) -> None:
    """What is only planned adds nothing yet; what was done is named and quoted."""
    additions = read(tiny_reader, text).additions
    assert (additions.status, additions.items) == ("some" if items else "none", items)
    assert len(additions.evidence) == len(items)
    assert all(text[e.start : e.end] == e.quote for e in additions.evidence)


def test_others_work_is_not_the_authors(tiny_reader: Reader) -> None:
    """Data that others collected and published are no own data, unless the sentence speaks of the author too."""
    assert read(tiny_reader, "Custom dataset collected by hand, from Kaggle.").additions.items == ()
    assert "data of one's own" in read(tiny_reader, "Beside Kaggle's we collected by hand.").additions.items


def test_words_of_making_add_nothing_where_the_data_are_hardly_ones_own(tiny_reader: Reader) -> None:
    """Saying "I took" counts as data of one's own only where the judge holds that possible."""
    said = "We photographed the pebbles on our beach and I labelled every one of them."
    assert "data of one's own" in read(tiny_reader, said, own=0.3).additions.items
    assert "data of one's own" not in read(tiny_reader, said, own=0.1).additions.items


def test_what_is_read_as_making_is_quoted_whole_where_no_word_of_it_is_known(tiny_reader: Reader) -> None:
    """A sentence that is read as making data is shown, also without any cue in it."""
    data = read(tiny_reader, "Mud was brought home in jars.", data="own", said=facets.SAID_AT).data
    assert [e.quote for e in data.evidence] == ["Mud was brought home in jars."]


def test_a_word_in_passing_adds_nothing(tiny_reader: Reader) -> None:
    """A cue in a sentence that is read as neither making nor adding is no addition."""
    assert read(tiny_reader, "Error analysis by site.", said=0.05).additions.items == ()


def test_an_addition_without_a_name_is_still_one(tiny_reader: Reader) -> None:
    """What is read as going beyond the usual counts, though no cue says what it is."""
    found = read(tiny_reader, "The sea is blue.", said=0.4).additions
    assert (found.items, found.evidence[0].quote) == ((facets.UNNAMED_ADDITION,), "The sea is blue.")
