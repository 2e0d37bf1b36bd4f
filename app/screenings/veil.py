"""Hides who somebody is: addresses, links and handles wherever they stand, and names by which candidates are called."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TRACES = re.compile(
    r"""
      (?P<email>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)
    | (?P<link>(?:https?://|www\.)[^\s<>\])"']+
        | \b(?:[\w-]{1,63}\.){0,8}(?:github|gitlab|linkedin|kaggle|huggingface|bitbucket|medium|twitter)
          \.(?:com|io|co|org)
          (?:/[^\s<>\])"']*)?)
    | (?P<handle>(?<![\w/])@[A-Za-z0-9][\w.-]{1,38})
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Parts of addresses are as long as RFC 5321 and RFC 1035 let them be: without a bound, each letter of a long word
would be tried as their beginning, and each time to the word's end."""
_SHORTEST_PART = 3
"""Characters that a part of a name needs before it is hidden: shorter ones are words of every text."""
_SHORTEST = 2
"""The same of a whole name; one of two letters is hidden only as it is written: Li, and not li."""
_PARTS = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Scripts that put no space between words, so that a name has no edge to be known by."""


def veil(text: str, names: Iterable[str]) -> str:
    """Hide traces of a person in a text.

    Args:
        names: of candidates and accounts; each is hidden as a whole and, from three letters on, in its parts.
    """
    hidden = _TRACES.sub(lambda found: f"[{found.lastgroup}]", text)
    pattern = _pattern(tuple(names))
    return pattern.sub("[name]", hidden) if pattern else hidden


@lru_cache(maxsize=32)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    parts = {part for name in names for part in _PARTS.findall(name) if len(part) >= _SHORTEST_PART}
    words = {name for name in names if len(name) >= _SHORTEST} | parts
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(_one, longest_first)), re.IGNORECASE) if words else None


def _one(word: str) -> str:
    if _UNSPACED.search(word):
        return re.escape(word)
    sign = re.escape(word)
    return rf"(?<!\w){sign if len(word) > _SHORTEST else f'(?-i:{sign})'}(?!\w)"


def veil_report(report: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Hide the same in all that a report takes from the text: quotes, items and rewrites; its id goes.

    What the report has from the catalogue, names and addresses of datasets among it, stays. Places in the text are
    those of the text as it was received.
    """
    every = tuple(names)
    hidden = {key: _walk(value, every, key) for key, value in report.items()}
    return {**hidden, "id": ""}


def _walk(value: Any, names: tuple[str, ...], key: str = "") -> Any:
    if isinstance(value, str):
        return value if key in _OURS else veil(value, names)
    if isinstance(value, list):
        return [_walk(one, names, key) for one in value]
    if isinstance(value, dict):
        return {
            name: "" if name == "id" and "verdict" in value else _walk(one, names, name) for name, one in value.items()
        }
    return value


_OURS = {
    "url",
    "entry",
    "kind",
    "role",
    "name",
    "status",
    "verdict",
    "feature",
    "direction",
    "facet",
    "code",
    "entries",
}
"""Fields that the catalogue and the judge fill, never the text."""
