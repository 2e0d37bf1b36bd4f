"""An organisation's own corpus: found by meaning, grown and shrunk in place, whole at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import collection, generations
from app.collection import Collection, Collections
from app.corpus import Row
from app.encoder import DIMENSION
from app.errors import BadInput, CollectionMissing, IndexStale

if TYPE_CHECKING:
    from pathlib import Path

    from app.encoder import Encoder

THINGS = ["bees in winter", "frogs at the pond", "rain on tin roofs", "trams that are late", "names of boats"]


def rows(*numbers: int, word: str = "") -> list[Row]:
    """Make rows of which each has a word of its own."""
    return [Row(f"r{n}", f"thing{n} {word}".strip(), THINGS[n % len(THINGS)]) for n in numbers]


def ids(found: Collection) -> list[str]:
    """List the ids in order."""
    return [row.id for row in found.rows()]


def nearest(found: Collection, encoder: Encoder, text: str, k: int = 1) -> list[str]:
    """Give the ids nearest to a text."""
    return [one.row.id for one in found.search(encoder.encode([text]), k)[0]]


def test_what_was_added_is_found(tmp_path: Path, fake_encoder: Encoder) -> None:
    """Every row comes back first for its own words, with its fields and its query's number."""
    folder = tmp_path / "past"
    collection.add(folder, [Row("a", "Bees", "in winter", url="https://example.org/a")], fake_encoder)
    found = collection.add(folder, rows(*range(4)), fake_encoder)
    assert len(found) == 5
    assert ids(found) == ["a", "r0", "r1", "r2", "r3"]
    first = found.search(fake_encoder.encode(["Bees: in winter", "thing3: trams that are late"]), 2)
    assert [line[0].row.id for line in first] == ["a", "r3"]
    assert first[0][0].row.url == "https://example.org/a"
    assert [line[0].query for line in first] == [0, 1]
    assert first[1][0].cosine == pytest.approx(1.0, abs=1e-5)


def test_adding_an_id_again_replaces_it(tmp_path: Path, fake_encoder: Encoder) -> None:
    """The old words are gone, the new ones found, and there is one row of the id."""
    folder = tmp_path / "past"
    collection.add(folder, rows(0, 1, 2), fake_encoder)
    found = collection.add(folder, [Row("r1", "cellos", "played by the sea")], fake_encoder)
    assert sorted(ids(found)) == ["r0", "r1", "r2"]
    assert nearest(found, fake_encoder, "cellos: played by the sea") == ["r1"]
    assert [one.row.name for one in found.search(fake_encoder.encode(["thing1 frogs pond"]), 9)[0]].count("thing1") == 0


def test_removing_and_dropping(tmp_path: Path, fake_encoder: Encoder) -> None:
    """Removed rows are never found; unknown ids count nothing and make no version; dropping leaves no file."""
    folder = tmp_path / "past"
    collection.add(folder, rows(*range(10)), fake_encoder)
    assert collection.remove(folder, ["r1", "r3", "nobody"], fake_encoder.name) == 2
    before = generations.version(folder)
    assert collection.remove(folder, ["r1"], fake_encoder.name) == 0
    assert generations.version(folder) == before
    found = Collection.open(folder, fake_encoder.name)
    assert nearest(found, fake_encoder, "thing3: trams that are late", 10) == [
        i for i in nearest(found, fake_encoder, "thing3: trams that are late", 99) if i not in {"r1", "r3"}
    ]
    assert len(nearest(found, fake_encoder, "x", 99)) == len(found) == 8
    assert Collections(tmp_path, fake_encoder.name).names() == ["past"]
    collection.drop(folder)
    assert Collections(tmp_path, fake_encoder.name).names() == []
    assert [p.name for p in tmp_path.iterdir()] == [".past.lock"]
    with pytest.raises(CollectionMissing, match="no collection 'past'"):
        collection.drop(folder)


def test_a_version_can_be_gone_back_to(tmp_path: Path, fake_encoder: Encoder) -> None:
    """Who has the newer one open goes on reading it; who opens it now reads the older."""
    folder = tmp_path / "past"
    collection.add(folder, rows(0), fake_encoder)
    newer = collection.add(folder, rows(1), fake_encoder)
    generations.go_back(folder)
    assert ids(Collection.open(folder, fake_encoder.name)) == ["r0"]
    assert ids(newer) == ["r0", "r1"]


def test_adding_one_row_writes_one_row(tmp_path: Path, fake_encoder: Encoder) -> None:
    """The vectors that were there are linked to, not copied: the same file stands in both versions."""
    folder = tmp_path / "past"
    collection.add(folder, rows(*range(200)), fake_encoder)
    first = next(folder.resolve().glob("*.faiss"))
    collection.add(folder, rows(200), fake_encoder)
    assert (folder / first.name).stat().st_ino == first.stat().st_ino
    assert sum(p.stat().st_size for p in folder.glob("*.faiss") if p.name != first.name) < 4 * DIMENSION * 2


def test_many_small_additions_are_merged(tmp_path: Path, fake_encoder: Encoder) -> None:
    """However often rows are added, few segments stay, and every row is found."""
    folder = tmp_path / "past"
    for n in range(20):
        found = collection.add(folder, rows(n), fake_encoder)
    assert len(list(folder.glob("*.arrow"))) <= collection.MOST_SEGMENTS
    assert sorted(ids(found)) == sorted(f"r{n}" for n in range(20))
    for n in range(20):
        assert nearest(found, fake_encoder, f"thing{n}: {THINGS[n % 5]}") == [f"r{n}"]


@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True)),
        min_size=1,
        max_size=14,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_it_is_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, fake_encoder: Encoder, steps: list[tuple[bool, list[int]]]
) -> None:
    """After any additions and removals it holds what a dictionary would, and its answers are brute force's."""
    folder = tmp_path_factory.mktemp("any") / "past"
    truth: dict[str, Row] = {}
    collection.add(folder, [], fake_encoder)
    for turn, (adding, numbers) in enumerate(steps):
        some = rows(*numbers, word=f"turn{turn}")
        if adding:
            collection.add(folder, some, fake_encoder)
            truth |= {row.id: row for row in some}
        else:
            collection.remove(folder, [row.id for row in some], fake_encoder.name)
            truth = {name: row for name, row in truth.items() if name not in {one.id for one in some}}
    found = Collection.open(folder, fake_encoder.name)
    assert {row.id: row for row in found.rows()} == truth
    assert len(found) == len(truth)
    query = fake_encoder.encode(["frogs at the pond turn1"])
    if truth:
        vectors = fake_encoder.encode([f"{row.name}: {row.about}" for row in truth.values()])
        best = sorted((vectors @ query[0]).tolist(), reverse=True)[:3]
        assert [one.cosine for one in found.search(query, 3)[0]] == pytest.approx(best, abs=1e-5)


def test_long_descriptions_count_as_a_whole(tmp_path: Path, fake_encoder: Encoder) -> None:
    """A row of many sentences has the mean of them, so that its last one is found as well as its first."""
    long = " ".join(f"The word{n} stands in sentence number {n}, which nobody reads." for n in range(40))
    found = collection.add(tmp_path / "past", [Row("long", "Long", long), *rows(1)], fake_encoder)
    assert nearest(found, fake_encoder, "word39 stands in sentence") == ["long"]


@pytest.mark.parametrize("name", ["", "Past", "../x", "a/b", ".x", "x.", "x" * 65, "a b", "é", "a\n"])
def test_a_name_that_could_be_a_path_is_refused(tmp_path: Path, name: str) -> None:
    """Only plain names make collections."""
    with pytest.raises(BadInput, match="small letters"):
        Collections(tmp_path, "any").open(name)


def test_a_new_version_is_seen_at_once(tmp_path: Path, fake_encoder: Encoder) -> None:
    """A version is opened once; after the next writing, going back or dropping, the next asker gets what is there."""
    all_of_them = Collections(tmp_path / "root", fake_encoder.name)
    assert all_of_them.names() == []
    folder = all_of_them.folder("past")
    collection.add(folder, rows(0), fake_encoder)
    first = all_of_them.open("past")
    assert all_of_them.open("past") is first
    collection.add(folder, rows(1), fake_encoder)
    assert ids(all_of_them.open("past")) == ["r0", "r1"]
    generations.go_back(folder)
    assert ids(all_of_them.open("past")) == ["r0"]
    collection.drop(folder)
    with pytest.raises(CollectionMissing, match="no collection 'past'"):
        all_of_them.open("past")


def test_what_was_deleted_stays_deleted(tmp_path: Path, fake_encoder: Encoder) -> None:
    """A collection made anew under a deleted one's name begins with version 1 again, and nobody sees the old rows."""
    all_of_them = Collections(tmp_path, fake_encoder.name)
    collection.add(tmp_path / "past", rows(0), fake_encoder)
    assert ids(all_of_them.open("past")) == ["r0"]
    collection.drop(tmp_path / "past")
    collection.add(tmp_path / "past", rows(1), fake_encoder)
    assert generations.version(tmp_path / "past") == 1
    assert ids(all_of_them.open("past")) == ["r1"]


def test_twins_are_refused(tmp_path: Path, fake_encoder: Encoder) -> None:
    """Two rows of one id are an error, and nothing is written."""
    with pytest.raises(BadInput, match="same id"):
        collection.add(tmp_path / "past", [*rows(1), *rows(1)], fake_encoder)
    assert Collections(tmp_path, fake_encoder.name).names() == []


@pytest.mark.parametrize("file", ["manifest.json", ".arrow", ".faiss", ".gone.npy"])
def test_a_damaged_collection_says_what_to_do(tmp_path: Path, fake_encoder: Encoder, file: str) -> None:
    """Cut short or emptied, it is refused by name, and writing into it is refused as well: nothing is lost."""
    folder = tmp_path / "past"
    collection.add(folder, rows(0, 1), fake_encoder)
    damaged = next(p for p in folder.resolve().iterdir() if p.name.endswith(file))
    damaged.write_bytes(b"{}" if file == "manifest.json" else damaged.read_bytes()[:20])
    with pytest.raises(IndexStale, match=r"'past' is damaged .* originality index add FILE --collection past"):
        Collection.open(folder, fake_encoder.name)
    with pytest.raises(IndexStale, match="damaged"):
        collection.add(folder, rows(2), fake_encoder)


def test_another_model_is_refused(tmp_path: Path, fake_encoder: Encoder) -> None:
    """Vectors of two models are never mixed."""
    collection.add(tmp_path / "past", rows(0), fake_encoder)
    with pytest.raises(IndexStale, match="was made by words@000000000000 in layout 1, and this is other"):
        Collection.open(tmp_path / "past", "other")


def test_there_may_be_none(tmp_path: Path, fake_encoder: Encoder) -> None:
    """A collection that was never made is missing; one without rows answers with nothing."""
    with pytest.raises(CollectionMissing, match="originality index list"):
        Collection.open(tmp_path / "past", fake_encoder.name)
    empty = collection.add(tmp_path / "past", [], fake_encoder)
    assert (len(empty), empty.search(np.ones((1, DIMENSION), np.float32), 3)) == (0, [[]])
