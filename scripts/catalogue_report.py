#!/usr/bin/env python3
"""Report on the catalogue: its counts, how much it knows of what packages ship, and what a person should look at.

The lists of what packages ship are kept in scripts/coverage/shipped.json with their versions and sources. `--refresh`
makes an environment of its own, installs the packages there without their dependencies, and reads the lists anew.
`--links FILE` asks over the network whether the addresses still lead anywhere; FILE keeps the answers for a month.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import intake, quality
from app.aliases import AliasFinder, Tables, fold
from app.catalogue import Catalogue, names, problems, views
from app.encoder import SentenceTransformersEncoder
from app.errors import CatalogueInvalid, OriginalityError
from app.evaluation import read_cases
from app.harvest import links
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection

HERE = Path(__file__).parent / "coverage"
SHIPPED = HERE / "shipped.json"
AIMS = {"dataset": 1_000, "technique": 350, "tutorial": 900, "cliche": 120, "alternative": 250}
FORMS = {
    "scikit-learn": ("{name}",),
    "keras": ("keras.datasets.{name}", "{name}"),
    "torchvision": ("torchvision.datasets.{name}", "{name}"),
    "seaborn": ("sns.load_dataset('{name}')", "{name}"),
    "statsmodels": ("statsmodels.datasets.{name}", "{name}"),
    "vega_datasets": ("vega_datasets {name}", "{name}"),
    "nltk": ("nltk.corpus.{name}", "{name}"),
    "tensorflow-datasets": ("tfds.load('{name}')", "{name}"),
    "OpenML-CC18": ("fetch_openml {name}", "{name}"),
}
"""How each package's data are called in code."""
FLOORS = {"tensorflow-datasets": 150}
"""Of most packages everything is wanted; of this one, so many."""
RESOLVED = 0.97
"""Share of texts on known data of which the catalogue must know some by name."""
CASES = Path(__file__).parent.parent / "tests" / "cases" / "ideas.dev.jsonl"
SHOWN = 15


def main(arguments: list[str] | None = None) -> int:
    """Report; 1 if a rule is broken or an aim missed, 2 if the catalogue can't be read."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refresh", action="store_true", help="read what the packages ship anew (downloads them)")
    parser.add_argument("--cases", type=Path, nargs="+", default=[CASES], help="JSONL files of labelled texts")
    parser.add_argument("--no-model", action="store_true", help="leave out what needs the encoder")
    parser.add_argument("--links", type=Path, metavar="FILE", help="ask for every address; a run broken off goes on")
    given = parser.parse_args(arguments)
    try:
        if given.refresh:
            _refresh()
        dead = _links(given.links) if given.links else 0
        return max(dead, _report(given.cases, with_model=not given.no_model))
    except OriginalityError as error:
        print(f"catalogue_report: {error}", file=sys.stderr)
        return 2


def _report(cases: list[Path], *, with_model: bool) -> int:
    folder = Settings.from_environment().catalogue_dir
    if faults := problems(folder):
        raise CatalogueInvalid("\n".join(faults))
    catalogue = Catalogue.load(folder)
    named = {name.entry for name in names(catalogue) if name.sure}
    lost = set(_weak(catalogue)) - named if with_model else set()
    missed = _counts(catalogue, lost) + _coverage(catalogue)
    _addresses(catalogue)
    missed += sum(_resolved(catalogue, path) for path in cases)
    return 1 if missed else 0


def _counts(catalogue: Catalogue, lost: Collection[str]) -> int:
    """Count what has a source that somebody else can look up, and what a text can bring back, by name or meaning."""
    missed = 0
    print(f"\nCatalogue {catalogue.version} of {catalogue.date}\n\n{'kind':14}{'entries':>9}{'sourced':>9}{'aim':>9}")
    for kind, count in catalogue.counts().items():
        some = [entry for entry in catalogue.entries.values() if entry.kind == kind and entry.id not in lost]
        sourced = sum(entry.url_verified or bool(entry.evidence) for entry in some)
        missed += sourced < AIMS[kind]
        print(f"{kind:14}{count:9,}{sourced:9,}{AIMS[kind]:9,}{'  missed' if sourced < AIMS[kind] else ''}")
    return missed


def _coverage(catalogue: Catalogue) -> int:
    lists = json.loads(SHIPPED.read_text(encoding="utf-8"))
    shipped = {
        package: [[name, *(form.format(name=name) for form in FORMS[package])] for name in one["names"]]
        for package, one in lists.items()
    }
    missed = 0
    print(f"\n{'ships':28}{'data sets':>9}{'known':>9}")
    for package, (known, missing) in quality.covered(shipped, catalogue).items():
        short = known < FLOORS.get(package, len(shipped[package]))
        missed += short
        title = f"{package} {lists[package]['version']}"
        print(f"{title:28}{len(shipped[package]):9,}{known:9,}{'  missed' if short else ''}")
        if missing:
            print(f"    not known: {', '.join(missing[:SHOWN])}{', ...' if len(missing) > SHOWN else ''}")
    return missed


def _addresses(catalogue: Catalogue) -> None:
    print(f"\n{'kind':14}{'address':>9}{'seen':>9}{'evidence':>10}")
    for kind in AIMS:
        some = [entry for entry in catalogue.entries.values() if entry.kind == kind]
        row = (
            sum(e.url is not None for e in some),
            sum(e.url_verified for e in some),
            sum(bool(e.evidence) for e in some),
        )
        print(f"{kind:14}{row[0]:9,}{row[1]:9,}{row[2]:10,}")


def _links(kept: Path) -> int:
    """Show the addresses that lead nowhere any more; 1 if there are some."""
    owners: dict[str, list[str]] = defaultdict(list)
    for entry in Catalogue.load(Settings.from_environment().catalogue_dir).entries.values():
        if entry.url:
            owners[entry.url].append(entry.id)
    found = links.check(owners, kept, lambda line: print(line, file=sys.stderr))
    for fate, title in (("dead", "addresses lead nowhere"), ("unclear", "did not answer plainly; try by hand")):
        some = sorted(link.url for link in found.values() if link.fate == fate)
        _show(title, [f"{found[url].found}  {url}  ({', '.join(owners[url])})" for url in some])
    return int(any(link.fate == "dead" for link in found.values()))


def _resolved(catalogue: Catalogue, path: Path) -> int:
    """Tell how many texts on known data name some that the catalogue knows by name; 1 if they are too few."""
    finder = AliasFinder(Tables.of(names(catalogue)))
    rows = [row for row in read_cases(path) if row["dataset"] == "known"]
    found = [any(_is_known(finder, name) for name in row["datasets"]) for row in rows]
    print(f"\n{path.stem}: of {len(rows)} texts on known data {sum(found)} name some that is here by name")
    return int(sum(found) < RESOLVED * len(rows))


def _is_known(finder: AliasFinder, name: str) -> bool:
    return any(mention.kind == "dataset" for mention in finder.find(intake.read(name), fold(name)))


def _weak(catalogue: Catalogue) -> list[str]:
    """Show what a person should look at; give the ids of entries that no description or title brings back."""
    encoder = SentenceTransformersEncoder.open()
    every = views(catalogue)
    vectors = encoder.encode([view.text for view in every])
    lost = quality.unfound(every, vectors)
    _show("names that two kinds share", [f"{p.what}: {p.one}, {p.other}" for p in quality.shared_names(catalogue)])
    common = quality.common_names(catalogue, encoder.words())
    _show("sure names of data that are ordinary words", [f"{p.one}: {p.other}" for p in common])
    alike = quality.twins(every, vectors)
    _show("descriptions that are nearly the same", [f"{p.one} and {p.other} ({p.what})" for p in alike])
    _show("entries that their own descriptions don't bring back", lost)
    # A tutorial's title is no sure name, but whoever followed one says which.
    titled = [catalogue.tutorials[entry] for entry in lost if entry in catalogue.tutorials]
    said = encoder.encode([f"I followed {one.name} by {one.publisher}." for one in titled])
    unsaid = quality.unanswered([one.id for one in titled], said, every, vectors)
    _show("tutorials that their title and publisher don't bring back, either", unsaid)
    return sorted({*lost} - catalogue.tutorials.keys() | {*unsaid})


def _show(title: str, found: list[str]) -> None:
    print(f"\n{len(found)} {title}")
    for line in found[:SHOWN]:
        print(f"    {line}")
    if len(found) > SHOWN:
        print(f"    ... and {len(found) - SHOWN} more")


def _refresh() -> None:
    """Install the packages into a fresh environment and read their lists; what can't be read there stays as it is."""
    lists: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    wanted = [package for package, one in lists.items() if one["installable"]]
    with tempfile.TemporaryDirectory(prefix="coverage-") as place:
        venv.create(place, with_pip=True)
        python = str(Path(place) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", *wanted]
        subprocess.run(install, check=True)  # noqa: S603  the names come from our own file
        read = [python, str(HERE / "read_packages.py")]
        done = subprocess.run(read, check=True, capture_output=True, text=True)  # noqa: S603  our own script
    for package, one in json.loads(done.stdout).items():
        lists[package] |= one
    SHIPPED.write_text(json.dumps(lists, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
