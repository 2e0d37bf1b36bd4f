"""The service as a process that is told to end: nothing that was asked is lost, and what it held is given back."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

pytestmark = pytest.mark.model
ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0
GROUP = 16
IDEA = "Guess what a home sold for in a city in Iowa, with ridge and boosted trees, text number"


@contextmanager
def process(settings: Settings, folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the service in a process of its own and wait until it is ready; gives it and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        "ORIGINALITY_INDEX_DIR": str(settings.index_dir),
        "ORIGINALITY_SCREENINGS_URL": f"sqlite:///{folder}/screenings.db",
        "ORIGINALITY_KEYS_FILE": str(folder / "keys.json"),
        **more,
    }
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(command, cwd=ROOT, env=os.environ | own, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(address))
        yield started, address
    finally:
        started.kill()
        started.wait()


def answers(address: str) -> bool:
    """Tell whether the service is ready."""
    try:
        return httpx.get(f"{address}/ready").status_code == 200
    except httpx.TransportError:
        return False


def until(told: Any) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def held(folder: Path) -> list[tuple[str, int, int]]:
    """Count the projects of screenings by state and attempts."""
    with sqlite3.connect(f"file:{folder}/screenings.db?mode=ro", uri=True) as database:
        return database.execute("SELECT state, attempts, COUNT(*) FROM items GROUP BY 1, 2 ORDER BY 1, 2").fetchall()


def test_an_end_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    """After SIGTERM /ready is 503 and all else goes on, what was asked is answered, and then the process exits with 0.

    Of the screening's group that it was judging, what was not begun is free at once, without an attempt counted.
    """
    with process(settings, tmp_path, ORIGINALITY_DRAIN_S="1.5") as (service, address):
        items = [{"id": str(n), "text": f"{IDEA} {n}."} for n in range(5 * GROUP)]
        made = httpx.post(f"{address}/api/v1/screenings", json={"items": items, "suggest": True}, timeout=30)
        assert made.status_code in {200, 201, 202}
        until(lambda: any(state == "held" for state, _, _ in held(tmp_path)))
        batch: list[httpx.Response] = []
        texts = [{"id": str(n), "text": f"{IDEA} {n} of a batch."} for n in range(12)]

        def ask() -> None:
            batch.append(httpx.post(f"{address}/api/v1/checks:batch", json={"items": texts}, timeout=PATIENCE_S))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        service.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{address}/ready").status_code == 503)
        refused = httpx.get(f"{address}/ready")
        assert refused.json()["type"] == "urn:originality:problem:ending"
        assert httpx.get(f"{address}/health").status_code == 200
        assert "originality_ready 0.0" in httpx.get(f"{address}/metrics").text
        assert service.wait(PATIENCE_S) == 0
        asking.join()
    assert batch[0].status_code == 200
    assert [one["id"] for one in batch[0].json()["results"]] == [one["id"] for one in texts]
    left = held(tmp_path)
    assert "held" not in {state for state, _, _ in left}
    assert {attempts for state, attempts, _ in left if state == "waiting"} == {0}
    assert {attempts for state, attempts, _ in left if state == "done"} == {1}
    assert sum(count for _, _, count in left) == len(items)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    assert [line["drain_s"] for line in lines if line["event"] == "ending"] == [1.5]


def test_a_person_who_stops_it_need_not_wait(settings: Settings, tmp_path: Path) -> None:
    """Ctrl-C ends an idle service within a second or two, with 0, however long it would drain for."""
    with process(settings, tmp_path, ORIGINALITY_DRAIN_S="600") as (service, _):
        began = time.monotonic()
        service.send_signal(signal.SIGINT)
        assert service.wait(PATIENCE_S) == 0
        assert time.monotonic() - began < 10


def test_who_will_not_wait_tells_it_twice(settings: Settings, tmp_path: Path) -> None:
    """A second SIGTERM ends the while in which requests are still taken."""
    with process(settings, tmp_path, ORIGINALITY_DRAIN_S="600") as (service, address):
        service.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{address}/ready").status_code == 503)
        service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE_S) == 0
