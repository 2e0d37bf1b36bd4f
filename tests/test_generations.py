"""Generations: the old one or the new at every moment, also for a writer that is killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from app import generations
from app.errors import IndexMissing, IndexNotWritten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fill_with(text: str, files: int = 3) -> Callable[[Path], None]:
    """Give a filler that writes the same words to several files."""

    def fill(folder: Path) -> None:
        for number in range(files):
            (folder / f"{number}.txt").write_text(text, encoding="utf-8")

    return fill


def words(folder: Path) -> set[str]:
    """Read all files of the current generation."""
    return {path.read_text(encoding="utf-8") for path in folder.resolve().iterdir()}


def write(folder: Path, text: str, kept: int = 2) -> int:
    """Write a generation that holds one word."""
    return generations.write(folder, fill_with(text), kept=kept)


def test_numbers_rise_and_the_newest_are_kept(tmp_path: Path) -> None:
    """Each write is the next version and the current one; as many stay as were asked for."""
    folder = tmp_path / "some" / "thing"
    assert generations.versions(folder) == []
    assert generations.version(folder) == 0
    assert [write(folder, text, kept=3) for text in "abcd"] == [1, 2, 3, 4]
    assert generations.versions(folder) == [2, 3, 4]
    assert generations.version(folder) == 4
    assert words(folder) == {"d"}


def test_going_back_and_on(tmp_path: Path) -> None:
    """An earlier version can be current again, by number or as the one before; a new one goes after the newest."""
    folder = tmp_path / "thing"
    for text in "abc":
        write(folder, text, kept=3)
    assert generations.go_back(folder) == 2
    assert words(folder) == {"b"}
    assert generations.go_back(folder) == 1
    assert generations.go_back(folder, to=3) == 3
    assert words(folder) == {"c"}
    generations.go_back(folder, to=1)
    assert write(folder, "d", kept=3) == 4
    assert (words(folder), generations.versions(folder)) == ({"d"}, [2, 3, 4])


@pytest.mark.parametrize("to", [None, 7])
def test_what_is_not_kept_cannot_be_gone_back_to(tmp_path: Path, to: int | None) -> None:
    """The error names what is kept."""
    folder = tmp_path / "thing"
    write(folder, "a")
    with pytest.raises(IndexMissing, match=r"isn't kept\. Kept: 1\."):
        generations.go_back(folder, to)
    assert words(folder) == {"a"}


def test_a_filler_that_fails_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    """What was begun is cleared away."""
    folder = tmp_path / "thing"
    write(folder, "a")
    before = sorted(p.name for p in tmp_path.iterdir())

    def fail(place: Path) -> None:
        (place / "half.txt").write_text("b", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(IndexNotWritten, match=r"No space left .*what was there stays"):
        generations.write(folder, fail)
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert words(folder) == {"a"}


def test_a_plain_folder_in_the_way_is_replaced(tmp_path: Path) -> None:
    """Where a copy has turned the link into a folder, the next write makes it a link again."""
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "old.txt").write_text("old", encoding="utf-8")
    write(folder, "a")
    assert folder.is_symlink()
    assert words(folder) == {"a"}


def test_removing_leaves_nothing(tmp_path: Path) -> None:
    """Link, generations and leftovers go."""
    folder = tmp_path / "thing"
    write(folder, "a")
    write(folder, "b")
    (tmp_path / ".thing.new-left").mkdir()
    generations.remove(folder)
    assert list(tmp_path.iterdir()) == []


WRITE_ON = """
import sys
from pathlib import Path
from app import generations
folder, number = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    number += 1
    def fill(place):
        for n in range(20):
            (place / f"{n}.txt").write_text(f"{number:06d}" * 2000)
    with generations.lock(folder, 5):
        generations.write(folder, fill)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_generation(tmp_path: Path) -> None:
    """Twelve writers in a row are killed at random moments; what is current is always of one writing and complete."""
    folder = tmp_path / "thing"
    chance = random.Random(7)  # noqa: S311  moments, not secrets
    write(folder, "first")
    for _ in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITE_ON, str(folder)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.0, 0.15))
            writer.kill()
        files = list(folder.resolve().iterdir())
        assert len(files) in {3, 20}
        assert len(words(folder)) == 1
    assert write(folder, "last") == generations.version(folder)
    assert words(folder) == {"last"}
    assert list(tmp_path.glob(".thing.new-*")) == []
