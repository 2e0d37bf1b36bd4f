#!/usr/bin/env python3
"""Look for the addresses of catalogue entries in what other people publish, and mark those that are found there.

An address counts as seen where it stands in a package or a repository beside a name of the entry. What is found is
written to the catalogue's files: `url_verified`, and where the entry has room for it, whose files it stood in.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.catalogue import DATA, problems

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {"dataset": "datasets.jsonl", "technique": "techniques.jsonl", "tutorial": "tutorials.jsonl"} | {
    "alternative": "alternatives.jsonl"
}
WITH_EVIDENCE = {"dataset", "tutorial"}
ENDINGS = {".bib", ".csv", ".html", ".ipynb", ".json", ".jsonl", ".md", ".py", ".rst", ".toml", ".tsv", ".txt"}
ENDINGS |= {".yaml", ".yml"}
UNENDED = {"METADATA", "PKG-INFO"}
"""A Python package's own page, with its addresses."""
NEAR = 1_500
"""Characters before and after an address in which a name of the entry must stand; a list's row is shorter."""
LARGEST = 20_000_000
ADDRESS = re.compile(r"https?://[^\s\"'<>()\[\]{}|\\^`,;]+")
SAME = (
    # How a host has named the same page over the years.
    (re.compile(r"^kaggle\.com/(?:datasets/)?(?!c/|competitions/|code/)([\w.-]+/[\w.-]+).*"), r"kaggle.com/\1"),
    (re.compile(r"^kaggle\.com/(?:c|competitions)/([\w.-]+).*"), r"kaggle.com/c/\1"),
    (re.compile(r"^archive\.ics\.uci\.edu/dataset/(\d+).*"), r"archive.ics.uci.edu/dataset/\1"),
    (re.compile(r"^archive-beta\.ics\.uci\.edu/dataset/(\d+).*"), r"archive.ics.uci.edu/dataset/\1"),
    (re.compile(r"^openml\.org/(?:d|data)/(\d+).*"), r"openml.org/d/\1"),
    (re.compile(r"^openml\.org/search\?.*\bid=(\d+).*"), r"openml.org/d/\1"),
    (re.compile(r"^github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?(?:/(?:tree|blob)/(?:master|main))?$"), r"github.com/\1"),
)


def main(arguments: list[str] | None = None) -> int:
    """Look, write and count; 1 if the catalogue breaks a rule afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="NAME=FOLDER", help="whose files they are, and where they lie")
    parser.add_argument("--catalogue", type=Path, default=DATA, help="folder of the catalogue")
    parser.add_argument("--dry", action="store_true", help="only say what would be written")
    given = parser.parse_args(arguments)
    rows = {kind: _rows(given.catalogue / file) for kind, file in FILES.items()}
    print(look(rows, given.sources), "addresses were found", file=sys.stderr)
    if given.dry:
        return 0
    for kind, file in FILES.items():
        _write(given.catalogue / file, rows[kind])
    faults = problems(given.catalogue)
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


def look(rows: dict[str, list[dict[str, Any]]], sources: list[str]) -> str:
    """Mark the rows of every kind whose address stands in one of the sources, and say how many of how many."""
    wanted: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for kind, some in rows.items():
        for row in some:
            if row.get("url") and not row["url_verified"]:
                wanted[plain(row["url"])].append((kind, row))
    before = sum(map(len, wanted.values()))
    for source in sources:
        name, _, folder = source.partition("=")
        for key, text, start, end in _addresses(Path(folder), set(wanted)):
            for kind, row in wanted[key]:
                if not row["url_verified"] and _named(row, text[max(0, start - NEAR) : end + NEAR]):
                    row["url_verified"] = True
                    if kind in WITH_EVIDENCE:
                        row["evidence"] = [*row.get("evidence", []), f"its address stands in: {name}"]
                    print(f"{row['id']}  {row['url']}  {name}")
    found = sum(row["url_verified"] for some in wanted.values() for _, row in some)
    return f"{found} of {before}"


def plain(address: str) -> str:
    """Leave out of an address what may differ while it leads to the same page."""
    short = re.sub(r"^https?://(?:www\.)?", "", address.strip().rstrip(".*:")).split("#")[0].rstrip("/")
    host, slash, path = short.partition("/")
    short = host.lower() + slash + path
    for pattern, same in SAME:
        if pattern.match(short):
            return pattern.sub(same, short).lower()
    return short.removesuffix("/index.html").removesuffix("/index.php")


def _addresses(folder: Path, wanted: set[str]) -> Iterator[tuple[str, str, int, int]]:
    for file in sorted(folder.rglob("*")):
        told = file.suffix in ENDINGS or file.name in UNENDED
        if not told or not file.is_file() or file.stat().st_size > LARGEST:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        for match in ADDRESS.finditer(text):
            if (key := plain(match[0].replace("\\n", " ").split(" ")[0])) in wanted:
                yield key, text, match.start(), match.end()


def _named(row: dict[str, Any], around: str) -> bool:
    words = _words(around)
    names = [row["name"], *row.get("aliases", ()), *row.get("ambiguous", ())]
    return any(len(name) > 2 and f" {name.strip()} " in words for name in map(_words, names))


def _words(text: str) -> str:
    return " ".join(["", *re.findall(r"[^\W_]+", text.casefold()), ""])


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    from app.catalogue import format_line  # noqa: PLC0415

    kind = next(kind for kind, name in FILES.items() if name == file.name)
    file.write_text("".join(format_line(kind, row) + "\n" for row in rows), encoding="utf-8")  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
