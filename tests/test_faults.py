"""What goes wrong around an index: the error is clear, and the old index serves on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app import collection, corpus, index, intake, nametable
from app.catalogue import Catalogue, views
from app.collection import Collection
from app.errors import FileUnreadable
from app.reader import Reader
from tests.conftest import write_tiny
from tests.test_collection import rows

if TYPE_CHECKING:
    from app.encoder import Encoder

ROOT = Path(__file__).parent.parent

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from app import collection, index
from app.catalogue import Catalogue, views
from app.errors import IndexNotWritten
from tests.conftest import FakeEncoder
from tests.test_collection import rows
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, as it does on a full disk, and nobody is killed
what, data, folder, room = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
catalogue, encoder = Catalogue.load(data), FakeEncoder()
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    if what == "index":
        index.build(folder, views(catalogue)[:-1], catalogue, encoder)
    else:
        collection.add(folder, rows(*range(20, 40)), encoder)
except IndexNotWritten as error:
    sys.exit(f"refused: {error}")
"""


def _on_a_full_disk(what: str, data: Path, folder: Path, room: int) -> None:
    """Write in a process of its own that may make no file longer than ``room`` bytes; it must say so in a sentence."""
    before = sorted(path.name for path in folder.parent.iterdir() if path.suffix != ".lock")
    command = [sys.executable, "-c", FULL_DISK, what, str(data), str(folder), str(room)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = f"refused: A new version of {folder.name}/ can't be written ("
    assert done.stderr.strip().splitlines()[-1].startswith(told)
    assert sorted(path.name for path in folder.parent.iterdir() if path.suffix != ".lock") == before


@pytest.mark.parametrize("room", [100, 4_000])
def test_a_disk_that_fills_leaves_the_old_index(
    tmp_path: Path, tiny: Catalogue, tiny_folder: Path, fake_encoder: Encoder, room: int
) -> None:
    """When the system takes no more bytes in the middle of a file, the build says so, the old one stays, no litter."""
    folder = tmp_path / "built"
    index.build(folder, views(tiny), tiny, fake_encoder)
    _on_a_full_disk("index", tiny_folder, folder, room)
    assert len(index.ViewIndex.open(folder, tiny, fake_encoder.name).rows) == len(views(tiny))
    index.build(folder, views(tiny)[:-1], tiny, fake_encoder)
    assert len(index.ViewIndex.open(folder, tiny, fake_encoder.name).rows) == len(views(tiny)) - 1


@pytest.mark.parametrize("room", [100, 10_000])
def test_a_disk_that_fills_leaves_the_old_collection(
    tmp_path: Path, tiny_folder: Path, fake_encoder: Encoder, room: int
) -> None:
    """The same while rows are added, in the middle of the rows and of their vectors; with room again, they come in."""
    folder = tmp_path / "past"
    collection.add(folder, rows(*range(20)), fake_encoder)
    _on_a_full_disk("collection", tiny_folder, folder, room)
    assert [row.id for row in Collection.open(folder, fake_encoder.name).rows()] == [f"r{n}" for n in range(20)]
    assert len(collection.add(folder, rows(*range(20, 40)), fake_encoder)) == 40


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ({"key": ["a"], "title": ["b"]}, "row 1: field 'id' is missing or empty"),
        ({"id": ["a"], "name": [[1, 2]]}, "row 1: field 'name' is of type list, where a text is needed"),
        ({"id": ["a"], "name": [3.5]}, "row 1: field 'name' is of type float, where a text is needed"),
    ],
)
def test_a_parquet_of_another_schema_is_refused(tmp_path: Path, table: dict[str, list[object]], error: str) -> None:
    """Columns that are missing or of another type are named, with the first row, and nothing is taken."""
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    with pytest.raises(FileUnreadable) as failed:
        corpus.rows([tmp_path / "a.parquet"])
    assert error in str(failed.value)
    assert str(failed.value).endswith("Nothing was taken.")


def test_an_entry_with_ten_thousand_names_is_held(tmp_path: Path, fake_encoder: Encoder) -> None:
    """A catalogue with such an entry loads, is indexed without a longer view, and each of the names is found."""
    folder = write_tiny(tmp_path / "data")
    file = folder / "datasets.jsonl"
    letters, *others = file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(letters)
    entry["aliases"] += [f"envelope pile {n}" for n in range(10_000)]
    file.write_text("\n".join([json.dumps(entry), *others]) + "\n", encoding="utf-8")
    began = time.process_time()
    catalogue = Catalogue.load(folder)
    assert max(len(view.text) for view in views(catalogue)) < 1_000
    index.build(tmp_path / "built", views(catalogue), catalogue, fake_encoder)
    opened = index.ViewIndex.open(tmp_path / "built", catalogue, fake_encoder.name)
    reader = Reader(catalogue, fake_encoder, opened, nametable.finder(tmp_path / "kept", catalogue, fake_encoder))
    texts = ["We read Envelope-Pile 9999.", "We read envelope pile 123 and load_pebbles.", "We read the envelope pile."]
    found = [{m.entry for m in reading.mentions if m.sure} for reading in reader.read(list(map(intake.read, texts)))]
    assert found == [{"letters"}, {"letters", "pebbles"}, set()]
    # Some seconds at most; what grew with the square of the names would take minutes.
    assert time.process_time() - began < 30
