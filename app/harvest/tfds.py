"""TensorFlow Datasets: its catalogue as the project keeps it, a table of contents and a page for each data set."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import yaml

from app.errors import SourceUnusable
from app.harvest.page import START, Page, Raw, Source, about, field, items, place_of, read, text, today
from app.harvest.web import LIMITS, Limits, Web

if TYPE_CHECKING:
    from collections.abc import Generator

BASE = "https://raw.githubusercontent.com/tensorflow/datasets/master/docs/catalog"
SITE = "https://www.tensorflow.org/datasets/catalog"
PAGE_ROWS = 20
_NOT_FOUND = 404
_NAME = re.compile(r"/datasets/catalog/([a-z0-9_]{1,100})")
_DESCRIPTION = re.compile(r'<meta itemprop="description" content="([^"]*)"')
_USAGE = "To use this dataset:"
"""Opens the part of each description that is the same for all."""


class TFDS(Source):
    """The catalogue or a mirror of it; a place is the name of the last data set that was read, in their order."""

    name = "tfds"

    def __init__(self, base_url: str = BASE, limits: Limits = LIMITS) -> None:
        """Remember where; nothing is sent yet."""
        self._base = base_url
        self._limits = limits

    def pages(self, after: str = START) -> Generator[Page, None, None]:
        """Give the pages; see ``Source``."""
        last = place_of(self.name, after, lambda kept: kept.replace("_", "").isalnum())
        with Web(self._base, self._limits) as web:
            themes = _themes(web)
            left = sorted(name for name in themes if name > last)
            for start in range(0, len(left), PAGE_ROWS):
                some = left[start : start + PAGE_ROWS]
                found = [{"name": name, "themes": themes[name], "about": _described(web, name)} for name in some]
                rows, skipped = read(self._base, found, ("name",), _row)
                yield Page(rows, skipped, some[-1])
        yield Page((), 0, None)


def _themes(web: Web) -> dict[str, list[str]]:
    """Read the table of contents: the themes that each data set stands under, in small letters."""
    answer = web.get("/_toc.yaml")
    try:
        content = yaml.load(answer.text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SourceUnusable(f"{answer.place} is not YAML. Check the address.") from error
    found: dict[str, list[str]] = {}
    for section in items(answer.place, field(answer.place, content, "toc")):
        entries = section.get("section") if isinstance(section, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            if name := _NAME.fullmatch(_path_of(entry)):
                found.setdefault(name[1], []).append(text(section.get("title")).lower())
    if not found:
        raise SourceUnusable(
            f"{answer.place} names no data set, so the source has changed its form. Check the address."
        )
    return found


def _path_of(entry: Any) -> str:
    return text(entry.get("path")) if isinstance(entry, dict) else ""


def _described(web: Web, name: str) -> str:
    """Fetch a data set's own description; empty where its page isn't there (yet)."""
    answer = web.get(f"/{name}.md", also={_NOT_FOUND})
    if answer.status == _NOT_FOUND:
        return ""
    found = _DESCRIPTION.search(answer.text())
    return html.unescape(found[1]).partition(_USAGE)[0] if found else ""


def _row(item: Raw) -> Raw:
    name, themes = text(item["name"]), text(item["themes"])
    return {
        "id": f"tfds:{name}",
        "name": name,
        "about": about(text(item["about"]), f"Filed under {themes}" if themes else ""),
        "url": f"{SITE}/{name}",
        "source": "TensorFlow Datasets",
        "retrieved": today(),
    }
