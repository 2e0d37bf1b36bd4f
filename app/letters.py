"""Knows which characters only look like others, or like none: what people, and those who trick, type for letters."""

from __future__ import annotations

import re

INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

# Small letters of other scripts that look like Latin ones. Source: Unicode TR39's confusables, the single-letter rows.
LOOKALIKES = dict(zip("аеорсухіјѕһԁԛԝкмтвнαορνικτυχ", "aeopcyxijshdqwkmtbhaopviktux", strict=True))
_CAPITALS = dict(zip("АЕОРСУХІЈЅКМТВНΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "AEOPCYXIJSKMTBHABEZHIKMNOPTYX", strict=True))
_LATIN = str.maketrans(LOOKALIKES | _CAPITALS)
_WORD = re.compile(r"[^\W\d_]+")
_HOLDS_LATIN = re.compile(r"[a-zA-Z]")


def latin(text: str) -> str:
    """Put Latin letters for what looks like them, in words that hold Latin letters: other scripts stay themselves."""
    return _WORD.sub(lambda word: word[0].translate(_LATIN) if _HOLDS_LATIN.search(word[0]) else word[0], text)
