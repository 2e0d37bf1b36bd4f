"""Reads what stands in place of a typed text: a file that was chosen, or a link to a project. Not for an event loop."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from app import submissions
from app.errors import BadInput, FileUnreadable
from app.intake import MAX_CHARS
from app.records import Notice
from app.submissions import Item
from app.submissions.kinds import DOCUMENTS
from app.submissions.links import is_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.settings import Fetching

LIMITS = replace(submissions.LIMITS, max_document_bytes=10_000_000, max_pages=60)
"""Less than a screening reads: somebody waits for the answer, and others share the machine."""
LINK_S = 25.0
"""Seconds that all the requests behind one link may take together."""
LINK_REQUESTS = 30
"""Requests to one host for one link; a repository takes some six."""

_LIST_ITEM = re.compile(r"(?m)^([ \t]*)(\d{1,2})[.)](?=[ \t])")


class LinkUnreadable(BadInput):
    """What stands behind a link can't be read, or the link is none that is followed here."""


@dataclass(frozen=True, slots=True)
class Material:
    """A text in place of the typed one.

    Attributes:
        title: what its source calls it; empty if it doesn't say.
        notices: how it was read.
    """

    text: str
    title: str
    notices: tuple[Notice, ...]


def of_file(name: str, content: bytes) -> Material:
    """Read a file by its name's suffix.

    Raises:
        FileUnreadable: if it is of a kind that isn't read, broken, encrypted, scanned, too large or empty.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in DOCUMENTS:
        raise FileUnreadable(
            f"Files of this kind aren't read here. Choose one of {', '.join(sorted(DOCUMENTS))}, or paste the text."
        )
    if not content.strip():
        raise FileUnreadable("The file is empty. Choose another one, or paste the text.")
    # Neither messages nor the log are to repeat the name, which may be a person's.
    neutral = f"file{suffix}"
    items = list(submissions.read(neutral, content, LIMITS))
    if wrong := next((item.error for item in items if item.error), ""):
        raise FileUnreadable(wrong.replace(neutral, "The file"))
    if any(item.pending for item in items):
        raise FileUnreadable("The file holds links alone. Paste one of them into the field, without a file.")
    found = _joined(items, neutral, Notice("from-file", "The text was read from the file that was chosen."))
    if len(found.text) > MAX_CHARS:
        raise FileUnreadable(_too_long("file", found.text))
    return found


def of_link(link: str, fetching: Fetching | None) -> Material:
    """Fetch the project that a link leads to.

    Args:
        fetching: how; None where no link is followed.

    Raises:
        LinkUnreadable: if it leads to no project that is read here, or can't be fetched.
    """
    from app.fetch import is_project  # noqa: PLC0415  the service starts without a web client

    if fetching is None:
        raise LinkUnreadable("The text is a link alone, and no links are followed here. Paste the project's README.")
    if not is_project(link, fetching):
        raise LinkUnreadable(
            "The link doesn't lead to one project on GitHub, GitLab, Hugging Face or Kaggle; no other link is "
            "followed here. Paste the text that stands there."
        )
    # What is fetched for somebody is as much theirs as what they type: it is on no disk.
    fetching = replace(fetching, cache_dir=None, requests_per_host=min(LINK_REQUESTS, fetching.requests_per_host))
    try:
        items = asyncio.run(_fetched(Item("link", "", "link", link=link), fetching))
    except TimeoutError as error:
        raise LinkUnreadable(
            f"The project could not be fetched within {LINK_S:.0f} seconds. Try again, or paste its README."
        ) from error
    if wrong := next((item.error for item in items if item.error), ""):
        raise LinkUnreadable(wrong.removeprefix("link: "))
    found = _joined(items, "link", Notice("from-link", "The text was fetched by this server from the link."))
    if len(found.text) > MAX_CHARS:
        raise LinkUnreadable(_too_long("link", found.text))
    return found


def link_in(text: str) -> str:
    """Give the link that a text consists of; empty if it says anything beside it."""
    return text.strip() if is_link(text.strip()) else ""


def _too_long(source: str, text: str) -> str:
    return (
        f"The {source} holds {len(text):,} characters of text, and at most {MAX_CHARS:,} are read. Paste the part that "
        "says what the project is about."
    )


async def _fetched(item: Item, fetching: Fetching) -> list[Item]:
    from app.fetch import WEB_LIMITS, Fetcher  # noqa: PLC0415  likewise

    limits = replace(
        WEB_LIMITS, attempts=2, longest_pause_s=3, step_s=8, total_s=10, max_bytes=LIMITS.max_document_bytes
    )
    async with asyncio.timeout(LINK_S), Fetcher(fetching, limits) as fetcher:
        return await fetcher.follow(item)


def _joined(items: Sequence[Item], name: str, how: Notice) -> Material:
    """Make one text of the projects in a file: numbered, so that each gets a report of its own."""
    said: dict[Notice, None] = {how: None}
    for item in items:
        said |= {Notice(n.code, n.message.replace(name, "The file")): None for n in item.notices}
    if len(items) == 1:
        return Material(items[0].text.replace("\r\n", "\n"), items[0].title, tuple(said))
    text = "\n\n".join(f"{number}. {_in_one_piece(item.text)}" for number, item in enumerate(items, start=1))
    return Material(text, "", tuple(said))


def _in_one_piece(text: str) -> str:
    """Take out what would cut a project in two: blank lines, and numbers that could be the next project's."""
    lines = "\n".join(line for line in text.splitlines() if line.strip())
    return _LIST_ITEM.sub(r"\1-", lines)
