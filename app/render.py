"""Writes a report for people and programs: JSON, a self-contained HTML file, terminal text, a row of a table.

The words for verdicts, roles and likelihoods live here and nowhere else. Everything is pure: the same report gives the
same characters, and every result can be encoded in UTF-8, whatever the judged text held.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import Environment

    from app.report import Evidence, Facet, Match, Neighbour, Report, Suggestion

COLUMNS = 80
"""Width of the terminal text."""

SHOWN_QUOTE = 90
"""Longest quotation beside a finding, in characters; the whole text stands highlighted elsewhere."""

VERDICTS = {
    "well_worn": "Well worn",
    "partly_known": "Partly known",
    "original": "Original",
    "off_topic": "Off topic",
    "unclear": "Unclear",
}
MEANINGS = {
    "well_worn": "Many portfolios hold this very project.",
    "partly_known": "Its base is known; some of it is the author's own.",
    "original": "No known project stands in its place.",
    "off_topic": "It doesn't read as a project with data.",
    "unclear": "There is too little here to judge, or too much at once.",
}
FACETS = {"problem": "Problem", "data": "Data", "method": "Method", "additions": "Additions"}
SIDES = {
    "data": "Changes the data",
    "question": "Changes the question",
    "method": "Changes the method",
    "use": "Puts it to use",
}
STATUSES = {
    ("problem", "worn"): "A task that everyone does",
    ("problem", "familiar"): "A familiar task",
    ("problem", "own"): "A question of its own",
    ("problem", "unclear"): "Not clear from the text",
    ("data", "known"): "Public and well known",
    ("data", "own"): "The author's own",
    ("data", "unknown"): "Not recognised",
    ("data", "none"): "None named",
    ("method", "known"): "Textbook",
    ("method", "novel"): "New",
    ("method", "none"): "None named",
    ("additions", "some"): "Goes beyond the usual",
    ("additions", "none"): "Nothing beyond the usual yet",
}
KINDS = {
    "dataset": "dataset",
    "technique": "technique",
    "tutorial": "tutorial",
    "cliche": "common theme",
    "alternative": "less-used source",
}
ROLES = {
    "rests_on": "the results rest on it",
    "pretrained_on": "the model was pretrained on it",
    "contrast": "named to be set apart from",
    "benchmark": "used to compare with",
    "mentioned": "only mentioned",
    "uses": "the project uses it",
    "follows": "the project follows it as taught",
    "resembles": "the project comes close to it",
}
TIERS = {1: "everyone's first portfolio", 2: "known to most practitioners", 3: "known in its subfield"}
DIRECTIONS = {"worn": "towards worn", "original": "towards original"}
CSV_COLUMNS = (
    "id",
    "verdict",
    "flagged",
    "flag_probability",
    "summary",
    "change",
    "keep",
    *FACETS,
    "known_things",
    "suggestions",
    "warnings",
    "catalogue",
    "rules",
)

_LIKELIHOODS = (
    (0.03, "almost certainly not worn"),
    (0.15, "very unlikely to be worn"),
    (0.35, "probably not worn"),
    (0.65, "could be either"),
    (0.85, "probably worn"),
    (0.97, "very likely worn"),
    (1.01, "almost certainly worn"),
)
_HERE = Path(__file__).resolve().parent
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BROKEN = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Marks that turn the direction of what follows: on a page they end with their element, in a terminal they don't.
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"^[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the judged text under one set of facets.

    Attributes:
        facets: names of the facets whose evidence covers it, outermost first.
        ends: those of them whose evidence ends here, so that a label can follow.
    """

    text: str
    facets: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


# --- words -----------------------------------------------------------------------------------------------------------


def likelihood(probability: float) -> str:
    """Say a calibrated probability of ``well_worn`` in words."""
    return next(words for below, words in _LIKELIHOODS if probability < below)


def figure(probability: float) -> str:
    """Write a probability with two places; never as a certainty, for nothing here is certain."""
    if probability < 0.01:
        return "below .01"
    if probability > 0.99:
        return "above .99"
    return f"{probability:.2f}".removeprefix("0")


def status_words(side: str, facet: Facet) -> str:
    """Say what kind of problem, data, method or addition was found."""
    return STATUSES.get((side, facet.status), facet.status.replace("_", " "))


def showable(text: str) -> str:
    """Replace what can't be encoded or would steer a terminal, one character for one."""
    return _BROKEN.sub("\ufffd", text)


def clip(text: str, columns: int = SHOWN_QUOTE) -> str:
    """Put a text on one line of at most ``columns`` terminal cells."""
    line = _line(text)
    if sum(map(_cells, line)) <= columns:
        return line
    taken = 0
    for at, character in enumerate(line):
        taken += _cells(character)
        if taken > columns - 1:
            return line[:at].rstrip() + "…"
    return line


def _line(text: str) -> str:
    return " ".join(_TURNING.sub("", showable(text)).split())


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


# --- JSON and the table's row ----------------------------------------------------------------------------------------


def to_json(report: Report, *, indent: int | None = None) -> str:
    """Write a report as JSON, fields in the contract's order; a lone surrogate is written as its escape."""
    return dumps(report.model_dump(mode="json"), indent=indent)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Write JSON that can always be encoded, whatever strings it carries."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def to_csv_row(report: Report) -> list[str]:
    """Give the cells of ``CSV_COLUMNS``; a cell that a spreadsheet would run as a formula is made text."""
    cells = [
        report.id,
        report.verdict,
        str(report.flagged).lower(),
        f"{report.flag_probability:.4f}",
        report.summary,
        report.change,
        report.keep,
        *(getattr(report.facets, side).status for side in FACETS),
        "; ".join(f"{m.name} ({m.role})" for m in report.matches),
        "; ".join(s.title for s in report.suggestions),
        "; ".join(n.code for n in report.warnings),
        report.provenance.catalogue,
        report.provenance.rules,
    ]
    return [_cell(c) for c in cells]


def to_csv_error(item: str, message: str) -> list[str]:
    """Give the cells of an input that could not be judged: its id and, after the report's columns, what is wrong."""
    return [_cell(item), *[""] * (len(CSV_COLUMNS) - 1), _cell(message)]


def _cell(value: str) -> str:
    # Source: OWASP, CSV Injection: a leading quote keeps the spreadsheet from running the cell.
    return ("'" if _FORMULA.match(value) else "") + showable(value)


# --- the terminal ----------------------------------------------------------------------------------------------------


def to_text(report: Report) -> str:
    """Write a report for a terminal, 80 columns wide, without colours or control characters."""
    blocks = [list(_head(report))]
    blocks.extend([f"PROJECT {n}", *_head(p), *_known(p.matches)] for n, p in enumerate(report.projects, 1))
    blocks.append(["WHY", *_why(report)])
    blocks.append(["WHAT IT CONSISTS OF", *_sides(report)])
    blocks.append(["NEAREST KNOWN THINGS", *(_known(report.matches) or ["  None that counts."])])
    if report.neighbours:
        blocks.append(["NEAR IN YOUR COLLECTIONS (no part of the verdict)", *_neighbours(report.neighbours)])
    if report.suggestions:
        steps = (line for n, s in enumerate(report.suggestions, 1) for line in _step(n, s, report))
        blocks.append(["WHAT WOULD MAKE IT YOUR OWN", *steps])
    if report.warnings:
        blocks.append(["TO KNOW", *(line for w in report.warnings for line in _wrapped(w.message, "- ", "  "))])
    made = report.provenance
    blocks.append(_wrapped(f"Checked by {made.software}; catalogue {made.catalogue}; rules {made.rules}."))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        _line(text),
        COLUMNS,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False,
    )


def _head(report: Report) -> Iterator[str]:
    name = f"  [{clip(report.id, 40)}]" if report.id else ""
    yield f"{VERDICTS[report.verdict].upper()}{name}"
    yield from _wrapped(report.summary)
    if report.change:
        yield from _wrapped(f"What would move it: {report.change}")
    if report.keep:
        yield from _wrapped(report.keep)
    yield from _wrapped(
        f"Chance that it counts as worn: {likelihood(report.flag_probability)} ({figure(report.flag_probability)})."
    )


def _why(report: Report) -> Iterator[str]:
    for reason in report.why:
        yield from _wrapped(f"{reason.text} [{DIRECTIONS[reason.direction]}]", "- ", "  ")
        yield from _quotes(e.quote for e in reason.evidence)
    if not report.why:
        yield "  Nothing spoke clearly either way."


def _sides(report: Report) -> Iterator[str]:
    for side, label in FACETS.items():
        facet: Facet = getattr(report.facets, side)
        items = f": {', '.join(facet.items)}" if facet.items else ""
        yield from _wrapped(f"{label + ' ':.<12} {status_words(side, facet)}{items}", "  ", " " * 15)


def _known(matches: Iterable[Match]) -> list[str]:
    lines: list[str] = []
    for match in matches:
        lines += _wrapped(f"{match.name}: {KINDS[match.kind]}, {TIERS[match.tier]}; {ROLES[match.role]}", "- ", "  ")
        lines += _quotes(e.quote for e in match.evidence[:1])
        # An address is never broken: it could not be clicked.
        lines += [f"    {showable(match.url)}"] if match.url else []
    return lines


def _neighbours(neighbours: Iterable[Neighbour]) -> list[str]:
    lines: list[str] = []
    for one in neighbours:
        lines += _wrapped(f"{one.name} ({one.collection}: {one.entry})", "- ", "  ")
        lines += _quotes(e.quote for e in one.evidence)
        lines += [f"    {showable(one.url)}"] if one.url else []
    return lines


def _quotes(quotes: Iterable[str]) -> list[str]:
    return [f'    "{clip(quote, COLUMNS - 6)}"' for quote in list(quotes)[:2]]


def _step(number: int, suggestion: Suggestion, report: Report) -> Iterator[str]:
    yield from _wrapped(f"{number}. {suggestion.title} ({suggestion.effort})", "", "   ")
    yield from _wrapped(suggestion.detail, "   ")
    for step in suggestion.first_steps:
        yield from _wrapped(step, "   - ", "     ")
    for resource in suggestion.resources:
        yield from _wrapped(f"See {resource.name}:", "   ")
        yield f"     {showable(resource.url)}"
    yield from _wrapped(f"Moves it {move(report, suggestion)}.", "   ")


def move(report: Report, suggestion: Suggestion) -> str:
    """Say where a suggestion leads, for instance ``from well worn (.93) to original (.12)``."""
    after = suggestion.projected
    return f"from {_place(report.verdict, report.flag_probability)} to {_place(after.verdict, after.flag_probability)}"


def _place(verdict: str, probability: float) -> str:
    return f"{VERDICTS[verdict].lower()} ({figure(probability)})"


# --- HTML ------------------------------------------------------------------------------------------------------------


def to_html(report: Report, text: str = "", title: str = "") -> str:
    """Write a report as one HTML file that needs nothing else: its style is inside, and there is no script.

    Args:
        text: the judged text exactly as it was given to the checker; it is shown with the evidence marked.
    """
    template = environment().get_template("file.html")
    return template.render(report=report, text=text, idea_title=title, style=style())


def to_html_overview(rows: Iterable[tuple[str, Report | None, str]]) -> str:
    """Write many reports as one HTML file that needs nothing else, in the order given.

    Args:
        rows: id, report, and the error where there is no report.
    """
    return environment().get_template("screening.html").render(rows=list(rows), style=style())


def segments(text: str, report: Report) -> list[Segment]:
    """Cut a text where evidence begins or ends, so that overlapping and nested evidence can be marked.

    Returns:
        Segments whose texts, joined, are ``text``.
    """
    spans = {side: _merged(getattr(report.facets, side), len(text)) for side in FACETS}
    cuts = sorted({0, len(text), *(at for found in spans.values() for span in found for at in span)})
    return [_segment(text, start, end, spans) for start, end in pairwise(cuts)]


def _segment(text: str, start: int, end: int, spans: dict[str, list[tuple[int, int]]]) -> Segment:
    over = {side: next((b for a, b in found if a <= start and end <= b), None) for side, found in spans.items()}
    covering = tuple(side for side, until in over.items() if until is not None)
    return Segment(showable(text[start:end]), covering, tuple(s for s in covering if over[s] == end))


def telling(evidence: Iterable[Evidence], length: int) -> list[Evidence]:
    """Choose the evidence worth quoting beside a finding: not what makes up half of a text of that length, or more."""
    return [e for e in evidence if not length or 2 * (e.end - e.start) < length]


def _merged(facet: Facet, length: int) -> list[tuple[int, int]]:
    """Join a facet's evidence where it overlaps, and keep it inside the text."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, e.start), min(length, e.end)) for e in facet.evidence):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


@cache
def style() -> str:
    """Read the style sheet that page and file share."""
    return (_HERE / "static" / "style.css").read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Open the templates, with the words and filters that they use; everything they print is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  the terminal does without

    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: showable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value,
    )
    made.filters |= {
        "clip": clip,
        "figure": figure,
        "likelihood": likelihood,
        "safe_url": _safe_url,
        "telling": telling,
    }
    made.globals |= {
        "segments": segments,
        "status_words": status_words,
        "move": move,
        "VERDICTS": VERDICTS,
        "MEANINGS": MEANINGS,
        "FACETS": FACETS,
        "SIDES": SIDES,
        "KINDS": KINDS,
        "ROLES": ROLES,
        "TIERS": TIERS,
        "DIRECTIONS": DIRECTIONS,
    }
    return made


def _safe_url(url: str | None) -> str:
    """Let only web addresses become links: a collection that somebody added may hold anything."""
    return url if url and re.match(r"https?://", url, re.IGNORECASE) else ""
