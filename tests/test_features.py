"""Named numbers of a text: always the same names, finite, and each in one family that the report can speak of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import features, intake, matches, roles
from app.errors import BadInput
from app.features import FAMILIES, family
from app.records import Link

if TYPE_CHECKING:
    from app.reader import Reader


SAID = np.full((60, len(roles.ROLES)), 0.25)


def row_of(reader: Reader, text: str) -> dict[str, float]:
    """Give a text's numbers, with the candidates weighed as if each were as likely as not."""
    reading = reader.read([intake.read(text)])[0]
    links = [
        Link(c.entry, 0.5, c.cosine, c.sentence, c.mentions, c.named)
        for c in matches.candidates(reading, reader.catalogue.datasets)
    ]
    return features.features(reading, links, SAID[: len(reading.counted)], reader.catalogue.entries)


def test_every_feature_belongs_to_exactly_one_family(tiny_reader: Reader) -> None:
    """No number goes unexplained, none is explained twice, and no family is empty."""
    owners: dict[str, list[str]] = {}
    for name in row_of(tiny_reader, "We weighed stones."):
        stem = name.split(".", 1)[1] if name.startswith(("count.", "share.", "early.")) else name
        owners[name] = [f for f, starts in FAMILIES.items() if stem.startswith(starts)]
    assert {name: found for name, found in owners.items() if len(found) != 1} == {}
    assert {family(name) for name in owners} == set(FAMILIES)


@given(
    st.lists(
        st.sampled_from(["Pebbles. ", "ruler method, ", "stones ", "We weighed it. ", "not ", "# H\n", "é", "\n\n"]),
        max_size=20,
    )
)
def test_names_never_depend_on_the_text(tiny_reader: Reader, parts: list[str]) -> None:
    """Every text has the same names in the same order, and only finite numbers of a moderate size."""
    try:
        row = row_of(tiny_reader, "".join(parts))
    except BadInput:
        return
    assert list(row) == list(row_of(tiny_reader, "x"))
    assert all(math.isfinite(value) and -1 <= value <= 20 for value in row.values())


def test_the_numbers_of_one_text_by_hand(tiny_reader: Reader) -> None:
    """A text with one named technique, one doubtful dataset and one sentence of own work."""
    row = row_of(tiny_reader, "We weighed stones on the shore. The Ruler method is not new.")
    assert row["named.technique.tier1"] == 1
    assert row["named.technique.tier2"] == 0
    assert row["named.dataset.any"] == 1
    assert row["count.own_data"] == pytest.approx(math.log(2))
    assert row["share.own_data"] == 0.5
    assert row["early.own_data"] == 1
    assert row["share.negated"] == 0.5
    assert row["form.words"] == pytest.approx(math.log1p(12))
    assert row["form.sentences"] == pytest.approx(math.log1p(2))
    assert row["form.idle"] == 0
    assert row["form.english"] == 1
    assert row["link.first"] == 0.5
    assert row["join.data_and_method"] == 0.5
