"""Finds catalogue names in a text by their letters: as people write them, with bounded typos.

A name is found at word boundaries in a folded form of the text (compatibility forms, case, look-alike letters,
separators), and reported at its place in the received text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind
from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.letters import CJK, INVISIBLE, LOOKALIKES
from app.records import Mention, Name, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.records import Brief, EntryKind

NEAREST_KEPT = 4_096
"""Words whose nearest names are kept: those of some hundred texts."""
_TYPO_MIN_CHARS = 7
_TYPO_TWO_EDITS_CHARS = 11
_TYPO_MIN_WORD = 5
_TYPO_MAX_WORDS = 3
_TYPO_MAX_TOKENS = 1_500
"""Bounds of the typo search: one edit from 7 letters, two from 11, so that a name is still its nearest reading; past
1,500 words a text has named its data more than once."""

_ENDINGS = ("ers", "ing", "ed", "er", "es", "ly", "rs", "s", "d", "r")
_SHORTEST_STEM, _SHORTEST_PART = 3, 4
"""English endings, and the letters that must be left of a word or of half a compound. Source: judgement; a wrong typo
match on the labelled texts has always been a word that the model's vocabulary lists without its ending."""

_CHUNK = re.compile(r"\S+|\s")
_RUN = re.compile(r"([a-z0-9+#]+)|[^a-z0-9+#]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in folded form; ``origin[i]`` is the code point of the received text that character i stands for."""

    text: str
    origin: tuple[int, ...]


def fold(text: str) -> Folded:
    """Fold a text for name matching: NFKC, case, look-alikes, and every run of separators to one blank."""
    letters: list[str] = [" "]
    origin: list[int] = [0]
    chunks = [(0, text)] if text.isascii() else [(word.start(), word.group()) for word in _CHUNK.finditer(text)]
    for start, raw in chunks:
        if raw.isascii():
            for run in _RUN.finditer(raw.lower()):
                if run[1]:
                    letters.append(run[1])
                    origin.extend(range(start + run.start(), start + run.end()))
                elif letters[-1] != " ":
                    letters.append(" ")
                    origin.append(start + run.start())
            continue
        mixed = any(c.isascii() and c.isalpha() for c in unicodedata.normalize("NFKC", raw))
        for at, char in enumerate(raw, start):
            for folded in unicodedata.normalize("NFKC", char).casefold():
                plain = LOOKALIKES.get(folded, folded) if mixed else folded
                if plain.isalnum() or plain in "+#":
                    letters.append(plain)
                    origin.append(at)
                elif letters[-1] != " " and not (INVISIBLE.match(plain) or unicodedata.combining(plain)):
                    letters.append(" ")
                    origin.append(at)
    letters.append(" ")
    origin.append(len(text))
    return Folded("".join(letters), tuple(origin))


@dataclass(frozen=True, slots=True)
class Tables:
    """All that a finder looks up; making it folds every name, so that ``app.nametable`` keeps it.

    Attributes:
        names: folded form to the names written so.
        vocabulary: ordinary words, folded; none is ever taken for a misspelt name.
        typos: number of words and first letter to the forms that are also found misspelt.
    """

    names: Mapping[str, Sequence[Name]]
    vocabulary: frozenset[str]
    typos: Mapping[tuple[int, str], Sequence[str]]

    @classmethod
    def of(cls, names: Iterable[Name], prose: Iterable[str] = (), words: Iterable[str] = ()) -> Tables:
        """Make the tables; two entries may share a form, and then both are found.

        Args:
            names: all written forms.
            prose: ordinary texts, and
            words: ordinary words in folded form.
        """
        found: dict[str, list[Name]] = defaultdict(list)
        for name in names:
            for form in _forms(name.text):
                if all(n.entry != name.entry for n in found[form]):
                    found[form].append(name)
        vocabulary = {*words, *(word for form in found for word in form.split())}
        vocabulary.update(word for text in prose for word in fold(text).text.split())
        return cls({form: found[form] for form in sorted(found)}, frozenset(vocabulary), _typo_buckets(found))


class AliasFinder:
    """All names of a catalogue in one automaton; built once, then read-only."""

    def __init__(self, tables: Tables) -> None:
        """Build the automaton."""
        self.tables = tables
        self._patterns = list(tables.names)
        # The forms stand here already; the automaton needn't keep them as well.
        self._automaton = AhoCorasick(self._patterns, matchkind=MatchKind.Standard, store_patterns=False)
        self._by_length = _by_length(tables.typos)
        # A text and its rewrites share most of their words. Kept in memory alone, and for as long as they are in use.
        self._nearest = lru_cache(maxsize=NEAREST_KEPT)(self._sought)
        self._is_ordinary = lru_cache(maxsize=NEAREST_KEPT)(self._known)

    def find(self, brief: Brief, folded: Folded) -> list[Mention]:
        """Find every name in a text, longest first where names of one kind overlap; in the order of the text."""
        spans = [
            (start + 0, end + _has_plural(folded.text, start, end), self._patterns[pattern])
            for pattern, start, end in self._automaton.find_matches_as_indexes(folded.text, overlapping=True)
            if _bounded(folded.text, start, end)
        ]
        spans += self._typos(folded, spans)
        starts = [s.span.start for s in brief.sentences]
        found: list[Mention] = []
        for start, end, form in spans:
            span = Span(folded.origin[start], folded.origin[end - 1] + 1)
            sentence = max(0, bisect_right(starts, span.start) - 1)
            found += [Mention(n.entry, n.kind, span, sentence, n.text, n.sure) for n in self.tables.names[form]]
        return longest(found)

    def _typos(self, folded: Folded, exact: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
        taken = bytearray(len(folded.text))
        for start, end, _ in exact:
            taken[start:end] = b"\1" * (end - start)
        tokens = [(m.start(), m.end()) for m in re.finditer(r"\S+", folded.text)][:_TYPO_MAX_TOKENS]
        ordinary = [self._is_ordinary(folded.text[start:end]) for start, end in tokens]
        found = []
        for first in range(len(tokens)):
            for count in range(1, _TYPO_MAX_WORDS + 1):
                if first + count > len(tokens):
                    break
                start, end = tokens[first][0], tokens[first + count - 1][1]
                gram = folded.text[start:end]
                if len(gram) < _TYPO_MIN_CHARS or all(ordinary[first : first + count]):
                    continue
                if all(taken[start:end]) or _cuts_into(taken, start, end):
                    continue
                form = self._nearest(gram, count)
                if form:
                    found.append((start, end, form))
        return found

    def _sought(self, gram: str, words: int) -> str | None:
        """Find the form that some words most likely misspell, among those of about their length."""
        edits = 2 if len(gram) >= _TYPO_TWO_EDITS_CHARS else 1
        near: list[tuple[int, int, str]] = []
        for length in range(len(gram) - edits, len(gram) + edits + 1):
            places, forms = self._by_length.get((words, gram[0], length), ((), ()))
            found = process.extract(gram, forms, scorer=OSA.distance, score_cutoff=edits, limit=None)
            near += [(distance, places[at], form) for form, distance, at in found]
        best = next((form for _, _, form in sorted(near) if _only_long_words_differ(form, gram)), None)
        return best if best and self._is_a_slip(best, gram) else None

    def _is_a_slip(self, form: str, gram: str) -> bool:
        """Tell whether every word that differs is no other word: "spike detection" isn't "smoke detection" misspelt."""
        different = [(a, b) for a, b in zip(form.split(), gram.split(), strict=True) if a != b]
        return all(
            b == a + "s" or not (self._is_ordinary(b) or _stem(a) == _stem(b) or _digits(a) != _digits(b))
            for a, b in different
        )

    def _known(self, word: str) -> bool:
        """Tell whether a word is known, or one of its forms, or made of two known ones."""
        if word in self.tables.vocabulary or _stem(word) in self.tables.vocabulary:
            return True
        parts = range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        return any(word[:at] in self.tables.vocabulary and _stem(word[at:]) in self.tables.vocabulary for at in parts)


def _by_length(
    buckets: Mapping[tuple[int, str], Sequence[str]],
) -> dict[tuple[int, str, int], tuple[list[int], list[str]]]:
    """Part each bucket by the length of its forms, which keep their places: of equally near ones the first counts."""
    parted: dict[tuple[int, str, int], tuple[list[int], list[str]]] = defaultdict(lambda: ([], []))
    for (words, first), forms in buckets.items():
        for place, form in enumerate(forms):
            places, same = parted[words, first, len(form)]
            places.append(place)
            same.append(form)
    return dict(parted)


def _digits(word: str) -> str:
    return "".join(letter for letter in word if letter.isdecimal())


def _stem(word: str) -> str:
    """Cut an English ending off, if enough is left."""
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= _SHORTEST_STEM), "")
    return word.removesuffix(ending)


def _cuts_into(taken: bytearray, start: int, end: int) -> bool:
    """Tell whether a stretch ends within a name found exactly; one that holds it whole may be a longer name."""
    return bool((taken[start - 1] and taken[start]) or (taken[end - 1] and taken[end]))


def _forms(name: str) -> list[str]:
    """Give the folded spellings that a name is looked for under: as written and, if it has parts, written together."""
    spaced = fold(name).text.strip()
    if not spaced:
        return []
    joined = spaced.replace(" ", "")
    return [spaced, joined] if joined != spaced and len(joined) >= 6 else [spaced]


def _only_long_words_differ(form: str, gram: str) -> bool:
    """Tell whether every word that isn't spelt the same is long enough to be recognised through a slip."""
    return all(a == b or min(len(a), len(b)) >= _TYPO_MIN_WORD for a, b in zip(form.split(), gram.split(), strict=True))


def _typo_buckets(names: dict[str, list[Name]]) -> dict[tuple[int, str], list[str]]:
    buckets: dict[tuple[int, str], list[str]] = defaultdict(list)
    for form, owners in sorted(names.items()):
        words = form.count(" ") + 1
        letters = sum(c.isalpha() for c in form)
        if letters >= _TYPO_MIN_CHARS and words <= _TYPO_MAX_WORDS and any(n.sure for n in owners):
            buckets[words, form[0]].append(form)
    return buckets


def _bounded(text: str, start: int, end: int) -> bool:
    """Tell whether a match stands at word boundaries; a plural s may follow, and a change of script is a boundary."""
    left, right = text[start - 1], text[end]
    if not (left == " " or CJK.match(left) or CJK.match(text[start])):
        return False
    if right == " " or CJK.match(right) or CJK.match(text[end - 1]):
        return True
    return _has_plural(text, start, end)


def _has_plural(text: str, start: int, end: int) -> bool:
    """Tell whether a plural s follows a name of more than three letters."""
    return text[end : end + 2] == "s " and text[end - 1].isalpha() and end - start > 3


def longest(found: list[Mention]) -> list[Mention]:
    """Drop a mention that lies inside a longer one of the same kind; one walk, for a text may hold thousands."""
    kept: dict[tuple[EntryKind, Span, str], Mention] = {}
    widest: dict[EntryKind, Span] = {}
    for mention in sorted(found, key=lambda m: (m.span.start, -m.span.end)):
        span, around = mention.span, widest.get(mention.kind)
        if around is None or span.end > around.end:
            widest[mention.kind] = around = span
        if around == span:
            kept.setdefault((mention.kind, span, mention.entry), mention)
    return sorted(kept.values(), key=lambda m: (m.span.start, m.span.end, m.kind, m.entry))
