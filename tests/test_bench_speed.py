"""The bench of speed: nothing that it sends can be remembered, and what it draws is a picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from app import intake
from scripts import bench_speed


def test_no_sentence_comes_twice() -> None:
    """Two numbers give two ideas that share no sentence: a cache would have made the figures too good."""
    one, other = ({s.text for s in intake.read(bench_speed.numbered(number)).sentences} for number in (1, 2))
    assert len(one) == len(other) == 6
    assert not one & other


def test_growth_is_drawn_as_it_is() -> None:
    """A point a length; ten times the cost stands as much higher at every place."""
    picture = ET.fromstring(bench_speed.drawn({10: 10.0, 100: 100.0, 1_000: 1_000.0}))  # noqa: S314  our own
    line = next(picture.iter("{http://www.w3.org/2000/svg}polyline")).attrib["points"]
    (x1, y1), (x2, y2), (x3, y3) = (map(float, point.split(",")) for point in line.split())
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert y1 > y3
