#!/usr/bin/env python
"""Write the lock: constraints.txt with the release of every package, requirements/*.txt with the hashes of its wheels.

    scripts/lock.py                               for what pyproject.toml now asks, at the releases that are pinned
    scripts/lock.py --upgrade --torch 2.14.0      at current releases, and another PyTorch
    scripts/lock.py -- --index ADDRESS            more for uv, such as where PyTorch's CPU build lies

It needs uv (`pip install uv`, in an environment of its own). Every set is resolved for all systems at once.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
FOLDER = ROOT / "requirements"
BUILD = ("hatchling", "editables")
"""What installs the checkout itself."""
_BLOCK = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?(?: \\\n +--hash=\S+)+$", re.MULTILINE
)
_BROWSER = re.compile(r"(?:(?! or ).)*sys_platform == 'emscripten'")
_HEAD = "# Written by scripts/lock.py, don't edit by hand.\n"


def blocks(text: str) -> dict[str, str]:
    """Give the lines of each package of a lock, by name and version; none for a browser's Python."""
    found = (one for one in _BLOCK.finditer(text) if not _BROWSER.fullmatch(one["marker"] or ""))
    return {f"{one['name']}=={one['version']}": one[0] for one in found}


def pins(text: str) -> list[str]:
    """Give the releases of a lock as constraints: no hashes, markers as they stand."""
    return [block.partition(" \\\n")[0] for block in blocks(text).values()]


def _resolved(asked: list[str], constraints: str, more: list[str], given: str | None = None) -> str:
    limits = FOLDER / ".constraints.in"
    limits.write_text(constraints, encoding="utf-8")
    wanted = ("--universal", "--python-version", "3.11", "--generate-hashes")
    shown = ("--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet")
    command = ["uv", "pip", "compile", *asked, *wanted, *shown, "--constraints", str(limits), *more]
    try:
        done = subprocess.run(command, cwd=ROOT, input=given, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    except FileNotFoundError:
        sys.exit(
            "scripts/lock.py: uv is missing: pip install uv, in an environment of its own, and put it on the PATH."
        )
    except subprocess.CalledProcessError:
        sys.exit("scripts/lock.py: uv found no lock, see above. Does it see PyTorch's CPU build? -- --index ADDRESS")
    finally:
        limits.unlink()
    return done.stdout


def _torch(version: str) -> str:
    """Pin PyTorch: on Linux its CPU build, which the default index doesn't have."""
    return f'torch=={version} ; sys_platform != "linux"\ntorch=={version}+cpu ; sys_platform == "linux"\n'


def _hashed(pin: str, before: dict[str, str], found: dict[str, str]) -> str:
    """Give a pin its hashes: those that uv saw, and those of the same release that are known already.

    Where uv is given a folder for the CPU build instead of its makers' index, it sees one machine's wheel alone.
    """
    key = pin.partition(" ;")[0]
    known = {one for lock in (before, found) for one in re.findall(r"sha256:\w+", lock.get(key, ""))}
    return " \\\n".join([pin, *(f"    --hash={one}" for one in sorted(known))]) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Resolve everything once, which gives the releases, then each set by these."""
    old = CONSTRAINTS.read_text(encoding="utf-8")
    held = re.search(r"^torch==([\w.]+) ", old, re.MULTILINE)
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--upgrade", action="store_true", help="move to current releases")
    options.add_argument("--torch", default=held[1] if held else None, help="the release of PyTorch")
    options.add_argument("more", nargs="*", help="further arguments for uv")
    asked = options.parse_args(argv)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: list[str] = list(project["optional-dependencies"])
    torch = _torch(asked.torch)

    every = _resolved(["pyproject.toml", "--all-extras"], torch if asked.upgrade else old, asked.more)
    found = blocks(every)
    releases = [line for line in pins(every) if not line.startswith("torch==")]
    head = "".join(line for line in old.splitlines(keepends=True) if line.startswith("#"))
    body = "".join(f"{line}\n" for line in releases) + torch
    CONSTRAINTS.write_text(head + "".join(sorted(body.splitlines(keepends=True), key=str.lower)), encoding="utf-8")

    here = FOLDER / "torch.txt"
    before = blocks(here.read_text(encoding="utf-8")) if here.exists() else {}
    lines = [_hashed(line, before, found) for line in torch.splitlines()]
    here.write_text(_HEAD + "".join(lines), encoding="utf-8")
    sets: dict[str, list[str]] = {"default": []} | {extra: ["--extra", extra] for extra in extras}
    default: dict[str, str] = {}
    for name, which in sets.items():
        some = blocks(_resolved(["pyproject.toml", *which], body, asked.more))
        own = [text for key, text in some.items() if not key.startswith("torch==") and key not in default]
        default = default or some
        first = "" if name == "default" else "-r default.txt\n"
        (FOLDER / f"{name}.txt").write_text(_HEAD + first + "".join(f"{text}\n" for text in own), encoding="utf-8")
    build = _resolved(["-"], body, asked.more, given="\n".join(BUILD))
    (FOLDER / "build.txt").write_text(_HEAD + build, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
