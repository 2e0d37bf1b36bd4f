"""How requests come in and answers go out over REST: the route that takes JSON, and the faults each one documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from fastapi import Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.checker import Submission
from app.contract import CheckIn, ProblemOut
from app.records import About
from app.serving import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope


def submission_of(body: CheckIn) -> Submission:
    """Hand a text on in the checker's own words."""
    return Submission(
        id=body.id,
        text=body.text,
        title=body.title,
        language=body.language,
        about=About(**body.about.model_dump()) if body.about else None,
        collections=tuple(body.collections),
        suggest=body.suggest,
    )


def answers(model: Any, *faults: int) -> dict[int | str, dict[str, Any]]:
    """Document an endpoint's answers: the good one, and the faults that it knows."""
    good: dict[str, Any] = {"model": model, "description": "Done."}
    return {200: good, **{status: _fault(status) for status in faults}}


def _fault(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {"model": ProblemOut, "description": FAULTS[status]}
    return told | ({"headers": header(HEADERS[status])} if status in HEADERS else {})


def header(name: str) -> dict[str, Any]:
    """Document a header of an answer that ``app.described`` explains."""
    return {name: {"$ref": f"#/components/headers/{name}"}}


def gone(*faults: int) -> dict[int | str, dict[str, Any]]:
    """Document the answers of an endpoint that deletes."""
    return {204: {"description": "Deleted."}} | {k: v for k, v in answers(None, *faults).items() if k != 200}


FAULTS = {
    400: "The body is not JSON.",
    401: "There is no key, or it isn't valid.",
    403: "The key is valid, and doesn't allow this part of the API.",
    404: "There is no such entry or collection, or the key may not use it.",
    409: "The screening has ended: nothing is left to pause, resume or cancel.",
    413: "The body or the text is larger than is read in one go.",
    415: "The body is not sent as JSON.",
    422: "The fields are not as documented, or the text holds nothing to judge.",
    429: "More than this key or address may ask for in a minute; Retry-After says when to come back.",
    503: "The model or the index is missing, doesn't fit, or is still being opened; the detail says what to do.",
}
BODY_FAULTS = (400, 413, 415, 422, 429, 503)
HEADERS = {401: "WWW-Authenticate", 403: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
"""What a fault is always sent with; ``app.described`` says what each means."""


class JsonRoute(APIRoute):
    """Refuses a body that isn't announced as JSON before it is read; what a path may say is part of the address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match but for a word of the path that is none of those documented: it may be the name of another address."""
        match, inner = super().matches(scope)
        given = inner.get("path_params", {})
        for one in self.dependant.path_params:
            choices = one.field_info.annotation
            if match is not Match.NONE and get_origin(choices) is Literal and given[one.name] not in get_args(choices):
                return Match.NONE, {}
        return match, inner

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's own handler."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if self.body_field is not None and kind != "application/json":
                raise HTTPException(415)
            answer: Response = await handle(request)
            return answer

        return checked


async def _service(request: Request) -> Service:
    # Were it no coroutine, every request, also one that is refused, would be handed to a thread and back for this.
    service: Service = request.state.service
    return service


ServiceNow = Annotated[Service, Depends(_service)]


def json_answer(text: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that is written already."""
    return Response(text, media_type="application/json", headers=headers)
