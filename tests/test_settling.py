"""What is deleted while somebody reads leaves SQLite's log as soon as they have read."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from app.screenings.database import open_engine
from app.screenings.entry import Entry, Order
from app.screenings.store import SETTLE_MS, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

MARK = "unmistakable words"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a database in a folder of its own."""
    return tmp_path / "screenings.db"


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    """Open it, with its tables."""
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@contextmanager
def reader(file: Path) -> Iterator[None]:
    """Be a program that reads the database and doesn't end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as held:
        held.execute("BEGIN")
        held.execute("SELECT count(*) FROM screenings").fetchone()
        yield


def marked(file: Path) -> set[str]:
    """List the files in which the text still stands."""
    return {one.name for one in file.parent.iterdir() if MARK.encode() in one.read_bytes()}


def deleted_under_a_reader(store: Store, file: Path) -> None:
    """Take a screening on, and delete it while somebody reads; that doesn't keep whoever deletes waiting."""
    name = store.create("ann", Order((Entry("a", MARK * 50),)))
    with reader(file):
        began = time.monotonic()
        store.delete("ann", name)
        assert time.monotonic() - began < SETTLE_MS / 1_000 + 5
        assert not store.settle()
        assert "screenings.db-wal" in marked(file)


def test_a_reader_delays_the_overwriting_no_longer_than_it_reads(engine: Engine, file: Path) -> None:
    """The next attempt after it has left finds nothing in its way, and no file holds a word."""
    store = Store(engine, 30)
    deleted_under_a_reader(store, file)
    assert store.settle()
    assert marked(file) == set()


def test_a_process_that_died_owing_leaves_it_to_the_next(engine: Engine, file: Path) -> None:
    """Another process, or the same one after a restart, tries once whatever it knows of what was before."""
    deleted_under_a_reader(Store(engine, 30), file)
    assert Store(engine, 30).purge() == 0
    assert marked(file) == set()


def test_writers_go_on_while_a_deletion_is_owed(engine: Engine, file: Path) -> None:
    """What is stored meanwhile is there afterwards."""
    store = Store(engine, 30)
    with reader(file):
        store.delete("ann", store.create("ann", Order((Entry("a", MARK),))))
        kept = store.create("ann", Order((Entry("b", "frogs"),)))
    assert store.settle()
    assert marked(file) == set()
    assert store.show("ann", kept)["total"] == 1
