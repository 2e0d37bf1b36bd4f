"""Opens ZIP and TAR archives without trusting them: no path out, no link, no bomb, no password, nothing on the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from app.errors import FileUnreadable
from app.submissions import kinds
from app.submissions.tree import Member, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.submissions.item import Item, Limits

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
_SIMPLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
"""Ways of packing whose unpacking needs little memory; LZMA may ask for gigabytes."""
_MOST_PATH_CHARS = 500


class _Budget:
    """What may still be unpacked of one archive."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name, self._most, self._left = name, limits.max_unpacked_bytes, limits.max_unpacked_bytes

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise FileUnreadable(
                f"{self._name} unpacks to more than the {self._most / 1e6:,.0f} MB that are read of one archive. What "
                "came after that was not read: send it in parts, without its data."
            )


def read_zip(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a ZIP archive; each file that isn't taken is an item with its error."""
    try:
        packed = zipfile.ZipFile(stream)
    except _BROKEN as error:
        raise FileUnreadable(f"{name} is not a readable ZIP archive. Pack it again.") from error
    with packed:
        budget = _Budget(name, limits)
        entries = [entry for entry in packed.infolist() if not entry.filename.endswith("/")]
        if len(entries) > limits.max_members:
            raise FileUnreadable(_too_many(name, limits))
        members = (
            Member(
                _shown(entry.filename),
                partial(_unzipped, packed, entry, limits, budget),
                _zip_fault(entry) or _fault(entry.filename),
            )
            for entry in entries
        )
        yield from read_members(name, members, limits)


def _zip_fault(entry: zipfile.ZipInfo) -> str:
    place = _shown(entry.filename)
    if kinds.kind(place) is None:
        return ""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return f"{place} is a link, which is not followed. Pack the file that it points to."
    if entry.flag_bits & 1:
        return f"{place} is encrypted. Pack it without a password."
    if entry.compress_type not in _SIMPLE:
        return f"{place} is packed in a way that is not read (method {entry.compress_type}). Pack it as plain ZIP."
    return ""


def _unzipped(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits, budget: _Budget) -> bytes:
    """Unpack one file; what its entry says of its size is not believed."""
    place, most = _shown(entry.filename), limits.max_document_bytes
    budget.take(0)  # nothing more is unpacked once it's spent
    try:
        with packed.open(entry) as stream:
            data = stream.read(most + 1)
    except (*_BROKEN, RuntimeError) as error:
        raise FileUnreadable(f"{place} is damaged in the archive ({type(error).__name__}). Pack it again.") from error
    budget.take(len(data))
    if len(data) > most:
        raise FileUnreadable(_too_large(place, limits))
    return data


class _Bounded(io.RawIOBase):
    """A stream that stops when it has given as much as allowed."""

    def __init__(self, stream: BinaryIO, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._budget.take(len(data))
        return data


def read_tar(name: str, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Read a TAR archive, plain or packed by gzip or bzip2; each file that isn't taken is an item with its error."""
    head = stream.read(3)
    stream.seek(0)
    plain: BinaryIO = stream
    if head.startswith(b"\x1f\x8b"):
        plain = gzip.GzipFile(fileobj=stream)  # type: ignore[assignment]
    elif head.startswith(b"BZh"):
        plain = bz2.BZ2File(stream)  # type: ignore[assignment]
    members: list[Member] = []
    failed = ""
    try:
        with tarfile.open(fileobj=_Bounded(plain, _Budget(name, limits)), mode="r|") as packed:
            for entry in packed:
                if len(members) >= limits.max_members:
                    failed = _too_many(name, limits)
                    break
                if not entry.isdir():
                    members.append(_tar_member(packed, entry, limits))
    except FileUnreadable as error:
        failed = str(error)
    except (*_BROKEN, RecursionError) as error:
        failed = f"{name} is not a readable TAR archive, or is cut off ({type(error).__name__}). Pack it again."
    if failed and not members:
        raise FileUnreadable(failed)
    yield from read_members(name, members, limits)
    if failed:
        raise FileUnreadable(failed)


def _tar_member(packed: tarfile.TarFile, entry: tarfile.TarInfo, limits: Limits) -> Member:
    """Take a file while the stream stands at it: a stream can't go back."""
    place = _shown(entry.name)
    if kinds.kind(place) is None:
        return Member(place, bytes)
    if entry.issym() or entry.islnk():
        return Member(place, bytes, f"{place} is a link, which is not followed. Pack the file that it points to.")
    if not entry.isfile() or entry.issparse():
        return Member(place, bytes, f"{place} is no ordinary file (a device, a pipe, one with holes). Leave it out.")
    if wrong := _fault(entry.name):
        return Member(place, bytes, wrong)
    if entry.size > limits.max_document_bytes:
        return Member(place, bytes, _too_large(place, limits))
    opened = packed.extractfile(entry)
    data = opened.read() if opened else b""
    return Member(place, lambda: data)


def _fault(path: str) -> str:
    """Say what is wrong with a path as the archive gives it."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if path and kinds.kind(path) is None:  # it isn't read anyway
        return ""
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in path or len(path) > _MOST_PATH_CHARS:
        return f"{_shown(path)} leads out of the archive, or is no path. Pack files by relative paths."
    if kinds.kind(path) in kinds.ARCHIVES:
        return f"{_shown(path)} is an archive within the archive, which is not opened. Send it by itself."
    return ""


def _shown(path: str) -> str:
    """Make a path of an archive fit for a message: one line, no control characters, not too long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in path.replace("\\", "/"))
    plain = plain or "a file without a name"
    return plain if len(plain) <= _MOST_PATH_CHARS else f"{plain[:_MOST_PATH_CHARS]}…"


def _too_large(place: str, limits: Limits) -> str:
    return (
        f"{place} is larger than the {limits.max_document_bytes / 1e6:,.0f} MB that are read of one file. Send a part."
    )


def _too_many(name: str, limits: Limits) -> str:
    return f"{name} holds more than the {limits.max_members:,} files that are read of one archive. Send it in parts."
