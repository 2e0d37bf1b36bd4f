#!/usr/bin/env python3
"""Kill builds at random moments, with SIGKILL, and look at what is there afterwards: all of the old, or all of the new.

Five things are broken off: building the catalogue's index where there is none, building it again after an entry was
changed, adding to a collection, removing from it, and going back to an earlier version of it. While each runs, searches
are asked. After each kill the vectors and rows that are found are compared, one by one, with those that belong to the
old state and to the new, and somebody else must be able to go on. The catalogue is the released one; its vectors are
counts of words, since what is tested is the keeping and not the model.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from app import collection, generations, index
from app.catalogue import DATA, Catalogue, format_line, views
from app.collection import Collection
from app.corpus import Row
from app.encoder import DIMENSION
from app.errors import IndexMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext

    from app.catalogue import View
    from app.records import States, Vectors

KILLS = 50
SEED = 20_261_123
BATCH = 40
"""Rows that are added, or removed, at a time."""
BATCHES = 6
PATIENCE_S = 120
STAGES = ("before", "writing", "written", "turned")
"""Where a build was when it was killed: no file of it yet; some; all, but readers still led to the old; readers led to
the new, but not yet reported."""


class WordCounts:
    """An encoder of a few lines: a text is the counts of its words."""

    name = "word-counts@1"

    def words(self) -> frozenset[str]:
        """Know no word whole."""
        return frozenset()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give unit rows, shape (len(texts), 384)."""
        rows = np.full((len(texts), DIMENSION), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[zlib.crc32(word.encode()) % DIMENSION] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Give the rows, and each as the state of the only token."""
        rows = self.encode(texts)
        return rows, [row[None].astype(np.float16) for row in rows]


class Victim(Protocol):
    """What is killed: made in this process, sent to the child, and looked at here again."""

    title: str
    folder: Path

    def prepare(self) -> None:
        """Make the old state, from nothing."""

    def work(self, done: Callable[[], None]) -> None:
        """Go on to the new state, telling of every step that is done."""

    def steps(self, reported: int) -> list[Any]:
        """List the states that are whole after so many reported steps: that one, and the next."""

    def found(self) -> Any:
        """Read the state that is there, all of it; raise if it can't be read."""

    def search(self) -> bool:
        """Ask something; tell whether it was answered rightly."""


class Fresh:
    """Building the catalogue's index: where there is none, or after a change."""

    def __init__(self, title: str, root: Path, old: Path | None, new: Path) -> None:
        """Take the folder of the catalogue before, if there was one, and of the one to build for."""
        self.title, self.folder = title, root / "catalogue"
        self._folders = old, new

    @property
    def _old(self) -> Catalogue | None:
        return _loaded(self._folders[0]) if self._folders[0] else None

    @property
    def _new(self) -> Catalogue:
        return _loaded(self._folders[1])

    def prepare(self) -> None:
        """Build the old one; see ``Victim``."""
        generations.remove(self.folder)
        if self._old:
            self._build(self._old)

    def work(self, done: Callable[[], None]) -> None:
        """Build the new one; see ``Victim``."""
        self._build(self._new)
        done()

    def steps(self, reported: int) -> list[Any]:
        """Give the catalogue's hash, or none; see ``Victim``."""
        return [self._old and self._old.sha256, self._new.sha256][reported:]

    def found(self) -> Any:
        """Compare every vector that is there with the one of its view; see ``Victim``."""
        try:
            sha256 = index._read_manifest(self.folder.resolve())["catalogue"]
        except IndexMissing:
            return None
        catalogue = self._new if sha256 == self._new.sha256 else self._old
        if catalogue is None:
            raise ValueError("an index of a catalogue that was never built")
        opened = index.ViewIndex.open(self.folder, catalogue, WordCounts.name)
        every = _in_order(views(catalogue))
        if [(row.entry, row.view) for row in opened.rows] != [(view.entry, view.name) for view in every]:
            raise ValueError("other rows than the catalogue's views")
        vectors = np.stack([opened.vector(n) for n in range(len(every))])
        if not np.array_equal(vectors, _vectors(self._folders[1] if catalogue is self._new else self._folders[0])):
            raise ValueError("a vector that is not its view's")
        return sha256

    def search(self) -> bool:
        """Look for an entry by its own words; see ``Victim``."""
        generation = self.folder.resolve()
        try:
            sha256 = index._read_manifest(generation)["catalogue"]
        except IndexMissing:
            return self._old is None
        catalogue = self._new if sha256 == self._new.sha256 or self._old is None else self._old
        view = views(catalogue)[0]
        hit = index.ViewIndex.open(generation, catalogue, WordCounts.name).search(WordCounts().encode([view.text]), 1)
        return hit[0][0].cosine > 1 - 1e-5

    def _build(self, catalogue: Catalogue) -> None:
        with generations.lock(self.folder, PATIENCE_S):
            index.build(self.folder, views(catalogue), catalogue, WordCounts())


class Changing:
    """Adding to a collection, removing from it, or going back and forth between its versions."""

    def __init__(self, title: str, root: Path, how: str) -> None:
        """Take one of add, remove, back."""
        self.title, self.folder, self._how = title, root / how, how
        self._base = _rows("base", 2_000)
        self._batches = [_rows(f"batch{n}", BATCH) for n in range(BATCHES)]

    def prepare(self) -> None:
        """Fill a collection; see ``Victim``."""
        generations.remove(self.folder)
        collection.add(self.folder, self._base, WordCounts())
        if self._how == "remove":
            collection.add(self.folder, list(chain(*self._batches)), WordCounts())
        elif self._how == "back":
            collection.add(self.folder, self._batches[0], WordCounts())

    def work(self, done: Callable[[], None]) -> None:
        """Take all steps; see ``Victim``."""
        for number, batch in enumerate(self._batches):
            if self._how == "add":
                collection.add(self.folder, batch, WordCounts())
            elif self._how == "remove":
                collection.remove(self.folder, [row.id for row in batch], WordCounts.name)
            else:
                with generations.lock(self.folder, PATIENCE_S):
                    generations.go_back(self.folder, 1 + number % 2)
            done()

    def steps(self, reported: int) -> list[Any]:
        """Give the ids of the rows; see ``Victim``."""
        base = {row.id for row in self._base}
        states = [base.union(*({row.id for row in batch} for batch in self._there(n))) for n in range(BATCHES + 1)]
        return states[reported : reported + 2]

    def found(self) -> Any:
        """Read every row, and compare what it says with what it should; see ``Victim``."""
        opened = Collection.open(self.folder, WordCounts.name)
        rows = {row.id: row for row in opened.rows()}
        truth = {row.id: row for row in [*self._base, *chain(*self._batches)]}
        if len(opened) != len(rows) or any(truth[name] != row for name, row in rows.items()):
            raise ValueError("a row that is not the one of its id")
        last = [row for row in rows.values() if row.id.endswith("-0")]
        hits = opened.search(WordCounts().encode([f"{row.name}: {row.about}" for row in last]), 1)
        if [hit[0].row for hit in hits] != last:
            raise ValueError("a row that its own words don't find")
        return set(rows)

    def search(self) -> bool:
        """Look for a row that is always there; see ``Victim``."""
        row = self._base[7]
        opened = Collection.open(self.folder, WordCounts.name)
        return opened.search(WordCounts().encode([f"{row.name}: {row.about}"]), 1)[0][0].row == row

    def _there(self, step: int) -> list[list[Row]]:
        if self._how == "add":
            return self._batches[:step]
        if self._how == "remove":
            return self._batches[step:]
        return self._batches[: 1 if step % 2 == 0 else 0]


@dataclass(slots=True)
class Tally:
    """What happened to one kind of build."""

    kills: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    old: int = 0
    new: int = 0
    answered: int = 0
    lost: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Kill and print; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=KILLS, help="in all, shared among the five")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same moments")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kill-builds-") as root:
        found = run(Path(root), DATA, given.kills, given.seed)
    print(f"{'killed':34}{'kills':>6}" + "".join(f"{stage:>9}" for stage in STAGES) + "   old   new  searches  lost")
    for title, one in found.items():
        stages = "".join(f"{one.stages[stage]:9}" for stage in STAGES)
        print(f"{title:34}{one.kills:6}{stages}{one.old:6}{one.new:6}{one.answered:10,}{len(one.lost):6}")
    lost = [f"{title}: {line}" for title, one in found.items() for line in one.lost]
    print("\n".join(lost) or f"{sum(one.kills for one in found.values())} kills, nothing lost")
    return 1 if lost else 0


def run(root: Path, catalogue: Path, kills: int, seed: int) -> Mapping[str, Tally]:
    """Kill builds of every kind in turn.

    Args:
        root: an empty folder.
        catalogue: the folder of one.
        kills: in all.
        seed: of the moments.

    Returns:
        Kind to what happened.
    """
    victims: list[Victim] = [
        Fresh("the first index", root, None, catalogue),
        Fresh("an index after a changed entry", root, catalogue, _changed(catalogue, root / "changed")),
        Changing("adding to a collection", root, "add"),
        Changing("removing from a collection", root, "remove"),
        Changing("going back in a collection", root, "back"),
    ]
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["datasets", __name__])
    chance = random.Random(seed)  # noqa: S311  moments, not secrets
    tallies = {victim.title: Tally() for victim in victims}
    lasting = {victim.title: _lasting(victim, processes) for victim in victims}
    for number in range(kills):
        victim = victims[number % len(victims)]
        # Encoding takes most of the time and touches no file: every other kill waits for the part that does.
        writing = number // len(victims) % 2 == 1
        _kill(
            victim,
            processes,
            chance.uniform(0, lasting[victim.title][writing]),
            tallies[victim.title],
            writing=writing,
        )
    return tallies


def _lasting(victim: Victim, processes: ForkServerContext) -> tuple[float, float]:
    """Give the seconds that the whole takes when nobody kills it, and those from its first file on."""
    victim.prepare()
    child, hears = _started(victim, processes)
    began = time.monotonic()
    _await_writing(victim, child)
    writing = time.monotonic()
    child.join(PATIENCE_S)
    ended = time.monotonic()
    if child.exitcode or _reports(hears) == 0:
        raise RuntimeError(f"{victim.title} doesn't come to an end by itself")
    return ended - began, ended - writing


def _await_writing(victim: Victim, child: Any) -> None:
    while child.is_alive() and not _unfinished(victim.folder):
        time.sleep(0.0005)


def _kill(victim: Victim, processes: ForkServerContext, after_s: float, tally: Tally, *, writing: bool) -> None:
    """Kill one, so many seconds after its beginning, or after its first file."""
    victim.prepare()
    ended = threading.Event()
    asking = threading.Thread(target=_ask, args=(victim, ended, tally))
    asking.start()
    child, hears = _started(victim, processes)
    if writing:
        _await_writing(victim, child)
    time.sleep(after_s)
    child.kill()
    child.join()
    ended.set()
    asking.join()
    reported = _reports(hears)
    tally.kills += 1
    possible = victim.steps(reported)
    try:
        there = victim.found()
        if there not in possible:
            tally.lost.append(f"after {reported} reported steps something else was found")
        tally.stages[_stage(victim.folder, new=there == possible[-1] and len(possible) > 1)] += 1
        tally.old += there == possible[0]
        tally.new += there in possible[1:]
        victim.work(lambda: None)  # the lock is free again, and what was left lying hinders nobody
        if victim.found() != victim.steps(BATCHES if isinstance(victim, Changing) else 1)[-1]:
            tally.lost.append("the next build did not come to its end")
        if _unfinished(victim.folder):
            tally.lost.append("what the killed one left was not swept away")
    except Exception as error:  # noqa: BLE001  whatever it is, it is a loss, and the others go on
        tally.lost.append(f"{type(error).__name__}: {error}")


def _started(victim: Victim, processes: ForkServerContext) -> tuple[Any, Connection]:
    """Start the child and wait until it is about to begin."""
    hears, tells = processes.Pipe(duplex=False)
    child = processes.Process(target=_work, args=(victim, tells))
    child.start()
    tells.close()
    if not hears.poll(PATIENCE_S) or hears.recv() != "ready":
        raise RuntimeError("the child did not start")
    return child, hears


def _work(victim: Victim, tells: Connection) -> None:
    victim.steps(0)  # reads the catalogues now: what is to be killed is the build
    tells.send("ready")
    victim.work(lambda: tells.send("done"))


def _reports(hears: Connection) -> int:
    """Count the steps that were reported before the end."""
    count = 0
    while hears.poll():
        try:
            count += hears.recv() == "done"
        except EOFError:
            break
    return count


def _ask(victim: Victim, ended: threading.Event, tally: Tally) -> None:
    while not ended.is_set():
        _ask_once(victim, tally)
        ended.wait(0.01)


def _ask_once(victim: Victim, tally: Tally) -> None:
    try:
        if not victim.search():
            tally.lost.append("a search was answered wrongly")
        tally.answered += 1
    except Exception as error:  # noqa: BLE001  whatever a search raises, it was not answered
        tally.lost.append(f"a search was not answered: {type(error).__name__}: {error}")


def _stage(folder: Path, *, new: bool) -> str:
    """Tell from what lies there how far the killed one had come."""
    if new:
        return "turned"
    if _unfinished(folder):
        return "writing"
    waiting = max(generations.versions(folder), default=0) > generations.version(folder)
    return "written" if waiting or (folder.parent / f".{folder.name}.link").is_symlink() else "before"


def _unfinished(folder: Path) -> list[Path]:
    return list(folder.parent.glob(f".{folder.name}.new-*"))


@cache
def _loaded(folder: Path) -> Catalogue:
    return Catalogue.load(folder)


@cache
def _vectors(folder: Path) -> Vectors:
    return WordCounts().encode([view.text for view in _in_order(views(_loaded(folder)))])


def _changed(catalogue: Path, place: Path) -> Path:
    """Copy a catalogue with one description changed."""
    shutil.copytree(catalogue, place)
    file = place / "datasets.jsonl"
    first, _, rest = file.read_text(encoding="utf-8").partition("\n")
    row = json.loads(first) | {"about": "Weights of stones that were found on a beach in winter."}
    file.write_text(f"{format_line('dataset', row)}\n{rest}", encoding="utf-8")
    return place


def _in_order(some: Sequence[View]) -> list[View]:
    return sorted(some, key=lambda view: (view.kind, view.entry))


def _rows(name: str, count: int) -> list[Row]:
    return [
        Row(f"{name}-{n}", f"{name} number {n}", f"Thing {n} of {name}, kept for its word{n}.") for n in range(count)
    ]


if __name__ == "__main__":
    sys.exit(main())
