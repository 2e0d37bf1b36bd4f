"""Hides who somebody is: addresses, links and handles wherever they stand, and names by which candidates are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TRACES = re.compile(
    r"""
      (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<link>(?:https?://|www\.)[^\s<>\])"']+
        | \b(?:[\w-]+\.)*(?:github|gitlab|linkedin|kaggle|huggingface|bitbucket|medium|twitter)\.(?:com|io|co|org)
          (?:/[^\s<>\])"']*)?)
    | (?P<handle>(?<![\w/])@[A-Za-z0-9][\w.-]{1,38})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SHORTEST = 3
"""Characters that a part of a name needs before it is hidden: shorter ones are words of every text."""
_PARTS = re.compile(r"[^\W\d_]+")


def veil(text: str, names: Iterable[str]) -> str:
    """Hide traces of a person in a text.

    Args:
        names: of candidates; each is hidden as a whole and, from three letters on, in its parts.
    """
    hidden = _TRACES.sub(lambda found: f"[{found.lastgroup}]", text)
    words = {part for name in names for part in (name, *_PARTS.findall(name)) if len(part) >= _SHORTEST}
    if not words:
        return hidden
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))
    return re.sub(rf"(?<!\w)(?:{longest_first})(?!\w)", "[name]", hidden, flags=re.IGNORECASE)


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
