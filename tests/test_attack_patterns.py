"""Attacks on regular expressions: each of the package's own meets the inputs that it is slowest on."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from app import bundle, claims, cues, intake
from app.fetch import hub
from app.screenings.veil import veil
from app.submissions import read
from tests.patterns import Found, attacks, collect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Attempts

LENGTH = 3_000
"""Characters of an attack: an expression that takes quadratic time needs some tens of milliseconds here."""
QUICK_S = 0.01
"""An expression that is this quick is not looked at closer; a linear one takes a hundredth of it."""
GROWTH = 9.0
"""Most that four times the length may cost; quadratic time costs sixteen times as much."""

BOUNDED = {
    # A sentence is cut at intake.MAX_SENTENCE_CHARS, before a cue, a claim or a score is looked for in it.
    "app.claims._KEYWORDS": 500,
    "app.claims._ORDER": 500,
    "app.cues.CUES": 500,
    "app.advice.subject._SCORE": 500,
    # A heading is at most that long, or is none.
    "app.submissions.resume._PROJECTS_HEADING": 60,
    # A part of an Accept-Language header that a server of ours takes; no line end gets into one.
    "app.tongues._WEIGHED": 400,
    # A draft that is longer is refused before; see _fits.
    "app.rephrase.fidelity._LINK": 2_000,
    # Names, descriptions and twists of the catalogue, and what is composed of them, by whoever keeps the catalogue.
    "app.advising": 400,
    "app.advice.compose": 400,
    "app.advice.selection": 2_000,
    "app.advice.subject": 400,
    # A stretch of Markdown between two blank lines, never blank lines themselves; see the whole way below.
    "app.intake._LINK_TARGET": 400,
}
"""Expressions that never meet more characters than that, and why."""
MADE = {
    "app.advice.compose: f'(?<!\\\\w){re.escape(name)}(?!\\\\w)'",
    "app.advice.compose: words",
    "app.advice.sources: PLACES[region]",
    "app.advice.sources: f'\\\\b(?:{words})'",
    "app.advice.subject: f'[\\\\w,] {re.escape(w)}'",
    "app.advice.subject: f'\\\\b{c}\\\\b'",
    "app.advice.voice: pattern",
    "app.advising: '|'.join(map(re.escape, longest))",
    "app.bundle: f'(?:(?<=[.:;!?] )|^)({_WORDS})(?=[:,])'",
    "app.bundle: f'\\\\b(?:project|notebook|number)[ \\\\t]+({_WORDS}|[A-H]\\\\b|\\\\d{{1,2}})'",
    "app.bundle: f'\\\\b(?:the)[ \\\\t]+({_WORDS})\\\\b'",
    "app.cues: pattern",
    "app.fetch.compare: claim",
    "app.fetch.compare: place",
    "app.generations: re.escape(f'.{folder.name}-') + '(\\\\d{6,})'",
    "app.screenings.veil: '|'.join(map(_one, longest_first))",
    (
        "app.submissions.resume: f'(?:\\\\w+ |\\\\w+[-/&] ?){{0,3}}(?:{_PROJECTS})"
        "(?:\\\\s*(?:&|and|und|y|et|e|/)\\\\s*\\\\w+)?(?: (?:experience|work|portfolio))?'"
    ),
    "app.submissions.resume: f'(?:{_LIVES})'",
    "app.submissions.resume: f'(?:{_LIVES}|{_OTHERS})'",
    "app.tongues: _PLACE.sub('(?P<\\\\1>.+?)', re.escape(s)) + '(?:\\\\s+|$)'",
}
"""Expressions that are put together when they are needed: kept in a module and attacked there, or made of words alone,
each of which is escaped. A new one is to be looked at, and then named here."""


def took(work: Callable[[str], object], text: str) -> float:
    """Measure seconds of this thread's processor time."""
    began = time.thread_time()
    work(text)
    return time.thread_time() - began


def is_slow(work: Callable[[str], object], write: Callable[[int], str], length: int) -> bool:
    """Tell whether the time for a text grows faster than its length; each measure is the best of three."""
    if took(work, write(24)) > QUICK_S or took(work, write(length // 10)) > QUICK_S:
        return True  # what is exponential is never asked for more
    if took(work, write(length)) <= QUICK_S:
        return False
    short, long = (min(took(work, write(n)) for _ in range(3)) for n in (length, 4 * length))
    return long > GROWTH * short


def _bound(one: Found) -> int:
    return BOUNDED.get(one.where, LENGTH)


def test_every_expression_is_linear(attempts: Attempts) -> None:
    """Every expression of the package takes time in proportion to its input, on the worst that its parts can make."""
    found, made = collect()
    assert len(found) > 150
    assert {one.where for one in found} >= set(BOUNDED)
    assert made == MADE
    for one in found:
        for before, again, end in sorted(attacks(one.pattern)):

            def write(length: int, before: str = before, again: str = again, end: str = end) -> str:
                return before + again * (length // len(again) + 1) + end

            if one.where in BOUNDED:
                slow = took(one.use, write(_bound(one))) > 5 * QUICK_S
            else:
                slow = is_slow(one.use, write, LENGTH)
            attempts.note(f"{one.where} on {before!r} + {again!r} * n + {end!r}", held=not slow)


WAYS: dict[str, Callable[[str], object]] = {
    "a text is read and split": lambda text: bundle.split(intake.read(text, id="x")),
    "its sentences are read": lambda text: [
        cues.find(sentence.text) for sentence in claims.mute(intake.read(text, id="x")).sentences
    ],
    "a notebook is read": lambda text: list(
        read("a.ipynb", b'{"cells": [{"cell_type": "code", "source": %s}]}' % json.dumps(text).encode())
    ),
    "a card's head is cut off": lambda text: hub._HEAD.sub("", text),
    "people are hidden": lambda text: veil(text, ["Ada Lovelace", "a" * 200]),
}
PUMPS = (
    ("\t#", "\t", "x"),
    ("|", "a", ""),
    ("](a", "\n", "!"),
    ("a\n", " ", "["),
    ("x", "[a\n", ""),
    ("", "a.", "!"),
    ("", "a-", "!"),
    ("", "a@", ""),
    ("# ", "(", ""),
    ("!wget ", "wget(", "\0"),
    ("---", "\n", "!"),
    ("---\n", "\n--- ", "x"),
    ("", "now ", "!"),
    ("", "<a", ""),
    ("", "<!--", ""),
    ("", "*", "a"),
    ("", "_a", ""),
    ("", "> ", ""),
    ("", "1. ", ""),
    ("", "![", ""),
    ("", "&", ""),
    ("", "\\", ""),
    ("", "`", ""),
    ("", "ﷺ", ""),
    ("", "e\u0301", ""),
)


@pytest.mark.parametrize("way", WAYS)
def test_no_text_takes_longer_than_its_length(way: str, attempts: Attempts) -> None:
    """The stages that meet somebody's whole text take time in proportion to it, whatever it is made of."""
    for before, again, end in PUMPS:

        def write(length: int, before: str = before, again: str = again, end: str = end) -> str:
            return before + again * (length // len(again) + 1) + end

        short, long = (min(took(WAYS[way], write(n)) for _ in range(2)) for n in (5_000, 20_000))
        held = long <= max(GROWTH * short, 0.2)
        attempts.note(f"{way}: {before!r} + {again!r} * n + {end!r}: {short:.3f} s, then {long:.3f} s", held=held)
