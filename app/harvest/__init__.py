"""The wide catalogue: what others list, read page by page into rows of a corpus; ``SOURCES`` names them all.

A source is a class with a name and pages of rows (``Source``). To add one, write a file like ``kaggle.py``, and name it
here. ``gather.gather`` runs a source into a Parquet file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import BadInput
from app.harvest.files import Files
from app.harvest.hub import Hub
from app.harvest.kaggle import Kaggle
from app.harvest.openml import OpenML
from app.harvest.page import Page, Source
from app.harvest.rdatasets import Rdatasets
from app.harvest.sklearn_ import Sklearn
from app.harvest.tfds import TFDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SOURCES", "Page", "Source", "source"]


def _online(kind: Callable[..., Source]) -> Callable[[str], Source]:
    return lambda base_url: kind(base_url) if base_url else kind()


def _installed(base_url: str) -> Source:
    if base_url:
        raise BadInput("The source 'sklearn' is the installed package and has no address. Leave the address out.")
    return Sklearn()


def _files(base_url: str) -> Source:
    if not base_url:
        raise BadInput("The source 'files' needs the path of a CSV, JSONL or Parquet file, or of a folder of texts.")
    return Files(base_url)


SOURCES: Mapping[str, Callable[[str], Source]] = {
    "files": _files,
    "hub": _online(Hub),
    "kaggle": _online(Kaggle),
    "openml": _online(OpenML),
    "rdatasets": _online(Rdatasets),
    "sklearn": _installed,
    "tfds": _online(TFDS),
}
"""Makers by name; each takes a base address (of a mirror, say), for ``files`` a path, and "" for the source's own."""


def source(name: str, base_url: str = "") -> Source:
    """Make a source.

    Raises:
        BadInput: if none has that name, or it can't be had at that address.
    """
    if name not in SOURCES:
        raise BadInput(f"There is no source {name[:40]!r}. Known: {', '.join(SOURCES)}.")
    return SOURCES[name](base_url)
