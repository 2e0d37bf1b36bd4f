"""Sets aside sentences that say nothing of the project: claims of novelty, buzzwords, orders to the checker, denials.

They are shown to nobody's disadvantage: a verdict rests on facts, and these have none. Names in them are still found.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from app import intake
from app.records import Notice, Span

if TYPE_CHECKING:
    from app.records import Brief, Sentence

_CLAIM = re.compile(
    r"\b(?:novel(?:ty)?|first[- ]ever|never[- ](?:\w+[- ])?(?:attempted|done|seen|tried)|revolutionary|"
    r"ground[- ]?breaking|cutting[- ]edge|unique(?:ly)?|innovative|disruptive|game[- ]chang\w+|world[- ]class|"
    r"next[- ]gen(?:eration)?|unprecedented|state[- ]of[- ]the[- ]art|one[- ]of[- ]a[- ]kind|original(?:ity)?|"
    r"ai[- ]powered|ai[- ]driven|scalable|synerg\w+|paradigm|visionary|unseen|unmatched|brand[- ]new|100 ?%)\b",
    re.IGNORECASE,
)
_EMPTY = frozenset(
    re.findall(
        r"\w+",
        """
        a an the this that it its is are was be been has have i my we our and or but of in for to with by as so
        very truly really completely totally fully highly most entirely absolutely simply just even more than
        any other others ever before never nobody no one else not project idea work approach solution concept
        method thing something system platform product tool app application model ai ml world time kind way all
        will would can done made new here there
        """,
    )
)
"""Words that leave a claim a claim."""
MAX_FACTS = 1
"""Words beyond claims and empty ones with which a sentence still says nothing."""

_ORDER = re.compile(
    r"\b(?:please,? |kindly |now,? )*(?:(?:ignore|disregard|forget) (?:\w+ ){0,3}"
    r"(?:(?:previous|prior|above|other|your) )?"
    r"(?:rules|instructions|prompts?)|"
    r"(?:note|message|instructions?|hint) (?:to|for) (?:the |this |any |all )?"
    r"(?:reviewer|checker|grader|judge|classifier|model)\s*[:\u2013\u2014-]|"
    r"(?:mark|rate|label|classify|score|treat|flag|return) (?:this|it|me|the (?:text|project|idea))"
    r"(?: \w+){0,2} (?:as|with) (?:\w+ ){0,2}(?:original|novel|unique|new|unflagged|own|not|high|top|full|the best)\b|"
    r"return (?:original|verdict)|verdict ?[:=]|system ?(?:prompt)?:|you are (?:now )?(?:a|an|in)\b.{0,40}\bmode)",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"(?:(?<=\s)|^)(?:and |but )?(?:this|it|mine|my (?:project|idea|work)|the project)(?:'s| is|’s)?"
    r"(?: definitely| really| simply)? (?:not|no|never|isn't|isn’t)(?: just| yet| simply| only)?"
    r"(?: an?| another| the| one more| your)?(?: usual| typical)? "
    r"(?:[\w'’-]+ ){0,4}(?:project|projects|notebook|notebooks|tutorial|clone|idea|copy|exercise)\W*$",
    re.IGNORECASE,
)
_KEYWORDS = re.compile(r"\s*(?:key ?words?|tags|topics|hashtags)\s*[:=]", re.IGNORECASE)


def mute(brief: Brief) -> Brief:
    """Give the brief with such sentences not counted, and those that end so cut short, with a notice of how many."""
    read = tuple(_heard(s, brief.text) if s.counted and s.kind != "code" else s for s in brief.sentences)
    count = sum(one is not other for one, other in zip(read, brief.sentences, strict=True))
    if not count:
        return brief
    which = "sentence claims, asks or denies" if count == 1 else "sentences claim, ask or deny"
    message = f"{count} {which} something without saying anything of the project: not counted."
    return replace(
        brief,
        sentences=read,
        words=intake.count_words(" ".join(s.text for s in read if s.counted and s.kind != "link")),
        notices=(*brief.notices, Notice("claims", message)),
    )


def says_nothing(sentence: str) -> bool:
    """Tell whether a sentence only claims, orders, denies or lists keywords."""
    return _says_nothing(sentence, _endings(sentence))


def _says_nothing(sentence: str, endings: list[re.Match[str]]) -> bool:
    if _KEYWORDS.match(sentence) or any(not sentence[: m.start()].strip() for m in endings):
        return True
    rest, claims = _CLAIM.subn(" ", sentence)
    facts = [word for word in re.findall(r"\w+", rest.casefold()) if word not in _EMPTY]
    return claims > 0 and len(facts) <= MAX_FACTS


def _heard(sentence: Sentence, text: str) -> Sentence:
    endings = _endings(sentence.text)
    if _says_nothing(sentence.text, endings):
        return replace(sentence, counted=False)
    start, raw = sentence.span.start, text[sentence.span.start : sentence.span.end]
    # An order or a denial may hang on a sentence that has facts, where nobody wrote a full stop between them.
    for said, written in zip(endings, _endings(raw) if endings else (), strict=False):
        return replace(sentence, text=sentence.text[: said.start()], span=Span(start, start + written.start()))
    return sentence


def _endings(sentence: str) -> list[re.Match[str]]:
    """Find where an order begins, or a denial that lasts to the end; the earlier first."""
    found = [m for m in (_ORDER.search(sentence), _DENIAL.search(sentence)) if m]
    return sorted(found, key=lambda m: m.start())
