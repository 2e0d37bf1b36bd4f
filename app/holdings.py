"""Serves an organisation's own collections over REST: listed, read, added to and deleted by whoever has the key."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from app import access, corpus
from app.bodies import BODY_FAULTS, JsonRoute, ServiceNow, answers, gone, json_answer
from app.contract import MAX_PAGE, MOST, NAME_FORM, CollectionOut, CollectionsOut, RowsIn, RowsOut
from app.errors import CollectionMissing
from app.render import dumps

if TYPE_CHECKING:
    from app.checker import Checker
    from app.store import Store

_FAULTS = (401, 404, 422, 429, 503)
Name = Annotated[str, Path(json_schema_extra={"pattern": NAME_FORM})]

router = APIRouter(prefix="/api/v1/collections", tags=["collections"], route_class=JsonRoute)


@router.get("", responses=answers(CollectionsOut, 401, 429, 503))
async def list_collections(request: Request, service: ServiceNow) -> Response:
    """List the collections that this key may read."""
    limits = access.admit(request, service)
    key = access.key_of(request, service)

    def work(checker: Checker) -> list[CollectionOut]:
        held = checker.collections
        return [_described(held, name) for name in held.names() if key.may("read", name)]

    found = await service.run(work, request)
    return json_answer(dumps({"collections": [one.model_dump() for one in found]}), limits)


@router.get("/{name}/rows", responses=answers(RowsOut, *_FAULTS))
async def list_rows(
    name: Name,
    request: Request,
    service: ServiceNow,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> Response:
    """Give a collection's rows, page by page."""
    limits = access.admit(request, service)
    access.require(request, service, "read", [name])

    def work(checker: Checker) -> str:
        held = checker.collections
        found, described = held.open(name), _described(held, name)
        rows = [asdict(row) for row in islice(found.rows(), offset, offset + limit)]
        return dumps({"total": described.rows, "offset": offset, "version": described.version, "rows": rows})

    return json_answer(await service.run(work, request), limits)


@router.post("/{name}/rows", responses=answers(CollectionOut, 401, 404, *BODY_FAULTS))
async def add_rows(name: Name, body: RowsIn, request: Request, service: ServiceNow) -> Response:
    """Add rows to a collection, which is made if there is none; all are added, or none."""
    limits = access.admit(request, service, cost=len(body.rows))
    access.require(request, service, "write", [name])
    rows = [corpus.row(one.model_dump()) for one in body.rows]

    def work(checker: Checker) -> CollectionOut:
        checker.add_rows(name, rows)
        return _described(checker.collections, name)

    return json_answer(dumps((await service.run(work)).model_dump()), limits)


@router.delete("/{name}/rows/{row:path}", responses=answers(CollectionOut, *_FAULTS))
async def remove_row(name: Name, row: str, request: Request, service: ServiceNow) -> Response:
    """Remove one row."""
    limits = access.admit(request, service)
    access.require(request, service, "write", [name])

    def work(checker: Checker) -> CollectionOut:
        held = checker.collections
        if not held.remove(name, [row]):
            raise CollectionMissing("The collection has no row of that id.")
        return _described(held, name)

    return json_answer(dumps((await service.run(work)).model_dump()), limits)


@router.delete("/{name}", status_code=204, responses=gone(*_FAULTS))
async def drop_collection(name: Name, request: Request, service: ServiceNow) -> Response:
    """Delete a collection with all its versions."""
    limits = access.admit(request, service)
    access.require(request, service, "write", [name])
    await service.run(lambda checker: checker.collections.drop(name))
    return Response(status_code=204, headers=limits)


def _described(held: Store, name: str) -> CollectionOut:
    return CollectionOut(name=name, rows=len(held.open(name)), version=held.version(name))
