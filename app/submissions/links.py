"""Tells lists of links from texts, and reads them: an address a line, behind which stands the text to be fetched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from app.submissions.encoding import decoded
from app.submissions.item import Item, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.submissions.item import Limits

MAX_LINK_CHARS = 2_000
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)


def is_link(text: str) -> bool:
    """Tell whether a text is one web address and nothing else."""
    return len(text) <= MAX_LINK_CHARS and text.isprintable() and bool(_LINK.fullmatch(text))


def is_list(text: str) -> bool:
    """Tell whether every line of a text is a web address, blank, or a comment that begins with ``#``."""
    lines = [line.strip() for line in text.splitlines()]
    filled = [line for line in lines if line and not line.startswith("#")]
    return bool(filled) and all(map(is_link, filled))


def read_links(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a file that is known to be a list of links; a line that is none is an item with its error."""
    text, _ = decoded(name, whole(name, stream, limits.max_document_bytes))
    return listed(name, text)


def listed(name: str, text: str) -> Iterator[Item]:
    """Give an item for each line that is neither blank nor a comment."""
    for number, line in enumerate(text.splitlines(), start=1):
        found, origin = line.strip(), f"{name}:{number}"
        if found and not found.startswith("#"):
            if is_link(found):
                yield Item(found, "", origin, link=found, line=number)
            else:
                wrong = f"{origin}: no web address. Each line is one, such as https://github.com/owner/name."
                yield Item(f"line {number}", "", origin, wrong, line=number)
