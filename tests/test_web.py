"""The page without a browser: what the server sends, and what it keeps when something is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from markupsafe import escape

from app.api import create_app
from app.intake import MAX_CHARS
from app.render import showable
from app.report import Report
from app.web import EXAMPLES, Form

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


def test_an_edit_shows_where_it_came_from(client: TestClient) -> None:
    """A text that was changed is shown beside the verdict before the change; a bent field is passed over."""
    page = client.post("/check", data={"text": EXAMPLES[3].text, "was": "well_worn:0.9312"}).text
    assert "Before your change:</strong> well worn (.93)" in page
    assert "Before your change" not in client.post("/check", data={"text": WORN, "was": "well_worn:0.9<b>"}).text


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
    ("suffix", "kind"), [("json", "application/json"), ("html", "text/html"), ("txt", "text/plain")]
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


def test_a_file_in_the_form_is_passed_over(client: TestClient) -> None:
    """A multipart form with a file where text is expected is a 422 and not a fault of the service."""
    assert client.post("/check", files={"text": ("a.txt", b"titanic")}).status_code == 422


def test_the_form_knows_whether_it_holds_anything() -> None:
    """The folded part is shown open exactly when something stands in it."""
    assert Form(place="Porto").has_about
    assert not Form(text="titanic").has_about
