"""Bundles: texts that hold several projects, and lists that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import bundle, intake
from app.errors import BadInput


def parts(text: str) -> list[str]:
    """Split a text and give the words of its parts."""
    return [part.text.strip() for part in bundle.split(intake.read(text, id="x"))]


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        (
            "Two things here. (1) Shop groups by k-means. (2) The same on receipts of our own.",
            ["(1) Shop", "(2) The same"],
        ),
        ("Portfolio\n1) Weekly sales by SARIMA\n2) Customer groups by PCA\n\nTools: R", ["1) Weekly", "2) Cust"]),
        ("My projects: tides with ARIMA; moths of our garden in a CNN; bells", ["tides with", "moths of our"]),
        ("Three projects. One: a filter for mail. Two: reading tuner's pencil marks.", ["One: a", "Two: reading"]),
        ("My portfolio. Project one takes tips. Project two is diamonds, by weight.", ["Project one", "Project two"]),
        ("# Projects\n\n### 1. [Owls](./o)\nTwo recorders.\n\n### 2. [Hay](./h)\nA phone in it.", ["### 1.", "### 2."]),
        (
            "# Projects\n\n| name | what |\n| --- | --- |\n| Owls | calls at night |\n| Bales | falls of hay |\n",
            ["| Owls", "| Bales"],
        ),
        ("- iris with a nearest neighbour\n- spam with naive Bayes\n", ["- iris", "- spam"]),
    ],
)  # fmt: skip
def test_projects_are_told_apart(text: str, beginnings: list[str]) -> None:
    """Numbers in brackets or words, headings, bullets, table rows and semicolons part the projects of a text."""
    found = parts(text)
    assert len(found) == len(beginnings)
    assert all(part.startswith(start) for part, start in zip(found, beginnings, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "We weigh the hives. Steps: 1) scrape the page 2) clean the table 3) fit the model",
        "# Hive scales\n\n## Features\n- weight by the hour\n- a page with plots\n- alarms by mail",
        "One project alone.",
        "Of all projects this is the one that I finished.",
    ],
)
def test_a_list_is_no_bundle_by_itself(text: str) -> None:
    """Steps and features are no projects where the text does not speak of projects before them."""
    assert parts(text) == []


@given(
    st.lists(
        st.sampled_from(["My projects. ", "1) tides by hand ", "2) moths at night\n", "- a b c\n", "é", "; "]),
        max_size=12,
    )
)
def test_parts_keep_their_place(pieces: list[str]) -> None:
    """Whatever the text, its parts follow each other, do not overlap, and stand where they stood."""
    text = "".join(pieces)
    try:
        whole = intake.read(text, id="x")
    except BadInput:
        return
    end = 0
    for number, part in enumerate(bundle.split(whole), start=1):
        start = len(part.text) - len(part.text.lstrip("\n"))
        assert text[: len(part.text)][start:] == part.text[start:]
        assert start >= end
        assert part.id == f"x/{number}"
        end = len(part.text)
