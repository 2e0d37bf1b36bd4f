"""The page without a browser: what the server sends, and what it keeps when something is wrong."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from markupsafe import escape

from app.api import create_app
from app.forms import Form
from app.intake import MAX_CHARS
from app.render import showable
from app.report import Report
from app.web import EXAMPLES
from tests.local_service import running
from tests.materials import fetching, repository, resume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker
    from app.settings import Settings

pytestmark = pytest.mark.model

WORN = EXAMPLES[0].text


@pytest.fixture(scope="module")
def client(settings: Settings, checker: Checker) -> Iterator[TestClient]:
    """Talk to the real service over the real checker."""
    with TestClient(create_app(settings, checker)) as opened:
        yield opened


def test_the_form_says_what_it_does(client: TestClient) -> None:
    """The form names its limit, says that nothing is stored, and offers four examples as plain links."""
    page = client.get("/").text
    assert f"{MAX_CHARS:,}" in page
    assert "Nothing is stored." in page
    assert re.findall(r'href="/\?example=(\w+)#text"', page) == [e.key for e in EXAMPLES]


@pytest.mark.parametrize("key", [e.key for e in EXAMPLES])
def test_an_example_fills_the_form(client: TestClient, key: str) -> None:
    """An example's link fills the field on the server, so that it works without JavaScript."""
    text = next(e.text for e in EXAMPLES if e.key == key)
    assert f">\n{text}</textarea>" in client.get("/", params={"example": key}).text


def test_an_unknown_example_leaves_the_form_empty(client: TestClient) -> None:
    """Whatever stands in the address is not shown."""
    assert "</textarea>" in (page := client.get("/?example=<b>nothing").text)
    assert "nothing</" not in page


def test_the_examples_are_what_they_say(checker: Checker) -> None:
    """The first two examples are worn, and the last one is original."""
    verdicts = [checker.check(e.text).verdict for e in EXAMPLES]
    assert (verdicts[0], verdicts[1], verdicts[3]) == ("well_worn", "well_worn", "original")


def test_a_report_is_shown(client: TestClient) -> None:
    """The report has the verdict in words, marked evidence, three suggestions, and the text to be edited."""
    page = client.post("/check", data={"text": WORN}).text
    assert '<span class="verdict">Well worn</span>' in page
    assert re.search(r'<mark class="ev ev-data">[^<]*Titanic', page)
    assert page.count('class="card"') >= 3
    assert page.count("Try this version") == page.count('class="card"')
    assert f">\n{WORN}</textarea>" in page


def test_no_bare_percentage(client: TestClient) -> None:
    """The verdict is given in words; its probability stands beside words, folded away, and never in per cent."""
    page = client.post("/check", data={"text": WORN}).text
    band = page[page.index('<section class="band') : page.index("</section>")]
    assert "%" not in band
    assert re.search(r'<details class="sure">.*likely worn|certainly worn', band, re.DOTALL)
    unfolded = re.sub(r'<details class="sure">.*?</details>', "", band, flags=re.DOTALL)
    assert not re.search(r"\W0?\.\d\d", unfolded)


def test_a_report_is_not_to_be_kept(client: TestClient) -> None:
    """No cache on the way keeps anybody's text."""
    assert client.post("/check", data={"text": WORN}).headers["cache-control"] == "no-store"


def test_an_edit_shows_what_it_moved(client: TestClient) -> None:
    """A text that was changed is set beside the one before it, facet by facet, with the words that came and went."""
    page = client.post("/check", data={"text": EXAMPLES[3].text, "previous": WORN}).text
    compared = page[page.index('class="compared"') : page.index('class="jump"')]
    assert "<strong>Well worn</strong> (above .99)" in compared
    assert "<strong>Original</strong>" in compared
    assert "<del>Titanic passengers</del>" in compared
    assert "<ins>the author&#39;s own data</ins>" in compared
    assert "less likely to count as worn" in compared


@pytest.mark.parametrize("previous", ["", "  ", WORN, "a " * 20_000])
def test_nothing_is_compared_with_nothing(client: TestClient, previous: str) -> None:
    """Without an earlier text, with the same one or with one too long to travel along, no comparison is shown."""
    assert 'class="compared"' not in client.post("/check", data={"text": WORN, "previous": previous}).text


def test_a_reading_can_be_corrected(client: TestClient) -> None:
    """An author's word is weighed as if the text said it, moves the verdict, and is marked in page, JSON and file."""
    text = "Predict apartment rents in my city with linear regression."
    assert '<span class="verdict">Well worn</span>' in client.post("/check", data={"text": text}).text
    corrected = {"text": text, "previous": text, "word": ["", "data.own", "no.such"]}
    page = client.post("/check", data=corrected).text
    assert '<span class="verdict">Original</span>' in page
    assert "On the author's word." in page
    assert '<option value="data.own" selected>' in page
    assert "<ins>the author&#39;s own data</ins>" in page
    report = Report.model_validate(json.loads(client.post("/check.json", data=corrected).text))
    assert (report.warnings[0].code, report.facets.data.status) == ("authors_word", "own")
    assert "On the author's word." in client.post("/check.html", data=corrected).text


def test_a_word_alone_is_no_text(client: TestClient) -> None:
    """What an author says of an empty text is not judged in its place."""
    assert client.post("/check", data={"text": " ", "word": "data.own"}).status_code == 422


def test_a_suggestion_is_taken_into_the_form(client: TestClient) -> None:
    """Without JavaScript a suggestion's text comes back in the form, the idea before it travelling along."""
    page = client.post("/edit", data={"text": EXAMPLES[3].text, "previous": WORN, "place": "Porto"}).text
    assert f">\n{EXAMPLES[3].text}</textarea>" in page
    assert f'<input type="hidden" name="previous" value="{WORN}">' in page
    assert 'value="Porto"' in page


def test_a_file_is_read(client: TestClient) -> None:
    """A chosen file goes before the field; what can't be read is a fault that says so, and the field is kept."""
    file = {"file": ("idea.md", b"\xef\xbb\xbf" + WORN.encode(), "text/markdown")}
    page = client.post("/check", data={"text": EXAMPLES[3].text}, files=file).text
    assert '<span class="verdict">Well worn</span>' in page
    assert f">\n{WORN}</textarea>" in page
    assert "The text was read from the file that was chosen." in page
    for name, content in (("idea.exe", b"x"), ("idea.md", b" "), ("idea.pdf", b"x")):
        response = client.post("/check", data={"text": WORN}, files={"file": (name, content)})
        assert response.status_code == 422
        assert re.search(r'id="file"[^>]*aria-invalid="true"', response.text)
        assert f">\n{WORN}</textarea>" in response.text


def test_the_projects_of_a_resume_get_reports_of_their_own(client: TestClient) -> None:
    """A résumé's two projects are judged together and each alone."""
    page = client.post("/check", data={"text": ""}, files={"file": ("cv.docx", resume())}).text
    assert "The text holds 2 projects." in page


def test_a_large_file_gets_an_answer(settings: Settings, checker: Checker) -> None:
    """A file above the limit is told at the form; one above the limit for texts and below its own is read."""
    small = replace(settings, max_body_bytes=2_000, max_file_bytes=20_000)
    with TestClient(create_app(small, checker)) as client:
        told = client.post("/check", data={"text": WORN}, files={"file": ("idea.md", b"bees " * 5_000)})
        read = client.post("/check", data={"text": ""}, files={"file": ("idea.md", b"bees " * 2_000)})
    assert (told.status_code, read.status_code) == (413, 200)
    assert re.search(r'id="file"[^>]*aria-invalid="true"', told.text)
    assert "Choose a smaller file." in told.text


def test_a_link_alone_is_fetched(settings: Settings, checker: Checker) -> None:
    """A link to a project gives what stands there, into the report and the field; where links are off, that is told."""
    with running(repository(WORN)) as host:
        linked = replace(settings, fetching=fetching(host))
        with TestClient(create_app(linked, checker)) as client:
            page = client.post("/check", data={"text": " https://github.com/ana/bees\n"})
            elsewhere = client.post(
                "/check", data={"text": "https://example.org/bees"}, headers={"accept-language": "es"}
            )
    assert '<span class="verdict">Well worn</span>' in page.text
    assert "fetched by this server" in page.text
    assert (elsewhere.status_code, len(host.asked)) == (422, 3)
    assert "El enlace no lleva a un proyecto" in elsewhere.text
    with TestClient(create_app(replace(settings, fetching=None), checker)) as client:
        assert "this server then fetches" not in client.get("/").text
        off = client.post("/check", data={"text": "https://github.com/ana/bees"})
    assert off.status_code == 422
    assert "no links are followed here" in off.text
    assert re.search(r'id="text"[^>]*aria-invalid="true"', off.text)


def test_a_large_file_never_touches_a_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form with a file of more than a megabyte is read without a temporary file."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a text was about to be written to a disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    response = client.post("/check", data={"text": WORN}, files={"file": ("long.txt", b"word " * 300_000)})
    assert response.status_code == 422
    assert "1,500,000 characters" in response.text


@pytest.mark.parametrize("content", [b"", b"nonsense", b"--x\r\nnonsense"])
def test_a_broken_form_is_a_fault_of_its_sender(client: TestClient, content: bytes) -> None:
    """What claims to be a form with files and isn't gets a 4xx and a page."""
    response = client.post("/check", content=content, headers={"content-type": "multipart/form-data; boundary=x"})
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"].startswith("text/html")


def test_the_report_has_a_picture(client: TestClient) -> None:
    """The map has as many points as its list, and the pair that the idea stands on is marked in words, too."""
    page = client.post("/check", data={"text": WORN}).text
    points = page[page.index('<svg class="map"') : page.index("</svg>", page.index('<svg class="map"'))].count("<text")
    listed = page[page.index('class="map-list"') : page.index("</ol>", page.index('class="map-list"'))].count("<li>")
    assert points == listed == 20
    assert re.search(r'class="heat-[1-4] here">\d+ <span aria-hidden="true">◆</span><span class="unseen">', page)


@pytest.mark.parametrize(("language", "word"), [("es", "Muy visto"), ("pt", "Muito visto"), ("en", "Well worn")])
def test_the_page_speaks_languages(client: TestClient, language: str, word: str) -> None:
    """The browser's language is taken, one that was chosen goes before it, and the choice is kept in a cookie."""
    accepted = client.post("/check", data={"text": WORN}, headers={"accept-language": f"fr, {language};q=0.8"})
    assert f'<span class="verdict">{word}</span>' in accepted.text
    assert f'<html lang="{language}"' in accepted.text
    assert accepted.headers["content-language"] == language
    asked = client.get("/", params={"lang": language}, headers={"accept-language": "de"})
    assert f"language={language}" in asked.headers["set-cookie"]
    assert f'<html lang="{language}"' in client.get("/").text
    client.cookies.clear()


def test_a_language_keeps_the_rest_of_the_address(client: TestClient) -> None:
    """Changing the language of a search doesn't lose the search; an unknown language changes nothing."""
    page = client.get("/catalogue", params={"q": "bees", "lang": "xx"})
    assert 'href="?q=bees&amp;lang=es"' in page.text
    assert "set-cookie" not in page.headers


def test_a_long_text_is_sent_once(client: TestClient) -> None:
    """A text too long to be compared doesn't travel along a second time, in no form of the page."""
    page = client.post("/check", data={"text": WORN + " word" * 5_000}).text
    assert page.count('name="previous"') == page.count('name="previous" value=""')
    assert "with_text" not in page


def test_how_it_judges_is_told(client: TestClient) -> None:
    """The page names what runs here, with its numbers, and what is kept."""
    page = client.get("/about").text
    assert "labelled texts by" in page
    assert re.search(r"dataset: [\d,]+", page)
    assert "on no disk and in no log" in page


@pytest.mark.parametrize(
    ("form", "status", "field"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": "  \n "}, 422, "text"),
        ({}, 422, "text"),
        ({"text": "a " * MAX_CHARS}, 413, "text"),
        ({"text": WORN, "hours": "a lot"}, 422, "hours"),
        ({"text": WORN, "hours": "nan"}, 422, "hours"),
    ],
)
def test_a_fault_keeps_what_was_typed(client: TestClient, form: dict[str, str], status: int, field: str) -> None:
    """A text that can't be judged comes back in the form with what is wrong, where, and the right status."""
    response = client.post("/check", data={"place": "Porto", **form})
    assert response.status_code == status
    assert 'role="alert"' in response.text
    assert response.text.count("aria-invalid") == 1
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', response.text)
    assert f">\n{form.get('text', '')}</textarea>" in response.text
    assert 'value="Porto"' in response.text


def test_a_service_in_trouble_keeps_the_text(settings: Settings) -> None:
    """Without an index the page says what is the matter with 503, and the text is still there."""
    with TestClient(create_app(replace(settings, index_dir=settings.index_dir / "none"))) as client:
        response = client.post("/check", data={"text": WORN})
    assert response.status_code == 503
    assert f">\n{WORN}</textarea>" in response.text
    assert "aria-invalid" not in response.text


@pytest.mark.parametrize(
    "trap", ["</textarea><script>alert(1)</script>", '"><b>bold</b>', "{{ 7 * 7 }}", "\x00\x1b[31m", "&lt;b&gt;"]
)
def test_a_text_stays_text(client: TestClient, trap: str) -> None:
    """Markup in any field is shown and never obeyed."""
    page = client.post(
        "/check", data={"text": f"Predict survival on the Titanic {trap}", "title": trap, "place": trap}
    ).text
    assert not re.findall(r"<script>|<b>|[\x00\x1b]", page)
    assert page.count(str(escape(showable(trap)))) >= 3


def test_line_ends_are_as_pasted(client: TestClient) -> None:
    """A browser sends carriage returns; positions in the downloaded report count the text as it was pasted."""
    text = "A project.\n\nPredict survival on the Titanic."
    report = Report.model_validate(
        json.loads(client.post("/check.json", data={"text": text.replace("\n", "\r\n")}).text)
    )
    (evidence,) = next(m for m in report.matches if m.role == "rests_on").evidence[:1]
    assert text[evidence.start : evidence.end] == evidence.quote


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("json", "application/json"), ("html", "text/html"), ("txt", "text/plain"), ("md", "text/markdown")],
)
def test_a_report_can_be_taken_along(client: TestClient, suffix: str, kind: str) -> None:
    """Each form of the report comes as a file with a name, and tells the same verdict."""
    response = client.post(f"/check.{suffix}", data={"text": WORN, "title": "Who lived?"})
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["content-disposition"] == f'attachment; filename="originality-report.{suffix}"'
    assert re.search("well.worn", response.text, re.IGNORECASE)


def test_the_report_has_no_address(client: TestClient) -> None:
    """Who comes back to the report's address is led to the form."""
    response = client.get("/check", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/")


def test_an_unknown_page_is_a_page(client: TestClient) -> None:
    """People get a page with a way back where programs get a problem document."""
    response = client.get("/nothing-here")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert 'href="/"' in response.text


def test_static_files_may_be_kept(client: TestClient) -> None:
    """The page names its files by their content, so that a browser keeps them until they change."""
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
    assert len(found) == 3
    for address in found:
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]


def test_the_form_knows_whether_it_holds_anything() -> None:
    """The folded part is shown open exactly when something stands in it."""
    assert Form(place="Porto").has_about
    assert not Form(text="titanic").has_about


def test_pages_are_sent_packed(client: TestClient) -> None:
    """Pages, style and script come packed to whoever can unpack them, caches are told, and programs get plain JSON."""
    files = re.findall(r'(?:href|src)="(/static/[^"]+(?:css|js)[^"]*)"', client.get("/").text)
    for address in ("/", *files):
        packed = client.get(address, headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["vary"]
        assert int(packed.headers["content-length"]) < len(packed.content) / 2
        assert "content-encoding" not in client.get(address, headers={"accept-encoding": "identity"}).headers
    answer = client.post("/api/v1/checks", json={"text": WORN}, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
