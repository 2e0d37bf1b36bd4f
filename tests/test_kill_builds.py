"""Builds that are killed lose nothing; and a loss, were there one, would be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app import generations
from app.errors import IndexStale
from scripts import kill_builds
from scripts.kill_builds import Changing, Fresh, Tally

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_lost_by_kills(tmp_path: Path, tiny_folder: Path) -> None:
    """Real processes of every kind are killed twice: readers are answered meanwhile, and find the old or the new."""
    found = kill_builds.run(tmp_path, tiny_folder, 10, seed=3)
    assert [one.lost for one in found.values()] == [[]] * 5
    assert [one.kills for one in found.values()] == [2] * 5
    assert all(one.old + one.new == one.stages.total() == 2 for one in found.values())
    assert all(one.answered > 0 for one in found.values())


def test_a_mixture_would_be_seen(tmp_path: Path, tiny_folder: Path) -> None:
    """Vectors of one build beside the ids of another are an error, and rows that nobody reported are another state."""
    changed = kill_builds._changed(tiny_folder, tmp_path / "changed")
    victim = Fresh("mixed", tmp_path, tiny_folder, changed)
    victim.prepare()
    victim.work(lambda: None)
    assert victim.found() == victim.steps(1)[0] != victim.steps(0)[0]
    older, newer = sorted(tmp_path.glob(".catalogue-*"))
    (newer / "index.faiss").write_bytes((older / "index.faiss").read_bytes())
    with pytest.raises(IndexStale, match="its vectors have changed"):
        victim.found()
    adding = Changing("adding", tmp_path, "add")
    adding.prepare()
    assert adding.found() == adding.steps(0)[0]
    adding.work(lambda: None)
    assert adding.found() not in adding.steps(0)
    assert adding.found() == adding.steps(6)[-1]


def test_a_search_without_an_answer_is_a_loss(tmp_path: Path, tiny_folder: Path) -> None:
    """Where the link leads nowhere, whoever asks meanwhile notices."""
    victim = Changing("adding", tmp_path, "add")
    victim.prepare()
    generations.remove(victim.folder)
    tally = Tally()
    kill_builds._ask_once(victim, tally)
    assert tally.answered == 0
    assert tally.lost == [
        "a search was not answered: CollectionMissing: There is no collection 'add'. See: originality index list"
    ]
