"""Tells whether a draft says what the plain suggestion says: no link, name or number of its own, in the right language.

A model can be wrong, and the author's text can try to steer it. So nothing of an answer is trusted: what can't be
traced to the plain suggestion or to the author's own words is dropped, and the plain suggestion stands in its place.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from app.intake import detect_language
from app.rephrase import drafts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.rephrase.drafts import Draft
    from app.report import Report, Suggestion

SHORTEST, LONGEST = 0.45, 2.0
"""Bounds of a draft's length against the plain one's, in characters; German takes some third more than English."""
SHORTEST_DENSE = 0.15
"""The lower one for Chinese, Japanese and Korean, whose characters say more."""
ROOM = 60
"""Characters that a short text, such as a title, may grow by in any case."""
SHARED = 0.3
"""Share of the plain suggestion's words that an English draft must keep: a paraphrase keeps its nouns."""
MOSTLY = 0.6
"""Share of a draft that must be in the language asked for; short steps are easily mistaken."""
STEM = 6
LONGEST_NAME = 6
"""Words of the longest name that is looked for."""

_MARKUP = re.compile(r"[<>`|\\{}]|\]\(|\*\*|__|^[^\S\n]*+(?:#{1,6}|[-*+]|\d+[.)]|>)\s|&(?:#\w+|\w{2,8});", re.MULTILINE)
_UNSEEN = re.compile(
    r"[^\S ]|[\x00-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_LINK = re.compile(
    r"\b(?:https?|ftp|mailto|javascript|data):\S+|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?:/\S*)?|\S+@\S+"
)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f’' ]\d{3})*(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W_]+")
_START = re.compile(r"(?:^|[.!?:…。！？])[\s\"'“”„«»‘’(¿¡–—-]*$")
_DENSE = frozenset({"zh", "ja", "ko"})
_OTHER_SCRIPT = _DENSE | frozenset(
    re.findall(r"\w+", "am ar be bg bn el fa gu he hi hy ka kk km kn lo mk ml mr my ne pa ru si sr ta te th uk ur")
)
_NOUNS_ARE_CAPITAL = frozenset({"de", "lb"})
_ALIKE = (frozenset({"no", "nb", "nn", "da"}), frozenset({"id", "ms"}), frozenset({"hr", "sr", "bs", "sh"}))
"""Languages that the detector takes for one another in a few sentences."""
_PLAIN_CAPITALS = frozenset(
    re.findall(
        r"\w+",
        "i ai ia ki api csv pdf gpu cpu ml monday tuesday wednesday thursday friday saturday sunday saturdays sundays",
    )
)
_SPELT = {
    word: str(number)
    for number, word in enumerate(
        re.findall(
            r"\w+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty",
        )
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100", "thousand": "1000", "twice": "2"}


@dataclass(frozen=True)
class Ground:
    """What a draft may draw on.

    Attributes:
        plain: the suggestion that was chosen.
        report: the whole report, for what the text matches.
        text: the author's own words, as far as they were sent.
        language: code of the language asked for.
        catalogue: names of what the catalogue knows, as tuples of folded words, to ids; see ``name_table``.
    """

    plain: Suggestion
    report: Report
    text: str
    language: str
    catalogue: Mapping[tuple[str, ...], str]

    @cached_property
    def said(self) -> str:
        """All that may be repeated."""
        return " \n".join([*drafts.said(self.plain), *(r.name for r in self.plain.resources), self.text])

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of it, folded."""
        return frozenset(word.casefold() for word in _WORD.findall(self.said))

    @cached_property
    def capitals(self) -> frozenset[str]:
        """The first four letters of its words with a capital: London may become Londres."""
        return frozenset(word[:4].casefold() for word in _WORD.findall(self.said) if word[:1].isupper() and word[3:])

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Every number of it, also those that are spelt out."""
        spelt = {_SPELT[word] for word in self.words if word in _SPELT}
        return frozenset({*spelt, *(one for whole, runs in _numbers(self.said) for one in (whole, *runs))})

    @cached_property
    def entries(self) -> frozenset[str]:
        """Ids of every entry that it names."""
        matched = (match.entry for match in self.report.matches)
        return frozenset({*self.plain.entries, *matched, *_named(self.said, self.catalogue)})


def name_table(named: Iterable[tuple[str, Iterable[str]]]) -> dict[tuple[str, ...], str]:
    """Make the table of names: from (id, its sure names) to the folded words of each name."""
    table: dict[tuple[str, ...], str] = {}
    for entry, several in named:
        for name in several:
            words = tuple(word.casefold() for word in _WORD.findall(name))
            if 0 < len(words) <= LONGEST_NAME and len("".join(words)) > 3:
                table.setdefault(words, entry)
    return table


def fault(draft: Draft, ground: Ground) -> str:
    """Name what is wrong with a draft; empty if it may stand for the plain suggestion.

    Returns:
        shape, length, markup, link, number, name, language, meaning, or nothing.
    """
    plain, new = drafts.said(ground.plain), draft.said()
    if len(plain) != len(new) or not all(text.strip() for text in new):
        return "shape"
    if not all(_fits(one, other, ground.language) for one, other in zip(plain, new, strict=True)):
        return "length"
    if any(_MARKUP.search(text) or _UNSEEN.search(text) for text in new):
        return "markup"
    whole = " ".join(new)
    if not set(map(_bare, _LINK.findall(whole))) <= {*map(_bare, _LINK.findall(" ".join(plain)))}:
        return "link"
    if not all(one in ground.numbers or set(runs) <= ground.numbers for one, runs in _numbers(whole)):
        return "number"
    if any(_strange(text, ground) for text in new) or not _named(whole, ground.catalogue) <= ground.entries:
        return "name"
    if not _spoken(new, ground.language):
        return "language"
    return "" if _means_the_same(whole, ground) else "meaning"


def _fits(plain: str, new: str, language: str) -> bool:
    shortest = SHORTEST_DENSE if language in _DENSE else SHORTEST
    return shortest * len(plain) <= len(new) <= max(LONGEST * len(plain), len(plain) + ROOM)


def _bare(link: str) -> str:
    return link.casefold().rstrip(".,;:!?)”\"'/")


def _numbers(text: str) -> list[tuple[str, list[str]]]:
    """Read numbers in any digits: each without its separators, so that 3,200 and 3.200 are one, and each run alone."""
    return [(_digits(found), [_digits(run) for run in re.findall(r"\d+", found)]) for found in _NUMBER.findall(text)]


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text if c.isdecimal())


def _strange(text: str, ground: Ground) -> bool:
    """Tell whether a text has a word that looks like a name, and that nobody gave it."""
    before = False
    for found in _WORD.finditer(text):
        word, starts = found.group(), bool(_START.search(text[: found.start()]))
        known = word.casefold() in ground.words or word.casefold() in _PLAIN_CAPITALS
        known = known or (word[:1].isupper() and word[:4].casefold() in ground.capitals and word[1:].islower())
        inner = any(c.isupper() for c in word[1:]) or (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))
        foreign = ground.language in _OTHER_SCRIPT and word.isascii() and word.isalpha() and len(word) > 1
        capital = word[:1].isupper() and not starts
        if ground.language in _NOUNS_ARE_CAPITAL:
            # A noun there has its capital anyway; two strange ones in a row are a name.
            capital, before = capital and before, capital and not known
        if not known and (inner or foreign or capital):
            return True
    return False


def _named(text: str, table: Mapping[tuple[str, ...], str]) -> set[str]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return {
        table[tuple(words[at : at + length])]
        for at in range(len(words))
        for length in range(1, LONGEST_NAME + 1)
        if tuple(words[at : at + length]) in table
    }


def _spoken(texts: list[str], wanted: str) -> bool:
    """Tell whether most of what is said is in a language; the detector reads the beginning of each text alone."""
    right = sum(len(text) for text in texts if _same_language(detect_language(text), wanted))
    return right >= MOSTLY * sum(map(len, texts))


def _same_language(found: str, wanted: str) -> bool:
    return found == wanted or any({found, wanted} <= some for some in _ALIKE)


def _means_the_same(whole: str, ground: Ground) -> bool:
    """Tell whether the names that carry the suggestion are still there, and in English most of its nouns."""
    folded = whole.casefold()
    if any(name.casefold() not in folded for name in drafts.names(ground.plain, ground.report)):
        return False
    if ground.language != "en":
        return True
    mine, new = _stems(" ".join(drafts.said(ground.plain))), _stems(whole)
    return len(mine & new) >= SHARED * len(mine)


def _stems(text: str) -> set[str]:
    return {word.casefold()[:STEM] for word in _WORD.findall(text) if len(word) > 3}
