"""What the service says of itself: figures for Prometheus, lines with request ids, and spans, all without a text."""

from __future__ import annotations

import gzip
import io
import json
import logging
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from app import logs, meters, stages
from app.api import create_app
from app.errors import BadSetting
from app.meters import Meters, Watch
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker

MARK = "xylophone-4711"
CHECKS = "/api/v1/checks"
STAGES = {"waiting", "intake", "reading", "judging", "advice", "report"}


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Read an exposition: a sample's name and the values of its labels, sorted by their names, lead to its value."""
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_stage_within_a_stage_stops_the_outer_ones_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each second is counted once, for the innermost stage; what a stage takes in several goes is added up."""
    now = iter([0.0, 1.0, 4.0, 5.0, 7.0, 10.0])
    monkeypatch.setattr("app.meters.time.perf_counter", lambda: next(now))
    watch = Watch()
    with stages.heard_by(watch.stage), stages.stage("outer"):
        for _ in range(2):
            with stages.stage("inner"):
                pass
    assert watch.spent == {"inner": 3.0 + 2.0, "outer": 10.0 - 5.0}


def test_nobody_hears_a_stage_outside_of_the_block() -> None:
    """A listener hears what happens in its block, also of a function that is a stage, and an error passes through."""
    heard: list[str] = []

    class Ear:
        def __init__(self, name: str) -> None:
            heard.append(name)

        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

    @stages.stage("a function")
    def broken() -> None:
        raise KeyError

    with pytest.raises(KeyError), stages.heard_by(Ear):
        broken()
    with stages.stage("unheard"):
        pass
    assert heard == ["a function"]


def test_a_request_is_seen_while_it_waits_and_while_it_is_worked_on() -> None:
    """Waiting and work are told apart, the oldest one's age is told, and nothing is left over of one that failed."""
    of = Meters()

    def seen() -> tuple[float | None, float | None]:
        value = of.registry.get_sample_value
        return value("originality_requests_waiting"), value("originality_requests_at_work")

    def work(_: object) -> None:
        assert seen() == (0.0, 1.0)
        raise KeyError

    with of.asked(work) as timed:
        assert seen() == (1.0, 0.0)
        time.sleep(0.02)
        assert (of.registry.get_sample_value("originality_oldest_request_seconds") or 0) >= 0.02
        with pytest.raises(KeyError):
            timed(None)  # type: ignore[arg-type]  # the work asks for nothing
    assert seen() == (0.0, 0.0)
    assert of.registry.get_sample_value("originality_oldest_request_seconds") == 0.0
    assert of.registry.get_sample_value("originality_stage_seconds_count", {"stage": "waiting"}) == 1.0


@pytest.mark.model
def test_the_figures_are_those_of_what_was_done(settings: Settings, checker: Checker) -> None:
    """Verdicts, refusals by kind, each stage's time once a check, what checks run on, and this process's memory."""
    with TestClient(create_app(settings, checker)) as client:
        began = time.perf_counter()
        for _ in range(2):
            client.post(CHECKS, json={"text": f"titanic survival w/ logistic regression {MARK}"})
        took = time.perf_counter() - began
        client.post(CHECKS, json={"text": "  "})
        client.post(CHECKS, json={})
        client.get("/nowhere")
        text = client.get("/metrics").text
        about = client.get("/info").json()
    found = samples(text)
    assert found[("originality_checks_total", "well_worn")] == 2
    problems = {name[1]: value for name, value in found.items() if name[0] == "originality_problems_total" and value}
    assert problems == {"text-unusable": 1, "wrong-shape": 1, "not-found": 1}
    counts = {name[1]: value for name, value in found.items() if name[0] == "originality_stage_seconds_count"}
    assert counts == dict.fromkeys(STAGES, 3.0) | {"report": 2.0}
    spent = sum(value for name, value in found.items() if name[0] == "originality_stage_seconds_sum")
    assert 0.5 * took < spent < took
    assert found[("originality_ready",)] == 1
    assert found[("originality_build", *(about[name] for name in sorted(meters._BUILD)))] == 1
    assert found[("process_resident_memory_bytes",)] > 50e6
    assert MARK not in text


@pytest.mark.model
def test_whoever_asks_has_an_id_in_answer_and_log(
    settings: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A given id or a new one is in the answer and in the line; one setting gives lines for people in JSON's stead."""
    stream, root = io.StringIO(), logging.getLogger()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(root, "handlers", [])
    kept = {name: logging.getLogger(name).level for name in (None, "app", "uvicorn.error")}
    given = "0d6bdfcb1dd24e55a1bdd9ae2b9ee5f1"
    try:
        with TestClient(create_app(settings, checker)) as client:
            logs.configure("INFO", "json")
            ids = [client.get("/ready", headers={"X-Request-ID": one}).headers["x-request-id"] for one in (given, MARK)]
            lines = [line for line in map(json.loads, stream.getvalue().splitlines()) if line["event"] == "request"]
            stream.truncate(0)
            logs.configure("INFO", "text")
            client.get("/ready", headers={"X-Request-ID": given})
            plain = stream.getvalue()
    finally:
        for name, level in kept.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger("uvicorn.access").disabled = False
    assert [line["request_id"] for line in lines] == ids
    assert ids[0] == given
    assert ids[1] not in {given, MARK}  # what is no id is replaced: it may be anybody's words
    assert f"request_id={given}" in plain
    assert "status=200" in plain


def test_the_form_of_the_log_is_one_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting takes json and text, and says so of anything else."""
    monkeypatch.setenv("ORIGINALITY_LOG_FORMAT", "Text")
    assert Settings.from_environment().log_format == "text"
    monkeypatch.setenv("ORIGINALITY_LOG_FORMAT", "xml")
    with pytest.raises(BadSetting, match="'xml'; json, text are allowed"):
        Settings.from_environment()


# --- traces ----------------------------------------------------------------------------------------------------------


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Run what takes spans on this machine; gives its address and what it got."""
    bodies: list[bytes] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Takes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
        server.shutdown()
        thread.join()


def spans(bodies: list[bytes]) -> list[Any]:
    """Read what a collector got."""
    got = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return [span for one in got for some in one.resource_spans for scope in some.scope_spans for span in scope.spans]


@pytest.mark.model
def test_a_collector_gets_spans_without_a_word(settings: Settings, checker: Checker) -> None:
    """Each request is a span that goes on with its caller's trace, each stage one within; no text is in any of them."""

    class Broken:
        """Fails as nobody foresaw, with the text in its message."""

        def __getattr__(self, name: str) -> Any:
            return getattr(checker, name)

        def check(self, *_: Any, **__: Any) -> Any:
            raise KeyError(MARK)

    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with collector() as (url, bodies):
        own = replace(settings, traces_url=url)
        with TestClient(create_app(own, checker)) as client:
            client.post(
                f"{CHECKS}?q={MARK}",
                json={"text": f"titanic survival w/ logistic regression {MARK}", "id": MARK},
                headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "X-Note": MARK},
            )
            client.get(f"/api/v1/search?q={MARK}&k=1")
            client.get(f"/{MARK}")
            client.request(MARK.upper(), "/api/v1/catalogue")
            client.get("/ready")
        with TestClient(create_app(own, Broken())) as client:  # type: ignore[arg-type]  # stands in for a checker
            assert client.post(CHECKS, json={"text": MARK}).status_code == 500
    found = spans(bodies)
    assert MARK.encode() not in b"".join(bodies).lower()
    requests = {span.span_id: span for span in found if span.kind == 2}
    names = [span.name for span in requests.values()]
    assert sorted(names) == sorted(
        [f"POST {CHECKS}", f"POST {CHECKS}", "GET /api/v1/search", "GET", "_OTHER /api/v1/catalogue"]
    )
    first = next(span for span in requests.values() if span.trace_id.hex() == trace)
    told = {a.key: a.value.string_value or a.value.int_value for a in first.attributes}
    assert told.pop("originality.request_id")
    assert told == {
        "http.request.method": "POST",
        "http.route": CHECKS,
        "http.response.status_code": 200,
        "originality.verdict": "well_worn",
    }
    within = [span for span in found if span.trace_id == first.trace_id and span.kind != 2]
    assert {span.name for span in within} == STAGES - {"waiting"}
    assert all(first.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano for span in within)
    assert all(not span.events for span in found)


def test_a_collector_without_its_packages_is_said_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for traces and has not installed the extra is told what to install, before anything is served."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "app.tracing", raising=False)
    monkeypatch.delattr("app.tracing", raising=False)
    with pytest.raises(BadSetting, match=r"pip install 'originality-checker\[otel\]'"):
        create_app(replace(settings, traces_url="http://127.0.0.1:1/v1/traces"))
