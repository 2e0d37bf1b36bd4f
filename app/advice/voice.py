"""Tells a template in one of two voices, to the reader or in their own account, and fills its slots."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal

from app.advice.handbook import SLOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Voice = Literal["you", "me"]

_CHOICE = re.compile(r"<([^<>]*~[^<>]*)>")
_START = re.compile(r"(?<=[a-z)”][.?!] )[a-z](?=\w* )")
_PAIR = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")


def jitter(*parts: str) -> float:
    """Draw a number in [0, 1) that is the same for the same parts, in every process."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()[:4], "big") / 2**32


def pick(variants: Sequence[str], seed: str) -> str:
    """Choose one of several wordings by a seed."""
    return variants[int(jitter(seed, variants[0]) * len(variants))]


def voiced(text: str, voice: Voice) -> str:
    """Choose between the two halves of each ``[one|other]``."""
    return _PAIR.sub(r"\1" if voice == "you" else r"\2", text)


def tell(template: str, slots: Mapping[str, str], voice: Voice, seed: str = "") -> str:
    """Fill a template; what the slots bring in is never read as a template again.

    Args:
        seed: what chooses between the halves of ``<one~other>``; the same seed always chooses alike.
    """
    chosen = _CHOICE.sub(lambda found: pick(found.group(1).split("~"), f"{seed}{found.start()}"), template)
    told = SLOT.sub(lambda found: _fill(found.group(1), slots), voiced(chosen, voice))
    return _START.sub(lambda found: found.group().upper(), " ".join(told.split()))


_PERSONS = (
    (r"\byou are\b", "I am"),
    (r"\byours\b", "mine"),
    (r"\byourself\b", "myself"),
    (r"\byour\b", "my"),
    (r"\byou\b", "I"),
)


def first_person(advice: str) -> str:
    """Turn an order into its doer's account, for telling different advisers' advice by one rule: "I" goes before it."""
    told = lower_first(advice)
    for pattern, word in _PERSONS:
        told = re.sub(pattern, word, told, flags=re.IGNORECASE)
    return told


def upper_first(text: str) -> str:
    """Give a phrase the capital that begins a sentence, past an opening quote."""
    at = next((i for i, c in enumerate(text) if c.isalnum()), 0)
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]


def lower_first(text: str) -> str:
    """Let a phrase stand inside a sentence, unless it begins with a name such as LSTM, XGBoost or k-means."""
    head = text.split(" ", 1)[0].split("-", 1)[0]
    return text[:1].lower() + text[1:] if head[1:].islower() or head in {"A", "I"} else text


def clipped(text: str, words: int) -> str:
    """Shorten to a number of words, at the end of a sentence where there is one."""
    parts = text.split()
    if len(parts) <= words:
        return " ".join(parts)
    kept = " ".join(parts[:words])
    end = max(kept.rfind(mark) for mark in (". ", "! ", "? "))
    return kept[: end + 1] if end > len(kept) // 2 else kept.rstrip(",;:–-") + " …"


def ended(text: str) -> str:
    """Give a sentence its full stop, if it has no mark of its own."""
    bare = text.rstrip()
    return bare if bare.endswith((".", "!", "?", "…", "。")) else f"{bare}."


def _fill(slot: str, slots: Mapping[str, str]) -> str:
    name = slot[:1].lower() + slot[1:]
    return upper_first(slots[name]) if slot != name else slots[name]
