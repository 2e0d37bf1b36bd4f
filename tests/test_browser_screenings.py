"""Screenings in a real Chromium without JavaScript: a file goes up, is read, judged over, compared and taken along."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.test_browser import PATIENCE_MS, SCHEMES, WIDTHS, chromium, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from app.checker import Checker
    from app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.model]
__all__ = ["chromium"]

BEES = "We weighed forty hives on my aunt's farm every night for two winters and asked which colony would starve first."
TITANIC = "Titanic survival with logistic regression on the Kaggle data."
SENT = {
    "all/lovelace/bees/README.md": f"# Bees, by Lovelace\n\n{BEES} Write to ada@example.org.",
    "all/lovelace/titanic/README.md": TITANIC,
    "all/babbage/hives/README.md": f"# Hives\n\n{BEES}",
    "all/babbage/broken/README.md": "",
}
TABLE = f"Applicant,Description\nhopper,{TITANIC}\nturing,{BEES}\n=1+1,My own counts of late trams at two stops.\n"


@pytest.fixture(scope="module")
def address(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the real app with a database of its own and without keys."""
    folder = tmp_path_factory.mktemp("screenings")
    own = replace(settings, keys_file=folder / "keys.json", screenings_url=f"sqlite:///{folder}/screenings.db")
    yield from served(own, checker)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack four projects of two candidates."""
    file = tmp_path_factory.mktemp("sent") / "autumn.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in SENT.items():
            packed.writestr(name, text)
    return file


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """Open the screenings without JavaScript."""
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{address}/screenings")
    yield page
    context.close()


def _send(page: Page, file: Path) -> None:
    """Upload a file and look again until it is done."""
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Start the screening").click()
    for _ in range(60):
        if page.get_by_text("It is done.").count():
            return
        page.wait_for_timeout(500)
        page.get_by_role("link", name="Look again").click()
    pytest.fail("the screening doesn't end")


def _taken(page: Page, name: str) -> bytes:
    """Download one export."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    return download.value.path().read_bytes()


def test_an_archive_is_screened_and_taken_along(page: Page, archive: Path) -> None:
    """Names stay hidden on the page and in every file until they are asked for; a person overrules; copies are seen."""
    _send(page, archive)
    expect(page.locator(".standfirst")).to_contain_text("4 projects: 3 judged, 1 not to be judged")
    shown = page.locator("main").inner_text()
    assert "Candidate 1" in shown
    for kind in ("CSV", "JSONL", "One HTML file"):
        shown += _taken(page, kind).decode()
    with zipfile.ZipFile(io.BytesIO(_taken(page, "Excel"))) as book:
        shown += "".join(book.read(name).decode() for name in book.namelist())
    assert not [trace for trace in ("ovelace", "abbage", "example.org") if trace in shown]

    page.get_by_role("link", name="What candidates share").click()
    expect(page.get_by_role("heading", name="Near-identical pairs: 1")).to_be_visible()
    assert page.locator(".text mark.shared").all_inner_texts() == [BEES.rstrip(".")] * 2

    page.go_back()
    page.get_by_role("link", name="Show names", exact=True).click()
    expect(page.get_by_role("region", name="Candidates: table")).to_contain_text("lovelace")
    page.get_by_label("Show", exact=True).select_option("well_worn")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("region", name="Projects: table").get_by_role("link").first.click()
    expect(page.locator(".verdict")).to_have_text("Well worn")
    page.get_by_text("Overrule the verdict").click()
    page.get_by_label("Your verdict").select_option("partly_known")
    page.get_by_label("Your reason").fill("Lovelace added counts of her own.")
    page.get_by_role("button", name="Overrule").click()
    page.get_by_role("link", name="Screening", exact=True).click()
    expect(page.locator("#log-title + ol")).to_contain_text("Partly known, by local. [name] added counts")
    rows = list(csv.DictReader(io.StringIO(_taken(page, "CSV").decode("utf-8-sig"))))
    assert [row["override"] for row in rows if row["override"]] == ["partly_known"]


def test_a_table_is_screened(page: Page, tmp_path: Path) -> None:
    """Its columns are guessed and said; what a spreadsheet would run is guarded; deleted, it is gone."""
    file = tmp_path / "applications.csv"
    file.write_text(TABLE, encoding="utf-8")
    _send(page, file)
    expect(page.locator("main")).to_contain_text("Description")
    page.get_by_role("link", name="Show names", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(_taken(page, "CSV").decode("utf-8-sig"))))
    assert [row["candidate"] for row in rows] == ["hopper", "turing", "'=1+1"]
    here = page.url
    page.get_by_role("button", name="Delete this screening").click()
    expect(page.get_by_role("heading", name="Your screenings")).to_be_visible()
    page.goto(here)
    expect(page.locator("main")).to_contain_text("no such screening")


def test_everyone_can_read_it(chromium: Browser, page: Page, archive: Path) -> None:
    """Every page gives axe nothing to name, in either theme, and nothing is wider than the window."""
    _send(page, archive)
    place = page.url
    paths = (place.rpartition("/")[0], place, f"{place}?reveal=1", f"{place}/pairs", f"{place}/projects/1?reveal=1")
    for scheme in SCHEMES:
        context = chromium.new_context(color_scheme=scheme)
        looking = context.new_page()
        for width in (WIDTHS[0], WIDTHS[-1]):
            looking.set_viewport_size({"width": width, "height": 900})
            for path in paths:
                looking.goto(path)
                looking.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
                wide = looking.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, (path, width)
                if width == WIDTHS[0]:
                    found = Axe().run(looking).response["violations"]
                    assert [(one["id"], [n["html"] for n in one["nodes"]]) for one in found] == [], (path, scheme)
        context.close()


def test_they_speak_the_readers_language(chromium: Browser, page: Page, archive: Path) -> None:
    """Nothing but what people sent and what the service says of a fault is in English, and longer words still fit."""
    _send(page, archive)
    place = page.url
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900}, java_script_enabled=False)
    looking = context.new_page()
    titles = {"es": ["Revisar muchos proyectos", "Revisión", "Lo que comparten los candidatos"]}
    titles |= {"pt": ["Triar muitos projetos", "Triagem", "O que os candidatos têm em comum"]}
    for language, expected in titles.items():
        for path, title in zip((place.rpartition("/")[0], place, f"{place}/pairs"), expected, strict=True):
            looking.goto(f"{path}?lang={language}")
            expect(looking.locator("h1")).to_have_text(title)
            assert looking.locator("main [lang=en]:not(td *)").all_inner_texts() == []
            wide = looking.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (path, language)
    context.close()
