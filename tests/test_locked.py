"""What is installed is what was pinned, to the last byte: lists of hashes agree with the pins and what is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LISTS = ("runtime", "build", "dev")


def listed(name: str) -> dict[str, tuple[str, int]]:
    """Read a list: package to its release, and the number of its files' hashes."""
    found: dict[str, tuple[str, int]] = {}
    last = ""
    for line in (ROOT / "locked" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^ ;]+)", line):
            last = canonicalize_name(match[1])
            found[last] = (match[2], 0)
        elif re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line):
            found[last] = (found[last][0], found[last][1] + 1)
    return found


def test_the_lists_are_the_pins_with_hashes() -> None:
    """Every pinned package but PyTorch is on a list, at its pinned release, with a hash or more; nothing else is."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split(" ")[0].split("==") for line in lines if not line.startswith(("#", "torch==")))
    pinned = {canonicalize_name(name): release for name, release in pins.items()}
    entries = {name: entry for part in LISTS for name, entry in listed(part).items()}
    assert {name: release for name, (release, _) in entries.items()} == pinned
    assert all(count for _, count in entries.values())
    assert not listed("dev").keys() & (listed("runtime").keys() | listed("build").keys())


@pytest.mark.parametrize(("lists", "extras"), [(("runtime",), ("postgres", "otel")), (LISTS, ("dev",))])
def test_the_lists_hold_what_is_asked_for(lists: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """The service's list has all that it needs, that of the checks all else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(text for one in extras for text in project["optional-dependencies"][one])]
    names = {canonicalize_name(Requirement(text).name) for text in asked} - {"torch", "originality-checker"}
    assert names <= {name for one in lists for name in listed(one)}


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """A package whose file has one byte more than the pinned one is not installed; the pinned one is."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    wanted = tmp_path / "list.txt"
    wanted.write_text(f"tiny==1.0 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--no-index", "--find-links", str(tmp_path)]
    command += ["--require-hashes", "--no-deps", "--disable-pip-version-check", "--requirement", str(wanted)]
    taken = subprocess.run([*command, "--target", str(tmp_path / "a")], capture_output=True, text=True, check=False)
    assert (taken.returncode, (tmp_path / "a" / "tiny.py").exists()) == (0, True), taken.stderr
    with wheel.open("ab") as stream:
        stream.write(b"\0")
    refused = subprocess.run([*command, "--target", str(tmp_path / "b")], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "b").exists()
