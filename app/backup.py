"""Puts all that is kept beside a service into one file, and back into an empty place.

In it are screenings (of SQLite), collections (of folders), keys, readers' notes, and a catalogue of one's own. The
index, the model's graph and the name finder's tables are not: they are made of the rest. What lies in PostgreSQL is
PostgreSQL's to back up; docs/RUNBOOK.md has the commands. The service may go on meanwhile: each part is as it was at
one moment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import app
from app import generations
from app.catalogue import DATA
from app.errors import BadInput, FileUnreadable
from app.store import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

LAYOUT = 1
MANIFEST = "backup.json"
SCREENINGS, KEYS, NOTES, COLLECTIONS, CATALOGUE = "screenings.db", "keys.json", "feedback", "collections", "catalogue"


def write(settings: Settings, file: Path) -> list[str]:
    """Write a backup, whole or not at all; only its owner may read it, for people's texts are in it.

    Returns:
        A line on each part: what was taken, or why it wasn't.

    Raises:
        BadInput: if the file is there already.
    """
    if file.exists():
        raise BadInput(f"{file} is there already. Name a file that isn't, or delete it first.")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as begun:
        folder = Path(begun) / "content"
        folder.mkdir()
        told = list(_gather(settings, folder))
        names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
        manifest = {
            "layout": LAYOUT,
            "software": app.__version__,
            "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "sha256": {name: _sha256(folder / name) for name in names},
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        part = Path(begun) / "backup.tar"
        with tarfile.open(part, "w") as archive:
            for name in [MANIFEST, *names]:
                archive.add(folder / name, name)
        part.chmod(0o600)
        generations.flush(part)
        part.replace(file)
        generations.flush(file.absolute().parent)
    return told


def restore(settings: Settings, file: Path) -> list[str]:
    """Put a backup where the settings say; nothing is written before all of it was checked.

    Returns:
        A line on each part that was put back.

    Raises:
        FileUnreadable: if the file is no backup, or not as it was written.
        BadInput: if something is there already that would be overwritten.
    """
    room = settings.index_dir.absolute().parent
    room.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=room) as begun:
        folder = Path(begun)
        parts = {PurePosixPath(name).parts[0] for name in _unpacked(file, folder)}
        places = {
            SCREENINGS: screenings_file(settings),
            KEYS: settings.keys_file,
            NOTES: settings.feedback_dir,
            COLLECTIONS: None if settings.collections_url else settings.collections_dir,
            CATALOGUE: None if settings.catalogue_dir == DATA else settings.catalogue_dir,
        }
        for name in sorted(parts):
            _refuse_what_is_there(name, places[name])
        return [_put(name, folder / name, place) for name in sorted(parts) if (place := places[name]) is not None]


def screenings_file(settings: Settings) -> Path | None:
    """Give the file of SQLite that holds the screenings; none where a server does."""
    if not settings.screenings_url:
        return settings.index_dir.absolute().parent / SCREENINGS
    kind, _, place = settings.screenings_url.partition(":///")
    return Path(place) if kind.partition("+")[0] == "sqlite" else None


def _gather(settings: Settings, folder: Path) -> Iterator[str]:
    database = screenings_file(settings)
    if database is None:
        yield "screenings: not taken, they are in PostgreSQL; run pg_dump"
    elif database.is_file():
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(folder / SCREENINGS)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # so that one file is all of it
        yield "screenings: taken"
    if settings.collections_url:
        yield "collections: not taken, they are in PostgreSQL; run pg_dump"
    elif settings.collections_dir.is_dir():
        links = sorted(link for link in settings.collections_dir.iterdir() if link.is_symlink())
        for link in links:
            with generations.lock(link):  # else a writer might sweep the generation away meanwhile
                shutil.copytree(link.resolve(), folder / COLLECTIONS / link.name)
        yield f"collections: {len(links)} taken"
    if settings.keys_file.is_file():
        shutil.copyfile(settings.keys_file, folder / KEYS)
        yield "keys: taken"
    if settings.feedback_dir.is_dir():
        notes = sorted(settings.feedback_dir.glob("*.json"))
        (folder / NOTES).mkdir()
        for note in notes:
            shutil.copyfile(note, folder / NOTES / note.name)
        yield f"notes: {len(notes)} taken"
    if settings.catalogue_dir != DATA:
        (folder / CATALOGUE).mkdir()
        for own in sorted(p for p in settings.catalogue_dir.iterdir() if p.suffix in {".jsonl", ".yaml"}):
            shutil.copyfile(own, folder / CATALOGUE / own.name)
        yield "catalogue: taken"


def _unpacked(file: Path, folder: Path) -> list[str]:
    """Unpack into a folder and check every byte; gives the names of what was in it."""
    try:
        with tarfile.open(file, "r:") as archive:
            archive.extractall(folder, filter="data")  # which lets nothing out of the folder
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        if manifest["layout"] != LAYOUT:
            raise FileUnreadable(f"{file.name} was written by release {manifest['software']}, which restores it.")
        expected: dict[str, str] = manifest["sha256"]
        found = {str(p.relative_to(folder)): _sha256(p) for p in folder.rglob("*") if p.is_file()}
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise FileUnreadable(
            f"{file.name} can't be read as a backup ({type(error).__name__}). Take another one."
        ) from error
    found.pop(MANIFEST)
    wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if wrong or not {PurePosixPath(n).parts[0] for n in found} <= {SCREENINGS, KEYS, NOTES, COLLECTIONS, CATALOGUE}:
        raise FileUnreadable(f"{file.name} is not as it was written. Nothing was restored; take another one.")
    return sorted(found)


def _refuse_what_is_there(name: str, place: Path | None) -> None:
    if place is None:
        raise BadInput(
            f"The backup holds {name}, and these settings have no place for it: they name a server, or the released "
            "catalogue. Restore with the settings of the service that was backed up."
        )
    if place.is_file() or (place.is_dir() and any(not p.name.endswith(".lock") for p in place.iterdir())):
        raise BadInput(f"There is something at {place} already. Move it away first: nothing is ever overwritten.")


def _put(name: str, source: Path, place: Path) -> str:
    place.parent.mkdir(parents=True, exist_ok=True)
    if name == COLLECTIONS:
        for one in sorted(source.iterdir()):
            generations.write(place / checked(one.name), lambda new, one=one: _copied(one, new))  # type: ignore[misc]
        return f"collections: {len(list(source.iterdir()))} restored"
    shutil.rmtree(place, ignore_errors=True)  # an empty folder, if anything
    shutil.move(source, place)
    if name in {KEYS, SCREENINGS}:
        place.chmod(0o600)
    if name == NOTES:
        place.chmod(0o700)
    return f"{name}: restored"


def _copied(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
