"""The map and the grid: true distances where a plane can hold them, nothing hidden, counts to check by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app import atlas, index, intake
from app.catalogue import views

if TYPE_CHECKING:
    from pathlib import Path

    from app.catalogue import Catalogue
    from app.reader import Reader
    from tests.conftest import FakeEncoder


@pytest.fixture
def tiny_atlas(tmp_path: Path, tiny: Catalogue, fake_encoder: FakeEncoder) -> atlas.Atlas:
    """Give an atlas of six entries."""
    index.build(tmp_path / "tiny", views(tiny), tiny, fake_encoder)
    return atlas.Atlas(index.ViewIndex.open(tmp_path / "tiny", tiny, fake_encoder.name), tiny)


def test_a_plane_is_found_again() -> None:
    """Points of a plane are placed with their very distances."""
    points = np.random.default_rng(5).normal(size=(9, 2))
    distances = np.linalg.norm(points[:, None] - points[None, :], axis=-1)
    placed = atlas.scaled(distances)
    assert np.allclose(np.linalg.norm(placed[:, None] - placed[None, :], axis=-1), distances, atol=1e-9)


def test_points_in_one_place_are_moved_apart() -> None:
    """No two points hide each other, and the idea stays in the middle."""
    placed = atlas._apart(np.zeros((12, 2)))
    apart = np.linalg.norm(placed[:, None] - placed[None, :], axis=-1) + 9 * np.eye(12)
    assert apart.min() > 0.8 * atlas.APART
    assert placed[0].tolist() == [0.0, 0.0]


def test_a_text_is_placed_among_the_entries(tiny_atlas: atlas.Atlas, tiny_reader: Reader) -> None:
    """The nearest entry is the one whose words the text has, with the cosine of the two, and all lie on the map."""
    (reading,) = tiny_reader.read([intake.read("Weights and colours of stones picked on a beach.")])
    chart = tiny_atlas.around(reading)
    assert chart.points[0].entry == "pebbles"
    assert chart.points[0].cosine == pytest.approx(reading.overall["pebbles"], abs=1e-6)
    assert all(-1 <= place <= 1 for point in chart.points for place in (point.x, point.y))
    assert [p.cosine for p in chart.points] == sorted((p.cosine for p in chart.points), reverse=True)
    assert 0 < chart.kept <= 1


def test_a_text_that_says_nothing_has_no_map(tiny_atlas: atlas.Atlas, tiny_reader: Reader) -> None:
    """Where no sentence counts there is nothing to be near to."""
    (reading,) = tiny_reader.read([intake.read("...")])
    assert tiny_atlas.around(reading) == atlas.Chart((), 0.0)


def test_a_pair_counts_what_joins_it(tiny_atlas: atlas.Atlas) -> None:
    """The one tutorial and the one theme that join stones and ruler make two; nothing joins letters and ruler."""
    assert tiny_atlas._joined == {("pebbles", "ruler"): 2}


@pytest.mark.parametrize(("count", "level"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (8, 4), (99, 4)])
def test_shades_double(count: int, level: int) -> None:
    """Each shade stands for twice the one before."""
    assert atlas._cell(count, own=False).level == level
