"""Serves the checker over HTTP: REST under /api/v1, the service's own state, and the page beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, cast

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from app import __version__, access, console, described, drift, holdings, logs, lookup, memory, page, shelf, voices, web
from app.bodies import BODY_FAULTS, JsonRoute, ServiceNow, answers, json_answer, submission_of
from app.checker import Checker
from app.contract import (
    MAX_BATCH,
    MAX_CHOICES,
    MAX_HITS,
    MAX_PAGE,
    MOST,
    NAME_FORM,
    AnyEntry,
    BatchIn,
    BatchOut,
    CataloguePage,
    CheckIn,
    EntrySummary,
    Kind,
    SearchIn,
    SearchOut,
    Tier,
)
from app.errors import BadSetting, OriginalityError
from app.intake import MAX_CHARS
from app.ledger import RequestLog
from app.records import EntryKind
from app.render import dumps, to_json
from app.report import Neighbour, Report, SearchHit
from app.screenings import api as screenings
from app.screenings import pages as screening_pages
from app.screenings.desk import Desk
from app.screenings.service import running
from app.serving import Ending, Problem, SecurityHeaders, Service, problem_of
from app.settings import Fetching, Settings
from app.traffic import BodyLimit, Compressed

_DESCRIPTION = """Tells whether an idea for a machine-learning portfolio project is well worn, with its evidence,
and what would make it the author's own. Nothing that is sent is logged, and nothing is stored but what somebody asks
to be kept: rows of collections, and screenings, which are deleted when they are told to be or their days are over.
Every fault is a problem document
(RFC 9457) that repeats nothing of the request."""


api = APIRouter(prefix="/api/v1", route_class=JsonRoute)
state = APIRouter(tags=["service"])


# --- checks ----------------------------------------------------------------------------------------------------------


@api.post("/checks", tags=["checks"], responses=answers(Report, 401, 403, 404, *BODY_FAULTS))
async def check(body: CheckIn, request: Request, service: ServiceNow) -> Response:
    """Judge one text."""
    limits = access.admit(request, service, "check")
    access.require(request, service, "read", body.collections)
    one = submission_of(body)

    def work(checker: Checker) -> tuple[Report, str]:
        report = checker.check(
            one.text,
            id=one.id,
            title=one.title,
            language=one.language,
            about=one.about,
            collections=one.collections,
            suggest=one.suggest,
        )
        return report, to_json(report)

    report, text = await service.run(work, request)
    service.note(request, report)
    if service.sent_to and not body.plain:
        text = to_json(await service.rephrased(report, one.text, one.language))
    return json_answer(text, limits)


@api.post("/checks:batch", tags=["checks"], responses=answers(BatchOut, 401, 403, 404, *BODY_FAULTS))
async def check_batch(body: BatchIn, request: Request, service: ServiceNow) -> Response:
    """Judge up to 100 texts; one that can't be judged gets an error in its place, and the others their reports."""
    limits = access.admit(request, service, "check", len(body.items))
    access.require(request, service, "read", {name for item in body.items for name in item.collections})
    submissions = [submission_of(item) for item in body.items]

    def work(checker: Checker) -> tuple[list[Report | OriginalityError], str]:
        results = checker.check_many(submissions)
        parts = [
            to_json(r) if isinstance(r, Report) else _failed(s.id, r) for s, r in zip(submissions, results, strict=True)
        ]
        return results, '{"results":[' + ",".join(parts) + "]}"

    results, text = await service.run(work, request, len(submissions))
    for result in results:
        if isinstance(result, Report):
            service.note(request, result)
    request.state.verdict = f"batch of {len(results)}"
    return json_answer(text, limits)


def _failed(name: str, error: OriginalityError) -> str:
    body = problem_of(error).body()
    return dumps({"id": name, "error": {key: body[key] for key in ("type", "title", "detail")}})


# --- the catalogue ---------------------------------------------------------------------------------------------------


Choices = Annotated[
    list[Annotated[str, Query(max_length=500)]] | None,
    Query(max_length=MAX_CHOICES, description="Only these; may be repeated."),
]


@api.get("/search", tags=["catalogue"], responses=answers(SearchOut, 401, 403, 404, 422, 429, 503))
async def search(
    request: Request,
    service: ServiceNow,
    q: Annotated[
        str,
        Query(min_length=1, max_length=2_000, description="A few words, or a whole idea.", examples=["wine quality"]),
    ],
    k: Annotated[int, Query(ge=1, le=MAX_HITS)] = 10,
    kind: Annotated[list[EntryKind] | None, Query(description="Kinds to look among; may be repeated.")] = None,
    modality: Choices = None,
    task: Choices = None,
    tier: Annotated[list[Tier] | None, Query(max_length=MAX_CHOICES, description="1 to 3; may be repeated.")] = None,
    collection: Annotated[
        str,
        Query(
            max_length=64,
            description="Search this collection instead; needs a key.",
            json_schema_extra={"pattern": f"{NAME_FORM}|^$"},
        ),
    ] = "",
) -> Response:
    """Find what the catalogue knows by names, words and meaning; a cosine is information and never a verdict."""
    asked = SearchIn(
        q=q, k=k, kind=kind or [], modality=modality or [], task=task or [], tier=tier or [], collection=collection
    )
    return await _search(request, service, asked)


@api.post("/search", tags=["catalogue"], responses=answers(SearchOut, 401, 403, 404, *BODY_FAULTS))
async def search_long(body: SearchIn, request: Request, service: ServiceNow) -> Response:
    """Find the same for a query that should not stand in an address."""
    return await _search(request, service, body)


async def _search(request: Request, service: Service, asked: SearchIn) -> Response:
    limits = access.admit(request, service, "search")
    access.require(request, service, "read", [asked.collection] if asked.collection else [])

    among = lookup.Filter(
        kinds=tuple(asked.kind),
        modalities=tuple(asked.modality),
        tasks=tuple(asked.task),
        tiers=tuple(asked.tier),
    )
    lookup.refuse_filters(asked.collection, among)

    def work(checker: Checker) -> Sequence[SearchHit | Neighbour]:
        if asked.collection:
            return checker.search_collection(asked.collection, asked.q, asked.k)
        return checker.search(asked.q, asked.k, among)

    hits = await service.run(work, request)
    return json_answer(dumps({"hits": [hit.model_dump(mode="json") for hit in hits]}), limits)


@api.get("/catalogue", tags=["catalogue"], responses=answers(CataloguePage, 401, 403, 422, 429, 503))
async def list_catalogue(
    request: Request,
    service: ServiceNow,
    kind: Kind | None = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> Response:
    """List what is known, page by page."""
    limits = access.admit(request, service, "search")
    fitting = [e for e in service.ready_checker().catalogue.entries.values() if kind in (None, e.kind)]
    items = [{name: getattr(e, name) for name in EntrySummary.model_fields} for e in fitting[offset : offset + limit]]
    return json_answer(dumps({"total": len(fitting), "offset": offset, "items": items}), limits)


@api.get("/catalogue/{entry}", tags=["catalogue"], responses=answers(AnyEntry, 401, 403, 404, 422, 429, 503))
async def show_entry(entry: str, request: Request, service: ServiceNow) -> Response:
    """Show all that is known of one entry."""
    limits = access.admit(request, service, "search")
    found = service.ready_checker().catalogue.entries.get(entry)
    if found is None:
        raise HTTPException(404)
    return json_answer(dumps(asdict(found)), limits)


# --- the service itself ----------------------------------------------------------------------------------------------


@state.get("/health", responses=answers(dict[str, Any], 503))
async def health(service: ServiceNow) -> Response:
    """Tell whether checks can be done, and with which model and index; 503 until then, with the reason."""
    return json_answer(dumps({"status": "ready", **service.ready_checker().info()}))


@state.get("/ready", responses=answers(dict[str, str], 503))
async def ready(service: ServiceNow) -> Response:
    """Tell a load balancer whether to send requests."""
    service.ready_checker()
    if service.ending:
        raise Ending("The service is ending; it still answers what it has been asked.")
    return json_answer(dumps({"status": "ready"}))


@state.get("/info", responses=answers(dict[str, Any], 503))
async def info(service: ServiceNow) -> Response:
    """Tell versions, the catalogue's counts by kind, model, index, what isn't as it was tested, and the limits."""
    limits = {
        "max_body_bytes": service.settings.max_body_bytes,
        "max_characters": MAX_CHARS,
        "max_batch": MAX_BATCH,
        "requests_per_minute": service.settings.requests_per_minute or None,
    }
    sent_to = {"language_model": service.sent_to or None}
    checker = service.ready_checker()
    differs = [asdict(one) for one in drift.seen(checker)]
    return json_answer(dumps({**checker.info(), "drift": differs, "limits": limits, **sent_to}))


# --- the app ---------------------------------------------------------------------------------------------------------


class _Static(StaticFiles):
    """Static files; an address that carries its content's hash may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        hashed = scope.get("query_string", b"").startswith(b"v=") and response.status_code == 200
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


class _App(FastAPI):
    """FastAPI, but described as ``app.described`` says."""

    keys_asked = False

    def openapi(self) -> dict[str, Any]:
        """Describe the API; made once, on demand."""
        if self.openapi_schema is None:
            described.complete(super().openapi(), keys=self.keys_asked)
        return cast("dict[str, Any]", self.openapi_schema)


def create_app(settings: Settings, checker: Checker | None = None) -> FastAPI:
    """Put the service together.

    Args:
        checker: an open one to use; else one is opened in the background as soon as the service starts.
    """
    service = Service(settings, checker)
    desk = Desk(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await service.start()
        async with running(desk, service, Fetching.from_environment()):
            yield {"service": service, "screenings": desk}
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
    app.keys_asked = settings.ask_keys
    app.include_router(api)
    app.include_router(holdings.router)
    app.include_router(voices.rest)
    app.include_router(screenings.router)
    app.include_router(screenings.uploads)
    app.include_router(state)
    app.include_router(web.router)
    app.include_router(shelf.router)
    app.include_router(voices.router)
    app.include_router(screening_pages.router)
    app.mount("/static", _Static(directory=page.STATIC), name="static")
    for kind in (OriginalityError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _handle)
    Instrumentator(excluded_handlers=["/metrics", "/static"], registry=service.meters.registry).instrument(app).expose(
        app, tags=["service"], response_class=PlainTextResponse
    )
    # The last one added is the outermost.
    screening = settings.max_upload_bytes
    uploads = {"/check": settings.max_file_bytes, "/api/v1/screenings:upload": screening, "/screenings": screening}
    app.add_middleware(Compressed)
    app.add_middleware(BodyLimit, most=settings.max_body_bytes, uploads=uploads)
    app.add_middleware(RequestLog, respond=_respond)
    app.add_middleware(SecurityHeaders)
    if settings.traces_url:
        _trace(app, settings.traces_url)
    app.add_middleware(CorrelationIdMiddleware)
    app.state.end = service.end
    return app


def _trace(app: FastAPI, url: str) -> None:
    try:
        from app import tracing  # noqa: PLC0415  an extra: most services send traces nowhere
    except ImportError as error:
        raise BadSetting(
            f"ORIGINALITY_TRACES_URL needs a package that is missing ({error.name}). "
            "Run: pip install 'originality-checker[otel]'"
        ) from error
    app.add_middleware(tracing.Traced, provider=tracing.to_collector(url))


def served() -> FastAPI:
    """Put the service together by the environment, in one of several processes that share a port."""
    memory.few_arenas()
    console.quiet()
    settings = Settings.from_environment()
    logs.configure(settings.log_level, settings.log_format)
    return create_app(settings)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


async def _handle(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status == 405:
        problem.headers["Allow"] = ", ".join(method for method in METHODS if _is_answered(request, method))
    return _respond(request, problem)


def _is_answered(request: Request, method: str) -> bool:
    """Tell whether the request's address answers a method; the framework's own word is its first route's alone."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)


def _respond(request: Request, problem: Problem) -> Response:
    """Tell programs in problem+json and people on a page."""
    request.state.service.meters.problems.labels(problem.name).inc()
    if request.url.path.startswith(("/api/", "/health", "/ready", "/info", "/metrics")):
        return Response(dumps(problem.body()), problem.status, problem.headers, "application/problem+json")
    return page.error(request, problem)
