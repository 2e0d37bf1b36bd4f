#!/usr/bin/env python3
"""Write the bill of materials: docs/sbom.cdx.json, in CycloneDX 1.6, of all that the service is made of.

The packages of requirements/default.txt and PyTorch, with the licences that they declare, as they are installed where
this runs; and what is no package: weights, judge, catalogue, advice, each by its hash. What a package needs is told as
the packages tell it. Two runs over the same files give the same bytes. The tool of CycloneDX comes into an environment
of its own.

    scripts/sbom.py               writes the file
    scripts/sbom.py --licences    writes it, and lists each licence with its packages
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from app import __version__
from app.encoder import MODEL_NAME, MODEL_SHA256

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "sbom.cdx.json"
OURS = "originality-checker"
TOOL = "cyclonedx-bom==7.5.0"
LISTS = ("torch.txt", "default.txt")
PARTS = {
    "data": ("app/data", "app/advice/data"),
    "machine-learning-model": ("app/data/judge.safetensors",),
}
"""What of our own is data: folders' files, and the judge's coefficients."""
KEPT = ("bom-ref", "type", "name", "version", "purl", "licenses")


def main(arguments: list[str] | None = None) -> int:
    """Write the file; 1 if a package of the list is not installed here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--licences", action="store_true", help="list the licences as well")
    given = parser.parse_args(arguments)
    told, wanted = _told(), listed()
    components = [_kept(one) for one in told["components"] if canonicalize_name(one["name"]) in wanted]
    if missing := wanted - {canonicalize_name(one["name"]) for one in components} - set(_elsewhere()):
        print(f"sbom: not installed here: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    refs = {one["bom-ref"] for one in components}
    needs = [
        {"ref": one["ref"], "dependsOn": sorted(set(one.get("dependsOn", ())) & refs)}
        for one in told["dependencies"]
        if one["ref"] in refs
    ]
    root: dict[str, Any] = {"bom-ref": OURS, "type": "application", "name": OURS}
    root |= {"version": __version__, "licenses": [{"license": {"id": "MIT"}}]}
    bom = {key: told[key] for key in ("$schema", "bomFormat", "specVersion", "version")}
    bom |= {"metadata": {"component": root}, "components": sorted([*components, *ours()], key=lambda c: c["bom-ref"])}
    bom |= {"dependencies": [{"ref": root["bom-ref"], "dependsOn": sorted(refs)}, *needs]}
    FILE.write_text(json.dumps(bom, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(components)} packages, {len(ours())} parts of our own")
    if given.licences:
        _list_licences(components)
    return 0


def listed() -> set[str]:
    """Read the names of the packages that the service is installed with."""
    texts = [(ROOT / "requirements" / name).read_text(encoding="utf-8") for name in LISTS]
    return {canonicalize_name(name) for text in texts for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def ours() -> list[dict[str, Any]]:
    """Describe what is no package, by its hash: the weights, and what stands in the package's data folders."""
    weights = _part("machine-learning-model", MODEL_NAME, MODEL_SHA256, "Apache-2.0")
    judge = {ROOT / path for path in PARTS["machine-learning-model"]}
    files = [file for folder in PARTS["data"] for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    return [
        weights,
        *(
            _part(
                "machine-learning-model" if file in judge else "data",
                file.relative_to(ROOT).as_posix(),
                hashlib.sha256(file.read_bytes()).hexdigest(),
            )
            for file in files
            if "__pycache__" not in file.parts
        ),
    ]


def _part(kind: str, name: str, sha256: str, licence: str = "") -> dict[str, Any]:
    part: dict[str, Any] = {"bom-ref": name, "type": kind, "name": name}
    part["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    return part | ({"licenses": [{"license": {"id": licence}}]} if licence else {})


def _told() -> dict[str, Any]:
    """Have this environment described by the tool."""
    with tempfile.TemporaryDirectory(prefix="sbom-") as place:
        venv.create(place, with_pip=True)
        install = [str(Path(place) / "bin" / "pip"), "install", "--quiet", TOOL]
        subprocess.run(install, check=True)  # noqa: S603  our own words
        ask = [str(Path(place) / "bin" / "cyclonedx-py"), "environment", "--output-reproducible", "--short-PURLs"]
        done = subprocess.run([*ask, sys.executable], check=True, capture_output=True, text=True)  # noqa: S603  likewise
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _kept(component: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a package tells of itself beside name, release and licence."""
    kept = {key: component[key] for key in KEPT if key in component}
    kept["bom-ref"] = component["bom-ref"]
    return kept


def _elsewhere() -> Collection[str]:
    """Name what is installed on other systems or Pythons alone: its line has a marker that doesn't hold here."""
    from packaging.markers import Marker  # noqa: PLC0415  asked once

    lines = "".join((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in LISTS)
    marked = re.findall(r"^([\w.-]+)==[^\s;]+ ; (.+?)(?: \\)?$", lines, re.MULTILINE)
    held = {canonicalize_name(name) for name, marker in marked if Marker(marker).evaluate()}
    return {canonicalize_name(name) for name, _ in marked} - held


def _list_licences(components: list[dict[str, Any]]) -> None:
    by = defaultdict(list)
    for one in components:
        names = [
            said.get("expression") or said["license"].get("id") or said["license"]["name"]
            for said in one.get("licenses", [])
        ]
        by[" / ".join(names) or "not declared"].append(one["name"])
    for licence, packages in sorted(by.items()):
        print(f"{licence[:70]:70}  {', '.join(packages)}")


if __name__ == "__main__":
    sys.exit(main())
