"""Matches: which datasets a text rests on, in which role the others stand, and where one can see it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app import intake, matches
from app.matches import Linear
from app.records import Evidence, Link, Span

if TYPE_CHECKING:
    from app.reader import Reader
    from app.records import Match, Reading


def reading_of(reader: Reader, text: str) -> Reading:
    """Read a text."""
    return reader.read([intake.read(text)])[0]


def rests(reading: Reading, reader: Reader, probability: float, **at: float) -> list[Match]:
    """Match datasets, each candidate as likely as given."""
    links = [
        Link(c.entry, probability, c.cosine, c.sentence, c.mentions, c.named)
        for c in matches.candidates(reading, reader.catalogue.datasets)
    ]
    cuts = {"rests_on": 0.4, "rests_on_own": 0.9, "first": 0.4} | at
    return matches.datasets(reading, links, matches.carried(links, cuts, "known"))


def test_a_linear_model_by_hand() -> None:
    """A feature counts in units of its spread around its mean."""
    model = Linear(("a", "b"), np.array([1.0, 0.0]), np.array([2.0, 1.0]), np.array([[3.0, -1.0]]), np.array([0.5]))
    assert model.standardise({"b": 4.0, "a": 5.0}).tolist() == [2.0, 4.0]
    assert model.logits({"b": 4.0, "a": 5.0}).tolist() == [2.5]


def test_candidates_have_the_same_features_in_any_text(tiny_reader: Reader) -> None:
    """Named for sure, doubtful or not at all: the names are the same, and exactly one state is on."""
    seen = []
    for text in ("load_pebbles()", "stones", "a beach", "Pebbles, letters.csv and stones"):
        for one in matches.candidates(reading_of(tiny_reader, text), tiny_reader.catalogue.datasets):
            seen.append(tuple(one.features))
            assert one.features["sure"] + one.features["doubtful"] + one.features["unnamed"] == 1
            assert all(math.isfinite(v) for v in one.features.values())
    assert len(set(seen)) == 1


def test_candidates_come_in_the_order_of_ids(tiny_reader: Reader) -> None:
    """Named or near, every dataset of six entries is considered once."""
    found = matches.candidates(reading_of(tiny_reader, "Pebbles of a street"), tiny_reader.catalogue.datasets)
    assert [c.entry for c in found] == ["letters", "pebbles"]


def test_columns_in_the_text_count_for_their_dataset(tiny_reader: Reader) -> None:
    """Telling column names are counted in any spelling."""
    found = matches.candidates(reading_of(tiny_reader, "it has Weight-Grams and shade"), tiny_reader.catalogue.datasets)
    assert {c.entry: c.features["unnamed.columns"] for c in found} == {"letters": 0.0, "pebbles": 2.0}


def test_linking_puts_the_likeliest_first(tiny_reader: Reader) -> None:
    """Probabilities are logistic, in order, and ties go by id."""
    found = matches.candidates(reading_of(tiny_reader, "load_pebbles()"), tiny_reader.catalogue.datasets)
    names = tuple(found[0].features)
    size = len(names)
    weights = np.array([[2.0 if n == "sure" else 0.0 for n in names]])
    links = matches.link(found, Linear(names, np.zeros(size), np.ones(size), weights, np.array([-1.0])))
    assert [one.entry for one in links] == ["pebbles", "letters"]
    assert [one.probability for one in links] == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))])


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("The network was pretrained on Pebbles.", "pretrained_on"),
        ("Unlike Pebbles, our beach moves.", "contrast"),
        ("There is no Pebbles in it.", "contrast"),
        ("As a sanity check we ran Pebbles.", "benchmark"),
        ("Some know Pebbles.", "mentioned"),
        ("Pebbles pretraining helped.", "pretrained_on"),
    ],
)
def test_the_role_of_what_is_named_and_not_rested_on(text: str, role: str, tiny_reader: Reader) -> None:
    """The words just before a name, or just after it, say why it is there."""
    found = rests(reading_of(tiny_reader, text), tiny_reader, 0.1)
    assert [(m.entry, m.role) for m in found] == [("pebbles", role)]
    assert [text[e.start : e.end] for e in found[0].evidence] == [e.quote for e in found[0].evidence] == ["Pebbles"]


def test_what_is_likely_enough_is_rested_on(tiny_reader: Reader) -> None:
    """From the cut on a dataset is rested on; the first may have a cut of its own; unnamed ones show their sentence."""
    reading = reading_of(tiny_reader, "I sort what the sea brings. Read the street off an envelope.")
    assert {m.role for m in rests(reading, tiny_reader, 0.4)} == {"rests_on"}
    assert rests(reading, tiny_reader, 0.39) == []
    only = rests(reading, tiny_reader, 0.3, first=0.25)
    assert [(m.entry, m.role) for m in only] == [("letters", "rests_on")]
    assert only[0].evidence[0].quote == "Read the street off an envelope."


def test_doubtful_names_are_no_matches_by_themselves(tiny_reader: Reader) -> None:
    """A common word that is also a name says nothing unless the text rests on it."""
    assert rests(reading_of(tiny_reader, "Only stones."), tiny_reader, 0.1) == []


def test_techniques_are_those_named_for_sure(tiny_reader: Reader) -> None:
    """In the order of the text, used or set apart from, with every place quoted."""
    found = matches.techniques(reading_of(tiny_reader, "A Ruler method. Again RulerClassifier()."))
    assert [(m.entry, m.role, [e.quote for e in m.evidence]) for m in found] == [
        ("ruler", "uses", ["Ruler method", "RulerClassifier"])
    ]
    assert [m.role for m in matches.techniques(reading_of(tiny_reader, "Instead of the ruler method I guess."))] == [
        "contrast"
    ]


def test_themes_are_followed_or_resembled(tiny_reader: Reader) -> None:
    """Only the nearest of a kind is followed, and only where a tutorial is likely; what is far isn't shown."""
    reading = reading_of(tiny_reader, "A first lesson in sorting what lies on a beach.")
    kinds = {e.id: e.kind for e in tiny_reader.catalogue.entries.values()}
    followed = matches.themes(reading, kinds, follows=0.5, resembles_at=0.5)  # type: ignore[arg-type]
    assert [(m.entry, m.role, m.confidence) for m in followed] == [("sort-your-pebbles", "follows", 0.5)]
    resembled = matches.themes(reading, kinds, follows=0.49, resembles_at=0.5)  # type: ignore[arg-type]
    assert [(m.entry, m.role) for m in resembled] == [("sort-your-pebbles", "resembles")]
    assert matches.themes(reading, kinds, follows=0.9, resembles_at=1.1) == []  # type: ignore[arg-type]


def test_evidence_is_ordered_and_short() -> None:
    """At most five stretches, in the order of the text, without repeats or empty ones."""
    brief = intake.read("abcdefghij")
    spans = [Span(n, n + 1) for n in (5, 1, 1, 9, 3, 0, 7)] + [Span(2, 2)]
    assert matches.evidence(brief, spans) == tuple(Evidence(n, n + 1, "abcdefghij"[n]) for n in (0, 1, 3, 5, 7))
