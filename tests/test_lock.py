"""The lock: every package has its hashes, all its files agree with constraints.txt, and a changed byte is refused."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from scripts.lock import CONSTRAINTS, FOLDER, blocks, pins

ROOT = Path(__file__).parent.parent
SETS = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("file", SETS, ids=lambda file: file.stem)
def test_a_set_is_pinned_and_hashed_as_the_constraints_say(file: Path) -> None:
    """Nothing stands in it but packages with a hash, each at the release of constraints.txt, and no address."""
    text = file.read_text(encoding="utf-8")
    every = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    held = {line.partition(" ")[0] for line in every if not line.startswith("#")}
    named = [line for line in text.splitlines() if line[:1].isalnum()]
    assert len(pins(text)) == len(named)
    assert set(blocks(text)) <= held
    assert "://" not in text


def test_there_is_a_set_for_each_extra_and_none_is_missing_from_the_constraints() -> None:
    """All sets together are what constraints.txt pins; where two name the same package, they know the same wheels."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {file.stem for file in SETS} == {"default", "torch", "build", *project["optional-dependencies"]}
    hashes: dict[str, str] = {}
    for file in SETS:
        for key, block in blocks(file.read_text(encoding="utf-8")).items():
            known = block.partition("--hash")[2]
            assert hashes.setdefault(key, known) == known, key
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    assert set(hashes) == {line.partition(" ")[0] for line in lines if not line.startswith("#")}


def wheel(folder: Path, said: str) -> Path:
    """Make a package of one module."""
    file = folder / "hives-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("hives.py", said)
        packed.writestr("hives-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hives\nVersion: 1.0\n")
        packed.writestr("hives-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr("hives-1.0.dist-info/RECORD", "")
    return file


def test_a_changed_byte_of_a_wheel_is_refused(tmp_path: Path) -> None:
    """As the set-up asks pip: the wheel that was locked goes in, one that differs by a letter doesn't."""
    locked = hashlib.sha256(wheel(tmp_path, "weight = 1").read_bytes()).hexdigest()
    (tmp_path / "lock.txt").write_text(f"hives==1.0 \\\n    --hash=sha256:{locked}\n", encoding="utf-8")
    setup = (ROOT / "scripts/_setup.sh").read_text(encoding="utf-8")
    asked = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
    assert all(option in setup for option in asked)
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path), *asked]
    command += ["--target", str(tmp_path / "in"), "--requirement", str(tmp_path / "lock.txt"), "--no-cache-dir"]
    wheel(tmp_path, "weight = 2")
    refused = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "in").exists()
    again = wheel(tmp_path, "weight = 1")
    (tmp_path / "lock.txt").write_text(
        f"hives==1.0 \\\n    --hash=sha256:{hashlib.sha256(again.read_bytes()).hexdigest()}\n", encoding="utf-8"
    )
    subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    assert (tmp_path / "in" / "hives.py").is_file()
