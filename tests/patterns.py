"""Collects the regular expressions of the package and makes of each the inputs that it is slowest on."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(app.__file__).parent
METHODS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
ANCHORED = {"match", "fullmatch"}
SIGNS = "a 1-_.\n\t(<[{'\"/:;,!#*|=+@\\é~—%&>)]}Z0x"
"""What stands for a class of characters: one of every sort that the package's expressions tell apart."""
REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}
MANY = 50
"""Repetitions from which a repeat is one that an attacker can feed."""


@dataclass(frozen=True)
class Found:
    """A regular expression, where it stands, and how it is used there."""

    where: str
    pattern: re.Pattern[str]
    use: Callable[[str], object]


def collect() -> tuple[list[Found], set[str]]:
    """Give every expression of the package, and the places that make theirs at run time."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
    uses: defaultdict[str, set[str]] = defaultdict(set)
    for path, source in sources.items():
        for name, method in re.findall(rf"\b(\w+)\.({'|'.join(METHODS)})\b", source):
            # A name that begins with an underscore is its module's own.
            uses[f"{_dotted(path)}.{name}" if name.startswith("_") else name].add(method)
    found: dict[tuple[str, int], Found] = {}
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if "migrations" in module.name or module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for one in _patterns(value):
                where = f"{module.name}.{name}"
                used = uses[where if name.startswith("_") else name]
                found.setdefault((one.pattern, one.flags), Found(where, one, _use(one, used)))
    made: set[str] = set()
    for path, source in sources.items():
        for call in _calls(source):
            place = _dotted(path)
            if not isinstance(call.args[0], ast.Constant):
                made.add(f"{place}: {ast.unparse(call.args[0])}")
                continue
            one = re.compile(str(call.args[0].value), _flags(ast.unparse(call)))
            found.setdefault((one.pattern, one.flags), Found(place, one, _use(one, {call.func.attr})))
    return sorted(found.values(), key=lambda one: (one.where, one.pattern.pattern)), made


def _dotted(path: Path) -> str:
    return ".".join(("app", *path.relative_to(ROOT).with_suffix("").parts))


def _calls(source: str) -> Iterator[Any]:
    """Give the calls of the module re."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in METHODS
        ):
            yield node


def _flags(call: str) -> int:
    return sum(getattr(re, name) for name in ("IGNORECASE", "DOTALL", "MULTILINE", "VERBOSE") if f"re.{name}" in call)


def _patterns(value: object, depth: int = 3) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif depth and isinstance(value, Mapping | tuple | list | set | frozenset):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _patterns(one, depth - 1)


def _use(pattern: re.Pattern[str], methods: set[str]) -> Callable[[str], object]:
    """Use it as the package does; where that can't be seen, in the way that tries most."""
    if methods and methods <= ANCHORED:
        return pattern.fullmatch if "fullmatch" in methods else pattern.match
    return pattern.search


# --- the inputs that it is slowest on --------------------------------------------------------------------------------


def attacks(pattern: re.Pattern[str]) -> set[tuple[str, str, str]]:
    """Give triples of a beginning, what is repeated, and an end that spoils the match; from the expression's own parts.

    What is repeated is what one of its repeats takes, behind what leads there; beside it whole matches and their
    beginnings, one after the other, which a search tries from each of them.
    """
    tree = list(parser.parse(pattern.pattern, pattern.flags))
    pumped = _pumped(tree, [""])
    wholes = {whole for whole in _samples(tree, 3) if whole}
    pumped |= {("", whole) for whole in wholes} | {("", whole[:-1]) for whole in wholes if len(whole) > 1}
    pumped |= {("", before + again) for before, again in pumped if before}
    pumped |= {("", sign) for sign in " \n-a1<([_.'\""}
    return {(before, again, end) for before, again in pumped for end in ("", "\0", "!")}


def _pumped(nodes: list[Any], before: list[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for kind, what in nodes:
        if kind in REPEATS and what[1] > MANY:
            found |= {(lead, one) for lead in before[:3] for one in _samples(what[2], 8) if one}
        for inner in _inner(kind, what):
            found |= _pumped(list(inner), before)
        before = [lead + one for lead in before[:3] for one in _matching(kind, what, 2)[:2]][:4] or before
    return found


def _inner(kind: Any, what: Any) -> list[Any]:
    """Give the sequences within a node."""
    if kind in REPEATS:
        return [what[2]]
    if kind is op.SUBPATTERN:
        return [what[3]]
    if kind is op.BRANCH:
        return list(what[1])
    if kind is op.ATOMIC_GROUP:
        return [what]
    return [what[1]] if kind in {op.ASSERT, op.ASSERT_NOT} else []


def _samples(nodes: Any, most: int) -> list[str]:
    """Give some strings that a sequence takes."""
    made = [""]
    for kind, what in nodes:
        made = [head + tail for head in made[:most] for tail in _matching(kind, what, most)[:most]][: 2 * most]
    return made[:most]


def _matching(kind: Any, what: Any, most: int) -> list[str]:
    """Give some strings that a node takes."""
    if kind is op.LITERAL:
        return [chr(what)]
    if kind is op.NOT_LITERAL:
        return [sign for sign in SIGNS if ord(sign) != what][:most]
    if kind is op.ANY:
        return list("a (")
    if kind is op.IN:
        return _in_class(what)
    if kind in REPEATS:
        least = what[0]
        return [one * max(least, 1) for one in _samples(what[2], most)] + ([] if least else [""])
    inner = _inner(kind, what)
    if kind is op.BRANCH:
        return [one for branch in inner for one in _samples(branch, 2)]
    return _samples(inner[0], most) if kind in {op.SUBPATTERN, op.ATOMIC_GROUP} else [""]


def _in_class(items: list[Any]) -> list[str]:
    negated = items[0][0] is op.NEGATE
    fitting = [sign for sign in SIGNS if any(_takes(kind, what, sign) for kind, what in items) != negated]
    return fitting or [chr(what if kind is op.LITERAL else what[0]) for kind, what in items[:1]]


def _takes(kind: Any, what: Any, sign: str) -> bool:
    if kind is op.LITERAL:
        return bool(ord(sign) == what)
    if kind is op.RANGE:
        return bool(what[0] <= ord(sign) <= what[1])
    if kind is not op.CATEGORY:
        return False
    name = str(what).removeprefix("CATEGORY_")
    found = {"DIGIT": sign.isdigit(), "SPACE": sign.isspace(), "WORD": sign.isalnum() or sign == "_"}
    return found[name.removeprefix("NOT_")] != name.startswith("NOT_")
