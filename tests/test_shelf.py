"""The catalogue's pages: what is listed, what is found, and what an entry's page gathers around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from app.api import create_app
from app.shelf import PAGE, around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.catalogue import Catalogue
    from app.checker import Checker
    from app.settings import Settings


@pytest.fixture(scope="module")
def client(settings: Settings, checker: Checker) -> Iterator[TestClient]:
    """Talk to the real service over the real checker."""
    with TestClient(create_app(settings, checker)) as opened:
        yield opened


def test_a_page_gathers_what_is_around_an_entry(tiny: Catalogue) -> None:
    """A dataset's page knows who teaches it, its themes, what it is joined with and what can take its place."""
    found = around(tiny.entries["pebbles"], tiny)
    assert [e.id for e in found.taught] == ["sort-your-pebbles"]
    assert [e.id for e in found.themes] == ["cliche-sorting-stones"]
    assert [e.id for e in found.instead] == ["alt-harbour-log"]
    assert [(e.id, count) for e, count in found.companions] == [("ruler", 2)]


def test_a_tutorial_knows_its_parts_and_a_way_out(tiny: Catalogue) -> None:
    """A tutorial's page names what it joins, and what could take its data's place."""
    found = around(tiny.entries["sort-your-pebbles"], tiny)
    assert [e.id for e in found.parts] == ["pebbles", "ruler"]
    assert [e.id for e in found.instead] == ["alt-harbour-log"]
    assert found.taught == ()


@pytest.mark.model
def test_every_entry_can_be_reached_by_paging(client: TestClient, shipped: Catalogue) -> None:
    """The pages of one kind hold each of its entries once, and the last one leads no further."""
    found: list[str] = []
    for start in range(0, len(shipped.techniques), PAGE):
        page = client.get("/catalogue", params={"kind": "technique", "start": start}).text
        found += re.findall(r'known-name"><a href="/catalogue/([^"]+)"', page)
        assert ('rel="next"' in page) == (start + PAGE < len(shipped.techniques))
    assert sorted(found) == sorted(shipped.techniques)


@pytest.mark.model
@pytest.mark.parametrize("kind", ["datasets", "techniques", "tutorials", "cliches", "alternatives"])
def test_every_kind_has_its_page(client: TestClient, shipped: Catalogue, kind: str) -> None:
    """The first and the last entry of each kind are shown under their names, without anything undefined."""
    entries = list(getattr(shipped, kind).values())
    for entry in (entries[0], entries[-1]):
        page = client.get(f"/catalogue/{entry.id}")
        assert page.status_code == 200
        assert f'<h1 lang="en">{entry.name.replace("&", "&amp;")}' in page.text.replace("&#39;", "'")


@pytest.mark.model
def test_a_search_finds(client: TestClient) -> None:
    """A name in words, a kind to look among, and a query that stays text on the page."""
    page = client.get("/catalogue", params={"q": "passengers of a ship that sank", "kind": "dataset"}).text
    assert re.findall(r'known-name"><a href="/catalogue/([^"]+)"', page)[0] == "titanic"
    assert "<script>x" not in client.get("/catalogue", params={"q": "<script>x"}).text


@pytest.mark.model
def test_an_unknown_entry_is_a_page(client: TestClient) -> None:
    """An id that isn't there is a 404 with a way back."""
    assert client.get("/catalogue/no-such-thing").status_code == 404
