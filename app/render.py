"""Writes a report for people and programs: JSON, a self-contained HTML file, terminal text, a row of a table.

Everything is pure: the same report gives the same characters, and every result can be encoded in UTF-8, whatever the
judged text held.
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

from app import tongues, words
from app.words import DIRECTIONS, FACETS, KINDS, ROLES, TIERS, TROUBLES, VERDICTS, figure, likelihood, status_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import Environment

    from app.report import Evidence, Facet, Match, Neighbour, Report, Suggestion

COLUMNS = 80
"""Width of the terminal text."""

SHOWN_QUOTE = 90
"""Longest quotation beside a finding, in characters; the whole text stands highlighted elsewhere."""

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

_HERE = Path(__file__).resolve().parent
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BROKEN = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Marks that turn the direction of what follows: on a page they end with their element, in a terminal they don't.
_TURNING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"(\A|[;|\t\r\n])(?=[\s\ufeff\u200b-\u200f\u2060]{0,9}+[=+\-@＝＋－＠])|\A(?=[\t\r])")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+|~!&-]")
_TABLES = (
    "VERDICTS",
    "MEANINGS",
    "FACETS",
    "SIDES",
    "KINDS",
    "ROLES",
    "TIERS",
    "DIRECTIONS",
    "CORRECTIONS",
    "TROUBLES",
)


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


# --- what can be shown ----------------------------------------------------------------------------------------------


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
    # Source: OWASP, CSV Injection: a leading quote keeps the spreadsheet from running the cell. What it doesn't show
    # before a sign, or takes for one (the wide signs of a Japanese keyboard), counts too; so does a sign behind what
    # separates cells where a comma doesn't, whatever quotes the whole stands in.
    return _FORMULA.sub(r"\1'", showable(value))


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
        blocks.append(["WHAT WOULD MAKE IT YOUR OWN", *_wrapped(phrasing(report)), *steps])
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


def phrasing(report: Report) -> str:
    """Say where the suggestions were sent to be worded anew, and what came of it; empty where nothing was asked."""
    done = report.phrasing
    if done is None:
        return ""
    parts = [f"{done.rephrased} of {len(report.suggestions)} worded anew by {done.model} at {done.host}."]
    if not done.host:
        parts = ["Nothing was sent to a language model."]
    return " ".join([*parts, *([TROUBLES[done.trouble]] if done.trouble else [])])


def move(report: Report, suggestion: Suggestion) -> str:
    """Say where a suggestion leads, for instance ``from well worn (.93) to original (.12)``."""
    after = suggestion.projected
    return f"from {_place(report.verdict, report.flag_probability)} to {_place(after.verdict, after.flag_probability)}"


def _place(verdict: str, probability: float) -> str:
    return f"{VERDICTS[verdict].lower()} ({figure(probability)})"


# --- Markdown --------------------------------------------------------------------------------------------------------


def to_markdown(report: Report) -> str:
    """Write a report as Markdown for a README or an issue; nothing in it can become markup by itself."""
    made = report.provenance
    blocks = [
        f"# {VERDICTS[report.verdict]}",
        _marked(report.summary),
        f"**What would move it:** {_marked(report.change)}" if report.change else "",
        _marked(report.keep),
        f"That it counts as well worn: {likelihood(report.flag_probability)} ({figure(report.flag_probability)}).",
        "## What it consists of",
        "| Side | Reading | Found |\n| --- | --- | --- |\n" + "\n".join(_row(report, side) for side in FACETS),
        "## Nearest known things",
        "\n".join(map(_item, report.matches)) or "None that counts.",
        *(
            [
                "## What would make it your own",
                _marked(phrasing(report)),
                *(_section(one, report) for one in report.suggestions),
            ]
            * bool(report.suggestions)
        ),
        "## Why this verdict",
        "\n".join(f"- {_marked(r.text)} ({DIRECTIONS[r.direction]})" for r in report.why) or "Nothing spoke clearly.",
        *(["## What the checker could not see"] * bool(report.warnings)),
        "\n".join(f"- {_marked(w.message)}" for w in report.warnings),
        _marked(f"Checked by {made.software}; catalogue {made.catalogue}; rules {made.rules}."),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _row(report: Report, side: str) -> str:
    facet: Facet = getattr(report.facets, side)
    return f"| {FACETS[side]} | {status_words(side, facet)} | {_marked(', '.join(facet.items)) or 'nothing'} |"


def _item(match: Match) -> str:
    return f"- {_linked(match.name, match.url)}: {KINDS[match.kind]}, {TIERS[match.tier]}; {ROLES[match.role]}"


def _section(suggestion: Suggestion, report: Report) -> str:
    steps = "".join(f"\n- {_marked(step)}" for step in suggestion.first_steps)
    places = ", ".join(_linked(one.name, one.url) for one in suggestion.resources)
    return (
        f"### {_marked(suggestion.title)}\n\n{_marked(suggestion.detail)} ({suggestion.effort}; moves it "
        f"{move(report, suggestion)}.)\n{steps}\n\n{places}\n\n> {_marked(suggestion.rewrite)}"
    )


def _linked(name: str, url: str | None) -> str:
    address = _safe_url(url).replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return f"[{_marked(name)}]({address})" if address else _marked(name)


def _marked(text: str) -> str:
    """Put a text on one line, every sign that Markdown could obey taken as itself."""
    return _MARKDOWN.sub(r"\\\g<0>", _line(text)).replace("<", "&lt;")


# --- HTML ------------------------------------------------------------------------------------------------------------


def to_html(report: Report, text: str = "", title: str = "", language: str = tongues.SOURCE) -> str:
    """Write a report as one HTML file that needs nothing else: its style is inside, and there is no script.

    Args:
        text: the judged text exactly as it was given to the checker; it is shown with the evidence marked.
        language: one of ``tongues.LANGUAGES``.
    """
    template = environment(language).get_template("file.html")
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
def environment(language: str = tongues.SOURCE) -> Environment:
    """Open the templates in a language, with the words and filters that they use; everything they print is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  the terminal does without

    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        finalize=lambda value: showable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value,
    )
    tongue = tongues.Tongue.open(language)
    made.install_gettext_translations(tongue.translations, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "clip": clip,
        "figure": lambda p: tongue.word(figure(p)),
        "likelihood": lambda p: tongue.word(likelihood(p)),
        "number": tongue.number,
        "safe_url": _safe_url,
        "say": tongue.say,
        "telling": telling,
        "word": tongue.word,
    }
    made.tests["sayable"] = tongue.can_say
    made.globals |= {
        "language": language,
        "languages": tongues.LANGUAGES,
        "move": move,
        "segments": segments,
        "status_words": lambda side, facet: tongue.word(status_words(side, facet)),
        **{name: tongue.table(getattr(words, name)) for name in _TABLES},
    }
    return made


def _safe_url(url: str | None) -> str:
    """Let only web addresses become links: a collection that somebody added may hold anything."""
    return url if url and re.match(r"https?://", url, re.IGNORECASE) else ""
