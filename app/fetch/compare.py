"""Compares what a README claims with the files that are there: for information, never a part of the verdict."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from app.records import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED = re.compile(
    r"(?<![\w/.:-])((?:[\w.-]+/){0,6}[\w-][\w.-]*\.(?:py|ipynb|r|rmd|jl|sql|csv|tsv|xlsx|parquet|json|ya?ml|toml|sh|pkl|h5|"
    r"pt|onnx|joblib))(?![\w/-])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S+")
_CODE = re.compile(r".*\.(?:py|ipynb|r|rmd|qmd|jl|scala|java|cpp|c|cu|rs|go|js|ts|m|sql|swift|kt)", re.IGNORECASE)
_CLAIMS = (
    (
        "a Docker image",
        r"\bdocker(?:ised|ized|file|-compose)?\b",
        r"(?:.*/)?(?:.*dockerfile.*|(?:docker-)?compose.*\.ya?ml)",
    ),
    (
        "tests",
        r"\b(?:unit|integration) tests?\b|\bpytest\b|\btest coverage\b",
        r".*(?:tests?[/_]|[/_]tests?\.|\.test\.).*",
    ),
    (
        "continuous integration",
        r"\bCI/CD\b|\bgithub actions\b|\bcontinuous integration\b",
        r"\.github/workflows/.*|\.gitlab-ci\.yml|.*jenkinsfile|\.circleci/.*|\.travis\.yml|azure-pipelines\.yml",
    ),
    ("a notebook", r"\b(?:this|the|in|see|our|my) (?:jupyter )?notebooks?\b", r".*\.(?:ipynb|rmd|qmd)"),
)
_MOST_NAMED = 8


def compare(readme: str, files: Sequence[str], loads: Sequence[str]) -> list[Notice]:
    """List what doesn't fit together.

    Args:
        readme: as it stands; an empty one claims nothing.
        files: the paths of all files.
        loads: what the notebooks load, a sentence each.
    """
    if not readme.strip():
        return [Notice("readme-missing", "There is no README: what is judged are its description and notebooks.")]
    notices = []
    if not any(map(_CODE.fullmatch, files)):
        notices.append(Notice("code-missing", "There is a README and no code."))
    if absent := _absent(readme, files):
        notices.append(Notice("files-missing", f"The README names files that aren't there: {', '.join(absent)}."))
    for what, claim, place in _CLAIMS:
        if re.search(claim, readme, re.IGNORECASE) and not any(re.fullmatch(place, f, re.IGNORECASE) for f in files):
            notices.append(Notice("claim-unseen", f"The README speaks of {what}, and no file looks like it."))
    if unsaid := [load for load in loads if not _is_said(load, readme)]:
        shown = " ".join(unsaid[:_MOST_NAMED])
        notices.append(Notice("data-unsaid", f"A notebook loads what the README doesn't name: {shown}"))
    return notices


def _absent(readme: str, files: Sequence[str]) -> list[str]:
    there = {PurePosixPath(file).name.casefold() for file in files}
    named = dict.fromkeys(_NAMED.findall(_ADDRESS.sub(" ", readme)))
    return [name for name in named if PurePosixPath(name).name.casefold() not in there][:_MOST_NAMED]


def _is_said(load: str, readme: str) -> bool:
    """Tell whether a README has one of the telling words of a load: the name of its file, loader or data set."""
    common = {"it", "loads", "reads", "downloads", "the", "data", "with", "from", "kaggle", "load", "fetch", "dataset"}
    common |= {
        "datasets",
        "csv",
        "train",
        "test",
        "sns",
        "sklearn",
        "keras",
        "tf",
        "torchvision",
        "https",
        "http",
        "www",
    }
    words = {word for word in re.findall(r"[a-z0-9]{3,}", load.casefold()) if word not in common}
    return not words or any(word in readme.casefold() for word in words)
