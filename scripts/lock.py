#!/usr/bin/env python3
"""Write the hashes of every pinned package's files to locked/: for the service, for building it, for its checks.

``constraints.txt`` says which release of each package is installed; this adds the hash of every file that the package
index has of it, for all systems, so that pip refuses a file that was changed on its way. PyTorch is left out: its CPU
build comes from another index. Run it where ``constraints.txt`` is installed with all extras, after the pins moved.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from importlib.metadata import distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PINS = ROOT / "constraints.txt"
LOCKED = ROOT / "locked"
SERVED = ("postgres", "otel")
"""Extras of the container image; whoever installs without them has more on the list than is used, never less."""
BUILT_WITH = ("hatchling", "editables")
ELSEWHERE = "torch=="
TOOL = "uv==0.13.9"
HEAD = """\
# {what} Written by scripts/lock.py from constraints.txt; don't edit by hand.
# For: pip install --require-hashes --no-deps -r {file}; PyTorch goes before, by constraints.txt.
"""


def main() -> int:
    """Write all three files."""
    entries = hashed([line for line in PINS.read_text(encoding="utf-8").splitlines() if not line.startswith(ELSEWHERE)])
    served, built = needed(ours()), needed([Requirement(text) for text in BUILT_WITH])
    LOCKED.mkdir(exist_ok=True)
    for file, what, wanted in (
        ("runtime.txt", "What the service and the command line need.", served),
        ("build.txt", "What the package is built with.", built),
        ("dev.txt", "What the checks need besides.", set(entries) - served - built),
    ):
        head = HEAD.format(what=what, file=f"locked/{file}")
        text = head + "".join(entries[name] for name in sorted(wanted & set(entries)))
        (LOCKED / file).write_text(text, encoding="utf-8")
        print(f"locked/{file}: {text.count('=='):,} packages, {text.count('sha256:'):,} files")
    return 0


def hashed(pins: list[str]) -> dict[str, str]:
    """Ask the package index for the hashes of the pinned releases; give each package's lines by its name."""
    with tempfile.TemporaryDirectory(prefix="lock-") as place:
        venv.create(place, with_pip=True)
        tool, given = Path(place) / "bin" / "uv", Path(place) / "pins.txt"
        given.write_text("\n".join(pins) + "\n", encoding="utf-8")
        install = [str(Path(place) / "bin" / "pip"), "install", "--quiet", TOOL]
        subprocess.run(install, check=True)  # noqa: S603  our own words
        ask = [str(tool), "pip", "compile", str(given), "--no-deps", "--universal", "--generate-hashes"]
        ask += ["--no-header", "--no-annotate", "--quiet"]
        told = subprocess.run(ask, check=True, capture_output=True, text=True).stdout  # noqa: S603  likewise
    parts = re.split(r"^(?=\S)", told, flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\[ ]", part)[0]): part for part in parts if part.strip()}


def needed(wanted: list[Requirement]) -> set[str]:
    """Give the names of all that these need, on whatever system, through however many others that are installed."""
    found: set[str] = set()
    open_ones = [(one, "") for one in wanted]
    asked: set[tuple[str, str]] = set()
    while open_ones:
        one, extra = open_ones.pop()
        # A marker that asks for an extra is held to it; what holds on other systems alone is taken in.
        if one.marker and "extra" in str(one.marker) and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        found.add(name)
        for more in {"", *one.extras}:
            if (name, more) not in asked and name in PRESENT:
                asked.add((name, more))
                open_ones += [(Requirement(text), more) for text in requires(name) or ()]
    return found


def ours() -> list[Requirement]:
    """Read what the service needs from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    more = [text for extra in SERVED for text in project["optional-dependencies"][extra]]
    return [Requirement(text) for text in (*project["dependencies"], *more)]


PRESENT = {canonicalize_name(one.metadata["Name"]) for one in distributions() if one.metadata["Name"]}

if __name__ == "__main__":
    sys.exit(main())
