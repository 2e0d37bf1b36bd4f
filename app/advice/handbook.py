"""The mentor's handbook: principles with their sources, plays that apply them, ways out of one theme, scenes for data.

It is data of the advice's own, never matched with a text: ``principles``, ``plays``, ``ways`` and ``scenes``, one JSON
Lines file each.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from app.errors import CatalogueInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app.records import Side

DATA = Path(__file__).parent / "data"
FACETS = ("data", "question", "method", "use")
EFFORTS = ("a weekend", "two weeks", "a month")
SOURCES = ("alternative", "scene", "twist", "bare", "known", "own", "way", "offtopic", "stray", "unclear")
FAMILIES = (
    "any",
    "image",
    "tabular",
    "text",
    "series",
    "recommender",
    "llm",
    "audio",
    "control",
    "explore",
    "cluster",
    "graph",
    "generate",
)
FORMS = (
    "image",
    "video",
    "tabular",
    "text",
    "series",
    "recommender",
    "llm",
    "audio",
    "control",
    "cluster",
    "graph",
    "geospatial",
)
SLOT = re.compile(r"\{(\w+)\}")
SLOTS = re.compile(
    r"aim|alt|collect|collected|dataset|decision|fetched|got|how|how_mine|method|method_short|"
    r"method_stays|own_line|place|pulled|question|question_bare|quote|refresh|short|source_step|subject|"
    r"text|theme|thing|twist|who|who_own|words"
)
"""What a play may speak of; a capital first letter in the text asks for a capital first letter in the words."""


@dataclass(frozen=True, slots=True)
class Principle:
    """Something that makes a portfolio project strong; ``source`` and ``url`` say who holds so."""

    id: str
    name: str
    about: str
    source: str
    url: str


@dataclass(frozen=True, slots=True)
class Play:
    """One piece of advice with open slots.

    Every text is told in two voices: ``[take|took]`` is *take* to the reader and *took* in their own account.

    Attributes:
        principle: id of the principle that it applies.
        source: what fills it: an alternative, a scene, a cliché's twist, or what is known of the text itself;
            ``offtopic`` is for software without data, ``stray`` for what is no project at all.
        family: kind of project that it suits, or ``any``.
        rewrite: the idea as its author would tell it afterwards.
    """

    id: str
    principle: str
    source: str
    family: str
    facet: Side
    effort: str
    title: str
    detail: str
    first: str
    second: str
    rewrite: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of one worn theme, written for it alone.

    Attributes:
        theme: id of the cliché.
        alternative: id of the catalogue's source that goes with it.
        keeps: whether the project's data stay what they are.
        task: what is to be done, in both voices; told in the first person it is the whole of what is new.
        reason: why that is worth more than the usual.
    """

    id: str
    theme: str
    principle: str
    alternative: str
    keeps: bool
    facet: Side
    effort: str
    title: str
    task: str
    reason: str
    first: str
    second: str

    def play(self) -> Play:
        """Give it the form of a play.

        The rewrite says what stayed, so that the checker judges the step and not a text that has lost its past.
        """
        stays = "My data are {dataset} and my method is {method}." if self.keeps else "The method is {method}."
        rewrite = f"{stays} {self.task}" if self.keeps else f"{self.task} {stays}"
        detail = f"{self.task} {self.reason}"
        if not self.keeps and self.facet == "data":
            detail += " {method_stays}"
        return Play(
            id=f"play-{self.id}",
            principle=self.principle,
            source="way",
            family="any",
            facet=self.facet,
            effort=self.effort,
            title=self.title,
            detail=detail,
            first=self.first,
            second=self.second,
            rewrite=rewrite,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """A corner of a domain in which one person can gather data.

    Attributes:
        forms: kinds of data that it gives.
        collect: how, in both voices.
        who: whom the result would help, and ``decision`` in what, as a clause that begins with a question word.
        themes: ids of the clichés that it leads out of; may be empty.
    """

    id: str
    domain: str
    forms: tuple[str, ...]
    thing: str
    collect: str
    who: str
    decision: str
    themes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handbook:
    """Principles by id; plays, scenes and ways in the order of ids."""

    principles: Mapping[str, Principle]
    plays: tuple[Play, ...]
    scenes: tuple[Scene, ...]
    ways: tuple[Way, ...]

    @classmethod
    def load(cls, folder: Path | None = None) -> Handbook:
        """Read and check the package's handbook, or that of ``folder``.

        Raises:
            CatalogueInvalid: naming file, line and field of the first fault.
        """
        where = folder or DATA
        principles = {p.id: p for p in _rows(where / "principles.jsonl", Principle, {})}
        plays = _rows(
            where / "plays.jsonl",
            Play,
            {"principle": principles, "source": SOURCES, "family": FAMILIES, "facet": FACETS, "effort": EFFORTS},
        )
        scenes = _rows(where / "scenes.jsonl", Scene, {"forms": FORMS})
        ways = _rows(where / "ways.jsonl", Way, {"principle": principles, "facet": FACETS, "effort": EFFORTS})
        return cls(MappingProxyType(principles), tuple(plays), tuple(scenes), tuple(ways))


RowT = TypeVar("RowT", Principle, Play, Scene, Way)


def _rows(path: Path, shape: type[RowT], closed: Mapping[str, Any]) -> list[RowT]:
    rows: list[RowT] = []
    make: Callable[..., RowT] = shape
    previous = ""
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueInvalid(f"{path.name}: can't be read ({error}); restore it from the release") from error
    for number, line in enumerate(lines, start=1):
        place = f"{path.name}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise CatalogueInvalid(f"{place}: not JSON ({error.msg}); write one object a line") from error
        for complaint in _faults(row, shape, closed):
            raise CatalogueInvalid(f"{place}: {complaint}")
        if row["id"] <= previous:
            raise CatalogueInvalid(f"{place}: id '{row['id']}' stands after '{previous}'; ids are unique and sorted")
        previous = row["id"]
        rows.append(make(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}))
    return rows


def _faults(row: Any, shape: type[RowT], closed: Mapping[str, Any]) -> list[str]:
    names = [f.name for f in fields(shape)]
    if not isinstance(row, dict) or sorted(row) != sorted(names):
        return [f"has not the fields {', '.join(names)}"]
    faults = []
    for name, value in row.items():
        if name == "keeps":
            if not isinstance(value, bool):
                faults.append("field 'keeps' is neither true nor false")
            continue
        values = value if isinstance(value, list) else [value]
        if (name in {"forms", "themes"}) is not isinstance(value, list) or not all(
            isinstance(v, str) and v for v in values
        ):
            faults.append(f"field '{name}' is empty or of the wrong type")
        elif name in closed and (strange := [v for v in values if v not in closed[name]]):
            faults.append(f"field '{name}' is '{strange[0]}'; allowed: {', '.join(closed[name])}")
        elif unknown := [s for v in values for s in SLOT.findall(v) if not SLOTS.fullmatch(_uncapped(s))]:
            faults.append(f"field '{name}' has the unknown slot '{unknown[0]}'; known: {SLOTS.pattern}")
    return faults


def _uncapped(slot: str) -> str:
    return slot[:1].lower() + slot[1:]
