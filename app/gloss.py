"""Puts texts of other languages into English word by word, so that what reads English can read them.

A glossary is a table of words and phrases of one language and what an English author would write there
(``data/gloss``). The result is no translation: order and grammar stay those of the original, and what the table doesn't
know stays as it is. Every character of it leads back to the received text, so that evidence is quoted from there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ahocorasick_rs import AhoCorasick, MatchKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FOLDER = Path(__file__).parent / "data" / "gloss"
STEMMERS: Mapping[str, str] = {
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "pt": "portuguese",
    "ru": "russian",
    "tr": "turkish",
}
"""Languages whose words are compared by their stems. Source: Snowball's algorithms (snowballstem.org)."""
UNSPACED = frozenset({"ja", "zh"})
"""Languages written without blanks, in which a form may begin and end anywhere."""
SHORTEST_STEM = 4
"""Letters of a stem that still belongs to one word; shorter ones are shared, so that only the form itself counts."""
LEAST_SHARE = 0.1
"""Share of its letters that a table knows of a text in its language. Source: of the labelled texts, those in the
language have .14 and more, and English ones that were taken for it .08 at most."""
LONGEST_FORM = 5
"""Words of the longest form that a table may hold."""

_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u0900-\u0903\u093a-\u094f]+[^\W\d_]*)*['’]?")
_PERSONS = ("I ", "we ")
_BETWEEN = re.compile(r"[\s-]{0,3}")
"""What may stand between the words of a phrase."""


@dataclass(frozen=True, slots=True)
class Gloss:
    """A text in glossed form.

    Attributes:
        text: known words in English, all else as it was.
        places: for each stretch of ``text``, in order: where it begins there, and the [start, end) that it stands for;
            a stretch that was left as it was keeps its length.
    """

    text: str
    places: tuple[tuple[int, int, int], ...]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Give the [start, end) of the received text that a non-empty [start, end) of the glossed text stands for."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, place: int) -> tuple[int, int]:
        """Give the stretch of a character: itself where it was left, else the whole word that it comes from."""
        number = bisect_right(self.places, place, key=lambda one: one[0]) - 1
        begins, start, end = self.places[number]
        after = self.places[number + 1][0] if number + 1 < len(self.places) else len(self.text)
        if after - begins == end - start:
            return start + place - begins, start + place - begins + 1
        return start, end


class Known(Protocol):
    """The words that a table knows."""

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield [start, end) and English of each, in order, the longest from every place on, none overlapping."""


class Glossary:
    """The table of one language."""

    def __init__(self, known: Known) -> None:
        """Take what finds the words."""
        self._known = known

    def share(self, text: str) -> float:
        """Give the share of a text's letters that the table knows, in [0, 1]; 0 for a text without letters."""
        known = sum(end - start for start, end, _ in self._known.found(text))
        # Vowel signs are letters of a word and none by themselves, as are the blanks of a phrase: hence the bound.
        return min(1.0, known / max(1, sum(c.isalpha() for c in text)))

    def read(self, text: str) -> Gloss:
        """Gloss a text."""
        parts: list[str] = []
        places: list[tuple[int, int, int]] = []
        at = length = 0
        for start, end, english in self._known.found(text):
            for begin, stop, part in ((at, start, text[at:start]), (start, end, _spaced(english, text, start, end))):
                if part:
                    parts.append(part)
                    places.append((length, begin, stop))
                    length += len(part)
            at = end
        if at < len(text) or not parts:
            parts.append(text[at:])
            places.append((length, at, len(text)))
        return Gloss("".join(parts), tuple(places))


class Words:
    """Forms of a language that writes blanks, compared word by word: as they stand, else by their stems."""

    def __init__(self, forms: Mapping[str, str], stem: Callable[[str], str]) -> None:
        """Take the table.

        Args:
            forms: word or phrase to its English.
            stem: brings a lower-case word to its stem.
        """
        self._stem = stem
        self._english: dict[tuple[str, ...], str] = {}
        self._english_of_stems: dict[tuple[str, ...], str] = {}
        for form, english in forms.items():
            words = tuple(_lower(m.group()) for m in _WORD.finditer(form))
            self._english.setdefault(words, english)
            stems = tuple(map(stem, words))
            # "entrené" and "entrenado" share a stem: by that of a form with a person in it, everybody is the author.
            if not english.startswith(_PERSONS) and (len(words) > 1 or len(stems[0]) >= SHORTEST_STEM):
                self._english_of_stems.setdefault(stems, english)

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield what is known; see ``Known``."""
        spans = [m.span() for m in _WORD.finditer(text)]
        words = [_lower(text[start:end]) for start, end in spans]
        stems = list(map(self._stem, words))
        at = 0
        while at < len(words):
            joined = (_BETWEEN.fullmatch(text, spans[n][1], spans[n + 1][0]) for n in range(at, len(words) - 1))
            reach = 1 + sum(1 for _ in takewhile(bool, islice(joined, LONGEST_FORM - 1)))
            for count in range(reach, 0, -1):
                here = slice(at, at + count)
                english = self._english.get(tuple(words[here])) or self._english_of_stems.get(tuple(stems[here]))
                if english:
                    yield spans[at][0], spans[at + count - 1][1], english
                    break
            at += count


class Letters:
    """Forms of a language that writes no blanks, looked for anywhere."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        """Take the table: word or phrase to its English."""
        self._english = list(forms.values())
        self._automaton = AhoCorasick(list(map(_lower, forms)), matchkind=MatchKind.LeftmostLongest)

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield what is known; see ``Known``."""
        for form, start, end in self._automaton.find_matches_as_indexes(_lower(text)):
            yield start, end, self._english[form]


def _lower(text: str) -> str:
    """Fold case and apostrophes one for one: a letter whose small form is longer stays as it is."""
    return "".join(low if len(low := c.lower()) == 1 else c for c in text).replace("’", "'")


def _spaced(english: str, text: str, start: int, end: int) -> str:
    """Put blanks where a word would touch its neighbour, as in languages written without them, or after l'."""
    before = " " if start and text[start - 1].isalnum() else ""
    after = " " if end < len(text) and (text[end].isalnum() or text[end - 1] in "'’") else ""
    return f"{before}{english}{after}"


@cache
def of(language: str) -> Glossary | None:
    """Give the glossary of a language by its two-letter code; none where there is no table."""
    if language not in STEMMERS and language not in UNSPACED:
        return None
    lines = (FOLDER / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    forms = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
    if language in UNSPACED:
        return Glossary(Letters(forms))
    from snowballstemmer import stemmer  # noqa: PLC0415  only texts of other languages need it

    return Glossary(Words(forms, stemmer(STEMMERS[language]).stemWord))
