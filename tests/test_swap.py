"""A service takes up a new index while it answers, without a request lost."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from app import admission, generations, serving
from app.api import create_app
from app.checker import Checker, ensure_index
from tests.conftest import write_tiny
from tests.test_admission import FERRIES

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings

pytestmark = pytest.mark.model
PATIENCE_S = 60


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """Give the settings of a service with a catalogue of six entries."""
    return replace(
        settings,
        catalogue_dir=write_tiny(tmp_path / "data"),
        index_dir=tmp_path / "indexes" / "catalogue",
        collections_dir=tmp_path / "collections",
    )


def break_off(place: Path) -> None:
    """Leave half a manifest."""
    (place / "manifest.json").write_bytes(b"{")


def nearest(client: TestClient) -> tuple[int, str]:
    """Search for the ferries, and give the status and the nearest entry."""
    answer = client.get("/api/v1/search", params={"q": "timetables of boats that run no longer", "k": 1})
    return answer.status_code, answer.json()["hits"][0]["entry"]


def test_a_new_entry_is_served_without_a_restart(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one asks on and on, an entry is added: every answer is 200, and in the end it's the new entry."""
    monkeypatch.setattr(serving, "WATCH_EVERY_S", 0.1)
    ensure_index(own, encoder=checker._encoder)
    opened = checker.reopened(own)
    answers: list[tuple[int, str]] = []
    done = threading.Event()

    def ask(client: TestClient) -> None:
        while not done.is_set():
            answers.append(nearest(client))

    with TestClient(create_app(own, opened)) as client:
        asking = threading.Thread(target=ask, args=(client,))
        asking.start()
        admission.add("dataset", [FERRIES], own.catalogue_dir)
        assert ensure_index(own, encoder=checker._encoder)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and (not answers or answers[-1][1] != "ferries-of-1990"):
            time.sleep(0.05)
        done.set()
        asking.join()
    assert {status for status, _ in answers} == {200}
    assert answers[0][1] != "ferries-of-1990"
    assert answers[-1][1] == "ferries-of-1990"


def test_an_index_that_can_not_be_used_is_not_taken(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what lies there is damaged, the service goes on with what it has, and says so in the log."""
    monkeypatch.setattr(serving, "WATCH_EVERY_S", 0.1)
    ensure_index(own, encoder=checker._encoder)
    lines: list[Any] = []
    monkeypatch.setattr(serving._log, "warning", lambda *_, **more: lines.append(more))
    with TestClient(create_app(own, checker.reopened(own))) as client:
        before = nearest(client)
        generations.write(own.index_dir, break_off)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not lines:
            time.sleep(0.05)
        assert nearest(client) == before
    assert [line["extra"]["kind"] for line in lines] == ["IndexStale"]
    assert "Run: originality index build" in json.dumps(lines)


def test_a_service_that_found_no_index_takes_the_first_one(
    own: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started too early it says what is missing, and once an index is built it answers, without a restart."""
    monkeypatch.setattr(serving, "WATCH_EVERY_S", 0.1)
    with TestClient(create_app(own)) as client:
        asked = client.get("/api/v1/search", params={"q": "stones"})
        assert asked.status_code == 503
        assert "Run: originality index build" in asked.json()["detail"]
        ensure_index(own, encoder=checker._encoder)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and client.get("/ready").status_code != 200:
            time.sleep(0.05)
        assert client.get("/api/v1/search", params={"q": "stones"}).status_code == 200
