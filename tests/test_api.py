"""The API's promises: a report in one request, faults as problems, and no word of a text where it has no place."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app import logs, serving
from app.api import create_app
from app.contract import MAX_BATCH, CheckIn, ProblemOut
from app.described import EXAMPLES
from app.errors import TextUnusable
from app.intake import MAX_CHARS
from app.report import Report
from app.serving import WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker
    from app.settings import Settings

pytestmark = pytest.mark.model

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"
TITANIC = "titanic survival w/ logistic regression"
MARK = "xylophone-4711"
CHECKS = "/api/v1/checks"


@pytest.fixture(scope="module")
def client(settings: Settings, checker: Checker) -> Iterator[TestClient]:
    """Talk to the real service over the real checker."""
    with TestClient(create_app(settings, checker)) as opened:
        yield opened


def _with(settings: Settings, checker: object, **changed: Any) -> TestClient:
    return TestClient(create_app(replace(settings, **changed), cast("Checker", checker)))


def _problem(response: Any, status: int) -> ProblemOut:
    """Hold an answer to the form of a problem and give it back."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = ProblemOut.model_validate(response.json())
    assert problem.status == status
    assert problem.detail
    return problem


def _quotes(report: Report) -> Iterator[Any]:
    for holder in (*report.matches, *report.why, *(f for _, f in report.facets)):
        yield from holder.evidence


class _Standin:
    """Stands where the checker does, and fails or dawdles as a test needs it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.go_on = threading.Event()
        self.go_on.set()

    def info(self) -> dict[str, Any]:
        return {}

    def check(self, *_: Any, **__: Any) -> Report:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go_on.wait(20)
        with self.lock:
            self.now -= 1
        raise self.error


# --- one check -------------------------------------------------------------------------------------------------------


def test_a_worn_idea_gets_its_verdict_and_evidence(client: TestClient) -> None:
    """One request gives the verdict, Titanic as what it rests on, the technique, and three things to do."""
    report = Report.model_validate(client.post(CHECKS, json={"text": TITANIC}).json())
    assert (report.verdict, report.flagged) == ("well_worn", True)
    named = {(m.entry, m.kind, m.role): m for m in report.matches}
    titanic, technique = named["titanic", "dataset", "rests_on"], named["logistic-regression", "technique", "uses"]
    assert titanic.evidence[0].quote.startswith("titanic")
    assert [e.quote for e in technique.evidence] == ["logistic regression"]
    assert len(report.suggestions) >= 3


def test_evidence_is_cut_from_the_text_as_sent(client: TestClient) -> None:
    """Every quotation is what stands at its place in the text that was sent, in code points, before any repair."""
    text = "👩🏽‍🔬\r\n\u200bMy pro\u00adject: " + TITANIC + " — naïve \ud800!"
    report = Report.model_validate(client.post(CHECKS, content=json.dumps({"text": text}), headers=_JSON).json())
    assert list(_quotes(report))
    assert all(e.quote == text[e.start : e.end] for e in _quotes(report))


_JSON = {"content-type": "application/json"}


def test_all_fields_are_taken(client: TestClient) -> None:
    """A request with every documented field is judged, and its id comes back."""
    about = {"interests": "rowing", "place": "Porto", "skills": "pandas", "hours": 12, "hardware": "a laptop"}
    body = {"text": TITANIC, "id": "a/1", "title": "Who lived?", "language": "en", "about": about}
    assert client.post(CHECKS, json=body).json()["id"] == "a/1"


def test_the_same_text_gives_the_same_bytes(client: TestClient) -> None:
    """A report can be repeated."""
    assert client.post(CHECKS, json={"text": TITANIC}).content == client.post(CHECKS, json={"text": TITANIC}).content


# --- bad input -------------------------------------------------------------------------------------------------------

ODD = {
    "one character": "x",
    "a lone surrogate": "titanic \ud800 survival",
    "a split pair": "\udc00\ud83d titanic",
    "NUL": "titanic\x00survival",
    "10,000 lines": "titanic\n" * 10_000,
    "a URL": "https://www.kaggle.com/c/titanic",
    "HTML": "<html><script>alert('titanic')</script><p>Predict survival on the <b>Titanic</b></p>",
    "right to left": "\u202eتوقع الناجين من تيتانيك باستخدام الانحدار اللوجستي",
    "emoji alone": "🚢🧊🛟",
    "punctuation alone": "?!… -- ##",
    "one word a thousand times": "titanic " * 1_000,
    "one line without a blank": "a" * 50_000,
    "brackets": "[](" * 5_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_an_odd_text_gets_a_report_or_a_reason(client: TestClient, text: str) -> None:
    """Whatever the text, the answer is a report or a problem that names the mend, and can be decoded."""
    response = client.post(CHECKS, content=json.dumps({"text": text, "id": text[:20]}), headers=_JSON)
    if response.status_code == 200:
        report = Report.model_validate(json.loads(response.content.decode("utf-8")))
        assert report.id == text[:20]
    else:
        _problem(response, 422)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec=None), max_size=60))
def test_no_text_breaks_the_service(client: TestClient, text: str) -> None:
    """Any string at all is answered with 200 or 422."""
    assert client.post(CHECKS, content=json.dumps({"text": text}), headers=_JSON).status_code in {200, 422}


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u200b\u200b", "\x00\x01\x02\x03 binary"])
def test_nothing_to_judge_is_said_so(client: TestClient, text: str) -> None:
    """A text without words, or a binary one, is refused with what to send instead."""
    assert _problem(client.post(CHECKS, json={"text": text}), 422).type.endswith("text-unusable")


def test_a_text_that_is_too_long_is_said_so(client: TestClient) -> None:
    """A text past the limit is refused with its length and the limit."""
    problem = _problem(client.post(CHECKS, json={"text": "a " * MAX_CHARS}), 413)
    assert f"{MAX_CHARS:,}" in problem.detail


def test_a_body_that_announces_too_much_is_refused(settings: Settings, checker: Checker) -> None:
    """A Content-Length past the limit is a 413."""
    with _with(settings, checker, max_body_bytes=5_000) as client:
        problem = _problem(client.post(CHECKS, content=b"x" * 1_000_000, headers=_JSON), 413)
    assert problem.type.endswith("body-too-large")


@pytest.mark.parametrize("path", [CHECKS, "/check"])
def test_an_endless_body_is_cut_off(settings: Settings, checker: Checker, path: str) -> None:
    """A stream that announces no length is read up to the limit and no further, by the API and by the page."""
    app = create_app(replace(settings, max_body_bytes=5_000), checker)
    kind = b"application/json" if path == CHECKS else b"application/x-www-form-urlencoded"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [(b"content-type", kind)]}
    chunks = 0
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": True}

    async def send(message: Any) -> None:
        answer.append(message)

    with TestClient(app) as client:  # for the service that the application's start makes
        asyncio.run(app(scope | {"state": client.app_state}, receive, send))
    assert answer[0]["status"] == 413
    assert chunks == 6


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"text": "a",}', b'{"text": NaN', b"\xff\xfe", b"[" * 100_000, b"1" * 5_000 + b","]
)
def test_a_body_that_is_no_json_is_a_400(client: TestClient, body: bytes) -> None:
    """What can't be parsed is refused as such, however it is broken; an empty body lacks all fields."""
    _problem(client.post(CHECKS, content=body, headers=_JSON), 400 if body else 422)


SHAPES: dict[str, Any] = {
    "no text": {},
    "an unknown field": {"text": TITANIC, MARK: 1},
    "a number for a text": {"text": 4711},
    "a list": [MARK],
    "a string": MARK,
    "null": None,
    "a list for a text": {"text": [MARK]},
    "hours as text": {"text": MARK, "about": {"hours": MARK}},
    "endless hours": {"text": MARK, "about": {"hours": 1e999}},
    "an unknown field inside": {"text": MARK, "about": {"salary": MARK}},
    "a long id": {"text": MARK, "id": MARK * 100},
    "a field named by a whole text": {"text": MARK, f"my {MARK} idea": ""},
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES.keys())
def test_a_wrong_shape_is_told_without_an_echo(client: TestClient, body: Any) -> None:
    """Each fault of shape names its place, and nothing that was sent comes back."""
    response = client.post(CHECKS, content=json.dumps(body), headers=_JSON)
    problem = _problem(response, 422)
    assert problem.errors
    assert MARK not in response.text
    assert "4711" not in response.text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_another_content_type_is_a_415(client: TestClient, kind: str) -> None:
    """Only JSON is taken, so that a form on somebody's page can't post here."""
    _problem(client.post(CHECKS, content=b'{"text":"a"}', headers={"content-type": kind}), 415)


def test_unknown_addresses_and_methods_are_problems(client: TestClient) -> None:
    """Under /api faults are problem documents, and a wrong method names the right ones."""
    _problem(client.get("/api/v1/nothing-here"), 404)
    assert "POST" in client.get(CHECKS).headers["allow"]
    _problem(client.get(CHECKS), 405)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_a_batch_answers_in_order(client: TestClient) -> None:
    """Each item has its result in its place; one that can't be judged doesn't stop the others."""
    items = [{"id": "a", "text": TITANIC}, {"id": "b", "text": " "}, {"id": "c", "text": "iris flowers with kNN"}]
    results = client.post(f"{CHECKS}:batch", json={"items": items}).json()["results"]
    assert [r["id"] for r in results] == ["a", "b", "c"]
    assert results[1]["error"]["type"] == "urn:originality:problem:text-unusable"
    assert Report.model_validate(results[0]) == Report.model_validate(client.post(CHECKS, json=items[0]).json())


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_batch_has_a_size(client: TestClient, count: int) -> None:
    """An empty batch and one past the limit are refused as a whole."""
    _problem(client.post(f"{CHECKS}:batch", json={"items": [{"text": "a"}] * count}), 422)


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_search_ranks_by_all_three_signs(client: TestClient) -> None:
    """What is named comes first, every hit says by what it was found, and k is kept."""
    asked: dict[str, Any] = {"q": "survival of the passengers of the Titanic", "k": 5}
    hits = client.get("/api/v1/search", params=asked).json()["hits"]
    assert len({hit["entry"] for hit in hits}) == 5
    assert "titanic" in hits[0]["entry"]
    named = ["name" in hit["found_by"] for hit in hits]
    assert named == sorted(named, reverse=True)
    assert named[0]
    assert all(hit["found_by"] for hit in hits)


def test_search_filters(client: TestClient) -> None:
    """Form, task and tier narrow the hits over GET and POST alike; an unknown form is refused with those there are."""
    asked: dict[str, Any] = {"q": "noise in the street", "k": 5, "modality": ["audio"], "tier": [1, 2]}
    hits = client.post("/api/v1/search", json=asked).json()["hits"]
    assert hits == client.get("/api/v1/search", params=asked).json()["hits"]
    assert {(hit["kind"], hit["tier"] < 3) for hit in hits} == {("dataset", True)}
    assert len(hits) == 5
    problem = _problem(client.get("/api/v1/search", params={"q": "x", "modality": "smell"}), 422)
    assert "There is no such modality. Known: 3d, audio" in problem.detail


def test_search_keeps_to_a_kind(client: TestClient) -> None:
    """A filter gives that kind alone, and a posted query gives what the same query in an address gives."""
    got = client.get("/api/v1/search", params={"q": "wine quality", "kind": ["dataset", "tutorial"]}).json()
    assert {h["kind"] for h in got["hits"]} <= {"dataset", "tutorial"}
    assert client.post("/api/v1/search", json={"q": "wine quality", "kind": ["dataset", "tutorial"]}).json() == got


@pytest.mark.parametrize("query", ["", "q=&k=3", "q=a&k=0", "q=a&k=1000", "q=a&kind=book", "q=%20"])
def test_a_search_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    """A missing query, an impossible k or an unknown kind is a 422."""
    _problem(client.get(f"/api/v1/search?{query}"), 422)


def test_the_catalogue_can_be_paged_through(client: TestClient, checker: Checker) -> None:
    """Pages joined are the whole kind, once each, in the order of ids."""
    seen: list[str] = []
    while len(
        page := client.get("/api/v1/catalogue", params={"kind": "cliche", "offset": len(seen), "limit": 40}).json()[
            "items"
        ]
    ):
        seen += [item["id"] for item in page]
    assert seen == list(checker.catalogue.cliches)


def test_an_entry_is_shown_whole(client: TestClient) -> None:
    """An entry has all its fields, and one that isn't there is a 404."""
    entry = client.get("/api/v1/catalogue/titanic").json()
    assert (entry["kind"], entry["tier"]) == ("dataset", 1)
    _problem(client.get("/api/v1/catalogue/no-such-entry"), 404)


# --- the service's own state -----------------------------------------------------------------------------------------


def test_health_names_model_and_index(client: TestClient) -> None:
    """A service that can check says with what."""
    health = client.get("/health").json()
    assert health["status"] == "ready"
    assert "MiniLM" in health["model"]
    assert health["index"]["rows"] > 0
    assert client.get("/ready").json() == {"status": "ready"}


def test_info_names_the_limits(client: TestClient) -> None:
    """Who writes a client can read the limits instead of finding them out."""
    info = client.get("/info").json()
    assert info["limits"]["max_characters"] == MAX_CHARS
    assert info["catalogue"]["dataset"] > 100


def test_a_service_without_an_index_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    """With no index every question is a 503 that names the command, while the service itself runs."""
    with TestClient(create_app(replace(settings, index_dir=tmp_path / "none"))) as client:
        assert "originality index build" in _problem(client.post(CHECKS, json={"text": TITANIC}), 503).detail
        assert _problem(client.get("/health"), 503).type.endswith("index-missing")
        _problem(client.get("/ready"), 503)
        _problem(client.get("/api/v1/catalogue"), 503)


def test_metrics_count_verdicts(settings: Settings, checker: Checker) -> None:
    """The metrics know routes and verdicts, and no text or address as it was sent."""
    with _with(settings, checker) as client:
        client.post(CHECKS, json={"text": TITANIC})
        client.get(f"/api/v1/catalogue/{MARK}")
        metrics = client.get("/metrics").text
    assert 'originality_checks_total{verdict="well_worn"} 1.0' in metrics
    assert 'handler="/api/v1/checks"' in metrics
    assert MARK not in metrics


def test_checks_never_take_more_than_their_workers(settings: Settings) -> None:
    """However many ask at once, two are judged at a time, and /health answers meanwhile."""
    standin = _Standin(TextUnusable("Nothing."))
    standin.go_on.clear()
    with _with(settings, standin) as client:
        body = {"text": TITANIC}
        asking = [threading.Thread(target=client.post, args=(CHECKS,), kwargs={"json": body}) for _ in range(6)]
        for one in asking:
            one.start()
        deadline = time.monotonic() + 20
        while standin.now < WORKERS and time.monotonic() < deadline:
            time.sleep(0.01)
        assert client.get("/health").status_code == 200
        assert standin.now == WORKERS
        standin.go_on.set()
        for one in asking:
            one.join()
    assert standin.most == WORKERS


def test_a_full_queue_is_said_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be done soon is refused with a time to come back, and taken again once there is room."""
    monkeypatch.setattr(serving, "MAX_WAITING", WORKERS)
    standin = _Standin(TextUnusable("Nothing."))
    standin.go_on.clear()
    with _with(settings, standin) as client:
        body = {"text": TITANIC}
        asking = [threading.Thread(target=client.post, args=(CHECKS,), kwargs={"json": body}) for _ in range(WORKERS)]
        for one in asking:
            one.start()
        deadline = time.monotonic() + 20
        while standin.now < WORKERS and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = client.post(CHECKS, json=body)
        _problem(refused, 503)
        assert refused.json()["type"].endswith(":overloaded")
        assert refused.headers["retry-after"] == "2"
        standin.go_on.set()
        for one in asking:
            one.join()
        assert client.post(CHECKS, json=body).status_code == 422


def test_a_limit_is_told_and_kept(settings: Settings, checker: Checker) -> None:
    """Past the limit a check is a 429 that says when to come back; before it the headers say what is left."""
    with _with(settings, checker, requests_per_minute=2) as client:
        first = client.post(CHECKS, json={"text": TITANIC})
        assert first.headers["ratelimit-policy"] == '"requests";q=2;w=60'
        assert first.headers["ratelimit"].startswith('"requests";r=1;')
        client.post(CHECKS, json={"text": TITANIC})
        refused = client.post(CHECKS, json={"text": TITANIC})
        _problem(refused, 429)
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit"] == f'"requests";r=0;t={refused.headers["retry-after"]}'
        assert client.get("/health").status_code == 200


def test_without_a_limit_nothing_is_said_of_one(client: TestClient) -> None:
    """By default nobody is limited."""
    assert "ratelimit" not in client.post(CHECKS, json={"text": TITANIC}).headers


# --- headers and logs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/nothing", "/nothing", "/static/nothing", "/api/v1/search"])
def test_every_answer_carries_the_policies(client: TestClient, path: str) -> None:
    """Good answers and faults alike forbid what this service never needs, and name their request."""
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] in {"no-store", "no-cache"}
    assert headers["x-request-id"]


def test_a_request_keeps_its_id(client: TestClient) -> None:
    """A caller's own id comes back in the header and in a problem."""
    name = "0d6bdfcb1dd24e55a1bdd9ae2b9ee5f1"
    response = client.post(CHECKS, json={}, headers={"X-Request-ID": name})
    assert response.headers["x-request-id"] == name
    assert name in str(_problem(response, 422).instance)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Log as a serving process does, and read what it wrote; all loggers are put back afterwards."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    # Not pytest's own capture: the service's thread would go on writing to it between a test's phases.
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in (None, "app", "uvicorn.error")}
    logs.configure("DEBUG")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    for logger, level in levels.items():
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def test_a_request_leaves_one_line(client: TestClient, written: Any) -> None:
    """A check writes one line with id, method, route, status, time and verdict, and nothing of the text."""
    client.post(f"{CHECKS}?q={MARK}", json={"text": f"{TITANIC} {MARK}", "id": MARK})
    (line,) = written()
    assert line.keys() >= {"request_id", "method", "route", "status", "ms", "timestamp"}
    assert (line["route"], line["status"], line["verdict"]) == (CHECKS, 200, "well_worn")
    assert MARK not in json.dumps(line)


def test_nothing_sent_is_ever_logged(settings: Settings, written: Any) -> None:
    """Faults of all kinds, an unforeseen exception that quotes the text among them, leave no word of it in the log."""
    with _with(settings, _Standin(KeyError(MARK))) as client:
        unforeseen = client.post(CHECKS, json={"text": MARK})
        client.post(CHECKS, json={"text": 1, MARK: MARK})
        client.post(CHECKS, content=MARK.encode(), headers=_JSON)
        client.get(f"/api/v1/search?q={MARK}&k=0")
        client.get(f"/{MARK}")
        client.post("/check", data={"text": MARK, "hours": MARK})
    lines = written()
    assert MARK not in json.dumps(lines)
    failed = next(line for line in lines if line["event"] == "unforeseen error")
    assert failed["error"] == "KeyError"
    assert any("test_api.py" in place for place in failed["at"])
    problem = _problem(unforeseen, 500)
    assert MARK not in problem.model_dump_json()


# --- the documentation -----------------------------------------------------------------------------------------------


def test_examples_are_real(client: TestClient, checker: Checker, update_golden: bool) -> None:
    """Every documented request is taken and answered; every documented answer has the shape of today's."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for address, shown in examples.items():
        method, _, path = address.partition(" ")
        if any(part in path for part in ("/collections", "/feedback", "/screenings")):
            continue  # these need a key, or keep something: test_holdings, test_feedback and test_screenings try them
        filled = path.replace("{entry}", "titanic")
        bodies = [r["value"] for r in shown.get("requests", {}).values()] or [None]
        answers = [client.request(method, filled, params=_PARAMS.get(path), json=b) for b in bodies]
        assert [a.status_code for a in answers] == [200] * len(answers), address
        if update_golden:
            shown["answer"] = _short(answers[0].json())
        assert shown["answer"].keys() == answers[0].json().keys(), address
    if update_golden:
        EXAMPLES.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    Report.model_validate(examples[f"post {CHECKS}"]["answer"])


_PARAMS: dict[str, Any] = {
    "/api/v1/search": {"q": "wine quality", "k": 2},
    "/api/v1/catalogue": {"kind": "dataset", "limit": 2},
}


def _short(answer: Any, most: int = 2) -> Any:
    """Cut the lists of an answer, for nobody reads a long example."""
    if isinstance(answer, dict):
        return {key: _short(value, most) for key, value in answer.items()}
    return [_short(value, most) for value in answer[:most]] if isinstance(answer, list) else answer


def test_every_endpoint_has_an_example(client: TestClient) -> None:
    """No operation is documented without an answer to look at, and none that takes a body without a request."""
    schema = client.get("/api/v1/openapi.json").json()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if path == "/metrics":
                continue
            if "204" in operation["responses"]:
                continue
            (good,) = (answer for status, answer in operation["responses"].items() if status < "300")
            media = good.get("content", {}).get("application/json")
            assert media is None or "example" in media, f"{method} {path}"
            body = operation.get("requestBody", {"content": {}})["content"].get("application/json")
            assert body is None or body["examples"], f"{method} {path}"


def test_faults_are_documented_as_problems(client: TestClient) -> None:
    """Every documented fault has the media type and the form that it is really sent with."""
    schema = client.get("/api/v1/openapi.json").json()
    faults = [
        answer
        for operations in schema["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]
    reference = {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
    assert faults
    assert all(answer["content"] == {"application/problem+json": reference} for answer in faults)


def test_the_description_is_the_golden_one(client: TestClient, update_golden: bool) -> None:
    """The contract changes only on purpose: the OpenAPI document is the file that was last read and agreed to."""
    now = json.dumps(client.get("/api/v1/openapi.json").json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if update_golden:
        GOLDEN.write_text(now, encoding="utf-8")
    assert now == GOLDEN.read_text(encoding="utf-8")


def test_the_model_takes_what_it_documents() -> None:
    """The documented lengths are the ones that are checked."""
    schema = CheckIn.model_json_schema()
    assert schema["properties"]["id"]["maxLength"] == 200
    assert schema["additionalProperties"] is False
