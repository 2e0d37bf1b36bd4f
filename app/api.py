"""Serves the checker over HTTP: REST under /api/v1, the service's own state, and the page beside them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app import __version__, web
from app.catalogue import Alternative, Cliche, Dataset, Technique, Tutorial
from app.checker import Checker, Submission
from app.errors import OriginalityError
from app.intake import MAX_CHARS
from app.records import About, EntryKind
from app.render import dumps, to_json
from app.report import Report, SearchHit
from app.serving import BodyLimit, Problem, RequestLog, SecurityHeaders, Service, problem_of
from app.settings import Settings

MAX_BATCH = 100
MAX_HITS = 100
MAX_PAGE = 500
EXAMPLES = Path(__file__).resolve().parent / "examples.json"
Kind = Literal["dataset", "technique", "tutorial", "cliche", "alternative"]
Entry: TypeAlias = Dataset | Technique | Tutorial | Cliche | Alternative

_DESCRIPTION = """Tells whether an idea for a machine-learning portfolio project is well worn, with its evidence,
and what would make it the author's own. Nothing that is sent is stored or logged. Every fault is a problem document
(RFC 9457) that repeats nothing of the request."""


# --- what goes in and out --------------------------------------------------------------------------------------------


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class AtMost:
    """A longest length in code points; pydantic's own refuses strings with lone surrogates, which JSON can carry."""

    length: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the length after the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Document the length."""
        return handler(schema) | {"maxLength": self.length}

    def _check(self, value: str) -> str:
        if len(value) > self.length:
            raise PydanticCustomError(
                "string_too_long", "String should have at most {most} characters", {"most": self.length}
            )
        return value


Line = Annotated[str, AtMost(500)]


class AboutIn(_In):
    """What the author says of themselves; steers the advice and never the verdict."""

    interests: Line = ""
    place: Line = ""
    skills: Line = ""
    hours: float | None = Field(None, ge=0, le=10_000, allow_inf_nan=False, description="Hours that they have for it.")
    hardware: Line = ""


class CheckIn(_In):
    """One text to be judged."""

    text: str = Field(description="The idea or the README, as its author wrote it; plain text or Markdown.")
    id: Annotated[str, AtMost(200)] = Field("", description="Your own name for it; comes back in the report.")
    title: Line = ""
    language: Annotated[str, AtMost(35)] = Field(
        "", description="Its language's tag where you know it; else it is detected."
    )
    about: AboutIn | None = None

    def submission(self) -> Submission:
        """Hand it on in the checker's own words."""
        about = About(**self.about.model_dump()) if self.about else None
        return Submission(id=self.id, text=self.text, title=self.title, language=self.language, about=about)


class BatchIn(_In):
    """Several texts to be judged in one go, faster than one by one."""

    items: list[CheckIn] = Field(min_length=1, max_length=MAX_BATCH)


class ItemError(BaseModel):
    """Why one item of a batch has no report."""

    type: str
    title: str
    detail: str


class ItemFailed(BaseModel):
    """An item of a batch that could not be judged; the others were."""

    id: str
    error: ItemError


class BatchOut(BaseModel):
    """One result per item, in the order of the items."""

    results: list[Report | ItemFailed]


class SearchIn(_In):
    """A query that is too long or too private for an address."""

    q: Annotated[str, AtMost(20_000)]
    k: int = Field(10, ge=1, le=MAX_HITS)
    kind: list[EntryKind] = Field([], description="Kinds to look among; all where it is empty.")


class SearchOut(BaseModel):
    """What the catalogue knows nearest to a query, best first."""

    hits: list[SearchHit]


class EntrySummary(BaseModel):
    """A line of the catalogue's table of contents."""

    id: str
    kind: Kind
    name: str
    url: str | None
    tier: int = Field(ge=1, le=3, description="1: everyone's first portfolio; 3: known in its subfield.")
    about: str


class CataloguePage(BaseModel):
    """A stretch of the catalogue in the order of ids."""

    total: int = Field(description="Entries that fit the filter, on all pages.")
    offset: int
    items: list[EntrySummary]


class FieldFault(BaseModel):
    """One field that is not as documented."""

    loc: list[str | int]
    msg: str


class ProblemOut(BaseModel):
    """A fault, as RFC 9457 tells it."""

    type: str = Field(
        description="Stable name of the kind of fault.", examples=["urn:originality:problem:text-too-long"]
    )
    title: str
    status: int
    detail: str = Field(description="What was found, what is allowed, what to do.")
    instance: str | None = Field(None, description="Carries the request's X-Request-ID.")
    errors: list[FieldFault] | None = Field(None, description="For a body of the wrong shape: what is wrong where.")


def _answers(model: Any, *faults: int) -> dict[int | str, dict[str, Any]]:
    """Document an endpoint's answers: the good one, and the faults that it knows."""
    good: dict[str, Any] = {"model": model, "description": "Done."}
    return {200: good, **{status: {"model": ProblemOut, "description": _FAULTS[status]} for status in faults}}


_FAULTS = {
    400: "The body is not JSON.",
    404: "There is no such entry.",
    413: "The body or the text is larger than is read in one go.",
    415: "The body is not sent as JSON.",
    422: "The fields are not as documented, or the text holds nothing to judge.",
    429: "More checks than this address may ask for in a minute; Retry-After says when to come back.",
    503: "The model or the index is missing, doesn't fit, or is still being opened; the detail says what to do.",
}
_BODY_FAULTS = (400, 413, 415, 422, 429, 503)


class _JsonRoute(APIRoute):
    """Refuses a body that isn't announced as JSON before it is read."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Wrap FastAPI's own handler."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if request.method == "POST" and kind != "application/json":
                raise HTTPException(415)
            answer: Response = await handle(request)
            return answer

        return checked


def _service(request: Request) -> Service:
    service: Service = request.state.service
    return service


ServiceNow = Annotated[Service, Depends(_service)]
api = APIRouter(prefix="/api/v1", route_class=_JsonRoute)
state = APIRouter(tags=["service"])


def _json(text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, media_type="application/json", headers=headers)


# --- checks ----------------------------------------------------------------------------------------------------------


@api.post("/checks", tags=["checks"], responses=_answers(Report, *_BODY_FAULTS))
async def check(body: CheckIn, request: Request, service: ServiceNow) -> Response:
    """Judge one text."""
    limits = service.admit(request)
    one = body.submission()

    def work(checker: Checker) -> tuple[Report, str]:
        report = checker.check(one.text, id=one.id, title=one.title, language=one.language, about=one.about)
        return report, to_json(report)

    report, text = await service.run(work)
    service.note(request, report)
    return _json(text, limits)


@api.post("/checks:batch", tags=["checks"], responses=_answers(BatchOut, *_BODY_FAULTS))
async def check_batch(body: BatchIn, request: Request, service: ServiceNow) -> Response:
    """Judge up to 100 texts; one that can't be judged gets an error in its place, and the others their reports."""
    limits = service.admit(request, len(body.items))
    submissions = [item.submission() for item in body.items]

    def work(checker: Checker) -> tuple[list[Report | OriginalityError], str]:
        results = checker.check_many(submissions)
        parts = [
            to_json(r) if isinstance(r, Report) else _failed(s.id, r) for s, r in zip(submissions, results, strict=True)
        ]
        return results, '{"results":[' + ",".join(parts) + "]}"

    results, text = await service.run(work)
    for result in results:
        if isinstance(result, Report):
            service.note(request, result)
    request.state.verdict = f"batch of {len(results)}"
    return _json(text, limits)


def _failed(name: str, error: OriginalityError) -> str:
    body = problem_of(error).body()
    return dumps({"id": name, "error": {key: body[key] for key in ("type", "title", "detail")}})


# --- the catalogue ---------------------------------------------------------------------------------------------------


@api.get("/search", tags=["catalogue"], responses=_answers(SearchOut, 422, 429, 503))
async def search(
    request: Request,
    service: ServiceNow,
    q: Annotated[
        str,
        Query(min_length=1, max_length=2_000, description="A few words, or a whole idea.", examples=["wine quality"]),
    ],
    k: Annotated[int, Query(ge=1, le=MAX_HITS)] = 10,
    kind: Annotated[list[EntryKind] | None, Query(description="Kinds to look among; may be repeated.")] = None,
) -> Response:
    """Find what the catalogue knows nearest to a query, by meaning; a cosine is information and never a verdict."""
    return await _search(request, service, q, k, tuple(kind or ()))


@api.post("/search", tags=["catalogue"], responses=_answers(SearchOut, *_BODY_FAULTS))
async def search_long(body: SearchIn, request: Request, service: ServiceNow) -> Response:
    """Find the same for a query that should not stand in an address."""
    return await _search(request, service, body.q, body.k, tuple(body.kind))


async def _search(request: Request, service: Service, q: str, k: int, kinds: tuple[EntryKind, ...]) -> Response:
    limits = service.admit(request)
    hits = await service.run(lambda checker: checker.search(q, k, kinds or None))
    return _json(dumps({"hits": [hit.model_dump(mode="json") for hit in hits]}), limits)


@api.get("/catalogue", tags=["catalogue"], responses=_answers(CataloguePage, 422, 503))
async def list_catalogue(
    service: ServiceNow,
    kind: Kind | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> Response:
    """List what is known, page by page."""
    fitting = [e for e in service.ready_checker().catalogue.entries.values() if kind in (None, e.kind)]
    items = [{name: getattr(e, name) for name in EntrySummary.model_fields} for e in fitting[offset : offset + limit]]
    return _json(dumps({"total": len(fitting), "offset": offset, "items": items}))


@api.get("/catalogue/{entry}", tags=["catalogue"], responses=_answers(Entry, 404, 422, 503))
async def show_entry(entry: str, service: ServiceNow) -> Response:
    """Show all that is known of one entry."""
    found = service.ready_checker().catalogue.entries.get(entry)
    if found is None:
        raise HTTPException(404)
    return _json(dumps(asdict(found)))


# --- the service itself ----------------------------------------------------------------------------------------------


@state.get("/health", responses=_answers(dict[str, Any], 503))
async def health(service: ServiceNow) -> Response:
    """Tell whether checks can be done, and with which model and index; 503 until then, with the reason."""
    return _json(dumps({"status": "ready", **service.ready_checker().info()}))


@state.get("/ready", responses=_answers(dict[str, str], 503))
async def ready(service: ServiceNow) -> Response:
    """Tell a load balancer whether to send requests."""
    service.ready_checker()
    return _json(dumps({"status": "ready"}))


@state.get("/info", responses=_answers(dict[str, Any], 503))
async def info(service: ServiceNow) -> Response:
    """Tell versions, the catalogue's counts by kind, the model, the index and this service's limits."""
    limits = {
        "max_body_bytes": service.settings.max_body_bytes,
        "max_characters": MAX_CHARS,
        "max_batch": MAX_BATCH,
        "requests_per_minute": service.settings.requests_per_minute or None,
    }
    return _json(dumps({**service.ready_checker().info(), "limits": limits}))


# --- the app ---------------------------------------------------------------------------------------------------------


class _Static(StaticFiles):
    """Static files; an address that carries its content's hash may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = scope.get("query_string", b"").startswith(b"v=") and response.status_code == 200
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


class _App(FastAPI):
    """FastAPI, but described with examples and with its faults under their true media type."""

    def openapi(self) -> dict[str, Any]:
        """Describe the API; made once, on demand."""
        if self.openapi_schema is None:
            schema = super().openapi()
            examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
            for path, operations in schema["paths"].items():
                for method, operation in operations.items():
                    _illustrate(operation, examples.get(f"{method} {path}", {}))
        return cast("dict[str, Any]", self.openapi_schema)


def create_app(settings: Settings, checker: Checker | None = None) -> FastAPI:
    """Put the service together.

    Args:
        checker: an open one to use; else one is opened in the background as soon as the service starts.
    """
    service = Service(settings, checker)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Service]]:
        await service.start()
        yield {"service": service}
        await service.stop()

    app = _App(
        title="Originality checker",
        version=__version__,
        description=_DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        # FastAPI's own pages load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(api)
    app.include_router(state)
    app.include_router(web.router)
    app.mount("/static", _Static(directory=web.STATIC), name="static")
    for kind in (OriginalityError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _handle)
    Instrumentator(excluded_handlers=["/metrics", "/static"], registry=service.registry).instrument(app).expose(
        app, tags=["service"]
    )
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, most=settings.max_body_bytes)
    app.add_middleware(RequestLog, respond=_respond)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CorrelationIdMiddleware)
    return app


async def _handle(request: Request, error: Exception) -> Response:
    return _respond(request, problem_of(error))


def _respond(request: Request, problem: Problem) -> Response:
    """Tell programs in problem+json and people on a page."""
    if request.url.path.startswith(("/api/", "/health", "/ready", "/info", "/metrics")):
        return Response(dumps(problem.body()), problem.status, problem.headers, "application/problem+json")
    return web.error_page(problem)


def _illustrate(operation: dict[str, Any], examples: dict[str, Any]) -> None:
    """Put an operation's examples in their places."""
    if "requests" in examples:
        operation["requestBody"]["content"]["application/json"]["examples"] = examples["requests"]
    for status, answer in operation["responses"].items():
        media = answer.get("content", {}).pop("application/json", None)
        if media is None:
            continue
        if status >= "400":
            answer["content"]["application/problem+json"] = media
        else:
            answer["content"]["application/json"] = media | (
                {"example": examples["answer"]} if "answer" in examples else {}
            )
