"""Keeps what is built as numbered generations behind a link, so that a reader finds the old one or the new, never half.

Beside the link ``NAME`` stand its generations ``.NAME-000001``, ``.NAME-000002``, ... A writer fills a folder under
another name, has it flushed to the disk, renames it, and turns the link, each in one step of the file system: killed at
any moment, it leaves the old one or the new. What it leaves unfinished is swept away by the next writer.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import IndexBusy, IndexMissing, IndexNotWritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK_TIMEOUT_S = 900
"""Longest wait for another process's build; a build takes one to three minutes on two cores."""
KEPT = 2
"""Generations that stay: the current one, and the one before, which somebody may be in the middle of opening."""


def write(folder: Path, fill: Callable[[Path], None], *, kept: int = KEPT) -> int:
    """Make a new generation and turn the link to it; hold ``lock`` where others may write as well.

    Args:
        folder: the link; its parent is made if missing.
        fill: writes the files into the empty folder that it is given.
        kept: how many of the newest generations stay, at least 1.

    Returns:
        The new generation's number.

    Raises:
        IndexNotWritten: if the disk refuses; the old generation stays, and nothing unfinished does.
    """
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        number = max(versions(folder), default=0) + 1
        unfinished = _unfinished(folder)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
        place = folder.parent / _name(folder, number)
        try:
            fill(fresh)
            for file in sorted(fresh.iterdir()):
                flush(file)
            fresh.chmod(0o755)
            flush(fresh)
            fresh.rename(place)
            _turn(folder, place)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    for left in unfinished:
        shutil.rmtree(left, ignore_errors=True)
    for old in versions(folder)[:-kept]:
        shutil.rmtree(folder.parent / _name(folder, old), ignore_errors=True)
    return number


def versions(folder: Path) -> list[int]:
    """List the numbers of the generations that are kept, oldest first."""
    form = re.compile(re.escape(f".{folder.name}-") + r"(\d{6,})")
    if not folder.parent.is_dir():
        return []
    return sorted(int(found[1]) for path in folder.parent.iterdir() if (found := form.fullmatch(path.name)))


def version(folder: Path) -> int:
    """Give the number of the current generation; 0 if there is none, or it has no number."""
    found = re.fullmatch(r".*-(\d{6,})", folder.resolve().name)
    return int(found[1]) if found and folder.is_symlink() else 0


def go_back(folder: Path, to: int | None = None) -> int:
    """Turn the link to an earlier generation: the one given, or the newest before the current one.

    Returns:
        Its number.

    Raises:
        IndexMissing: if it isn't kept.
        IndexNotWritten: if the disk refuses; the current one stays.
    """
    found = versions(folder)
    current = version(folder)
    to = to if to is not None else max((n for n in found if n < current), default=0)
    if to not in found:
        kept = ", ".join(map(str, found)) or "none"
        raise IndexMissing(f"Version {to or 'before this'} of {folder.name} isn't kept. Kept: {kept}.")
    with _told(folder):
        _turn(folder, folder.parent / _name(folder, to))
    return to


def remove(folder: Path) -> None:
    """Delete the link and all its generations; whoever has one open goes on reading it.

    Raises:
        IndexNotWritten: if the disk refuses; all of it stays.
    """
    with _told(folder):
        folder.unlink(missing_ok=True)
    for number in versions(folder):
        shutil.rmtree(folder.parent / _name(folder, number), ignore_errors=True)
    for left in _unfinished(folder):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def lock(folder: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the right to write; freed by the system if the process dies.

    Raises:
        IndexBusy: if another process holds it for longer than ``timeout_s``.
        IndexNotWritten: if the disk refuses.
    """
    with _told(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        held = (folder.parent / f".{folder.name}.lock").open("a+b")
    with held as stream:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise IndexBusy(
                        f"Another process has been building {folder.name}/ for over {timeout_s:.0f} s. "
                        "Wait for it, or end it and build again."
                    ) from error
                time.sleep(0.2)
        yield


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Put what the disk refuses into a sentence."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # the second is how FAISS says that a write failed
        raise IndexNotWritten(
            f"A new version of {folder.name}/ can't be written ({_reason(error)}); what was there stays. "
            "See that its disk has room and may be written to, and try again."
        ) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__


def _name(folder: Path, number: int) -> str:
    return f".{folder.name}-{number:06d}"


def _unfinished(folder: Path) -> list[Path]:
    """List what writers that were killed have left; ours is not among them, for the lock is held."""
    return [path for path in folder.parent.glob(f".{folder.name}.new-*") if path.is_dir()]


def _turn(folder: Path, place: Path) -> None:
    link = folder.parent / f".{folder.name}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(place.name, target_is_directory=True)
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    link.replace(folder)
    flush(folder.parent)


def flush(path: Path) -> None:
    """Have the system write a file or a folder's names to the disk, so that a power cut keeps the order of things."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
