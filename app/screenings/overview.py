"""Makes an overview of a screening: a row a project, a summary a candidate by their best work, filters and orders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.screenings.exports import RANK, rank, without
from app.screenings.veil import veil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.screenings.people import People


@dataclass(frozen=True, slots=True)
class Line:
    """One project of the table.

    Attributes:
        verdict: the person's where there is one, else the judged one; empty where there is neither.
        judged: what the checker said.
    """

    number: int
    label: str
    candidate: str
    link: str
    verdict: str
    judged: str
    probability: float | None
    error: str
    override: Mapping[str, Any] | None
    place: tuple[int, float, int]

    @property
    def state(self) -> str:
        """Tell what can be chosen by, where there is no verdict."""
        return self.verdict or ("error" if self.error else "waiting")


@dataclass(frozen=True, slots=True)
class Summary:
    """One candidate: their most original work, and how many there are of each kind; no mean, for practice is no fault.

    Attributes:
        counts: verdict, or state, to number of projects.
    """

    candidate: str
    best: Line
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be shown, as the address says it; what isn't known is passed over."""

    verdict: str = ""
    candidate: str = ""
    order: str = "candidate"


def lines(outline: Sequence[Mapping[str, Any]], people: People, *, reveal: bool) -> list[Line]:
    """Make the rows, in the order of what was sent."""
    return [_line(row, people, reveal=reveal) for row in outline]


def _line(row: Mapping[str, Any], people: People, *, reveal: bool) -> Line:
    over = row["override"]
    label = row["title"] or (row["name"] if reveal else "")
    called = row["candidate"] if reveal else people.called.get(row["candidate"], "")
    if over and not reveal:
        over = over | {"reason": veil(over["reason"], people.names)}
    return Line(
        row["number"],
        (label if reveal else veil(label, people.names)) or f"Project {row['number']}",
        called,
        row["link"] if reveal else "",
        over["verdict"] if over else row["verdict"] or "",
        row["verdict"] or "",
        row["probability"] if row["verdict"] else None,
        (row["error"] or "") if reveal else without(row["error"] or "", row, people),
        over,
        rank(row),
    )


def summaries(found: Sequence[Line]) -> list[Summary]:
    """Sum up each candidate, in the order of what was sent; work of nobody's is left out."""
    by_candidate: dict[str, list[Line]] = {}
    for line in found:
        if line.candidate:
            by_candidate.setdefault(line.candidate, []).append(line)
    order = (*RANK, "off_topic", "unclear", "error", "waiting")
    made = []
    for candidate, own in by_candidate.items():
        counts = Counter(line.state for line in own)
        told = {state: counts[state] for state in order if counts[state]}
        made.append(Summary(candidate, min(own, key=lambda line: line.place), told))
    return made


def chosen(found: Sequence[Line], choice: Choice) -> list[Line]:
    """Filter and order."""
    kept = [
        line
        for line in found
        if (not choice.verdict or choice.verdict in (line.state, "override" if line.override else ""))
        and (not choice.candidate or line.candidate == choice.candidate)
    ]
    if choice.order == "sent":
        return kept
    if choice.order == "worn":
        judged = [line for line in kept if line.probability is not None]
        rest = [line for line in kept if line.probability is None]
        return sorted(judged, key=lambda line: (-(line.probability or 0.0), line.number)) + rest
    if choice.order == "original":
        return sorted(kept, key=lambda line: line.place)
    places = {name: n for n, name in enumerate(dict.fromkeys(line.candidate for line in found if line.candidate))}
    return sorted(kept, key=lambda line: (places.get(line.candidate, len(places)), line.place))
