"""Sends spans of requests and of their stages to an OpenTelemetry collector; the only room that knows OpenTelemetry.

A span says what was asked for by its route, how it ended, and how long each stage took. It carries no path as it was
sent, no query, no text and no message of an error, for all of these may hold a user's words; that is why the usual
instrumentation of web frameworks, which records addresses, isn't used here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asgi_correlation_id import correlation_id
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers

from app import __version__, stages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SILENT = ("/health", "/ready", "/metrics", "/static")
"""What is asked for every few seconds, and would bury all else."""
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def to_collector(url: str) -> TracerProvider:
    """Make a provider that sends to a collector in batches, in a thread of its own; one that is away stops nobody.

    How many are kept is the environment's to say, as OpenTelemetry has it: ``OTEL_TRACES_SAMPLER``,
    ``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_EXPORTER_OTLP_HEADERS``.
    """
    about = {"service.name": "originality-checker", "service.version": __version__}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider


class Traced:
    """Gives each request a span, and each stage of its work one within."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        """Wrap ``app``."""
        self.app = app
        self._provider = provider
        self._tracer = provider.get_tracer(__name__, __version__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; a caller's own trace is gone on with."""
        if scope["type"] == "lifespan":
            try:
                await self.app(scope, receive, send)
            finally:
                self._provider.shutdown()  # what is still to be sent is sent
            return
        if scope["type"] != "http" or scope["path"].startswith(_SILENT):
            await self.app(scope, receive, send)
            return
        outer = propagate.extract(Headers(scope=scope))
        with self._span(_method(scope), SpanKind.SERVER, outer) as span, stages.heard_by(self._stage):

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(span, message["status"])
                await send(message)

            try:
                await self.app(scope, receive, watched)
            finally:
                _tell(span, scope)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        with self._span(name, SpanKind.INTERNAL):
            yield

    @contextmanager
    def _span(self, name: str, kind: SpanKind, outer: Any = None) -> Iterator[Span]:
        # Of an error only its kind is told: its message, which is recorded by default, may quote the text.
        with self._tracer.start_as_current_span(
            name, context=outer, kind=kind, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise


def _method(scope: Scope) -> str:
    """Give a method that there is: a caller may send any word in its place, and OpenTelemetry has a name for those."""
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"


def _answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def _tell(span: Span, scope: Scope) -> None:
    route, method = getattr(scope.get("route"), "path", ""), _method(scope)
    span.update_name(f"{method} {route}".strip())
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("originality.request_id", correlation_id.get() or "")
    if verdict := scope.get("state", {}).get("verdict"):
        span.set_attribute("originality.verdict", verdict)
