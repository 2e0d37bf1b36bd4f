"""Finds the projects of a text that holds several, by its numbering, bullets or table rows.

A list is no bundle by itself: features, steps and columns are listed too. So the text has to speak of projects in the
plural before its list, or to be nothing but a list; and the checker asks of each part whether it is a project at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app import intake
from app.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.records import Brief, Facets, Match, Reading

MAX_PARTS = 30
"""Parts beyond this are left to the parent: a list so long holds titles rather than descriptions."""
MIN_WORDS = 3

_PLURAL = re.compile(
    r"\b(?:projects|portfolio|notebooks|exercises|challenges|experiments|(?:two|three|four|five|some) things|"
    r"(?:two|three|four|five|several) (?:apps|models|studies)|in (?:two|three|four|five) lines|journey|"
    r"proyectos|projetos|projets|projekte|progetti|проект\w*|projeler\w*|proyek)\b|项目|プロジェクト",
    re.IGNORECASE,
)
_BEFORE_CHARS = 600
"""How far before its first part a text must speak of projects."""
_NUMBERS = {word: n for n, word in enumerate(("one", "two", "three", "four", "five", "six", "seven"), start=1)} | {
    word: n for n, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth", "seventh"), start=1)
}
_WORDS = "|".join(_NUMBERS)
# Blanks are never given back: four runs of them in a row would share out sixty thousand tabs for a minute otherwise.
_NUMBERED = (
    re.compile(
        r"(?m)^[ \t>]*+(?:#{1,6}[ \t]*+)?(?:[-*•+][ \t]*+)?(?:\*\*)?(?:project|notebook)?[ \t]*+#?(\d{1,2})[.):][ \t]",
        re.IGNORECASE,
    ),
    re.compile(r"\((\d{1,2}|[a-h])\)[ \t]"),
    re.compile(r"(?:(?<=\s)|^)(\d{1,2}|[a-h])\)[ \t]"),
    re.compile(rf"\b(?:project|notebook|number)[ \t]+({_WORDS}|[A-H]\b|\d{{1,2}})", re.IGNORECASE),
    re.compile(rf"(?:(?<=[.:;!?] )|^)({_WORDS})(?=[:,])", re.IGNORECASE | re.MULTILINE),
    re.compile(rf"\b(?:the)[ \t]+({_WORDS})\b", re.IGNORECASE),
)  # fmt: skip
_BULLET = re.compile(r"(?m)^[ \t]*[-*•+][ \t]+(?=\S)")
_TABLE_ROW = re.compile(r"(?m)^[ \t]*+\|(?![ \t]*:?-)(?=[^\w\n]*+\w.*\|)")
_SEMICOLON = re.compile(r";[ \t]+(?:and[ \t]+)?")


def split(brief: Brief) -> list[Brief]:
    """Give each project of a text as a brief of its own, in order; empty where the text is one project.

    The parts keep the positions of the whole: what lies outside a part is blanked, so that evidence found in it can be
    shown in the text as it was received.
    """
    for starts in _lists(brief.text):
        parts = _parts(brief.text, starts)
        if 2 <= len(parts) <= MAX_PARTS and _speaks_of_projects(brief.text, starts[0]):
            return [_part(brief, span, number) for number, span in enumerate(parts, start=1)]
    return []


def _lists(text: str) -> Iterator[list[int]]:
    for pattern in _NUMBERED:
        starts: list[int] = []
        for found in pattern.finditer(text):
            if _value(found.group(1)) == len(starts) + 1:
                starts.append(found.start())
        if len(starts) > 1:
            yield starts
    for pattern in (_TABLE_ROW, _BULLET):
        starts = [found.start() for found in pattern.finditer(text)]
        if len(starts) > 1:
            yield starts[1:] if pattern is _TABLE_ROW else starts
    colon = text.find(":")
    if colon >= 0 and "\n" not in text.strip():
        yield [colon + 1, *(found.end() for found in _SEMICOLON.finditer(text, colon))]


def _value(word: str) -> int:
    folded = word.casefold()
    if folded.isdigit():
        return int(folded)
    return _NUMBERS.get(folded) or ord(folded) - ord("a") + 1


def _parts(text: str, starts: list[int]) -> list[Span]:
    """Cut at the starts; the last part ends with its paragraph. What has too few words is no part."""
    last = text.find("\n\n", starts[-1])
    ends = [*starts[1:], last if last >= 0 else len(text)]
    spans = [Span(start, end) for start, end in zip(starts, ends, strict=True)]
    return [span for span in spans if len(re.findall(r"\w+", text[span.start : span.end])) >= MIN_WORDS]


def _speaks_of_projects(text: str, start: int) -> bool:
    before = text[max(0, start - _BEFORE_CHARS) : start]
    return bool(_PLURAL.search(before)) or not before.strip()


def _part(brief: Brief, span: Span, number: int) -> Brief:
    # Line ends and not blanks: four blanks would make a line of code of it.
    text = "\n" * span.start + brief.text[span.start : span.end]
    return intake.read(text, id=f"{brief.id}/{number}", language=brief.language)


def holds(parts: Iterable[tuple[Reading, Sequence[Match], Facets]]) -> bool:
    """Tell whether the parts of a text are projects: most of them have data, and not all the same."""
    data = [_data_of(*part, number) for number, part in enumerate(parts)]
    return len(set(filter(None, data))) > 1 and len(data) < 2 * len(list(filter(None, data)))


def _data_of(reading: Reading, matches: Sequence[Match], facets: Facets, number: int) -> str:
    """Name what a part rests on: a dataset or a theme that it names, or its own data; empty if it shows none.

    What was only inferred doesn't count: a step such as "fit a random forest" resembles many a dataset's projects.
    """
    names = {m.entry for m in reading.mentions}
    known = [m.entry for m in matches if m.role == "rests_on" and m.entry in names]
    named = [m.entry for m in reading.mentions if m.kind == "cliche" and m.sure]
    own = [f"own {number}"] if facets.data.status == "own" and facets.data.evidence else []
    return next(iter([*known, *named, *own]), "")
