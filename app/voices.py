"""Serves what readers can say back: a verdict is wrong, the catalogue lacks something. Kept with consent alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from app import access, page
from app.bodies import BODY_FAULTS, JsonRoute, ServiceNow, answers, gone, json_answer
from app.contract import MAX_COMMENT, MAX_KEPT_TEXT, DisagreementIn, FeedbackIn, FeedbackOut, NoteOut
from app.errors import BadInput
from app.feedback import Box
from app.forms import fields_of
from app.render import dumps
from app.serving import problem_of
from app.words import KINDS, VERDICTS

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from app.serving import Service

router = APIRouter(include_in_schema=False)
rest = APIRouter(prefix="/api/v1/feedback", tags=["feedback"], route_class=JsonRoute)


class ConsentMissing(BadInput):
    """Nobody allowed that this be kept."""


class NothingSaid(BadInput):
    """A note without anything in it."""


@router.post("/feedback")
async def disagree(request: Request) -> Response:
    """Keep that a reader sees a verdict otherwise; the text only where they allow that, too."""
    data = await fields_of(request, _service(request).settings.max_body_bytes)
    said = {
        "verdict": _choice(data, "verdict", VERDICTS),
        "wished": _choice(data, "wished", VERDICTS),
        "comment": _line(data, "comment"),
        "rules": _line(data, "rules"),
        "catalogue": _line(data, "catalogue"),
    }
    if data.get("with_text"):
        said["text"] = _line(data, "text", MAX_KEPT_TEXT)
    return await _kept(request, data, "disagreement", said, needed="wished")


@router.get("/propose")
async def show_proposal(request: Request) -> Response:
    """Show the form for an entry that the catalogue lacks."""
    return page.show(request, "propose.html", given={}, fault=None)


@router.post("/propose")
async def propose(request: Request) -> Response:
    """Keep a proposal for whoever looks after the catalogue."""
    data = await fields_of(request, _service(request).settings.max_body_bytes)
    said = {"entry": _choice(data, "kind", KINDS)} | {name: _line(data, name) for name in ("name", "url", "about")}
    return await _kept(request, data, "proposal", said, needed="name")


@router.get("/feedback/{token}")
async def show_note(request: Request, token: str) -> Response:
    """Show a note to whoever holds its token, with the way to delete it."""
    note = _box(request).get(token)
    if note is None:
        raise HTTPException(404)
    return page.show(request, "note.html", note=note, token=token)


@router.post("/feedback/{token}/delete")
async def delete_note(request: Request, token: str) -> Response:
    """Delete a note for good."""
    if not _box(request).drop(token):
        raise HTTPException(404)
    return page.show(request, "note.html", note=None, token="")


@rest.post("", responses=answers(FeedbackOut, 401, 403, *BODY_FAULTS))
async def leave_note(body: FeedbackIn, request: Request, service: ServiceNow) -> Response:
    """Keep that a verdict is seen otherwise, or that the catalogue lacks something; with consent alone."""
    limits = access.admit(request, service, "feedback")
    said = body.model_dump(exclude={"kind", "consent"})
    if isinstance(body, DisagreementIn) and not body.text:
        del said["text"]
    token = Box(service.settings.feedback_dir).put(body.kind, said)
    return json_answer(dumps(FeedbackOut(token=token).model_dump()), limits)


@rest.get("/{token}", responses=answers(NoteOut, 404, 422, 503))
async def read_note(token: str, request: Request) -> Response:
    """Give a note to whoever holds its token."""
    note = _box(request).get(token)
    if note is None:
        raise HTTPException(404)
    kind, day = note.pop("kind"), note.pop("day")
    return json_answer(dumps(NoteOut(kind=kind, day=day, said=note).model_dump()))


@rest.delete("/{token}", status_code=204, responses=gone(404, 422, 503))
async def erase_note(token: str, request: Request) -> Response:
    """Delete a note for good."""
    if not _box(request).drop(token):
        raise HTTPException(404)
    return Response(status_code=204)


async def _kept(request: Request, data: FormData, kind: str, said: dict[str, Any], needed: str) -> Response:
    """Keep what was said and lead to it; without consent, or with nothing in it, keep nothing and say so."""
    error: BadInput | None = None
    if not said[needed]:
        error = NothingSaid("There is nothing in it yet. Fill in what is asked for, then send it.")
    elif not data.get("consent"):
        error = ConsentMissing("Nothing was stored: the box that allows it wasn't ticked.")
    if error is not None:
        problem = problem_of(error)
        template = "propose.html" if kind == "proposal" else "error.html"
        return page.show(
            request,
            template,
            status=problem.status,
            given=said,
            fault=problem,
            problem=problem,
            told=page.told(problem),
        )
    limits = _service(request).admit(request)
    token = _box(request).put(kind, said)
    return RedirectResponse(f"/feedback/{token}", status_code=303, headers=limits)


def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


def _box(request: Request) -> Box:
    return Box(_service(request).settings.feedback_dir)


def _choice(data: FormData, name: str, among: dict[str, str]) -> str:
    given = data.get(name)
    return given if isinstance(given, str) and given in among else ""


def _line(data: FormData, name: str, most: int = MAX_COMMENT) -> str:
    given = data.get(name)
    return given.replace("\r\n", "\n").strip()[:most] if isinstance(given, str) else ""
