"""Serves the catalogue to people: to browse, to search, and a page of its own for each entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response  # noqa: TC002  FastAPI reads annotations at run time
from starlette.exceptions import HTTPException

from app import page
from app.catalogue import Kind
from app.errors import OriginalityError
from app.lookup import Filter
from app.records import EntryKind
from app.serving import problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.catalogue import Alternative, Catalogue, Cliche, Entry, Tutorial
    from app.checker import Checker
    from app.serving import Service

router = APIRouter(include_in_schema=False)
PAGE = 40
MOST_FOUND = 40
MOST_QUERY = 2_000
MOST_COMPANIONS = 8


@dataclass(frozen=True, slots=True)
class Around:
    """What the catalogue knows around an entry.

    Attributes:
        taught: tutorials that use it, those for everyone first.
        themes: common themes that use it.
        instead: less-used sources that can take its place.
        companions: what is most often joined with it, and in how many tutorials and themes.
        parts: data and methods that it joins itself.
    """

    taught: tuple[Tutorial, ...]
    themes: tuple[Cliche, ...]
    instead: tuple[Alternative, ...]
    companions: tuple[tuple[Entry, int], ...]
    parts: tuple[Entry, ...]


@router.get("/catalogue")
async def browse(
    request: Request,
    kind: str = "",
    q: Annotated[str, Query(max_length=MOST_QUERY)] = "",
    start: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """List what is known, page by page, or what a search finds, best first."""
    service: Service = request.state.service
    kinds: dict[str, int] = {}
    found: list[Entry] = []
    fault = None
    total = 0
    try:
        catalogue = service.ready_checker().catalogue
        kinds = dict(Counter(e.kind for e in catalogue.entries.values()))
        if q.strip():
            service.admit(request)
            found = await service.run(lambda checker: _search(checker, q, kind), request)
            total = len(found)
        else:
            fitting = sorted(
                (e for e in catalogue.entries.values() if kind in ("", e.kind)), key=lambda e: (e.tier, e.name.lower())
            )
            total, found = len(fitting), fitting[start : start + PAGE]
    except OriginalityError as error:
        fault = problem_of(error)
    return page.show(
        request,
        "catalogue.html",
        status=fault.status if fault else 200,
        headers=fault.headers if fault else None,
        kind=kind if kind in get_args(Kind) else "",
        kinds=kinds,
        query=q,
        found=found,
        total=total,
        start=start,
        size=PAGE,
        fault=fault,
        told=page.told(fault) if fault else None,
    )


@router.get("/catalogue/{entry}")
async def show_entry(request: Request, entry: str) -> Response:
    """Show how worn an entry is, who teaches it, and what to do instead."""
    service: Service = request.state.service
    catalogue = service.ready_checker().catalogue
    found = catalogue.entries.get(entry)
    if found is None:
        raise HTTPException(404)
    return page.show(request, "entry.html", entry=found, around=around(found, catalogue))


def around(entry: Entry, catalogue: Catalogue) -> Around:
    """Gather what the catalogue knows around an entry."""
    joining: list[Tutorial | Cliche] = [*catalogue.tutorials.values(), *catalogue.cliches.values()]
    using = [one for one in joining if entry.id in (*one.datasets, *one.techniques)]
    themes = [one for one in catalogue.cliches.values() if one in using]
    datasets = {entry.id, *getattr(entry, "datasets", ())}
    places = [
        one
        for one in catalogue.alternatives.values()
        if datasets & set(one.replaces_datasets)
        or entry.id in one.replaces_cliches
        or one.id in getattr(entry, "alternatives", ())
    ]
    return Around(
        tuple(sorted((one for one in catalogue.tutorials.values() if one in using), key=lambda e: (e.tier, e.name))),
        tuple(themes),
        tuple(one for one in places if one.id != entry.id),
        _companions(entry, using, catalogue),
        tuple(
            catalogue.entries[one]
            for one in (*getattr(entry, "datasets", ()), *getattr(entry, "techniques", ()))
            if one in catalogue.entries
        ),
    )


def _companions(
    entry: Entry, using: Iterable[Tutorial | Cliche], catalogue: Catalogue
) -> tuple[tuple[Entry, int], ...]:
    """Count the methods joined with a dataset, or the data joined with a technique."""
    side = "techniques" if entry.kind == "dataset" else "datasets"
    counts = Counter(name for one in using for name in set(getattr(one, side)) if name in catalogue.entries)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((catalogue.entries[name], count) for name, count in ranked[:MOST_COMPANIONS])


def _search(checker: Checker, query: str, kind: str) -> list[Entry]:
    kinds = (cast("EntryKind", kind),) if kind in get_args(EntryKind) else ()
    return [checker.catalogue.entries[hit.entry] for hit in checker.search(query, MOST_FOUND, Filter(kinds=kinds))]
