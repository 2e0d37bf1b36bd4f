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
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ahocorasick_rs import AhoCorasick, MatchKind
from rapidfuzz import process
from rapidfuzz.distance import OSA

from app import aliases, letters
from app import catalogue as entries
from app.aliases import _TYPO_TWO_EDITS_CHARS, AliasFinder, _only_long_words_differ
from app.catalogue import names
from app.reader import Reader
from app.records import Name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.catalogue import Catalogue
    from app.encoder import Encoder
    from app.index import ViewIndex


class KeptReader(Reader):
    """A reader whose name finder is handed in."""

    def __init__(self, catalogue: Catalogue, encoder: Encoder, index: ViewIndex, finder: AliasFinder) -> None:
        """Take everything as it is; ``Reader``'s own start would build the finder again."""
        self.catalogue = catalogue
        self._encoder = encoder
        self._index = index
        self._finder = finder


class _Owners(dict[str, list[Name]]):
    """The names of each form, made when they are asked for: a text asks for some dozens out of thirty thousand."""

    def __getitem__(self, form: str) -> list[Name]:
        owners: list[Any] = super().__getitem__(form)  # as JSON keeps names
        return [Name(*one) for one in owners]


class KeptFinder(AliasFinder):
    """A name finder whose tables were read from the disk."""

    def __init__(self, tables: dict[str, Any]) -> None:
        """Take what ``_tables`` gave."""
        self._names = _Owners(tables["names"])
        self._patterns = list(self._names)
        # The forms stand here already; the automaton needn't keep them as well.
        self._automaton = AhoCorasick(self._patterns, matchkind=MatchKind.Standard, store_patterns=False)
        self._vocabulary = set(tables["vocabulary"])
        self._typo_buckets = {(words, first): forms for words, first, forms in tables["typos"]}
        self._by_length = _by_length(self._typo_buckets)
        # A text and its rewrites share most of their words. Kept in memory alone, and for as long as they are in use.
        self._nearest = lru_cache(maxsize=4_096)(self._nearest_of_length)  # type: ignore[method-assign]

    def _nearest_of_length(self, gram: str, words: int) -> str | None:
        """Find what ``AliasFinder._nearest`` finds, asking only forms of about the same length, and those in C."""
        edits = 2 if len(gram) >= _TYPO_TWO_EDITS_CHARS else 1
        near: list[tuple[int, int, str]] = []
        for length in range(len(gram) - edits, len(gram) + edits + 1):
            places, forms = self._by_length.get((words, gram[0], length), ((), ()))
            found = process.extract(gram, forms, scorer=OSA.distance, score_cutoff=edits, limit=None)
            near += [(distance, places[at], form) for form, distance, at in found]
        best = next((form for _, _, form in sorted(near) if _only_long_words_differ(form, gram)), None)
        return best if best and self._is_a_slip(best, gram) else None


def reader(folder: Path, catalogue: Catalogue, encoder: Encoder, index: ViewIndex) -> Reader:
    """Make a reader whose name finder comes from the disk if it was kept there."""
    return KeptReader(catalogue, encoder, index, finder(folder, catalogue, encoder))


def finder(folder: Path, catalogue: Catalogue, encoder: Encoder) -> AliasFinder:
    """Give the name finder of a catalogue, from the disk if it was kept there."""
    file = folder / f"names-{_key(catalogue, encoder)}.json"
    try:
        digest, _, body = file.read_bytes().partition(b"\n")
        if digest == _digest(body):
            return KeptFinder(json.loads(body))
    except OSError:
        pass  # not kept yet, or not for us to read
    prose = (text for e in catalogue.entries.values() for text in (e.about, *e.tells))
    made = AliasFinder(names(catalogue), prose, encoder.words())
    tables = _tables(made)
    _keep(file, json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode())
    return KeptFinder(tables)


def _tables(made: AliasFinder) -> dict[str, Any]:
    """Take a finder's tables apart; forms stand in the order of its patterns."""
    return {
        "names": {form: [(n.entry, n.kind, n.text, n.sure) for n in made._names[form]] for form in made._patterns},
        "vocabulary": sorted(made._vocabulary),
        "typos": [(words, first, forms) for (words, first), forms in made._typo_buckets.items()],
    }


def _by_length(
    buckets: Mapping[tuple[int, str], Sequence[str]],
) -> dict[tuple[int, str, int], tuple[list[int], list[str]]]:
    """Part each bucket by the length of its forms, which keep their places: of equally near ones the first counts."""
    parted: dict[tuple[int, str, int], tuple[list[int], list[str]]] = defaultdict(lambda: ([], []))
    for (words, first), forms in buckets.items():
        for place, form in enumerate(forms):
            places, same = parted[words, first, len(form)]
            places.append(place)
            same.append(form)
    return dict(parted)


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
