"""The clients against the running service: every call, every fault in its exception, and both clients alike."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app import keys
from app.api import create_app
from app.client import (
    AboutIn,
    AnswerUnreadable,
    AsyncClient,
    CheckIn,
    Client,
    ItemFailed,
    KeyRefused,
    LimitReached,
    NotThere,
    Patience,
    ProjectIn,
    Refused,
    Report,
    RequestRejected,
    RowIn,
    ServiceTrouble,
    Unreachable,
    calls,
    jobs,
)
from app.collection import Collections
from app.contract import MAX_BATCH, ProblemOut
from app.report import Neighbour, SearchHit
from tests.live_service import serving
from tests.local_service import Reply, Service, as_json, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.checker import Checker
    from app.settings import Settings

GOLDEN = Path(__file__).parent / "golden" / "openapi.json"
TITANIC = "titanic survival w/ logistic regression"
QUICK = Patience(attempts=3, pause_s=0.01, longest_pause_s=1)
BEES = "We weighed forty hives every night for two winters and predict from the scales which colony will starve."


class Asked:
    """Asks through either client in the same words: waits for what can be awaited, gathers what comes bit by bit."""

    def __init__(self, client: Client | AsyncClient, runner: asyncio.Runner) -> None:
        """Remember both."""
        self.client, self.runner = client, runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give a method that returns its result, whichever client it is."""
        method = getattr(self.client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if inspect.isasyncgen(result):
                return self.runner.run(_gathered(result))
            if inspect.isgenerator(result):
                return list(result)
            return self.runner.run(result) if inspect.iscoroutine(result) else result

        return call


async def _gathered(results: Any) -> list[Any]:
    return [one async for one in results]


@contextmanager
def replying(*replies: Reply) -> Iterator[Service]:
    """Serve these answers one after the other, and the last one from then on."""
    left = list(replies)
    with running(lambda *_: left.pop(0) if len(left) > 1 else left[0]) as service:
        yield service


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator[Callable[..., Asked]]:
    """Make clients of either kind, and close them."""
    made = []
    with asyncio.Runner() as runner:

        def make(url: str, key: str = "", patience: Patience = QUICK) -> Asked:
            made.append(Asked(request.param(url, key=key, patience=patience), runner))
            return made[-1]

        yield make
        for one in made:
            one.close()


@pytest.fixture(scope="module")
def at_work(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve with collections and notes in folders of the test's; gives the address and a key to everything."""
    folder = tmp_path_factory.mktemp("service")
    own = replace(
        settings,
        collections_dir=folder / "collections",
        keys_file=folder / "keys.json",
        feedback_dir=folder / "notes",
        screenings_url=f"sqlite:///{folder}/screenings.db",
    )
    held, checker.collections = checker.collections, Collections(own.collections_dir, checker._encoder.name)
    with serving(create_app(own, checker)) as url:
        yield {"url": url, "key": keys.add(own.keys_file, "test", {"*": "write", "@screenings": "write"})}
    checker.collections = held


@pytest.fixture
def client(ask: Callable[..., Asked], at_work: dict[str, str]) -> Asked:
    """Talk to the real service with a key."""
    return ask(at_work["url"], at_work["key"])


# --- the calls, one by one -------------------------------------------------------------------------------------------


@pytest.mark.model
def test_a_check_gives_a_report(client: Asked, checker: Checker) -> None:
    """What comes through the client is the checker's own report, typed, with everything that was sent along."""
    about = AboutIn(place="Porto", hours=12)
    report = client.check(TITANIC, id="a/1", title="Who lived?", language="en", about=about)
    assert isinstance(report, Report)
    assert (report.id, report.verdict) == ("a/1", "well_worn")
    assert client.check(TITANIC) == checker.check(TITANIC)
    assert client.suggestions(TITANIC, about=about) == report.suggestions != []


@pytest.mark.model
def test_any_text_travels(client: Asked) -> None:
    """Halves of pairs, astral signs and control signs arrive as they were sent, and come back in the quotations."""
    text = "👩🏽‍🔬\r\n\u200bMy pro\u00adject \ud800: " + TITANIC + " — naïve!"
    report = client.check(text)
    assert report.matches
    assert all(e.quote == text[e.start : e.end] for m in report.matches for e in m.evidence)


@pytest.mark.model
def test_a_batch_keeps_order_and_faults(client: Asked) -> None:
    """One result an item, in order; a bad one has its reason in its place."""
    first, second, third = client.batch([CheckIn(id="a", text=TITANIC), CheckIn(id="b", text=" "), "iris with kNN"])
    assert (first.id, first.verdict, third.id, third.flagged) == ("a", "well_worn", "", True)
    assert isinstance(second, ItemFailed)
    assert (second.id, second.error.type) == ("b", "urn:originality:problem:text-unusable")


@pytest.mark.model
def test_any_number_of_texts_is_checked(client: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are parted into batches by number and size; one that no request can hold fails alone, in its place."""
    monkeypatch.setattr(calls, "MAX_BATCH", 2)
    huge = CheckIn(id="2", text="x" * 2_100_000)
    items = [CheckIn(id="0", text=TITANIC), CheckIn(id="1", text=""), huge, CheckIn(id="3", text=BEES)]
    results = client.check_all(items)
    assert [one.id for one in results] == ["0", "1", "2", "3"]
    assert [getattr(one, "verdict", "") for one in results] == ["well_worn", "", "", "original"]
    assert results[2].error.type.endswith("body-too-large")


@pytest.mark.model
def test_a_search_finds(client: Asked, checker: Checker) -> None:
    """Hits are those of the checker, with filters and without."""
    hits = client.search("survival on the Titanic", 5)
    assert hits == checker.search("survival on the Titanic", 5)
    assert all(isinstance(hit, SearchHit) for hit in hits)
    narrow = client.search("noise in the street", 5, kind=["dataset"], modality=["audio"], tier=[1, 2])
    assert narrow
    assert {(hit.kind, hit.tier < 3) for hit in narrow} == {("dataset", True)}


@pytest.mark.model
def test_the_catalogue_is_read(client: Asked, checker: Checker) -> None:
    """Pages, all pages, and an entry of each kind as the catalogue holds it."""
    page = client.catalogue("cliche", offset=3, limit=2)
    known = list(checker.catalogue.cliches)
    assert (page.total, [item.id for item in page.items]) == (len(known), known[3:5])
    assert [item.id for item in client.entries("cliche")] == known
    firsts = {entry.kind: entry for entry in checker.catalogue.entries.values()}
    assert len(firsts) == 5
    for entry in firsts.values():
        assert client.entry(entry.id) == entry


@pytest.mark.model
def test_a_collection_lives(client: Asked) -> None:
    """Made, listed, searched, shown beside a verdict, shortened and deleted, with ids that could be paths."""
    rows = [RowIn(id=name, name=f"Hives {n}", about=BEES) for n, name in enumerate(["2024/bees", "..", "a b?c#d%2F"])]
    assert client.add_rows("past", rows).rows == 3
    assert [(one.name, one.rows) for one in client.collections()] == [("past", 3)]
    assert [row.id for row in client.rows("past", offset=1, limit=1).rows] == [".."]
    assert [row.id for row in client.all_rows("past")] == [row.id for row in rows]
    hits = client.search_collection("past", "bee colonies", 2)
    assert len(hits) == 2
    assert all(isinstance(hit, Neighbour) and hit.collection == "past" for hit in hits)
    assert {near.entry for near in client.check(BEES, collections=["past"]).neighbours} <= {row.id for row in rows}
    for left, row in zip((2, 1, 0), rows, strict=True):
        assert client.remove_row("past", row.id).rows == left
    with pytest.raises(NotThere):
        client.remove_row("past", "gone")
    assert client.drop_collection("past") is None
    assert client.collections() == []


@pytest.mark.model
def test_a_note_is_left(client: Asked) -> None:
    """A reader's word is kept with consent, read by its token, and deleted."""
    report = client.check(TITANIC)
    token = client.disagree(report, "original", comment="Mine", consent=True)
    note = client.note(token)
    assert (note.kind, note.said["verdict"], note.said["wished"]) == ("disagreement", "well_worn", "original")
    assert note.said["rules"] == report.provenance.rules
    assert "text" not in note.said
    client.delete_note(token)
    with pytest.raises(NotThere):
        client.note(token)
    proposal = client.note(client.propose("dataset", "Harbour seals", about="Seals", consent=True))
    assert (proposal.kind, proposal.said["name"]) == ("proposal", "Harbour seals")
    with pytest.raises(RequestRejected) as refused:
        client.propose("dataset", "Harbour seals", consent=False)
    assert [fault.loc[-1] for fault in refused.value.problem.errors or []] == ["consent"]


@pytest.mark.model
def test_a_screening_is_followed_to_its_end(client: Asked) -> None:
    """Handed in, told of until it is done, its results read page by page and exported, overruled, and deleted."""
    projects = [
        ProjectIn(id="a", text=TITANIC, candidate="Ada Byron"),
        ProjectIn(id="b", text=" "),
        ProjectIn(id="c", text=BEES),
    ]
    once = f"once-{id(client)}"
    made = client.screen(projects, title="Spring", once=once)
    assert client.screen(projects, title="Spring", once=once).id == made.id
    assert (made.total, made.title) == (3, "Spring")
    steps = client.follow(made.id)
    assert [one.id for one in steps] == [made.id] * len(steps)
    assert (steps[-1].state, steps[-1].done, steps[-1].failed) == ("done", 3, 1)
    assert client.screening(made.id) == steps[-1]
    results = client.all_results(made.id, reveal=True)
    assert sorted((one.id, one.report.verdict if one.report else "") for one in results) == [
        ("a", "well_worn"),
        ("b", ""),
        ("c", "original"),
    ]
    assert {one.candidate for one in results if one.id == "a"} == {"Ada Byron"}
    hidden = client.results(made.id, limit=2)
    assert len(hidden.results) == 2
    assert hidden.more
    assert "Byron" not in str(hidden)
    worn = next(one for one in results if one.id == "a")
    assert client.override(made.id, worn.number, "partly_known", "They labelled it anew") is None
    assert [(one.number, one.verdict) for one in client.overrides(made.id)] == [(worn.number, "partly_known")]
    assert client.pairs(made.id).pairs == []
    assert b"well_worn" in client.export(made.id, "csv")
    assert client.export(made.id, "xlsx").startswith(b"PK")
    assert made.id in {one.id for one in client.screenings()}
    client.delete_screening(made.id)
    with pytest.raises(NotThere):
        client.follow(made.id)


@pytest.mark.model
def test_a_file_is_screened(client: Asked) -> None:
    """A table goes in as it is, with its columns named; stopped, it waits, goes on, and ends where it is told to."""
    rows = [f"{number},{BEES}" for number in range(20)]
    table = "\n".join(["number,readme", *rows]).encode()
    made = client.screen_file("spring.csv", table, columns="text=readme,id=number")
    assert made.total == len(rows)
    assert client.pause(made.id).state == "paused"
    assert client.resume(made.id).state == "running"
    assert client.follow(made.id)[-1].done == len(rows)
    assert sorted(int(one.id) for one in client.all_results(made.id, reveal=True)) == list(range(20))
    again = client.screen_file("spring.csv", table)
    assert again.id != made.id
    assert client.cancel(again.id).state == "cancelled"
    assert client.follow(again.id)[-1].state == "cancelled"
    with pytest.raises(RequestRejected, match="Columns are given"):
        client.screen_file("spring.csv", table, columns="nonsense")


@pytest.mark.model
def test_the_service_tells_of_itself(client: Asked) -> None:
    """Readiness, and the limits that info names."""
    assert client.ready() is True
    assert client.info()["limits"]["max_batch"] == MAX_BATCH


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_faults_come_as_exceptions(client: Asked, ask: Callable[..., Asked], at_work: dict[str, str]) -> None:
    """Each fault is an exception of its kind that holds the service's problem, and no word of the text."""
    with pytest.raises(RequestRejected, match="422 Text unusable: ") as unusable:
        client.check(" \n ")
    assert isinstance(unusable.value.problem, ProblemOut)
    assert unusable.value.problem.instance
    with pytest.raises(NotThere):
        client.entry("no-such-entry")
    with pytest.raises(RequestRejected) as shape:
        client.search("xylophone", 1_000)
    assert "xylophone" not in str(shape.value)
    with pytest.raises(KeyRefused, match="Key needed"):
        ask(at_work["url"], "ok_guess").collections()


@pytest.mark.model
def test_a_limit_is_waited_out_or_told(ask: Callable[..., Asked], settings: Settings, checker: Checker) -> None:
    """Where the service asks for a longer wait than is granted, the call ends at once and says for how long."""
    with serving(create_app(replace(settings, requests_per_minute=1), checker)) as url:
        client = ask(url)
        client.check(TITANIC)
        with pytest.raises(LimitReached) as limited:
            client.check(TITANIC)
    assert 1 < (limited.value.retry_after_s or 0) <= 60


def test_a_service_without_an_index_is_in_trouble(
    ask: Callable[..., Asked], settings: Settings, tmp_path: Path
) -> None:
    """It isn't ready, and a check says what to do about it after all attempts."""
    with serving(create_app(replace(settings, index_dir=tmp_path / "none"))) as url:
        client = ask(url)
        assert client.ready() is False
        with pytest.raises(ServiceTrouble, match="originality index build"):
            client.check(TITANIC)


def test_nobody_there(ask: Callable[..., Asked]) -> None:
    """A service that doesn't run is said to be out of reach, by its address without a path."""
    with replying(Reply()) as gone:
        url = gone.url
    client = ask(f"{url}/some/where")
    assert client.ready() is False
    with pytest.raises(Unreachable, match=re.escape(f"No answer from {url} (ConnectError).")):
        client.info()


@pytest.mark.parametrize(("status", "kind"), [(429, LimitReached), (503, ServiceTrouble)])
def test_a_busy_service_is_asked_again(ask: Callable[..., Asked], status: int, kind: type[Refused]) -> None:
    """As often as is allowed, then its own words are handed on; what it asks for is what is waited."""
    busy = ProblemOut(type="urn:x", title="Busy", status=status, detail="Try later.").model_dump_json().encode()
    for faults, asked in ((2, 3), (5, 3)):
        again = Reply(busy, status, {"Retry-After": "0"})
        with replying(*[again] * faults, as_json({"a": 1})) as service:
            if faults < QUICK.attempts:
                assert ask(service.url).info() == {"a": 1}
            else:
                with pytest.raises(kind, match=f"{status} Busy: Try later"):
                    ask(service.url).info()
            assert len(service.asked) == asked


def test_other_faults_are_final(ask: Callable[..., Asked]) -> None:
    """Nothing is asked again that won't change, nor a fault that nobody foresaw."""
    for status, kind in ((404, NotThere), (422, RequestRejected), (500, ServiceTrouble), (502, ServiceTrouble)):
        with replying(Reply(b"<html>", status)) as service:
            with pytest.raises(kind, match="answered without saying why") as refused:
                ask(service.url).info()
            assert (refused.value.problem.type, refused.value.problem.status) == ("about:blank", status)
            assert len(service.asked) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"hits": 1}', b'{"hits": [{}]}', b"[" * 100_000, b"\xff"])
def test_another_answer_is_said_to_be_one(ask: Callable[..., Asked], body: bytes) -> None:
    """An answer that isn't the API's is an error that repeats nothing of it."""
    with replying(Reply(body)) as service:
        for method in ("search", "entry"):
            with pytest.raises(AnswerUnreadable, match=r"gave an answer that this client can't read\. See"):
                getattr(ask(service.url), method)("x")


def test_a_redirect_is_not_followed(ask: Callable[..., Asked]) -> None:
    """Text and key go nowhere that wasn't named."""
    with (
        replying(as_json({})) as elsewhere,
        replying(Reply(status=307, headers={"Location": f"{elsewhere.url}/x"})) as service,
        pytest.raises(AnswerUnreadable, match="leads elsewhere"),
    ):
        ask(service.url, key="ok_secret").search("x")
    assert elsewhere.asked == []
    assert service.headers[0]["authorization"] == "Bearer ok_secret"


def test_a_newer_service_may_say_more(ask: Callable[..., Asked]) -> None:
    """A field that this client doesn't know is left out; the ones that it knows are read."""
    hit = {
        "entry": "a",
        "kind": "dataset",
        "name": "A",
        "url": None,
        "tier": 1,
        "cosine": 0.5,
        "view": "name",
        "new": 1,
    }
    with replying(as_json({"hits": [hit], "took_ms": 3})) as service:
        assert [one.entry for one in ask(service.url).search("x")] == ["a"]


def test_what_is_not_to_be_done_twice(ask: Callable[..., Asked]) -> None:
    """A connection that breaks is tried again for a check, and not for what would be kept twice."""
    cases: list[tuple[int, str, tuple[str, ...], dict[str, bool]]] = [
        (QUICK.attempts, "search", ("x",), {}),
        (1, "propose", ("dataset", "x"), {"consent": True}),
    ]
    for attempts, method, args, more in cases:
        with replying(Reply(b"half", headers={"Content-Length": "1000", "Connection": "close"})) as service:
            with pytest.raises(Unreachable):
                getattr(ask(service.url), method)(*args, **more)
            assert len(service.asked) == attempts


def _event(**changed: Any) -> bytes:
    now = {"id": "x", "title": "", "state": "running", "total": 2, "done": 0, "failed": 0, "created": 1.0}
    now |= {"expires": 2.0, "notices": [], **changed}
    return f"event: progress\ndata: {json.dumps(now)}\n\n".encode()


def test_a_screening_is_followed_over_broken_connections(
    ask: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the connection ends or breaks, or the service is busy, it's taken up again, and nothing is told twice."""
    monkeypatch.setattr(jobs, "POLL_S", 0.01)
    busy = ProblemOut(type="urn:x", title="Busy", status=503, detail="Later.").model_dump_json().encode()
    replies = [
        Reply(_event() + _event(done=1)),
        Reply(busy, 503, {"Retry-After": "0"}),
        Reply(_event(done=1), headers={"Content-Length": "5000", "Connection": "close"}),
        Reply(b": nothing yet\n\n" + _event(done=1) + _event(done=2, state="done")),
    ]
    with replying(*replies) as service:
        assert [one.done for one in ask(service.url).follow("x")] == [0, 1, 2]
        assert service.asked == ["/api/v1/screenings/x/events"] * 4
    with replying(Reply(b'data: {"id": 1}\n\n')) as service, pytest.raises(AnswerUnreadable, match="told of a"):
        ask(service.url).follow("x")
    with replying(Reply(busy, 503, {"Retry-After": "0"})) as service, pytest.raises(ServiceTrouble, match="Later"):
        ask(service.url).follow("x")
    with replying(Reply(b"")) as service, pytest.raises(AnswerUnreadable, match="without telling anything"):
        ask(service.url).follow("x")
    with replying(Reply(b"half", headers={"Content-Length": "50", "Connection": "close"})) as service:
        with pytest.raises(Unreachable):
            ask(service.url).follow("x")
        assert len(service.asked) == QUICK.attempts


def test_silence_has_an_end(ask: Callable[..., Asked]) -> None:
    """A service that takes the request and says nothing is left after the time that was granted."""
    go_on = threading.Event()

    def respond(path: str, query: dict[str, str]) -> Reply:
        go_on.wait(10)
        return as_json({})

    with running(respond) as service:
        with pytest.raises(Unreachable, match="ReadTimeout"):
            ask(service.url, patience=Patience(attempts=1, answer_s=0.1)).info()
        go_on.set()


# --- what needs no service -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host", "https://"])
def test_an_address_is_one(url: str) -> None:
    """What can't be asked is refused when the client is made."""
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        Client(url)


@pytest.mark.parametrize("name", ["", "past/rows/1", "/"])
def test_a_name_never_makes_another_call(name: str) -> None:
    """A name with a slash would reach another address: deleting a collection could delete a row."""
    for call in (calls.drop_collection, calls.entry, calls.note, calls.delete_note):
        with pytest.raises(ValueError, match="has no slash"):
            call(name)


def test_texts_are_parted_by_number_and_size() -> None:
    """No batch holds more texts or bytes than a service takes, and all are there in order."""
    texts = ["a"] * 250 + ["é" * 200_000] * 3 + ["b"]  # an é takes six signs in JSON that is ASCII alone
    parts = list(calls.together(texts))
    assert [one.text for part in parts for one in part] == texts
    assert [len(part) for part in parts] == [100, 100, 51, 1, 2]
    bodies = [calls.batch(part).content() or b"" for part in parts]
    assert all(len(body) < 2_000_000 for body in bodies)


def test_waits_grow_and_keep_to_what_is_asked() -> None:
    """Each wait of one's own is twice the last, within a quarter by chance; what the service asks for is kept."""
    patience = Patience(attempts=4, pause_s=1, longest_pause_s=3)
    busy = httpx.Response(503)
    waits = [patience.after_answer(n, busy) for n in range(4)]
    assert waits[3] is None
    assert all(low <= (wait or 0) <= 1.25 * low for low, wait in zip((1, 2, 3), waits, strict=False))
    assert 2 <= (patience.after_answer(0, httpx.Response(429, headers={"Retry-After": "2"})) or 0) <= 2.5
    assert patience.after_answer(0, httpx.Response(429, headers={"Retry-After": "4"})) is None
    assert patience.after_answer(0, httpx.Response(500, headers={"Retry-After": "1"})) is None


def test_both_clients_are_alike() -> None:
    """Every method of one is a method of the other, with the same arguments and the same words."""
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(AsyncClient, name)
            assert inspect.signature(method).parameters == inspect.signature(twin).parameters, name
            assert method.__doc__ == twin.__doc__, name
    ours, theirs = ({n for n in vars(c) if not n.startswith("_")} for c in (Client, AsyncClient))
    assert ours == theirs


def test_every_call_is_documented_and_every_operation_called() -> None:
    """The client asks for what the OpenAPI document has, and leaves out none of it."""
    paths = json.loads(GOLDEN.read_text(encoding="utf-8"))["paths"]
    documented = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    report = Report.model_construct(verdict="original", provenance=_Provenance())
    made = [
        calls.check("", "", "", "", None, ()),
        calls.batch([]),
        calls.search("", 1, (), (), (), ()),
        calls.search_collection("x", "", 1),
        calls.catalogue(None, 0, 1),
        calls.entry("x"),
        calls.collections(),
        calls.rows("x", 0, 1),
        calls.add_rows("x", []),
        calls.remove_row("x", "y/z"),
        calls.drop_collection("x"),
        calls.disagree(report, "original", "", "", consent=True),
        calls.propose("dataset", "", "", "", consent=True),
        calls.note("x"),
        calls.delete_note("x"),
        calls.ready(),
        calls.info(),
        jobs.screen([], "", None, "", suggest=False, fetch=False),
        jobs.screen_file("", b"", "", "", None, "", suggest=False, fetch=False),
        jobs.screenings(),
        jobs.screening("x"),
        jobs.events("x"),
        jobs.results("x", 0, 1, reveal=False),
        jobs.export("x", "csv", reveal=False),
        jobs.move("x", "pause"),
        jobs.override("x", 1, "original", ""),
        jobs.overrides("x"),
        jobs.pairs("x", reveal=False),
        jobs.delete("x"),
    ]
    called = {
        (call.method, next(p for p in paths if call.method.lower() in paths[p] and _fits(p, call.path)))
        for call in made
    }
    assert called <= documented
    # A query in an address is for browsers; what is left is for those who watch over a service.
    assert documented - called == {("GET", "/api/v1/search"), ("GET", "/health"), ("GET", "/metrics")}


class _Provenance:
    rules = catalogue = ""


def _fits(template: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), f"/{path}"))


def test_the_client_needs_no_model() -> None:
    """Importing it brings neither the model's runtimes nor the index nor the web framework."""
    heavy = ["torch", "faiss", "onnxruntime", "numpy", "pyarrow", "fastapi", "sentence_transformers", "datasets"]
    code = f"import sys, app.client; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
