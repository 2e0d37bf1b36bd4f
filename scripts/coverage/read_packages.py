#!/usr/bin/env python3
"""Print which datasets the packages of this environment ship, as JSON; reads their files and imports none of them."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
from pathlib import Path

# What is in the lists but is no data of the package's own: readers of a user's files, and base classes.
LEFT_OUT = {
    "scikit-learn": {"fetch_file", "fetch_openml", "load_files", "load_svmlight_file", "load_svmlight_files"}
    | {"load_boston"},
    "torchvision": {"DatasetFolder", "FakeData", "ImageFolder", "LSUNClass", "VisionDataset"}
    | {"wrap_dataset_for_transforms_v2"},
}


def main() -> None:
    """Print package to version and names."""
    found = {}
    for package, (folder, names) in READERS.items():
        place = _place(package, folder)
        if place is not None:
            kept = sorted({n for n in names(place) if n[0] != "_"} - LEFT_OUT.get(package, set()))
            found[package] = {"version": importlib.metadata.version(package), "names": kept}
    json.dump(found, sys.stdout, indent=1)


def _place(package: str, folder: str) -> Path | None:
    try:
        return Path(str(importlib.metadata.distribution(package).locate_file(folder)))
    except importlib.metadata.PackageNotFoundError:
        return None


def _exported(file: Path) -> list[str]:
    """Read a module's ``__all__``."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return [str(one) for one in ast.literal_eval(node.value)]
    return []


def _folders(place: Path) -> list[str]:
    return [p.name for p in place.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")) and p.name != "tests"]


def _of_sklearn(place: Path) -> list[str]:
    text = (place / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'"((?:load|fetch|make)_\w+)"', text)


def _of_keras(place: Path) -> list[str]:
    return _folders(place) + [p.stem for p in place.glob("*.py") if p.stem != "__init__"]


def _of_torchvision(place: Path) -> list[str]:
    return _exported(place / "__init__.py")


def _of_vega(place: Path) -> list[str]:
    return list(json.loads((place / "datasets.json").read_text(encoding="utf-8")))


def _of_nltk(place: Path) -> list[str]:
    text = (place / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r"^(\w+)(?:: \w+)? = LazyCorpusLoader\(", text, re.MULTILINE)


def _of_tfds(place: Path) -> list[str]:
    """Read the folders that hold a builder's file, and the classes that are builders themselves."""
    folders = {p.parent.name for p in place.rglob("*_dataset_builder.py")} - {"conll", "dataset_builders"}
    classes = {
        _snake(node.name)
        for file in place.rglob("*.py")
        if not {"core", "testing", "scripts", "dataset_builders"} & set(file.relative_to(place).parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name != "Builder" and any(map(_is_builder, node.bases))
    }
    return sorted(name for name in folders | classes if not name.endswith("_builder"))


def _is_builder(base: ast.expr) -> bool:
    return isinstance(base, ast.Attribute | ast.Name) and ast.unparse(base).endswith("BasedBuilder")


def _snake(name: str) -> str:
    """Write a class's name as the package does: an underscore before every capital that a small letter is next to."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


READERS = {
    "scikit-learn": ("sklearn/datasets", _of_sklearn),
    "keras": ("keras/datasets", _of_keras),
    "torchvision": ("torchvision/datasets", _of_torchvision),
    "statsmodels": ("statsmodels/datasets", _folders),
    "vega_datasets": ("vega_datasets", _of_vega),
    "nltk": ("nltk/corpus", _of_nltk),
    "tensorflow-datasets": ("tensorflow_datasets", _of_tfds),
}

if __name__ == "__main__":
    main()
