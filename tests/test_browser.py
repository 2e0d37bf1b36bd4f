"""The page in a real Chromium: with and without JavaScript, narrow to wide, light and dark."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.api import create_app
from app.web import EXAMPLES
from tests.local_service import running
from tests.materials import blank_pdf, fetching, repository, resume, told_pdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.checker import Checker
    from app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.model]

WIDTHS = (360, 768, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A sandbox needs rights that a container lacks; the others keep the browser from calling home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WORN = EXAMPLES[0].text
PATIENCE_MS = 30_000
"""Long enough for a check on a machine that is busy with other things."""

expect.set_options(timeout=PATIENCE_MS)


def served(settings: Settings, checker: Checker) -> Iterator[str]:
    """Serve the real app on a free port of this machine alone, and give its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings, checker), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def address(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the real app on a free port of this machine alone; notes and links stay with the test, too."""
    with running(repository(WORN)) as host:
        own = replace(settings, feedback_dir=tmp_path_factory.mktemp("notes"), fetching=fetching(host))
        yield from served(own, checker)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the installed Chromium."""
    names = (os.environ.get("ORIGINALITY_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail("no Chromium was found: install one, or name it in ORIGINALITY_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open pages that tell when a request leaves the origin, an error shows in the console, or a policy is broken."""
    contexts: list[BrowserContext] = []
    strays: list[str] = []

    def start(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else strays.append(r.url))
        # The browser itself reports an answer of 4xx there, which some tests ask for.
        page.on(
            "console", lambda m: strays.append(m.text) if m.type == "error" and "status of 4" not in m.text else None
        )
        page.on("pageerror", lambda e: strays.append(str(e)))
        page.goto(address + path)
        return page

    yield start
    for context in contexts:
        context.close()
    assert strays == []


def _check(page: Page, text: str) -> None:
    page.get_by_label("Your project idea").fill(text)
    page.get_by_role("button", name="Check the idea").click()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_pasted_idea_is_judged(open_page: Callable[..., Page], javascript: bool) -> None:
    """The Titanic idea is pasted, the button pressed, and the verdict read, with evidence and three things to do."""
    page = open_page(java_script_enabled=javascript)
    _check(page, WORN)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Well worn")
    marked = page.locator(".text mark.ev-data")
    expect(marked.first).to_be_visible()
    assert "Titanic" in " ".join(marked.all_inner_texts())
    assert page.locator(".card").count() >= 3
    expect(page.locator("#text")).to_have_value(WORN)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_journey_from_worn_to_ones_own(open_page: Callable[..., Page], javascript: bool) -> None:
    """A worn idea is judged, a suggestion taken, a word of it changed, and the next report is better and says why."""
    page = open_page("/?example=titanic", java_script_enabled=javascript)
    page.get_by_role("button", name="Check the idea").click()
    expect(page.locator(".verdict")).to_have_text("Well worn")
    card = page.locator(".card").first
    card.locator("summary").click()
    rewrite = card.locator("blockquote").inner_text()
    card.get_by_role("button", name="Take it into the field").click()
    expect(page.locator("#text")).to_have_value(rewrite)
    page.locator("#text").fill(rewrite + " I show every failure.")
    page.get_by_role("button", name="Check again" if javascript else "Check the idea").click()
    compared = page.locator(".compared")
    expect(compared).to_contain_text("Well worn")
    expect(compared).to_contain_text("less likely to count as worn")
    assert page.locator(".verdict").inner_text() in {"Original", "Partly known"}
    assert compared.locator("tr.moved").count() >= 1
    expect(page.locator("#text")).to_have_value(rewrite + " I show every failure.")


def test_a_suggestion_can_be_tried_as_it_is(open_page: Callable[..., Page]) -> None:
    """One press judges a suggestion's version, and it lands where it was said to."""
    page = open_page("/?example=titanic")
    page.get_by_role("button", name="Check the idea").click()
    card = page.locator(".card").first
    promised = card.locator(".move").inner_text()
    card.get_by_role("button", name="Try this version").click()
    expect(page.locator(".compared")).to_be_visible()
    assert f"to {page.locator('.verdict').inner_text().lower()} (" in promised


@pytest.mark.parametrize("javascript", [True, False])
def test_a_reading_can_be_corrected(open_page: Callable[..., Page], javascript: bool) -> None:
    """An author says that the data are theirs; the report is judged anew and marked as standing on their word."""
    page = open_page(java_script_enabled=javascript)
    _check(page, "Predict apartment rents in my city with linear regression.")
    page.get_by_label("Data: is that so?").select_option("data.own")
    page.get_by_role("button", name="Judge again on my word").click()
    expect(page.locator(".on-word")).to_contain_text("On the author's word")
    expect(page.locator(".verdict")).to_have_text("Original")


def test_versions_stay_in_the_browser(open_page: Callable[..., Page]) -> None:
    """What was judged can be put back into the field, outlives the page, and is forgotten when asked."""
    page = open_page()
    _check(page, WORN)
    page.locator("#text").fill("something else")
    page.get_by_role("button", name=f"Well worn: {WORN[:60]}").click()
    expect(page.locator("#text")).to_have_value(WORN)
    page.get_by_role("link", name="Originality checker").click()
    page.get_by_role("button", name="Forget all versions").click()
    expect(page.locator("[data-versions]")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('originality.versions')") is None


def test_a_link_carries_the_idea_past_the_server(open_page: Callable[..., Page], address: str) -> None:
    """The copied link fills the field of another browser, and no request has the idea in it."""
    idea = 'Bees 🐝, é and 蜂: "counted" by me'
    page = open_page()
    page.locator("#text").fill(idea)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy a link that carries the idea").click()
    link = page.locator("[data-told]").inner_text()
    assert link.startswith(f"{address}/#idea=")
    other = open_page()
    asked: list[str] = []
    other.on("request", lambda r: asked.append(r.url + (r.post_data or "")))
    other.goto(link)
    expect(other.locator("#text")).to_have_value(idea)
    assert not [one for one in asked if "idea=" in one]
    assert "#" not in other.url


def test_a_file_can_be_dropped(open_page: Callable[..., Page]) -> None:
    """Markdown dropped on the field stands in it, a PDF is read when it is sent, a picture is refused with a word."""
    drop = """([name, text]) => {
        const carried = new DataTransfer();
        carried.items.add(new File([text], name));
        document.querySelector('#text').dispatchEvent(new DragEvent('drop', {dataTransfer: carried, cancelable: true}));
    }"""
    page = open_page()
    page.evaluate(drop, ["idea.md", "# Bees"])
    expect(page.locator("#text")).to_have_value("# Bees")
    page.evaluate(drop, ["bees.png", "x"])
    expect(page.locator("[data-told]")).to_have_text("Files of this kind aren't read.")
    expect(page.locator("#text")).to_have_value("# Bees")
    page.evaluate(drop, ["bees.pdf", told_pdf(WORN).decode()])
    expect(page.locator("[data-told]")).to_contain_text("bees.pdf is chosen")
    page.get_by_role("button", name="Check the idea").click()
    expect(page.locator(".verdict")).to_have_text("Well worn")
    expect(page.locator("#text")).to_have_value(WORN)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_file_can_be_chosen(open_page: Callable[..., Page], javascript: bool) -> None:
    """A résumé is judged project by project; one that can't be read, or is too large, is told at the form."""
    page = open_page(java_script_enabled=javascript)
    chooser = page.get_by_label("Or choose a file")
    for name, content, said in (
        ("cv.pdf", blank_pdf("secret"), "The file is encrypted"),
        ("cv.pdf", blank_pdf(), "it looks scanned"),
        ("long.md", b"bees " * 2_000_001, "The file is larger" if javascript else "Choose a smaller file"),
    ):
        chooser.set_input_files({"name": name, "mimeType": "", "buffer": content})
        if "long" in name and javascript:
            expect(page.locator("[data-told]")).to_contain_text(said)
            continue
        page.get_by_role("button", name="Check the idea").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    chooser.set_input_files({"name": "cv.docx", "mimeType": "", "buffer": resume()})
    page.get_by_role("button", name="Check the idea").click()
    expect(page.get_by_text("The text holds 2 projects.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_a_link_to_a_project_is_enough(open_page: Callable[..., Page], javascript: bool) -> None:
    """A link alone in the field is fetched by the server, never by the browser; any other link is told."""
    page = open_page(java_script_enabled=javascript)
    _check(page, "https://example.org/bees")
    expect(page.get_by_role("alert")).to_contain_text("doesn't lead to one project")
    _check(page, "https://github.com/ana/bees")
    expect(page.locator(".verdict")).to_have_text("Well worn")
    expect(page.locator("#text")).to_have_value(WORN)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_language_is_chosen_on_the_page(open_page: Callable[..., Page], javascript: bool) -> None:
    """A link changes the language, the choice is kept, and a report can be read in another one as it stands."""
    page = open_page(java_script_enabled=javascript, locale="en-GB")
    page.get_by_role("link", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("La idea de tu proyecto").fill(WORN)
    page.get_by_role("button", name="Comprobar la idea").click()
    expect(page.locator(".verdict")).to_have_text("Muy visto")
    page.get_by_role("button", name="Português").click()
    expect(page.locator(".verdict")).to_have_text("Muito visto")
    expect(page.locator("#text")).to_have_value(WORN)


def test_a_note_is_left_and_deleted(open_page: Callable[..., Page]) -> None:
    """A reader disagrees, sees what is stored, and deletes it."""
    page = open_page()
    _check(page, WORN)
    page.get_by_text("I see it otherwise").click()
    page.get_by_label("It should say").select_option("original")
    page.get_by_label("Store this on the server").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stored")
    expect(page.locator(".stored")).not_to_contain_text("Titanic")
    page.get_by_role("button", name="Delete it now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("deleted")


@pytest.mark.parametrize("javascript", [True, False])
def test_examples_can_be_clicked(open_page: Callable[..., Page], javascript: bool) -> None:
    """A click on an example fills the field."""
    page = open_page(java_script_enabled=javascript)
    page.get_by_role("link", name=EXAMPLES[1].name).click()
    expect(page.locator("#text")).to_have_value(EXAMPLES[1].text)


def test_a_fault_is_told_and_the_text_kept(open_page: Callable[..., Page]) -> None:
    """Blank text and odd hours are told in an alert, and what was typed elsewhere is still there."""
    page = open_page()
    page.locator("summary").click()
    page.get_by_label("Hours").fill("a lot")
    _check(page, WORN)
    expect(page.get_by_role("alert")).to_contain_text("Hours")
    expect(page.locator("#text")).to_have_value(WORN)
    expect(page.get_by_label("Hours")).to_have_attribute("aria-invalid", "true")


def test_words_are_counted_and_a_draft_is_kept(open_page: Callable[..., Page]) -> None:
    """The count follows the typing; the draft outlives the page, in this browser alone, until it is forgotten."""
    page = open_page()
    page.locator("#text").fill("three little words")
    expect(page.locator("[data-count]")).to_have_text("3 words")
    page.wait_for_function("localStorage.getItem('originality.draft') === 'three little words'")
    page.reload()
    expect(page.locator("#text")).to_have_value("three little words")
    page.get_by_role("button", name="Forget the draft").click()
    expect(page.locator("#text")).to_have_value("")
    page.reload()
    expect(page.locator("#text")).to_have_value("")


def test_the_field_grows_with_its_text(open_page: Callable[..., Page]) -> None:
    """A longer text gets a taller field, up to a share of the window."""
    page = open_page()
    low = page.locator("#text").bounding_box()
    page.locator("#text").fill("line\n" * 30)
    high = page.locator("#text").bounding_box()
    assert low
    assert high
    assert low["height"] + 100 < high["height"] < 720


def test_a_report_is_downloaded(open_page: Callable[..., Page], chromium: Browser) -> None:
    """The HTML file that one takes along shows the verdict by itself, from a disk, with nothing else at hand."""
    page = open_page("/?example=titanic")
    page.get_by_role("button", name="Check the idea").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report as one HTML file").click()
    saved = waiting.value.path()
    context = chromium.new_context(offline=True)
    other = context.new_page()
    troubles: list[str] = []
    other.on("console", lambda m: troubles.append(m.text))
    other.goto(saved.as_uri() if saved.suffix == ".html" else saved.rename(saved.with_suffix(".html")).as_uri())
    expect(other.locator(".verdict")).to_have_text("Well worn")
    assert other.locator(".band").evaluate("e => getComputedStyle(e).display") == "grid"
    assert troubles == []
    context.close()


def test_the_keyboard_is_enough(open_page: Callable[..., Page]) -> None:
    """The first stop is the skip link, and an idea is checked without a mouse."""
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.locator("#text").focus()
    page.keyboard.type("titanic survival with logistic regression")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".verdict")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nobody_is_shut_out(open_page: Callable[..., Page], address: str, width: int, scheme: str) -> None:
    """Every page, its faults and its folds open, gives axe nothing to name, and nothing is wider than the window."""
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    _hold(page)
    _check(page, "")
    expect(page.get_by_role("alert")).to_be_visible()
    _hold(page)
    for path in ("/catalogue", "/catalogue?q=bees", "/catalogue/titanic", "/propose", "/about", "/no-such-page"):
        page.goto(address + path)
        _hold(page)
    page.goto(address)
    _check(page, WORN + " I also scraped 300 menus from a site of my own town.\n" + "And so on it goes. " * 100)
    expect(page.locator(".verdict")).to_be_visible()
    page.locator("#text").fill(WORN)
    page.get_by_role("button", name="Check again").click()
    expect(page.locator(".compared")).to_be_visible()
    _hold(page)


def _hold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["impact"], [n["html"] for n in v["nodes"]][:3]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def test_a_text_from_right_to_left_is_shown_so(open_page: Callable[..., Page]) -> None:
    """The direction of the text is its own and leaves the page's as it is."""
    page = open_page()
    _check(page, "توقع الناجين من Titanic باستخدام logistic regression")
    assert page.locator(".text").evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert page.locator("body").evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_the_page_can_be_mirrored(open_page: Callable[..., Page]) -> None:
    """Laid out from right to left nothing is wider than the window, on a phone as on a desk."""
    page = open_page(viewport={"width": 360, "height": 800})
    _check(page, WORN)
    page.evaluate("document.documentElement.dir = 'rtl'")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_moves_for_those_who_ask(open_page: Callable[..., Page]) -> None:
    """Whoever asks for less motion gets no smooth scrolling and no transition."""
    page = open_page(reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.locator(".primary").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
