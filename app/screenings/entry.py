"""What goes into the queue and what comes out of it; known without the database's library."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.records import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LINKS_LEASES = 5
"""Leases that following links may take: a slow host is waited for, and its budget kept."""
MISSING = "There is no such screening. It may be deleted, or past its retention."


def digest(body: bytes) -> str:
    """Name a request's body by its hash, so that the body itself needn't be kept."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One input, or why there is none.

    Attributes:
        name: the caller's own id of it.
        candidate: whose it is; empty where the caller doesn't say.
        link: the address that its text comes from; without a text it is still to be followed.
        notices: what is to be said of how it was read.
    """

    name: str
    text: str
    candidate: str = ""
    title: str = ""
    origin: str = ""
    error: str = ""
    link: str = ""
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A screening to be taken on.

    Attributes:
        title: shown in lists, such as the name of a file.
        fetch: follow links.
        key: of the request, so that it can be repeated; empty for none.
        body: SHA-256 of what was sent with that key.
        notices: how the file was read.
        webhook: address that is told the end; empty for none.
        webhook_secret: what the message is signed with, as Standard Webhooks writes it.
    """

    entries: tuple[Entry, ...]
    title: str = ""
    suggest: bool = False
    fetch: bool = False
    key: str = ""
    body: str = ""
    notices: tuple[Notice, ...] = ()
    webhook: str = ""
    webhook_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is.

    Attributes:
        jobs: screenings by state.
        items: projects of running screenings that wait or are held by a worker, by state.
        oldest_s: age of the oldest screening that has any, in seconds.
        messages: that wait to be sent.
    """

    jobs: Mapping[str, int]
    items: Mapping[str, int]
    oldest_s: float
    messages: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A group of one screening that one worker holds: texts to be judged, or links to be followed."""

    screening: str
    lease: str
    suggest: bool
    entries: tuple[tuple[int, Entry], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one text: a report as JSON with its verdict, or an error."""

    number: int
    verdict: str = ""
    report: str = ""
    error: str = ""
    probability: float = 0.0


def row_of(screening: str, number: int, one: Entry) -> dict[str, Any]:
    """Write an entry as a row of its table."""
    return {
        "screening": screening,
        "number": number,
        "name": plain(one.name),
        "candidate": plain(one.candidate),
        "title": plain(one.title),
        "origin": plain(one.origin),
        "text": plain(one.text),
        "link": plain(one.link),
        "notices": notices_as_text(one.notices),
        "state": "done" if one.error else "waiting",
        "lease": "",
        "lease_until": 0.0,
        "attempts": 0,
    }


def result_of(screening: str, place: int, one: Outcome) -> dict[str, Any]:
    """Write an outcome as a row of its table; ``place`` is its number in the order of judging."""
    return {
        "screening": screening,
        "number": one.number,
        "place": place,
        "verdict": one.verdict,
        "probability": one.probability,
        "report": one.report,
        "error": plain(one.error),
    }


def entry_of(row: Any) -> Entry:
    """Read an entry from its row."""
    return Entry(
        row.name,
        row.text,
        row.candidate,
        row.title,
        row.origin,
        link=row.link,
        notices=notices_of(row.notices),
    )


def notices_as_text(notices: Iterable[Notice]) -> str:
    """Write notices for the database."""
    return json.dumps([[n.code, plain(n.message)] for n in notices])


def notices_of(text: str) -> tuple[Notice, ...]:
    """Read notices from the database."""
    return tuple(Notice(code, message) for code, message in json.loads(text))


def plain(text: str) -> str:
    """Replace what no database takes: PostgreSQL refuses NUL, and both refuse lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
