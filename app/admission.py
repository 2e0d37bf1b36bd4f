"""Adds entries to a catalogue: checked with all the others first, then written in one step, or not at all."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import catalogue
from app.errors import BadInput, CatalogueInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.catalogue import Kind


def template(kind: Kind, folder: Path) -> str:
    """Write an entry to fill in: every field with what it means, and an asterisk where it can't be left out."""
    fields = catalogue.dictionary(folder, kind)
    filled = {name: f"{'* ' if required else ''}{meaning}" for name, (required, meaning) in fields.items()}
    return json.dumps(filled, ensure_ascii=False, indent=1)


def add(kind: Kind, rows: Sequence[Mapping[str, Any]], folder: Path, *, replace: bool = False) -> list[str]:
    """Add entries to a catalogue's file; where one has no id, its name makes one.

    Args:
        folder: the catalogue's; nothing in it changes unless everything is right.
        replace: take an entry whose id is there in the old one's stead.

    Returns:
        The ids.

    Raises:
        BadInput: if an id is taken.
        CatalogueInvalid: if the catalogue with these entries would break a rule; the message lists how.
    """
    fresh = {str(row["id"]): row for row in map(_completed, rows)}
    if unknown := sorted({name for row in rows for name in row} - catalogue.dictionary(folder, kind).keys()):
        allowed = ", ".join(catalogue.dictionary(folder, kind))
        raise CatalogueInvalid(
            f"field '{unknown[0][:40]}' is unknown; allowed for a {kind}: {allowed}\nNothing was added."
        )
    file = catalogue.file_of(folder, kind)
    known = {str(row["id"]): row for row in map(json.loads, (folder / file).read_text(encoding="utf-8").splitlines())}
    taken = sorted(known.keys() & fresh.keys())
    if taken and not replace:
        raise BadInput(f"The id {taken[0]!r} is taken. Give another id, or replace that entry: --replace")
    lines = [catalogue.format_line(kind, row, folder) for _, row in sorted((known | fresh).items())]
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".admission-") as trial:
        place = Path(trial) / "data"
        shutil.copytree(folder, place)
        (place / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
        edition = (place / "catalogue.yaml").read_text(encoding="utf-8")
        today = dt.datetime.now(dt.UTC).date().isoformat()
        (place / "catalogue.yaml").write_text(
            re.sub(r'(?m)^date: "[^"]*"', f'date: "{today}"', edition), encoding="utf-8"
        )
        if faults := catalogue.problems(place):
            raise CatalogueInvalid("\n".join([*faults, "Nothing was added."]))
        for name in (file, "catalogue.yaml"):
            (place / name).replace(folder / name)
    return sorted(fresh)


def _completed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give an id that the name makes, and say of an address that nobody has seen it, where the row is silent."""
    named = {"id": _slug(str(row.get("name", "")))} | dict(row)
    return named | ({} if "url_verified" in row or "twists" in row else {"url_verified": False})


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))
