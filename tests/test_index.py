"""The index: exact answers, the same bytes every time, and no moment without a whole one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import generations, index
from app.catalogue import Catalogue, View, views
from app.encoder import DIMENSION, SentenceTransformersEncoder
from app.errors import IndexBusy, IndexMissing, IndexNotWritten, IndexStale
from app.index import Row, ViewIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.encoder import Encoder
    from app.records import EntryKind, States, Vectors
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
KINDS: tuple[EntryKind, ...] = ("cliche", "dataset", "technique", "tutorial")


@pytest.fixture
def folder(tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder) -> Path:
    """Build an index of the six entries."""
    index.build(tmp_path / "built", views(tiny), tiny, fake_encoder)
    return tmp_path / "built"


def unit(count: int, seed: int) -> Vectors:
    """Give random unit rows."""
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def opened(vectors: Vectors, per_kind: int) -> ViewIndex:
    """Wrap vectors, so many of each kind, in an index."""
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(vectors)
    return ViewIndex(flat, [Row(f"e{n // 2}", KINDS[n // per_kind], f"v{n}") for n in range(len(vectors))], {})


# --- searching -------------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 30), st.integers(0, 2**32 - 1), st.sampled_from([None, *KINDS]))
def test_search_is_brute_force(per_kind: int, k: int, seed: int, kind: EntryKind | None) -> None:
    """Ids and cosines are those of multiplying everything with everything, whatever kind is asked for."""
    vectors, queries = unit(per_kind * 4, seed), unit(3, seed + 1)
    found = opened(vectors, per_kind).search(queries, k, kind)
    among = [n for n in range(len(vectors)) if kind is None or KINDS[n // per_kind] == kind]
    for number, hits in enumerate(found):
        cosines = vectors[among] @ queries[number]
        best = np.argsort(-cosines)[:k]
        assert [h.view for h in hits] == [f"v{among[n]}" for n in best]
        assert [h.cosine for h in hits] == pytest.approx(cosines[best].tolist(), abs=1e-5)
        assert {h.sentence for h in hits} == {number}
        assert all(kind in {None, h.kind} for h in hits)


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_near_is_brute_force(entries: int, sentences: int, k: int, seed: int) -> None:
    """What comes near a sentence or the whole, or is named, is told with its nearest view, and nothing else is."""
    vectors, queries = unit(8 * entries, seed), unit(sentences + 1, seed + 1)
    some = opened(vectors, 2 * entries)
    named = {"e0", "nobody"}
    nearest, overall = some.near(queries, some.tops(queries, dict.fromkeys(KINDS, k)), named)
    cosines = queries @ vectors.T
    found = np.zeros(cosines.shape, dtype=bool)
    for first in range(0, len(vectors), 2 * entries):
        best = np.argsort(-cosines[:, first : first + 2 * entries], axis=1)[:, :k]
        np.put_along_axis(found, first + best, True, axis=1)
    assert nearest.keys() == overall.keys() == {"e0", *(f"e{n // 2}" for n in np.flatnonzero(found.any(axis=0)))}
    for entry, hit in nearest.items():
        first = 2 * int(entry[1:])
        mine = cosines[:, first : first + 2]
        # What a sentence came upon counts before what it would have to be asked for.
        seen = np.where(found[:-1, first : first + 2], mine[:-1], -2)
        seen = seen if seen.max() > -2 else mine[:-1]
        sentence, view = divmod(int(seen.argmax()), 2)
        assert hit[:3] == (entry, KINDS[first // (2 * entries)], f"v{first + view}")
        assert hit.sentence == sentence
        assert hit.cosine == pytest.approx(float(seen.max()), abs=1e-5)
        assert overall[entry] == pytest.approx(float(mine[-1].max()), abs=1e-5)


def test_a_cosine_hangs_on_no_neighbour() -> None:
    """Together or alone, in one block of rows or several, found or asked for: to the last bit it is the same."""
    count = index.BLOCK + 100
    vectors, queries = unit(4 * count, 1), unit(2 * index.TOGETHER + 3, 2)
    some = opened(vectors, count)
    views = dict.fromkeys(KINDS, 7)
    together = some.tops(queries, views)
    for query, (numbers, cosines) in zip(queries, together, strict=True):
        (alone,) = opened(vectors, count).tops(query[None], views)
        assert np.array_equal(alone[0], numbers)
        assert np.array_equal(alone[1], cosines)
        assert np.array_equal(some._cosines(query[None], numbers.astype(np.int64))[0], cosines)


def test_cosines_never_leave_their_range() -> None:
    """Rounding can't push a self-match past 1 or an opposite below -1."""
    vectors = unit(8, 3)
    hits = opened(vectors, 2).search(np.concatenate([vectors, -vectors]), 8)
    assert all(-1.0 <= h.cosine <= 1.0 for line in hits for h in line)
    assert [line[0].view for line in hits[:8]] == [f"v{n}" for n in range(8)]


def test_what_is_not_there_gives_nothing() -> None:
    """No queries, no views of a kind and an unknown entry are empty answers, not errors."""
    some = opened(unit(2, 1), 2)
    assert some.search(np.zeros((0, DIMENSION), np.float32), 3) == []
    assert some.search(unit(1, 2), 3, "tutorial") == [[]]
    assert some.near(unit(1, 2), some.tops(unit(1, 2), {"tutorial": 2}), {"e0"}) == ({}, {})
    assert some.tops(np.zeros((0, DIMENSION), np.float32), {"cliche": 2}) == []


@pytest.mark.parametrize(("shape", "k"), [((3,), 1), ((2, 5), 1), ((1, DIMENSION), 0)])
def test_a_wrong_shape_is_a_programming_error(shape: tuple[int, ...], k: int) -> None:
    """Wrong widths and k below 1 are refused with the number."""
    with pytest.raises(ValueError, match=r"is needed"):
        opened(unit(2, 1), 2).search(np.zeros(shape, np.float32), k)


# --- building --------------------------------------------------------------------------------------------------------


def test_every_view_finds_itself_first(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Its own text brings a view back at rank one with the cosine one."""
    found = ViewIndex.open(folder, tiny, fake_encoder.name)
    own = views(tiny)
    hits = found.search(fake_encoder.encode([v.text for v in own]), 1)
    assert [(line[0].entry, line[0].view) for line in hits] == [(v.entry, v.name) for v in own]
    assert [line[0].cosine for line in hits] == pytest.approx([1.0] * len(own), abs=1e-6)


def test_hand_counted_cosines(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """With word counts for vectors, the cosine is the share of common words, worked out by hand."""
    found = ViewIndex.open(folder, tiny, fake_encoder.name)
    hit = found.search(fake_encoder.encode(["lesson zebra beach"]), 1, "tutorial")[0][0]
    assert (hit.entry, hit.view) == ("sort-your-pebbles", "about")
    # Of the view's thirteen words "a" and "method" stand twice, the others once; the query shares two of the others.
    norm = np.sqrt(11 * 1**2 + 2 * 2**2)
    assert hit.cosine == pytest.approx(2 / (np.sqrt(3) * norm), abs=1e-5)


def test_the_same_catalogue_gives_the_same_bytes(
    folder: Path, tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder
) -> None:
    """Ids and manifest are the same byte for byte, in whatever order the views come."""
    index.build(tmp_path / "again", views(tiny)[::-1], tiny, fake_encoder)
    again, first = (json.loads((place / "manifest.json").read_bytes()) for place in (tmp_path / "again", folder))
    assert again | {"sha256": ""} == first | {"sha256": ""}  # the rows of an entry stand in the order of its views
    index.build(tmp_path / "third", views(tiny), tiny, fake_encoder)
    assert (tmp_path / "third" / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert (tmp_path / "third" / "ids.json").read_bytes() == (folder / "ids.json").read_bytes()
    assert (tmp_path / "third" / "index.faiss").read_bytes() == (folder / "index.faiss").read_bytes()


def test_the_manifest_says_what_the_index_is(folder: Path, tiny: Catalogue) -> None:
    """Layout, model, catalogue, width, metric, counts and versions are bound to the vectors."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["catalogue"] == tiny.sha256
    assert manifest["model"] == "words@000000000000"
    assert (manifest["layout"], manifest["dimension"], manifest["rows"]) == (index.LAYOUT, 384, len(views(tiny)))
    assert manifest["counts"] == {"dataset": 2, "technique": 1, "tutorial": 1, "cliche": 1, "alternative": 1}
    assert set(manifest["versions"]) == {"faiss-cpu", "sentence-transformers", "datasets"}


def test_an_index_of_nothing_is_an_index(tmp_path: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """No views give an index that finds nothing."""
    index.build(tmp_path / "empty", [], tiny, fake_encoder)
    assert ViewIndex.open(tmp_path / "empty", tiny, fake_encoder.name).search(unit(1, 1), 3) == [[]]


# --- what must be refused --------------------------------------------------------------------------------------------


def test_no_index_says_how_to_build_one(tmp_path: Path, tiny: Catalogue) -> None:
    """A missing index is an error of its own, with the command."""
    with pytest.raises(IndexMissing, match=r"originality index build"):
        ViewIndex.open(tmp_path / "none", tiny, "m")


def test_an_index_of_another_model_is_refused_by_name(folder: Path, tiny: Catalogue) -> None:
    """The message names both models and the command."""
    with pytest.raises(
        IndexStale, match=r"model words@000000000000, and this is other@1\. Run: originality index build"
    ):
        ViewIndex.open(folder, tiny, "other@1")


def test_an_index_of_another_catalogue_is_refused_by_hash(
    folder: Path, shipped: Catalogue, fake_encoder: Encoder
) -> None:
    """The message names the beginnings of both hashes."""
    with pytest.raises(IndexStale, match=rf"for catalogue [0-9a-f]{{12}}, and this is {shipped.sha256[:12]}"):
        ViewIndex.open(folder, shipped, fake_encoder.name)


DAMAGE: dict[str, tuple[str, bytes | None]] = {
    "no vectors": ("index.faiss", None),
    "no ids": ("ids.json", None),
    "vectors cut": ("index.faiss", b"IxFI\x80\x01"),
    "vectors empty": ("index.faiss", b""),
    "ids not JSON": ("ids.json", b"[[1, 2"),
    "ids too few": ("ids.json", b"[]"),
    "ids of another form": ("ids.json", b'[["a"]]'),
    "ids no list": ("ids.json", b"7"),
    "manifest not JSON": ("manifest.json", b"{"),
    "manifest no object": ("manifest.json", b"[]"),
    "manifest empty": ("manifest.json", b"{}"),
    "manifest not text": ("manifest.json", b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_refused(damage: str, folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Whatever is broken, the answer is to build anew, and it counts as not current."""
    file, data = DAMAGE[damage]
    (folder / file).unlink()
    if data is not None:
        (folder / file).write_bytes(data)
    with pytest.raises(IndexStale, match=r"Run: originality index build"):
        ViewIndex.open(folder, tiny, fake_encoder.name)
    assert index.why_stale(folder, tiny, fake_encoder.name)
    index.build(folder, views(tiny), tiny, fake_encoder)
    assert index.why_stale(folder, tiny, fake_encoder.name) == ""


class Counting:
    """An encoder that remembers what it was given."""

    def __init__(self, inner: Encoder) -> None:
        """Wrap another."""
        self.inner, self.name, self.seen = inner, inner.name, list[str]()

    def words(self) -> frozenset[str]:
        """Know no word."""
        return frozenset()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Encode and remember."""
        self.seen += texts
        return self.inner.encode(texts)

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Read without remembering."""
        return self.inner.read(texts)


def test_a_new_entry_costs_its_own_views(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Only texts that the generation before didn't have are encoded, and the answers are those of a build afresh."""
    counting = Counting(fake_encoder)
    fresh = [View("new", "dataset", "about", "Timetables of ferries that no longer run."), *views(tiny)[:-2]]
    index.build(folder, fresh, tiny, counting)
    assert counting.seen == ["Timetables of ferries that no longer run."]
    reused = ViewIndex.open(folder, tiny, fake_encoder.name)
    index.build(folder, fresh, tiny, counting, afresh=True)
    assert len(counting.seen) == 1 + len(fresh)
    built = ViewIndex.open(folder, tiny, fake_encoder.name)
    queries = fake_encoder.encode([v.text for v in fresh])
    assert reused.search(queries, 3) == built.search(queries, 3)


def test_another_model_reuses_nothing(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Vectors of one model are never taken for another's."""
    counting = Counting(fake_encoder)
    counting.name = "words@111111111111"
    index.build(folder, views(tiny), tiny, counting)
    assert sorted(counting.seen) == sorted(v.text for v in views(tiny))


# --- no moment without a whole one -----------------------------------------------------------------------------------


class Failing:
    """An encoder that breaks off halfway."""

    name = "words@000000000000"

    def words(self) -> frozenset[str]:
        """Know no word."""
        return frozenset()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Fail."""
        raise MemoryError(len(texts))

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Fail as well."""
        raise MemoryError(len(texts))


def test_a_build_that_fails_leaves_the_old_index(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Readers keep what they had when the encoder breaks off."""
    with pytest.raises(MemoryError):
        index.build(folder, views(tiny), tiny, Failing(), afresh=True)
    assert index.why_stale(folder, tiny, fake_encoder.name) == ""


def test_a_disk_that_refuses_leaves_the_old_index_and_no_litter(
    folder: Path, tiny: Catalogue, fake_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails is cleared away, and the old index answers as before."""
    before = sorted(p.name for p in folder.parent.iterdir())

    def refuse(_index: object, _path: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(faiss, "write_index", refuse)
    with pytest.raises(IndexNotWritten, match=r"No space left .*what was there stays"):
        index.build(folder, views(tiny), tiny, fake_encoder)
    assert sorted(p.name for p in folder.parent.iterdir()) == before
    assert index.why_stale(folder, tiny, fake_encoder.name) == ""


def test_an_open_index_survives_its_successor(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """Who opened the old one goes on reading it after a new one is in place; only the one before stays beside it."""
    old = ViewIndex.open(folder, tiny, fake_encoder.name)
    index.build(folder, views(tiny)[:4], tiny, fake_encoder)
    index.build(folder, views(tiny)[:3], tiny, fake_encoder)
    query = fake_encoder.encode([views(tiny)[-1].text])
    assert old.search(query, 1)[0][0].cosine == pytest.approx(1.0, abs=1e-6)
    assert len(ViewIndex.open(folder, tiny, fake_encoder.name).rows) == 3
    assert len([p for p in folder.parent.iterdir() if p.is_dir() and not p.is_symlink()]) == 2


def test_a_killed_builder_frees_the_lock(tmp_path: Path) -> None:
    """The right to build dies with its holder; while it lives, others wait and then say who is in the way."""
    code = (
        "import sys, time; from pathlib import Path; from app.generations import lock\n"
        "with lock(Path(sys.argv[1])):\n  print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(IndexBusy, match=r"Another process has been building x/"),
            generations.lock(tmp_path / "x", 0.3),
        ):
            pass
        holder.kill()
    with generations.lock(tmp_path / "x", 5):
        pass


BUILD_ONE = """
import sys
from pathlib import Path
from app import generations, index
from app.catalogue import Catalogue, views
from tests.conftest import FakeEncoder
tiny = Catalogue.load(Path(sys.argv[1]))
folder = Path(sys.argv[2])
for _ in range(3):
    with generations.lock(folder, 60):
        index.build(folder, views(tiny), tiny, FakeEncoder())
"""


def test_two_builders_side_by_side_leave_one_good_index(
    tmp_path: Path, tiny: Catalogue, tiny_folder: Path, fake_encoder: Encoder
) -> None:
    """Two processes that build into one folder at once take turns, and a reader always finds a whole index."""
    folder = tmp_path / "shared"
    index.build(folder, views(tiny), tiny, fake_encoder)
    command = [sys.executable, "-c", BUILD_ONE, str(tiny_folder), str(folder)]
    builders = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    deadline = time.monotonic() + 120
    while any(b.poll() is None for b in builders) and time.monotonic() < deadline:
        assert len(ViewIndex.open(folder, tiny, fake_encoder.name).rows) == len(views(tiny))
        time.sleep(0.05)
    assert [b.wait(timeout=60) for b in builders] == [0, 0]
    assert index.why_stale(folder, tiny, fake_encoder.name) == ""
    assert len(list(tmp_path.glob(".shared-*"))) == 2


# --- the shipped one -------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_shipped_entries_find_themselves(settings: Settings, checker: object, shipped: Catalogue) -> None:
    """A hundred views spread over the catalogue each come back first, by the real model, with a cosine near one."""
    encoder = SentenceTransformersEncoder.open()
    found = ViewIndex.open(settings.index_dir, shipped, encoder.name)
    every = [v for v in views(shipped) if len(v.text) < 500]
    sample = every[:: len(every) // 100][:100]
    hits = found.search(encoder.encode([v.text for v in sample]), 1)
    assert [line[0].cosine for line in hits] == pytest.approx([1.0] * len(sample), abs=1e-3)
    twins = {(h.entry, h.view) for line in hits for h in line[:1]} ^ {(v.entry, v.name) for v in sample}
    texts = {(v.entry, v.name): v.text for v in every}
    assert [pair for pair in twins if list(texts.values()).count(texts[pair]) < 2] == []


def test_only_small_answers_are_kept(folder: Path, tiny: Catalogue, fake_encoder: Encoder) -> None:
    """What a check asks for is remembered, the long lists of a search are not: they filled hundreds of megabytes."""
    built, query = ViewIndex.open(folder, tiny, fake_encoder.name), fake_encoder.encode(["weigh the stones"])
    first = built.tops(query, {"dataset": 3})
    assert built.tops(query, {"dataset": 3})[0][0] is first[0][0]
    assert len(built._tops) == 1
    built.search(query, 1_000, "dataset")
    assert len(built._tops) == 1
