"""Keeps the tables of the name finder on the disk: folding twenty thousand names took most of a start.

The tables are plain JSON beside the graphs, named by the hash of all that they were made from, and checked when read.
What is missing or damaged is made anew; nothing but time hangs on this room.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import aliases, letters
from app import catalogue as entries
from app.aliases import AliasFinder, Tables
from app.reader import tables
from app.records import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.catalogue import Catalogue
    from app.encoder import Encoder


class _Owners(Mapping[str, list[Name]]):
    """The names of each form, as JSON until they are asked for: a text asks for some dozens out of thirty thousand."""

    def __init__(self, written: dict[str, str]) -> None:
        """Take forms, each with its names as JSON."""
        self._written = written

    def __getitem__(self, form: str) -> list[Name]:
        return [Name(*one) for one in json.loads(self._written[form])]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def finder(folder: Path, catalogue: Catalogue, encoder: Encoder) -> AliasFinder:
    """Give the name finder of a catalogue, its tables from the disk if they were kept there."""
    file = folder / f"names-{_key(catalogue, encoder)}.json"
    try:
        digest, _, body = file.read_bytes().partition(b"\n")
        if digest == _digest(body):
            return AliasFinder(_read(json.loads(body)))
    except OSError:
        pass  # not kept yet, or not for us to read
    written = _written(tables(catalogue, encoder))
    _keep(file, _json(written).encode())
    return AliasFinder(_read(written))


def _written(made: Tables) -> dict[str, Any]:
    """Put tables as JSON can say them; forms keep their order."""
    return {
        "names": {form: _json([(n.entry, n.kind, n.text, n.sure) for n in some]) for form, some in made.names.items()},
        "vocabulary": sorted(made.vocabulary),
        "typos": [(words, first, forms) for (words, first), forms in made.typos.items()],
    }


def _read(written: dict[str, Any]) -> Tables:
    owners = _Owners(written["names"])
    # JSON gives each word anew: those that are names already are kept once.
    same = {form: form for form in owners}
    return Tables(
        owners,
        frozenset(same.get(word, word) for word in written["vocabulary"]),
        {(words, first): [same[form] for form in forms] for words, first, forms in written["typos"]},
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _key(catalogue: Catalogue, encoder: Encoder) -> str:
    """Name what the tables hang on: the catalogue, the encoder's words and the code that folds them."""
    code = "".join(inspect.getsource(module) for module in (aliases, letters, entries, sys.modules[__name__]))
    return _digest(f"{catalogue.sha256}\n{encoder.name}\n{code}".encode()).decode()[:24]


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).hexdigest().encode()


def _keep(file: Path, body: bytes) -> None:
    """Write whole or not at all; a folder that can't be written costs the next start its time, no more."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as stream:
            stream.write(_digest(body) + b"\n" + body)
        written = Path(stream.name)
        written.chmod(0o644)
        written.replace(file)
    except OSError:
        return
