"""Disks that are full or read-only, for real: small file systems in memory, mounted where nobody else sees them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PREPARED = """
import subprocess, sys
from pathlib import Path
from app import collection, feedback, generations, index, keys
from app.catalogue import Catalogue, views
from app.collection import Collection
from app.errors import BoxFull, IndexNotWritten, KeysUnusable, ScreeningsUnusable
from app.screenings.database import open_engine
from app.screenings.entry import Entry, Order
from app.screenings.store import Store
from tests.conftest import FakeEncoder, write_tiny
from tests.test_collection import rows

disk, encoder = Path(sys.argv[1]), FakeEncoder()
catalogue = Catalogue.load(write_tiny(Path(sys.argv[2]) / "data"))
box = feedback.Box(disk / "feedback")

def mount(how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)

def said(error, work):
    try:
        work()
    except error as told:
        return str(told)
    raise SystemExit(f"nothing was refused: {error.__name__} was expected")

def take(store, words):
    return store.create("ann", Order((Entry("a", words),)))

def state():
    \"\"\"Tell all that is kept.\"\"\"
    held = Collection.open(disk / "past", encoder.name)
    return (
        [k.name for k in keys.load(disk / "keys.json")],
        [row.id for row in held.rows()],
        len(index.ViewIndex.open(disk / "catalogue", catalogue, encoder.name).rows),
        box.get(token)["said"],
        sorted(str(p.relative_to(disk)) for p in disk.rglob("*") if "s.db" not in p.name),
    )

index.build(disk / "catalogue", views(catalogue), catalogue, encoder)
collection.add(disk / "past", rows(*range(5)), encoder)
keys.add(disk / "keys.json", "hr", keys.rights(["check"]))
token = box.put("facet", {"said": "this is right"})
with generations.lock(disk / "catalogue"):
    pass
engine = open_engine(f"sqlite:///{disk}/s.db")
first = take(Store(engine, 30), "one")
before = state()
"""
FULL = """
from sqlalchemy import text
store, kept = Store(engine, 30), [first]
def fill():
    while True:
        kept.append(take(store, "words " * 2_000))
assert "has no room" in said(ScreeningsUnusable, fill)
filler = disk / "filler"
try:
    with filler.open("wb") as file:
        while True:
            file.write(b"x" * 512)
            file.flush()
except OSError:
    pass
for store_again in (store, Store(engine, 30)):
    assert [row["id"] for row in store_again.all_of("ann")] == kept[::-1]
with engine.connect() as c:
    assert c.execute(text("PRAGMA integrity_check")).scalar() == "ok"
before = (*before[:-1], sorted([*before[-1], "filler"]))
some = lambda: collection.add(disk / "past", rows(*range(5, 400)), encoder)
assert "can't be written (No space left on device)" in said(IndexNotWritten, some)
again = lambda: index.build(disk / "catalogue", views(catalogue), catalogue, encoder)
assert "what was there stays" in said(IndexNotWritten, again)
more = lambda: keys.add(disk / "keys.json", "x" * 50_000, keys.rights(["check"]))
assert "No space left on device" in said(KeysUnusable, more)
note = lambda: box.put("facet", {"said": "x" * 50_000})
assert "No space left on device" in said(BoxFull, note)
assert state() == before, (state(), before)
mount("size=40m")
filler.unlink()
kept.append(take(store, "there is room again"))
assert [row["id"] for row in store.all_of("ann")] == kept[::-1]
some(); again(); note()
print("held")
"""
READ_ONLY = """
engine.dispose()
mount("ro")
assert "Read-only file system" in said(IndexNotWritten, lambda: collection.add(disk / "past", rows(7), encoder))
assert "Read-only file system" in said(IndexNotWritten, lambda: collection.drop(disk / "past"))
assert "Read-only file system" in said(IndexNotWritten, lambda: generations.go_back(disk / "past", 1))
def build():
    with generations.lock(disk / "catalogue"):
        index.build(disk / "catalogue", views(catalogue), catalogue, encoder)
assert "Read-only file system" in said(IndexNotWritten, build)
assert "Read-only file system" in said(KeysUnusable, lambda: keys.add(disk / "keys.json", "x", keys.rights(["check"])))
assert "Read-only file system" in said(BoxFull, lambda: box.put("facet", {"said": "x"}))
assert "let the service write its file" in said(ScreeningsUnusable, lambda: open_engine(f"sqlite:///{disk}/s.db"))
assert state() == before, (state(), before)
mount("rw")
assert Store(open_engine(f"sqlite:///{disk}/s.db"), 30).show("ann", first)["total"] == 1
build(); collection.add(disk / "past", rows(7), encoder)
print("held")
"""


def mountable() -> bool:
    """Tell whether this user may mount a file system of its own, as Linux allows where it isn't forbidden."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


@pytest.mark.parametrize(("what", "size"), [(FULL, "600k"), (READ_ONLY, "40m")], ids=["full", "read-only"])
def test_what_a_disk_refuses_is_said_and_nothing_is_lost(what: str, size: str, tmp_path: Path) -> None:
    """Index, collections, keys, notes and screenings: a sentence each, no litter, all as before; it goes on after."""
    if not mountable():
        pytest.skip("this user may not mount; tests/test_faults.py has what can be tried without")
    disk, script = tmp_path / "disk", tmp_path / "script.py"
    disk.mkdir()
    script.write_text(PREPARED + what, encoding="utf-8")
    mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$2" "$3" "$1" "$4"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    done = subprocess.run(
        [*command, str(disk), sys.executable, str(script), str(tmp_path)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "held\n"), done.stderr[-3_000:]
