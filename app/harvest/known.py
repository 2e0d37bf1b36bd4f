"""Finds what the curated catalogue has already, by name, alias or address in normal form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.catalogue import Catalogue
    from app.corpus import Row

_SCHEME = re.compile(r"https?://(?:www\.)?")


def table(curated: Catalogue) -> dict[str, str]:
    """Map every sure name and every address to its entry's id; where two share one, a data set goes first."""
    named = sorted(catalogue.names(curated), key=lambda name: name.kind != "dataset")
    found: dict[str, str] = {}
    for name in named:
        if name.sure:
            found.setdefault(catalogue.normal_form(name.text), name.entry)
    for entry in sorted(curated.entries.values(), key=lambda entry: entry.kind != "dataset"):
        if entry.url:
            found.setdefault(address(entry.url), entry.id)
    found.pop("", None)
    return found


def find(known: Mapping[str, str], row: Row) -> str:
    """Give the id of the entry that a row is; empty if it's none of them."""
    return known.get(address(row.url)) or known.get(catalogue.normal_form(row.name), "")


def address(url: str) -> str:
    """Reduce an address to what tells it apart: no scheme, no ``www.``, no last slash, no case."""
    return "//" + _SCHEME.sub("", url.strip().casefold(), count=1).rstrip("/") if url else ""
