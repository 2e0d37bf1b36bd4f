"""Judging and encoding on an engine: in this process, on two nodes of a Ray cluster, and after a stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import app
from app import bulk, console, engine, runtime
from app.bulk import SpreadEncoder
from app.checker import Submission
from app.encoder import SentenceTransformersEncoder
from app.errors import CollectionMissing, EngineUnavailable, TextUnusable
from tests.test_cli import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from app.checker import Checker
    from app.settings import Settings
    from tests.conftest import FakeEncoder

ROOT = Path(app.__file__).parent.parent
TEXTS = [
    "Titanic survival with logistic regression, as in the course.",
    "We rode the night bus with a sound meter for five weeks and asked eighty riders what woke them.",
    "",
    "Sentiment of film reviews with a fine-tuned BERT on IMDB.",
]


class Named:
    """An encoder under the pinned model's name."""

    name = SentenceTransformersEncoder.pinned_name()

    def __init__(self, inner: FakeEncoder) -> None:
        """Wrap it."""
        self.encode = inner.encode


class TestEncoding:
    """Vectors that are made by the engine, with an encoder whose vectors can be worked out by hand."""

    @pytest.fixture(autouse=True)
    def _counting(self, monkeypatch: pytest.MonkeyPatch, fake_encoder: FakeEncoder) -> None:
        monkeypatch.setattr(bulk, "_encoder", lambda: fake_encoder)
        monkeypatch.setattr(bulk, "PARCEL", 16)

    def test_vectors_are_those_of_the_encoder(self, tmp_path: Path, fake_encoder: FakeEncoder) -> None:
        """Row by row; also of one text, and of none."""
        texts = [f"number {n} of many texts" for n in range(100)]
        spread = SpreadEncoder(tmp_path / "kept")
        assert np.array_equal(spread.encode(texts), fake_encoder.encode(texts))
        assert np.array_equal(spread.encode(texts[:1]), fake_encoder.encode(texts[:1]))
        assert spread.encode([]).shape == (0, 384)

    def test_what_was_broken_off_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_encoder: FakeEncoder
    ) -> None:
        """After a stop only what is missing is encoded; when all is in an index, nothing is left behind."""
        texts = [f"number {n} of many texts" for n in range(100)]
        whole, asked = engine.spread, 0

        def counting(work: engine.Work, parcels: Iterable[str], address: str = "") -> Iterator[bytes]:
            nonlocal asked
            for answer in whole(work, parcels, address):
                asked += 1
                yield answer
                if asked == 3:
                    raise KeyboardInterrupt

        monkeypatch.setattr(engine, "spread", counting)
        kept = tmp_path / "kept"
        with pytest.raises(KeyboardInterrupt):
            SpreadEncoder(kept).encode(texts)
        assert len(list(kept.iterdir())) == 3
        told: list[str] = []
        again = SpreadEncoder(kept, tell=told.append)
        assert np.array_equal(again.encode(texts), fake_encoder.encode(texts))
        assert asked == 3 + 4
        assert told[-1] == "encoded 7 of 7 parts"
        again.clear()
        assert list(tmp_path.iterdir()) == []

    def test_the_command_builds_by_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_encoder: FakeEncoder
    ) -> None:
        """A collection is added to by either engine with the same rows and vectors, and no part is left behind."""
        monkeypatch.setenv("ORIGINALITY_INDEX_DIR", str(tmp_path / "indexes" / "catalogue"))
        monkeypatch.setenv("ORIGINALITY_COLLECTIONS_DIR", str(tmp_path / "collections"))
        monkeypatch.setattr(SentenceTransformersEncoder, "open", lambda: Named(fake_encoder))
        monkeypatch.setattr(runtime, "served", lambda *_: Named(fake_encoder))
        rows = [{"id": f"n{n}", "name": f"Number {n}", "about": "One of many."} for n in range(40)]
        (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        for engine_name in ("local", "daft"):
            arguments = ["index", "add", str(tmp_path / "rows.jsonl"), "--collection", engine_name]
            assert run(*arguments, "--engine", engine_name) == 0
        queries = fake_encoder.encode(["Number 7"])
        local, daft = (console.collections().open(name) for name in ("local", "daft"))
        assert list(daft.rows()) == list(local.rows())
        assert daft.search(queries, 5) == local.search(queries, 5)
        assert list((tmp_path / "indexes").glob("encoding/*")) == []


@pytest.mark.model
class TestJudging:
    """The real checker, on the engine in this process."""

    @pytest.fixture(autouse=True)
    def _opened(self, monkeypatch: pytest.MonkeyPatch, checker: Checker) -> None:
        monkeypatch.setattr(bulk, "_checker", lambda _: checker)
        monkeypatch.setattr(console, "open_checker", lambda: checker)

    def test_reports_and_errors_are_those_of_judging_here(self, settings: Settings, checker: Checker) -> None:
        """Each to the last field, suggestions among them; a text without words keeps its error and its place."""
        group = [Submission(text, f"n{n}") for n, text in enumerate(TEXTS)]
        (there,) = bulk.judged([group], settings)
        here = checker.check_many(group)
        assert [type(one) for one in there] == [type(one) for one in here]
        assert [str(one) for one in there] == [str(one) for one in here]
        assert isinstance(there[2], TextUnusable)

    def test_what_stops_it_here_stops_it_there(self, settings: Settings) -> None:
        """A collection that is missing ends the whole with the same error."""
        group = [Submission(TEXTS[0], collections=("never-made",))]
        with pytest.raises(CollectionMissing, match="no collection 'never-made'"):
            list(bulk.judged([group], settings))

    def test_machines_that_judge_otherwise_are_refused(
        self, settings: Settings, checker: Checker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A cluster with two releases or catalogues gives no mixed results."""
        one, two = (checker.check(TEXTS[0]).model_dump(mode="json") for _ in range(2))
        two["provenance"]["catalogue"] = "another"
        answers = [json.dumps([report]).encode() for report in (one, two)]
        monkeypatch.setattr(engine, "spread", lambda *_: iter(answers))
        with pytest.raises(EngineUnavailable, match="don't judge alike"):
            list(bulk.judged([], settings))

    @pytest.mark.parametrize("format", ["jsonl", "csv"])
    def test_the_command_writes_the_same_lines(self, format: str, tmp_path: Path) -> None:  # noqa: A002
        """Also one that goes on after a stop, on the other engine."""
        lines = [json.dumps({"id": f"n{n}", "text": text}) for n, text in enumerate([*TEXTS, *TEXTS[::-1]])]
        source = tmp_path / "in.jsonl"
        source.write_text("\n".join([*lines, "no JSON"]), encoding="utf-8")
        local, daft = tmp_path / "local", tmp_path / "daft"
        arguments = ["screen", str(source), "--no-suggest", "--format", format, "--output"]
        assert run(*arguments, str(local)) == 0
        assert run(*arguments, str(daft), "--engine", "daft") == 0
        whole = local.read_bytes()
        assert whole.count(b"\n") >= 9
        assert daft.read_bytes() == whole
        daft.write_bytes(whole[: whole.index(b"\n", len(whole) // 2) + 10])
        assert run(*arguments, str(daft), "--engine", "daft", "--resume") == 0
        assert daft.read_bytes() == whole


ON_TWO_NODES = """
import json, os, signal, sys
from pathlib import Path
import ray
from ray.cluster_utils import Cluster
from app import bulk, engine
from app.checker import Submission
from app.settings import Settings
from tests.test_bulk import TEXTS, Where


def late(*_):
    raise TimeoutError("the cluster did not answer")

signal.signal(signal.SIGALRM, late)
signal.alarm(150)
room = {"object_store_memory": 80_000_000, "num_cpus": 1}
cluster = Cluster(initialize_head=True, head_node_args=room, connect=False)
try:
    cluster.add_node(**room)
    cluster.wait_for_nodes()
    os.environ["ORIGINALITY_RAY_ADDRESS"] = cluster.address
    settings = Settings.from_environment()
    where = [json.loads(one) for one in engine.spread(Where(), [f"t{n}" for n in range(24)], settings.ray_address)]
    groups = [[Submission(f"{text} {n}", f"{n}") for text in TEXTS] for n in range(6)]
    reports = [[str(one) for one in some] for some in bulk.judged(groups, settings, advise=False)]
    spread = bulk.SpreadEncoder(Path(sys.argv[1]), settings.ray_address)
    vectors = spread.encode([f"number {n} of many texts" for n in range(600)])
    print(json.dumps({"where": where, "reports": reports, "vectors": vectors[::100].tolist()}))
finally:
    ray.shutdown()
    cluster.shutdown()
"""


class Where:
    """Answers with the parcel and the node that it was worked on at."""

    def open(self) -> Callable[[str], bytes]:
        """Give the function."""
        import ray  # noqa: PLC0415  seconds, and only a node of a cluster needs it

        node = ray.get_runtime_context().get_node_id()
        return lambda parcel: json.dumps([parcel, node]).encode()


@pytest.mark.ray
@pytest.mark.model
def test_two_nodes_do_what_one_process_does(checker: Checker, settings: Settings, tmp_path: Path) -> None:
    """On a Ray cluster of two both work, and order, reports and vectors are those of this process.

    Needs the extra ``ray``, which ``dev`` leaves out: it is large, and its nodes listen beyond the loopback.
    """
    pytest.importorskip("ray")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ORIGINALITY_INDEX_DIR": str(settings.index_dir)}
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_NODES, str(tmp_path)],
        cwd=ROOT,
        env=environment | {"RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert [text for text, _ in told["where"]] == [f"t{n}" for n in range(24)]
    assert len({node for _, node in told["where"]}) == 2
    groups = [[Submission(f"{text} {n}", f"{n}") for text in TEXTS] for n in range(6)]
    here = [[str(one) for one in checker.check_many(group, advise=False)] for group in groups]
    assert told["reports"] == here
    vectors = bulk.SpreadEncoder(tmp_path / "here").encode([f"number {n} of many texts" for n in range(600)])
    assert np.allclose(told["vectors"], vectors[::100], atol=1e-5)
