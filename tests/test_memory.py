"""Memory under load: what a check or a refusal leaves behind, what is loaded without need, and what is never mapped.

Counts stand for the soak of ten minutes (``scripts/soak.py``): objects, threads and modules, which a busy machine
doesn't change.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import numpy as np
import pytest
from starlette.testclient import TestClient

from app import serving
from app.api import create_app
from app.memo import Memo
from app.runtime import OnnxEncoder, Rows, ServedEncoder
from scripts.ideas import ideas_without_end

if TYPE_CHECKING:
    from pathlib import Path

    from app.checker import Checker
    from app.settings import Settings

LeastRecent = type(lru_cache(len))
CHECKS = 5
A_CHECK = 30
"""Objects that a check may leave behind when all that is remembered is taken away: twenty were seen, fewer each time,
and forty where nothing but its text with its sentences was kept. It makes some ten thousand."""
REFUSALS = 120
A_REFUSAL = 2
"""Likewise; of one that stayed with its request and connection some fifty would be left."""


def blocks() -> int:
    """Count what Python's allocator has given out."""
    gc.collect()
    return sys.getallocatedblocks()


def forget(checker: Checker) -> None:
    """Empty everything that is bounded by a number of its own; what is left must not depend on how many came before."""
    encoder = checker._encoder
    assert isinstance(encoder, ServedEncoder)
    encoder._kept.clear()
    encoder._bytes = 0
    for one in gc.get_objects():
        # By their types: to ask some objects of other packages for a class is to be warned by them.
        if issubclass(type(one), Memo):
            one.clear()
        elif type(one) is LeastRecent and one.__module__.startswith("app.") and one.cache_info().maxsize:
            one.cache_clear()
    re.purge()


@pytest.mark.model
def test_checks_leave_nothing_but_what_is_bounded(checker: Checker) -> None:
    """Judged once more with other words, with all suggestions, ideas leave what they left the time before."""
    ideas = list(itertools.islice(ideas_without_end(), CHECKS))
    left = []
    for number in range(4):  # the first time loads what their languages and suggestions take
        for idea in ideas:
            checker.check(f"{idea} That was no. {number}.")
        forget(checker)
        left.append(blocks())
    assert left[3] - left[1] < 2 * CHECKS * A_CHECK, left


@pytest.mark.model
def test_refusals_leave_nothing_and_take_no_thread(
    settings: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is only refused is handed to no thread; requests, connections and faults are gone with their answers."""
    monkeypatch.setattr(serving, "MAX_WAITING", 0)
    threads: list[object] = []
    plain = anyio.to_thread.run_sync

    async def counted(work: Any, *given: Any, **more: Any) -> Any:
        threads.append(work)
        return await plain(work, *given, **more)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
    with TestClient(create_app(settings, checker)) as client:

        def refused() -> int:
            for number in range(REFUSALS):
                answer = client.post("/api/v1/checks", json={"text": f"An idea that nobody reads, no. {number}."})
                assert answer.status_code == 503
            return blocks()

        first, *before = [refused() for _ in range(3)]
        threads.clear()
        after = [refused() for _ in range(2)]
        # What the answers under way hold comes and goes: hence the lower one of each two.
        assert min(after) - min(before) < 2 * REFUSALS * A_REFUSAL, (first, before, after)
        assert threads == []


@pytest.mark.model
@pytest.mark.usefixtures("checker")  # the index is built
def test_a_service_loads_nothing_before_it_is_needed(settings: Settings, tmp_path: Path) -> None:
    """A service that judges loads no database, no web client and no search of words; nor does it map the words."""
    code = (
        "import asyncio, json, pathlib, sys\n"
        "from app.api import create_app\n"
        "from app.settings import Settings\n"
        "async def main():\n"
        "    app = create_app(Settings.from_environment())\n"
        "    async with app.router.lifespan_context(app) as state:\n"
        "        report = await state['service'].run(lambda c: c.check('Titanic survival with a random forest.'))\n"
        "        await asyncio.sleep(.1)\n"
        "    large = {'sqlalchemy', 'alembic', 'httpx', 'scipy', 'bm25s', 'torch', 'onnx', 'pypdf', 'docx'}\n"
        "    maps = pathlib.Path('/proc/self/maps')\n"
        "    mapped = 'words.npy' in maps.read_text() if maps.is_file() else False\n"
        "    print(json.dumps([report.verdict, sorted(large & set(sys.modules)), mapped]))\n"
        "asyncio.run(main())\n"
    )
    # A place beside which nothing was ever screened.
    for name, there in (("catalogue", settings.index_dir), ("runtimes", settings.runtimes_dir)):
        (tmp_path / name).symlink_to(there.resolve())
    here = {**os.environ, "ORIGINALITY_INDEX_DIR": str(tmp_path / "catalogue")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=here)
    assert json.loads(done.stdout.splitlines()[-1]) == ["well_worn", [], False]


@pytest.mark.model
def test_the_model_keeps_its_own_memory(checker: Checker) -> None:
    """What a run needs is not asked of the C library each time, and no plan is kept for each length of a run."""
    encoder = checker._encoder
    assert isinstance(encoder, ServedEncoder)
    assert isinstance(encoder._inner, OnnxEncoder)
    options = encoder._inner._session.get_session_options()
    assert (options.enable_cpu_mem_arena, options.enable_mem_pattern) == (True, False)


def test_rows_are_those_of_the_array(tmp_path: Path) -> None:
    """In the order that they are asked for, repeats among them, to the last bit; the first and the last one too."""
    table = np.random.default_rng(7).normal(size=(40, 5)).astype(np.float32)
    np.save(tmp_path / "rows.npy", table)
    rows, wanted = Rows(tmp_path / "rows.npy"), np.array([39, 0, 7, 7, 0, 12], dtype=np.int64)
    assert rows[wanted].dtype == np.float32
    assert rows[wanted].tobytes() == table[wanted].tobytes()
    assert rows[wanted[:0]].shape == (0, 5)
