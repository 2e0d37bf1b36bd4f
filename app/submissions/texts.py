"""Reads a text or Markdown file as one project; a text that is nothing but links is a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from app.submissions import links
from app.submissions.encoding import decoded
from app.submissions.item import Item, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.submissions.item import Limits


def read_text(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a file as one item, or as one for each line where all of them are links."""
    text, notices = decoded(name, whole(name, stream, limits.max_document_bytes))
    if links.is_list(text):
        yield from links.listed(name, text)
    else:
        yield Item(name, text, name, notices=notices)
