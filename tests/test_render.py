"""What is written of a report: whole, safe to show, and the same each time."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app import render, words
from app.report import (
    Evidence,
    Facet,
    Facets,
    Match,
    Neighbour,
    Notice,
    Projected,
    Provenance,
    Reason,
    Report,
    Resource,
    Suggestion,
)

TEXT = "Predict who survives the Titanic with logistic regression; I went to Halifax and copied 200 gravestones."


def _evidence(text: str, *words: str) -> list[Evidence]:
    return [Evidence(start=text.index(w), end=text.index(w) + len(w), quote=w) for w in words]


def _facets(text: str = TEXT) -> Facets:
    return Facets(
        problem=Facet(
            status="worn", items=["survival prediction"], evidence=_evidence(text, "Predict who survives the Titanic")
        ),
        data=Facet(status="known", items=["Titanic"], evidence=_evidence(text, "Titanic")),
        method=Facet(status="known", items=["Logistic regression"], evidence=_evidence(text, "logistic regression")),
        additions=Facet(status="some", items=["own data"], evidence=_evidence(text, "Titanic with", "copied 200")),
    )


def _suggestion(number: int) -> Suggestion:
    return Suggestion(
        id=f"s{number}",
        title="Ask who was refused",
        detail="Passenger lists name those who were turned back, which hardly anybody has looked at.",
        first_steps=["Read twenty lines by eye", "Write down three questions"],
        facet="question",
        effort="a weekend",
        resources=[
            Resource(name="Lists", url="https://example.org/lists"),
            Resource(name="Trap", url="javascript:alert(1)"),
        ],
        entries=["titanic"],
        rewrite="Tell from one ship's list who was turned back, and why.",
        projected=Projected(verdict="original", flag_probability=0.12),
    )


def _report(**changed: object) -> Report:
    report = Report(
        id="case-7",
        verdict="well_worn",
        flagged=True,
        flag_probability=0.934,
        summary="Thousands of portfolios hold this project. Keep the question and change what it rests on.",
        change="Rest it on data of your own.",
        keep="The question is a good one.",
        why=[
            Reason(
                feature="known data",
                direction="worn",
                weight=2.0,
                text="It rests on known data.",
                evidence=_evidence(TEXT, "Titanic"),
            ),
            Reason(feature="own data", direction="original", weight=-0.5, text="Some of it is gathered.", evidence=[]),
        ],
        facets=_facets(),
        matches=[
            Match(
                entry="titanic",
                kind="dataset",
                name="Titanic",
                url="https://example.org/titanic",
                tier=1,
                role="rests_on",
                cosine=0.6,
                confidence=0.97,
                evidence=_evidence(TEXT, "Titanic"),
            )
        ],
        suggestions=[_suggestion(n) for n in range(3)],
        warnings=[Notice(code="length", message="Only the first part was judged.")],
        provenance=Provenance(software="0.1.0", catalogue="c1", model="m1", rules="r1", index="i1"),
    )
    return report.model_copy(update=changed)


class _Reader(HTMLParser):
    """Collects what a page would load or link to, and the text inside one element."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.links += [given["href"] or ""] if tag == "a" else []
        self.loads += [
            value or "" for name, value in attrs if name in {"src", "srcset"} or (tag == "link" and name == "href")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


# --- JSON and rows ---------------------------------------------------------------------------------------------------


def test_json_gives_the_report_back() -> None:
    """A report written as JSON and read again is the same report."""
    assert Report.model_validate_json(render.to_json(_report())) == _report()


def test_json_keeps_the_order_of_the_contract() -> None:
    """Fields stand in the order in which the contract names them."""
    assert list(json.loads(render.to_json(_report()))) == list(Report.model_fields)


@given(st.text(st.characters(codec=None), max_size=30))
def test_json_can_always_be_encoded(name: str) -> None:
    """Any string comes back from the encoded JSON as it was, lone surrogates included."""
    text = render.to_json(_report(id=name))
    assert json.loads(text.encode("utf-8"))["id"] == name


def test_a_row_has_a_cell_for_every_column() -> None:
    """The row fits the heading, and what stands under a name is that thing."""
    row = dict(zip(render.CSV_COLUMNS, render.to_csv_row(_report()), strict=True))
    assert (row["id"], row["verdict"], row["flagged"], row["data"]) == ("case-7", "well_worn", "true", "known")
    assert row["known_things"] == "Titanic (rests_on)"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_is_never_a_formula(name: str) -> None:
    """What a spreadsheet would run is written as text."""
    assert render.to_csv_row(_report(id=name))[0].startswith("'")


def test_rows_survive_a_csv_file() -> None:
    """A row that was written with quotes, commas and line ends is read back whole."""
    row = render.to_csv_row(_report(summary='He said "no",\nthen left.'))
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(row)
    assert next(csv.reader(io.StringIO(stream.getvalue(), newline=""))) == row


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0, "below .01"), (0.5, ".50"), (0.934, ".93"), (1.0, "above .99")]
)
def test_a_figure_is_never_certain(probability: float, said: str) -> None:
    """Probabilities are written with two places, and never as nought or one."""
    assert words.figure(probability) == said


def test_likelihood_rises_with_the_probability() -> None:
    """Every probability has words, and the words change in one direction only."""
    said = [words.likelihood(n / 100) for n in range(101)]
    assert list(dict.fromkeys(said)) == [w for i, w in enumerate(said) if i == 0 or said[i - 1] != w]
    assert (said[0], said[-1]) == ("almost certainly not worn", "almost certainly worn")


# --- segments --------------------------------------------------------------------------------------------------------


def test_overlapping_evidence_is_cut_into_segments() -> None:
    """Where facets nest or overlap, each stretch knows all of its facets, and a label follows where one ends."""
    parts = [(s.text, s.facets, s.ends) for s in render.segments(TEXT, _report())]
    assert parts[:3] == [
        ("Predict who survives the ", ("problem",), ()),
        ("Titanic", ("problem", "data", "additions"), ("problem", "data")),
        (" with", ("additions",), ("additions",)),
    ]


def test_positions_are_code_points() -> None:
    """Signs outside the basic plane and joined signs before the evidence don't shift it."""
    text = "👩🏽‍🔬 e\u0301tude 𝒳: " + TEXT
    report = _report(facets=_facets(text))
    assert [s.text for s in render.segments(text, report) if s.facets == ("method",)] == ["logistic regression"]


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6))
def test_segments_lose_nothing(text: str, spans: list[tuple[int, int]]) -> None:
    """Whatever the evidence, even beyond the text's end, the segments joined are the text."""
    found = Facet(status="known", items=[], evidence=[Evidence(start=a, end=b, quote="") for a, b in spans])
    empty = Facet(status="none", items=[], evidence=[])
    report = _report(facets=Facets(problem=empty, data=found, method=found, additions=empty))
    assert "".join(s.text for s in render.segments(text, report)) == render.showable(text)


def test_a_quotation_of_the_whole_text_is_spared() -> None:
    """Beside a finding stand telling words; what makes up half of the text is not repeated there."""
    whole = Evidence(start=0, end=len(TEXT), quote=TEXT)
    word = _evidence(TEXT, "Titanic")[0]
    assert render.telling([whole, word], len(TEXT)) == [word]
    assert render.telling([whole], 0) == [whole]


# --- the terminal ----------------------------------------------------------------------------------------------------


def test_text_says_all_that_matters() -> None:
    """Verdict, summary, what would move it, reasons, known things and every suggestion are in the terminal text."""
    text = render.to_text(_report())
    for said in (
        "WELL WORN",
        "Thousands of portfolios",
        "Rest it on data of your own",
        "The question is a good one",
        "It rests on known data",
        "Titanic",
    ):
        assert said in text
    assert text.count("Ask who was refused") == 3
    assert "from well worn (.93) to original (.12)" in text


def test_text_keeps_to_eighty_columns() -> None:
    """No line but an address is wider than a terminal."""
    text = render.to_text(_report(summary="A word " * 60))
    assert max(len(line) for line in text.splitlines() if "https://" not in line) <= 80


def test_text_cannot_steer_a_terminal() -> None:
    """Escape sequences, carriage returns, marks that turn the direction and lone surrogates in a text do nothing."""
    text = render.to_text(_report(id="\x1b[2J\rx\u202ey\ud800", summary="a\x1b]0;owned\x07b"))
    assert not set(text) & set("\x1b\x07\r\u202e\ud800")
    text.encode("utf-8")


# --- the file --------------------------------------------------------------------------------------------------------


def test_file_needs_nothing_else() -> None:
    """The HTML file loads nothing, runs nothing and has nothing to send."""
    page = _read(render.to_html(_report(), TEXT))
    assert page.loads == []
    assert not {"script", "link", "form", "iframe", "img", "object"} & set(page.tags)
    assert "style" in page.tags


def test_file_shows_the_text_with_its_evidence() -> None:
    """The judged text stands in the file, its evidence marked by colour, by underline and by a written label."""
    page = render.to_html(_report(), TEXT)
    assert '<mark class="ev ev-method">logistic regression</mark><span class="tag tag-method"> method</span>' in page


@pytest.mark.parametrize(
    "trap", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "</textarea>"]
)
def test_a_text_stays_text(trap: str) -> None:
    """Markup and template signs in a text or in a report are shown and never obeyed."""
    facets = Facets(**{side: Facet(status="none", items=[trap], evidence=[]) for side in words.FACETS})
    page = render.to_html(_report(id=trap, summary=trap, facets=facets), trap, trap)
    read = _read(page)
    assert not {"script", "img", "textarea"} & set(read.tags)
    assert trap in "".join(read.words)


def test_only_web_addresses_are_links() -> None:
    """An address that a browser would run is shown as its name alone."""
    links = _read(render.to_html(_report(), TEXT)).links
    assert "https://example.org/lists" in links
    assert not [link for link in links if not link.startswith("https://")]


def test_file_can_always_be_encoded() -> None:
    """A text with NUL and lone surrogates still makes a page in UTF-8."""
    render.to_html(_report(id="\ud800"), "a\x00b\ud83dc\udc00").encode("utf-8")


def test_what_is_near_in_a_collection_is_shown_as_information() -> None:
    """Terminal and file name the row, its collection and the words that it shares; traps in a name stay text."""
    near = Neighbour(
        collection="past",
        entry="2024/7",
        name="<b>Hives</b>\x1b[2J",
        url="javascript:alert(1)",
        cosine=0.9,
        evidence=_evidence(TEXT, TEXT.split(maxsplit=1)[0]),
    )
    report = _report(neighbours=[near])
    text, page = render.to_text(report), render.to_html(report, TEXT)
    assert "NEAR IN YOUR COLLECTIONS (no part of the verdict)" in text
    assert "(past: 2024/7)" in text
    assert "\x1b" not in text
    assert "Near in your collections" in page
    assert "<b>Hives" not in page
    assert "javascript:" not in page
    assert "NEAR IN" not in render.to_text(_report())


def test_several_projects_are_shown_one_by_one() -> None:
    """A report with projects shows each one's verdict in the file and in the terminal."""
    report = _report(projects=[_report(), _report(verdict="original", flagged=False, summary="Nobody has this.")])
    assert "Nobody has this." in render.to_html(report, TEXT)
    assert "PROJECT 2\nORIGINAL" in render.to_text(report)


@pytest.mark.parametrize("verdict", list(words.VERDICTS))
def test_every_verdict_has_words(verdict: str) -> None:
    """Each verdict is written out in all forms, with no reasons, matches or suggestions at all."""
    bare = _report(verdict=verdict, why=[], matches=[], suggestions=[], warnings=[], change="")
    assert words.VERDICTS[verdict] in render.to_html(bare)
    assert words.VERDICTS[verdict].upper() in render.to_text(bare)


def test_an_overview_holds_every_project_and_every_error() -> None:
    """Many reports make one page: each project under its name, in order, with its verdict or what is wrong with it."""
    full = _report()
    page = render.to_html_overview([("first <one>", full, ""), ("second", None, "There is nothing in the text.")])
    assert page.index("1. first &lt;one&gt;") < page.index("2. second") < page.index("There is nothing in the text.")
    assert f"<strong>{words.VERDICTS[full.verdict]}.</strong>" in page
    assert "<script" not in page


# --- Markdown --------------------------------------------------------------------------------------------------------


def test_markdown_says_all_that_matters() -> None:
    """Verdict, summary, the change, every facet, known thing and suggestion stand in the Markdown."""
    page = render.to_markdown(_report())
    for said in ("# Well worn", "Thousands of portfolios", "| Data | Public and well known | Titanic |"):
        assert said in page
    assert "- [Titanic](https://example.org/titanic): dataset" in page
    assert page.count("### Ask who was refused") == 3


@pytest.mark.parametrize("trap", ["[x](javascript:alert(1))", "<script>alert(1)</script>", "**b** | a `c`", "# h\n- i"])
def test_a_text_is_no_markdown(trap: str) -> None:
    """Signs that Markdown obeys are shown as themselves once it is rendered, and lines don't break out of theirs."""
    shown = MarkdownIt().render(render.to_markdown(_report(summary=trap)))
    read = _read(shown)
    assert not {"script", "strong", "code"} & set(read.tags) - {"strong"}
    assert " ".join(trap.split()) in "".join(read.words)
    assert not [link for link in read.links if link.startswith("javascript")]


def test_the_file_speaks_the_language_of_the_page() -> None:
    """The file that is taken along is in the language that was asked for, and says so to a screen reader."""
    page = render.to_html(_report(summary="Too little is said to judge it fairly."), TEXT, language="es")
    assert '<html lang="es">' in page
    assert "Se dice muy poco para juzgarlo con justicia." in page
    assert "Muy visto" in page
