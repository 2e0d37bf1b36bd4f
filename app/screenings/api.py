"""Serves screenings over REST: taken on, watched, stopped, read and deleted by whoever has the key."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Form, Header, Path, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import BeforeValidator

from app import access
from app.bodies import BODY_FAULTS, JsonRoute, ServiceNow, answers, gone, header, json_answer
from app.contract import MOST
from app.errors import BadInput, ScreeningMissing, ScreeningsUnusable
from app.forms import UploadRoute
from app.render import dumps
from app.screenings import exports, received, webhooks
from app.screenings.access import owner_of
from app.screenings.bodies import (
    OverrideIn,
    OverrideOut,
    OverridesOut,
    PairsOut,
    ProjectIn,
    ResultsOut,
    ScreeningIn,
    ScreeningOut,
    ScreeningsOut,
)
from app.screenings.entry import Entry, Order, digest, notices_of
from app.screenings.people import People
from app.submissions import Item, parse_columns
from app.submissions.links import is_link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from app.keys import Right
    from app.screenings.desk import Desk
    from app.screenings.near import Piece, Text
    from app.screenings.store import Store
    from app.serving import Service

MAX_PAGE = 500
POLL_S = 0.5
AWAY_S = 2.0
ENDED = {"done", "cancelled"}
_FAULTS = (401, 404, 422, 429, 503)
_GONE = gone(*_FAULTS)
_FILES = {200: {"description": "The file."}} | {k: v for k, v in answers(None, *_FAULTS).items() if k != 200}
_STREAM = _FILES | {
    200: {"description": "Events named progress, each with the screening.", "content": {"text/event-stream": {}}}
}
_TAKEN: dict[int | str, dict[str, Any]] = {
    202: {"model": ScreeningOut, "description": "Taken on.", "headers": header("Location")},
}
_TAKEN |= {k: v for k, v in answers(None, 401, 404, *BODY_FAULTS).items() if k != 200}


def _flag(said: Any) -> Any:
    """Take the two words of JSON and no other: as strict in a form as in a body."""
    if said not in {"true", "false"}:
        raise ValueError("write true or false")
    return said


Flag = Annotated[bool, BeforeValidator(_flag)]
IdempotencyKey = Annotated[str, Header(max_length=255, description="Sent again, nothing is made twice.")]

router = APIRouter(prefix="/api/v1/screenings", tags=["screenings"], route_class=JsonRoute)
uploads = APIRouter(prefix="/api/v1", tags=["screenings"], route_class=UploadRoute)


async def _asked(request: Request, right: Right, work: Callable[[Store, str], Any]) -> tuple[Any, dict[str, str]]:
    """See who asks, count the request, and do the work on a thread: the database may let it wait."""
    service: Service = request.state.service
    limits = access.admit(request, service)
    owner = owner_of(request, service, right)
    desk: Desk = request.state.screenings
    return await anyio.to_thread.run_sync(lambda: work(desk.there().store, owner)), limits


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    notices = [{"code": n.code, "message": n.message} for n in notices_of(row["notices"])]
    return {name: row[name] for name in ScreeningOut.model_fields if name != "notices"} | {"notices": notices}


@router.post("", status_code=202, responses=_TAKEN)
async def create(body: ScreeningIn, request: Request, idempotency_key: IdempotencyKey = "") -> Response:
    """Take on projects; they are judged in the background."""
    same = digest(await request.body())

    def order() -> Order:
        entries = tuple(_entry(n, one, fetch=body.fetch) for n, one in enumerate(body.items, start=1))
        hook = body.webhook
        made = Order(entries, body.title, body.suggest, body.fetch, idempotency_key, same)
        return replace(made, webhook=hook.url, webhook_secret=hook.secret) if hook else made

    return await _take(request, order)


def _entry(number: int, one: ProjectIn, *, fetch: bool) -> Entry:
    return received.taken(
        Item(one.id or str(number), one.text, f"item {number}", "", one.candidate, one.title, link=one.url),
        fetch=fetch,
    )


@uploads.post("/screenings:upload", status_code=202, responses=_TAKEN)
async def upload(
    file: UploadFile,
    request: Request,
    idempotency_key: IdempotencyKey = "",
    *,
    title: Annotated[str, Form(max_length=500, description="Your own name for it; else the file's.")] = "",
    columns: Annotated[str, Form(max_length=1_000, description="Of a table: text=NAME,id=NAME,candidate=NAME.")] = "",
    suggest: Annotated[Flag, Form(description="Also suggest ways forward; takes several times as long.")] = False,
    fetch: Annotated[Flag, Form(description="Follow links in the file; public addresses alone are asked.")] = False,
    webhook_url: Annotated[str, Form(max_length=2_000, description="Is told the end; see WebhookIn.")] = "",
    webhook_secret: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Take on the projects of a file, sent as multipart/form-data: a table, an archive, a document, a list of links."""
    content, name = await file.read(), file.filename or ""
    options = (name, title, columns, str(suggest), str(fetch), webhook_url, webhook_secret)
    same = digest(json.dumps(options).encode() + content)

    def order() -> Order:
        entries, notices = received.entries(name, content, parse_columns(columns), fetch=fetch)
        made = Order(entries, title or name, suggest, fetch, idempotency_key, same, notices)
        return replace(made, webhook=webhook_url, webhook_secret=webhook_secret)

    return await _take(request, order)


async def _take(request: Request, order: Callable[[], Order]) -> Response:
    service: Service = request.state.service
    limits = access.admit(request, service)
    owner = owner_of(request, service, "write")
    desk: Desk = request.state.screenings

    def work() -> dict[str, Any]:
        made = order()
        if made.webhook or made.webhook_secret:
            webhooks.secret_bytes(made.webhook_secret)
            if not is_link(made.webhook):
                raise BadInput("A webhook needs the address that is told: https:// and a host.")
        store = desk.open().store
        return store.show(owner, store.create(owner, made))

    row = await anyio.to_thread.run_sync(work)
    place = {"Location": f"/api/v1/screenings/{row['id']}"}
    return Response(dumps(_shown(row)), 202, {**limits, **place}, "application/json")


@router.get("", responses=answers(ScreeningsOut, 401, 404, 429, 503))
async def list_screenings(request: Request) -> Response:
    """List this key's screenings."""
    try:
        rows, limits = await _asked(request, "read", lambda store, owner: store.all_of(owner))
    except ScreeningMissing:  # nothing was ever screened here
        rows, limits = [], {}
    return json_answer(dumps({"screenings": [_shown(row) for row in rows]}), limits)


@router.get("/{name}", responses=answers(ScreeningOut, *_FAULTS))
async def show(name: str, request: Request) -> Response:
    """Tell how far a screening is."""
    row, limits = await _asked(request, "read", lambda store, owner: store.show(owner, name))
    return json_answer(dumps(_shown(row)), limits)


@router.get("/{name}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(name: str, request: Request, service: ServiceNow) -> Response:
    """Tell the progress as server-sent events, until the screening has ended."""
    row, limits = await _asked(request, "read", lambda store, owner: store.show(owner, name))
    owner, store = owner_of(request, service, "read"), request.state.screenings.there().store

    async def told() -> AsyncIterator[str]:
        before, now = None, _shown(row)
        while True:
            if now != before:
                yield f"event: progress\ndata: {json.dumps(now)}\n\n"
                before = now
            if now["state"] in ENDED or await request.is_disconnected():
                return
            await asyncio.sleep(POLL_S)
            try:
                now = _shown(await anyio.to_thread.run_sync(store.show, owner, name))
            except ScreeningMissing:  # deleted meanwhile
                return
            except ScreeningsUnusable:  # away for a while: there is nothing new to tell
                await asyncio.sleep(AWAY_S)

    return StreamingResponse(told(), media_type="text/event-stream", headers=limits)


@router.get("/{name}/results", responses=answers(ResultsOut, *_FAULTS))
async def results(
    name: str,
    request: Request,
    after: Annotated[int, Query(ge=0, le=MOST, description="The cursor that the last page gave as next.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    *,
    reveal: Annotated[bool, Query(description="Show names, addresses and links.")] = False,
) -> Response:
    """Give results as they come, page by page."""

    def work(store: Store, owner: str) -> str:
        # The state is read first: what is stored in between only makes "more" cautious.
        state, page = store.show(owner, name)["state"], store.results(owner, name, after, limit)
        people = People.of(store.people(owner, name))
        lines = [exports.line(row, people, reveal=reveal) for row in page]
        more = len(page) == limit or state not in ENDED
        return dumps({"results": lines, "next": page[-1]["place"] if page else after, "more": more})

    text, limits = await _asked(request, "read", work)
    return json_answer(text, limits)


@router.get("/{name}/export.{kind}", response_class=Response, responses=_FILES)
async def export(
    name: str,
    kind: Literal["csv", "jsonl", "xlsx", "html"],
    request: Request,
    *,
    reveal: Annotated[bool, Query(description="Show names, addresses and links.")] = False,
) -> Response:
    """Give all results so far as one file."""

    def work(store: Store, owner: str) -> bytes:
        return exports.written(store, owner, name, kind, reveal=reveal)

    content, limits = await _asked(request, "read", work)
    named = {"Content-Disposition": f'attachment; filename="screening-{name[:8]}.{kind}"'}
    return Response(content, media_type=exports.MEDIA[kind], headers={**limits, **named})


@router.get("/{name}/pairs", responses=answers(PairsOut, *_FAULTS))
async def pairs(
    name: str,
    request: Request,
    *,
    reveal: Annotated[bool, Query(description="Show whose they are; the texts stay without names.")] = False,
) -> Response:
    """Give near-identical projects of different candidates, and what many of them were given."""

    def work(store: Store, owner: str) -> PairsOut:
        people = People.of(store.people(owner, name))
        found, handouts = exports.compared(store, owner, name, people)

        def side(text: Text, pieces: tuple[Piece, ...]) -> dict[str, Any]:
            called = text.candidate if reveal else people.called.get(text.candidate, "")
            return {"number": text.number, "candidate": called, "pieces": list(map(asdict, pieces))}

        rows = [
            {
                "share": round(one.share, 4),
                "words": one.words,
                "first": side(one.first, one.pieces[0]),
                "second": side(one.second, one.pieces[1]),
            }
            for one in found
        ]
        return PairsOut.model_validate({"pairs": rows, "handouts": list(map(asdict, handouts))})

    made, limits = await _asked(request, "read", work)
    return json_answer(dumps(made.model_dump()), limits)


@router.get("/{name}/overrides", responses=answers(OverridesOut, *_FAULTS))
async def overrides(name: str, request: Request) -> Response:
    """Give the log of overrides."""
    rows, limits = await _asked(request, "read", lambda store, owner: store.overrides(owner, name))
    told = [{field: row[field] for field in OverrideOut.model_fields} for row in rows]
    return json_answer(dumps({"overrides": told}), limits)


@router.put(
    "/{name}/results/{number}/override",
    status_code=204,
    responses=gone(401, 404, *BODY_FAULTS) | {204: {"description": "Noted."}},
)
async def override(
    name: str, number: Annotated[int, Path(ge=1, le=MOST)], body: OverrideIn, request: Request
) -> Response:
    """Put a person's verdict beside the judged one."""

    def work(store: Store, owner: str) -> None:
        store.override(owner, name, number, body.verdict, body.reason)

    _, limits = await _asked(request, "write", work)
    return Response(status_code=204, headers=limits)


@router.put("/{name}/{how}", responses=answers(ScreeningOut, 409, *_FAULTS))
async def move(name: str, how: Literal["pause", "resume", "cancel"], request: Request) -> Response:
    """Pause, resume or cancel; asked twice, it stays so."""
    row, limits = await _asked(request, "write", lambda store, owner: store.move(owner, name, how))
    return json_answer(dumps(_shown(row)), limits)


@router.delete("/{name}", status_code=204, responses=_GONE)
async def delete(name: str, request: Request) -> Response:
    """Delete a screening with its texts, reports and overrides."""
    _, limits = await _asked(request, "write", lambda store, owner: store.delete(owner, name))
    return Response(status_code=204, headers=limits)
