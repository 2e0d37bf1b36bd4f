"""Dead references are found by asking a real server of our own, politely, and once."""

from __future__ import annotations

import itertools
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from app.errors import FileUnreadable
from app.harvest import links
from app.harvest.links import Manners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Manners(pause_s=0.05, hosts=4, step_s=0.4, total_s=1, attempts=2)


@contextmanager
def running() -> Iterator[tuple[str, list[tuple[str, str, float]]]]:
    """Serve pages of every fate; the list holds method, path and moment of each request."""
    asked: list[tuple[str, str, float]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append((self.command, self.path, time.monotonic()))
            status = {"/gone": 410, "/missing": 404, "/busy": 503, "/moved": 301, "/loop": 302}.get(self.path, 200)
            if self.path == "/no-head" and self.command == "HEAD":
                status = 405
            if self.path == "/silent":
                time.sleep(0.8)
            self.send_response(status)
            if status in {301, 302}:
                self.send_header("Location", "/fine" if self.path == "/moved" else "/loop")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = answer  # noqa: N815  the server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """Let clients hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_every_fate_is_told(tmp_path: Path) -> None:
    """What answers is alive, what isn't there is dead, and a server in trouble leaves it unclear."""
    with running() as (base, _):
        fates = {
            "/fine": ("alive", "200"),
            "/moved": ("alive", "200"),
            "/no-head": ("alive", "200"),
            "/missing": ("dead", "404"),
            "/gone": ("dead", "410"),
            "/busy": ("unclear", "503"),
            "/loop": ("unclear", "TooManyRedirects"),
            "/silent": ("unclear", "ReadTimeout"),
        }
        closed = "http://127.0.0.1:1/x"
        found = links.check([closed, *(base + path for path in fates)], tmp_path / "kept.jsonl", manners=QUICK)
        assert {url.removeprefix(base): (link.fate, link.found) for url, link in found.items()} == {
            closed: ("dead", "ConnectError"),
            **fates,
        }


def test_a_host_is_asked_slowly_and_its_head_first(tmp_path: Path) -> None:
    """Between two requests to one host there is the pause, and a page is asked for only where its head is refused."""
    with running() as (base, asked):
        links.check([f"{base}/{n}" for n in range(4)] + [f"{base}/no-head"], tmp_path / "kept.jsonl", manners=QUICK)
    assert [method for method, *_ in asked] == ["HEAD"] * 5 + ["GET"]
    moments = [moment for *_, moment in asked]
    assert all(later - earlier >= QUICK.pause_s * 0.9 for earlier, later in itertools.pairwise(moments))


def test_a_run_that_was_broken_off_goes_on(tmp_path: Path) -> None:
    """What was answered isn't asked for again, a cut-off line is, and so is what was seen too long ago."""
    kept = tmp_path / "kept.jsonl"
    with running() as (base, asked):
        links.check([f"{base}/a", f"{base}/b"], kept, manners=QUICK)
        old = {"url": f"{base}/c", "fate": "dead", "found": "404", "seen": "2020-01-01"}
        kept.write_bytes(kept.read_bytes() + json.dumps(old).encode() + b'\n{"url": "' + base.encode())
        asked.clear()
        lines: list[str] = []
        found = links.check([f"{base}/{name}" for name in "abcd"], kept, lines.append, manners=QUICK)
        assert [path for _, path, _ in asked] == ["/c", "/d"]
        assert [link.fate for link in found.values()] == ["alive"] * 4
        assert lines[0] == "2 of 4 addresses were asked for lately; 2 are asked for now"
        asked.clear()
        assert links.check([f"{base}/{name}" for name in "abcd"], kept, manners=QUICK) == found
        assert asked == []


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    """It is named with the line, and stays as it is."""
    kept = tmp_path / "mine.jsonl"
    kept.write_bytes(b'{"id": 1}\n{}\n')
    with pytest.raises(FileUnreadable, match=r"mine\.jsonl:1 is no answer"):
        links.check(["http://127.0.0.1:1/"], kept, manners=QUICK)
    assert kept.read_bytes() == b'{"id": 1}\n{}\n'
