"""Serves screenings to people: the upload, the overview, each report, what candidates share; without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from app import page, words
from app.errors import AccessDenied, BadInput, OriginalityError, ScreeningMissing
from app.forms import fields_of
from app.records import VerdictLabel
from app.render import to_html
from app.report import Report
from app.screenings import exports, overview, received
from app.screenings.access import COOKIE, page_owner
from app.screenings.entry import Order, notices_of
from app.screenings.fairness import figures
from app.screenings.people import People
from app.screenings.veil import veil
from app.serving import problem_of
from app.submissions import KINDS, parse_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import FormData

    from app.keys import Right
    from app.screenings.desk import Desk
    from app.screenings.store import Store
    from app.serving import Service

PAGE = 50
KEY_S = 8 * 3600
"""How long a browser keeps a key: a working day."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}")
GIVEN = ("title", "columns", "suggest", "fetch")
"""Fields of the upload form, beside the file."""
VERDICTS = get_args(VerdictLabel)

router = APIRouter(prefix="/screenings", include_in_schema=False)


async def _with_store(request: Request, right: Right, work: Callable[[Store, str], Any]) -> Any:
    service: Service = request.state.service
    service.admit(request)
    owner = page_owner(request, service, right)
    desk: Desk = request.state.screenings
    return await anyio.to_thread.run_sync(lambda: work(desk.there().store, owner))


def _revealed(request: Request) -> bool:
    return request.query_params.get("reveal") == "1"


@router.get("")
async def show_all(request: Request) -> Response:
    """Show the upload form and the screenings so far."""
    return await _start_page(request)


async def _start_page(request: Request, error: OriginalityError | None = None, given: Any = None) -> Response:
    try:
        rows = await _with_store(request, "read", lambda store, owner: store.all_of(owner))
    except ScreeningMissing:
        rows = []
    except AccessDenied as denied:
        return _sign_in(request, denied)
    fault = problem_of(error) if error else None
    return page.show(
        request,
        "screenings.html",
        status=fault.status if fault else 200,
        fault=fault,
        told=page.told(fault) if fault else None,
        rows=rows,
        given=given or dict.fromkeys(GIVEN, ""),
        kinds=sorted(KINDS),
        figures=figures(),
        most_mb=request.state.service.settings.max_upload_bytes // 1_000_000,
        days=request.state.service.settings.screenings_days,
    )


def _sign_in(request: Request, denied: AccessDenied) -> Response:
    return page.show(request, "screenings_key.html", status=401, problem=problem_of(denied))


@router.post("/key")
async def take_key(request: Request) -> Response:
    """Keep a key in the browser for a working day, where no script can read it and no other site can use it."""
    data = await fields_of(request, request.state.service.settings.max_body_bytes)
    response = RedirectResponse("/screenings", status_code=303)
    safe = request.url.scheme == "https"
    key = str(data.get("key", "")).strip()
    if _KEY.fullmatch(key):  # what can't be a key could be what no header carries
        response.set_cookie(
            COOKIE, key, max_age=KEY_S, path="/screenings", secure=safe, httponly=True, samesite="strict"
        )
    return response


@router.post("")
async def take_on(request: Request) -> Response:
    """Take on a file."""
    service: Service = request.state.service
    data = await fields_of(request, service.settings.max_upload_bytes)
    given = {name: str(data.get(name, "")) for name in GIVEN}
    try:
        owner = page_owner(request, service, "write")
        service.admit(request)
        order = await _order(data, given)
        desk: Desk = request.state.screenings
        name = await anyio.to_thread.run_sync(lambda: desk.open().store.create(owner, order))
    except AccessDenied as denied:
        return _sign_in(request, denied)
    except OriginalityError as error:
        return await _start_page(request, error, given)
    finally:
        await data.close()
    return RedirectResponse(f"/screenings/{name}", status_code=303)


async def _order(data: FormData, given: dict[str, str]) -> Order:
    sent = data.get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise BadInput("No file was sent. Choose one: a table, an archive, a document or a list of links.")
    name, content, follow = sent.filename, await sent.read(), given["fetch"] == "1"
    columns = parse_columns(given["columns"])
    read = lambda: received.entries(name, content, columns, fetch=follow)  # noqa: E731
    entries, notices = await anyio.to_thread.run_sync(read)
    return Order(entries, given["title"] or name, given["suggest"] == "1", follow, notices=notices)


@router.get("/{name}")
async def show_overview(
    request: Request, name: str, verdict: str = "", candidate: str = "", order: str = "candidate", start: int = 0
) -> Response:
    """Show a screening: one row a project, one summary a candidate."""
    reveal = _revealed(request)
    choice = overview.Choice(verdict, candidate, order if order in words.ORDERS else "candidate")

    def work(store: Store, owner: str) -> dict[str, Any]:
        row, outline = store.show(owner, name), store.outline(owner, name)
        people = People.of(store.people(owner, name))
        every = overview.lines(outline, people, reveal=reveal)
        log = store.overrides(owner, name)
        if not reveal:
            log = [one | {"reason": veil(one["reason"], people.names)} for one in log]
        return {"row": row, "every": every, "summaries": overview.summaries(every), "log": log}

    try:
        found = await _with_store(request, "read", work)
    except AccessDenied as denied:
        return _sign_in(request, denied)
    picked = overview.chosen(found["every"], choice)
    begin = min(max(0, start), max(0, len(picked) - 1)) // PAGE * PAGE
    kept = {"verdict": verdict, "candidate": candidate, "order": choice.order}
    return page.show(
        request,
        "overview.html",
        **found,
        screening=name,
        reveal=reveal,
        choice=choice,
        orders=words.ORDERS,
        states=words.OUTCOMES,
        found=picked[begin : begin + PAGE],
        total=len(picked),
        start=begin,
        size=PAGE,
        query=lambda **new: urlencode(
            {k: v for k, v in (kept | ({"reveal": "1"} if reveal else {}) | new).items() if v}
        ),
        notices=notices_of(found["row"]["notices"]),
        formats=tuple(exports.WRITERS),
        figures=figures(),
    )


@router.get("/{name}/export.{kind}")
async def export(request: Request, name: str, kind: Literal["csv", "jsonl", "xlsx", "html"]) -> Response:
    """Hand the overview over as one file."""
    reveal = _revealed(request)

    def work(store: Store, owner: str) -> bytes:
        return exports.written(store, owner, name, kind, reveal=reveal)

    content = await _with_store(request, "read", work)
    headers = {"Content-Disposition": f'attachment; filename="screening-{name[:8]}.{kind}"'}
    return Response(content, media_type=exports.MEDIA[kind], headers=headers)


@router.get("/{name}/pairs")
async def show_pairs(request: Request, name: str) -> Response:
    """Show near-identical projects side by side, and what many candidates were given."""
    reveal = _revealed(request)

    def work(store: Store, owner: str) -> dict[str, Any]:
        people = People.of(store.people(owner, name))
        pairs, handouts = exports.compared(store, owner, name, people)
        return {"row": store.show(owner, name), "pairs": pairs, "handouts": handouts, "called": people.called}

    found = await _with_store(request, "read", work)
    return page.show(request, "pairs.html", screening=name, reveal=reveal, **found)


def _one(store: Store, owner: str, name: str, number: int, *, reveal: bool) -> dict[str, Any]:
    rows = store.chosen(owner, name, [number])
    if not rows or not rows[0]["report"]:
        raise ScreeningMissing("The screening has no report of that number, or not yet.")
    people = People.of(store.people(owner, name))
    line = exports.line(rows[0], people, reveal=reveal)
    label = rows[0]["title"] or (rows[0]["name"] if reveal else "")
    shown = (label if reveal else veil(label, people.names)) or f"Project {number}"
    text = rows[0]["text"] if reveal else ""
    return {"line": line, "report": Report.model_validate(line["report"]), "label": shown, "text": text}


@router.get("/{name}/projects/{number}")
async def show_report(request: Request, name: str, number: int) -> Response:
    """Show one project's report, and let a person overrule it."""
    reveal = _revealed(request)
    found = await _with_store(request, "read", lambda s, o: _one(s, o, name, number, reveal=reveal))
    return page.show(request, "screened.html", screening=name, number=number, reveal=reveal, verdicts=VERDICTS, **found)


@router.get("/{name}/projects/{number}/report.html")
async def take_report(request: Request, name: str, number: int) -> Response:
    """Hand one report over as a file: the copy that a candidate is owed, with their own text in it."""
    found = await _with_store(request, "read", lambda s, o: _one(s, o, name, number, reveal=True))
    headers = {"Content-Disposition": f'attachment; filename="report-{number}.html"'}
    return Response(
        to_html(found["report"], found["text"], found["label"]), media_type="text/html; charset=utf-8", headers=headers
    )


@router.post("/{name}/projects/{number}/override")
async def override(request: Request, name: str, number: int) -> Response:
    """Put a person's verdict beside the judged one, with its reason."""
    data = await fields_of(request, request.state.service.settings.max_body_bytes)
    verdict, reason = str(data.get("verdict", "")), str(data.get("reason", "")).strip()
    if verdict not in VERDICTS or not 3 <= len(reason) <= 2_000:
        raise BadInput("Choose a verdict, and give a reason of 3 to 2,000 characters: it stays in the log.")
    await _with_store(request, "write", lambda s, o: s.override(o, name, number, verdict, reason))
    return RedirectResponse(f"/screenings/{name}/projects/{number}", status_code=303)


@router.post("/{name}/{how}")
async def move(request: Request, name: str, how: Literal["pause", "resume", "cancel", "delete"]) -> Response:
    """Pause, resume, cancel or delete."""
    if how == "delete":
        await _with_store(request, "write", lambda s, o: s.delete(o, name))
        return RedirectResponse("/screenings", status_code=303)
    await _with_store(request, "write", lambda s, o: s.move(o, name, how))
    return RedirectResponse(f"/screenings/{name}", status_code=303)
