"""scikit-learn: the data sets that the installed package loads, each with the title of its description."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import SourceUnusable
from app.harvest.page import START, Page, Source, about, read, today

if TYPE_CHECKING:
    from collections.abc import Generator

SITE = "https://scikit-learn.org/stable/modules/generated"
_LOADER = re.compile(r"(?:load|fetch)_(\w+)")
_FILE = re.compile(r"""["'](\w+)\.rst["']""")
_TITLE = re.compile(r"^(\S.*)\n[-=~*^]{3,}[ ]*$", re.MULTILINE)


class Sklearn(Source):
    """The installed package; one page, and no network."""

    name = "sklearn"

    def pages(self, after: str = START) -> Generator[Page, None, None]:  # noqa: ARG002  there is one page
        """Give the one page; see ``Source``."""
        try:
            from sklearn import datasets  # noqa: PLC0415  takes seconds, and only this source needs it
        except ImportError as error:
            raise SourceUnusable("scikit-learn isn't installed. Install it: pip install scikit-learn") from error
        folder = Path(datasets.__file__).parent / "descr"
        found = [
            {"id": loader, "title": title}
            for loader in sorted(datasets.__all__)
            if (title := _title(loader, getattr(datasets, loader), folder))
        ]
        if not found:
            raise SourceUnusable(f"This scikit-learn describes no data set in {folder}. Install release 1.7 or newer.")
        rows, skipped = read("scikit-learn", found, ("id", "title"), _row)
        yield Page(rows, skipped, None)


def _title(loader: str, function: Any, folder: Path) -> str:
    """Find the title of what a function loads; empty where it loads nothing of its own."""
    name = _LOADER.fullmatch(loader)
    if not name:
        return ""
    file = folder / f"{name[1]}.rst"
    if not file.is_file():
        named = _FILE.search(inspect.getsource(function))
        file = folder / f"{named[1]}.rst" if named else file
    title = _TITLE.search(file.read_text(encoding="utf-8")) if file.is_file() else None
    return title[1] if title else ""


def _row(item: Any) -> dict[str, str]:
    loader = item["id"]
    return {
        "id": f"sklearn:{loader}",
        "name": loader,
        "about": about(item["title"], "A loader of scikit-learn brings it"),
        "url": f"{SITE}/sklearn.datasets.{loader}.html",
        "source": "scikit-learn",
        "retrieved": today(),
    }
