"""Adding entries: everything is right, or nothing is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app import admission
from app.catalogue import Catalogue
from app.errors import BadInput, CatalogueInvalid
from tests.conftest import write_tiny

if TYPE_CHECKING:
    from pathlib import Path

FERRIES: dict[str, Any] = {
    "name": "Férries of 1990",
    "about": "Timetables of boats that no longer run.",
    "tells": ["which harbours lost their last boat"],
    "modality": "tabular",
    "tasks": ["classification"],
    "domain": "travel",
    "year": 1990,
    "tier": 3,
    "url": "https://example.org/ferries",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a catalogue of six entries that may be changed."""
    return write_tiny(tmp_path / "data")


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_entry_needs_no_more_than_what_it_is(folder: Path) -> None:
    """Id and the missing word on the address are filled in, the file stays sorted, and the date is today's."""
    before = Catalogue.load(folder)
    assert admission.add("dataset", [FERRIES], folder) == ["ferries-of-1990"]
    after = Catalogue.load(folder)
    added = after.datasets["ferries-of-1990"]
    assert (added.name, added.url_verified, added.tells) == (FERRIES["name"], False, tuple(FERRIES["tells"]))
    assert after.counts() == before.counts() | {"dataset": before.counts()["dataset"] + 1}
    assert after.date > before.date
    assert [p.name for p in folder.parent.iterdir()] == ["data"]


def test_a_taken_id_is_replaced_only_on_purpose(folder: Path) -> None:
    """The same again is refused, and with the right word it takes the old one's place."""
    admission.add("dataset", [FERRIES], folder)
    with pytest.raises(BadInput, match="The id 'ferries-of-1990' is taken"):
        admission.add("dataset", [FERRIES | {"year": 1991}], folder)
    assert Catalogue.load(folder).datasets["ferries-of-1990"].year == 1990
    admission.add("dataset", [FERRIES | {"year": 1991}], folder, replace=True)
    assert Catalogue.load(folder).datasets["ferries-of-1990"].year == 1991


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"modality": "smell"}, "field 'modality' is \"smell\"; allowed:"),
        ({"about": ""}, "field 'about' is missing; it means:"),
        ({"aliases": ["load_pebbles"]}, "name 'load_pebbles' is also a sure name of"),
        ({"surprise": 1}, "field 'surprise' is unknown"),
        ({"id": "Not An Id"}, "field 'id' is \"Not An Id\""),
        ({"id": "ruler"}, "id 'ruler' is taken at"),
        ({"name": "雨"}, "field 'id'"),
    ],
)
def test_a_wrong_entry_changes_nothing(folder: Path, change: dict[str, Any], says: str) -> None:
    """Every rule of the catalogue holds for what is added, and one wrong entry keeps out the right ones beside it."""
    before = contents(folder)
    with pytest.raises(CatalogueInvalid) as refused:
        admission.add("dataset", [FERRIES | {"name": "Other", "id": "other"}, FERRIES | change], folder)
    assert says in str(refused.value)
    assert str(refused.value).endswith("Nothing was added.")
    assert contents(folder) == before


def test_the_template_names_every_field(folder: Path) -> None:
    """What must be there has an asterisk, and closed lists are spelt out."""
    shown = json.loads(admission.template("dataset", folder))
    assert set(FERRIES) < set(shown)
    assert {name for name, meaning in shown.items() if meaning.startswith("* ")} == {
        *("id", "name", "about", "modality", "tasks", "domain", "year", "tier", "url_verified")
    }
    assert "One of: 3d, audio, events" in shown["modality"]
