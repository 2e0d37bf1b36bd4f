"""What is already known out there: the only room that reads ``app/data`` and holds it to its field dictionary.

``fields.yaml`` says what each field means, ``vocabulary.yaml`` closes the lists; both drive the checks here and the
reference page. A line that breaks them is refused with its file and number, never skipped.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, cast

import yaml

from app.errors import CatalogueInvalid
from app.records import Name

Kind = Literal["dataset", "technique", "tutorial", "cliche", "alternative"]

DATA = Path(__file__).parent / "data"
SHOWN_PROBLEMS = 5
ID_FORM = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
URL_FORM = re.compile(r"https?://[a-z0-9.-]+\.[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
DATE_FORM = re.compile(r"\d{4}-\d{2}-\d{2}")
# "C++", "C#" and "CK+" are names; every other sign only parts words. The table does for ASCII, which nearly all names
# are, what the expression does for all scripts, several times faster.
NOT_WORDS = re.compile(r"(?:[^\w+#]|_)+")
ASCII_WORDS = str.maketrans({chr(c): " " for c in range(128) if not chr(c).isalnum() and chr(c) not in "+#"})
# libyaml reads the two small dictionaries ten times faster; the pure reader is there for wheels built without it.
YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Anything known; ``docs/CATALOGUE.md`` explains each field.

    Attributes:
        aliases: names that are sure by themselves; ``name`` is one of them unless ``ambiguous`` repeats it.
        ambiguous: names that are also common words or shared: they need support from the text around them.
        about: what it is, without its name.
        tells: how a learner tells it without naming it.
        tier: 1 for everyone's first portfolio, 2 for what a practitioner has seen, 3 for what its subfield knows.
        url_verified: false where the address was never seen in a source.
    """

    id: str
    kind: Kind
    name: str
    url: str | None = None
    url_verified: bool = False
    tier: int = 3
    aliases: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    about: str = ""
    tells: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Entry):
    """Public data that many projects rest on; ``columns`` are its telling column or label names."""

    kind: Kind = "dataset"
    columns: tuple[str, ...] = ()
    modality: str
    tasks: tuple[str, ...]
    domain: str
    year: int
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique(Entry):
    """A method, an architecture or a tool pattern."""

    kind: Kind = "technique"
    family: str
    tasks: tuple[str, ...]
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tutorial(Entry):
    """A taught project; ``datasets`` and ``techniques`` are the ids that it joins."""

    kind: Kind = "tutorial"
    publisher: str
    genre: str
    level: str
    datasets: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cliche(Entry):
    """A theme that everyone does, whatever the data; ``twists`` are ways out of it."""

    kind: Kind = "cliche"
    datasets: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    twists: tuple[str, ...]
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Entry):
    """A little-used source of data and the ``question`` that it invites; for advice, never for matching."""

    kind: Kind = "alternative"
    domain: str
    modalities: tuple[str, ...]
    region: str = ""
    access: tuple[str, ...]
    licence: str
    refresh: str
    question: str
    replaces_datasets: tuple[str, ...] = ()
    replaces_cliches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, checked; every mapping is by id and in the order of ids.

    Attributes:
        sha256: of the entries' files, so that an index knows what it was built from.
        date: ISO date of the last change to the entries.
    """

    entries: Mapping[str, Entry]
    datasets: Mapping[str, Dataset]
    techniques: Mapping[str, Technique]
    tutorials: Mapping[str, Tutorial]
    cliches: Mapping[str, Cliche]
    alternatives: Mapping[str, Alternative]
    version: str
    date: str
    sha256: str

    @classmethod
    def load(cls, folder: Path | None = None, stamps: Path | None = None) -> Catalogue:
        """Read and check the package's data, or that of ``folder``.

        Args:
            stamps: folder with an empty file for every catalogue that passed its checks, named by the hash of its
                files and of this code: such a one is read without checking, which takes most of the time.

        Raises:
            CatalogueInvalid: naming file, line and field of the first few faults.
        """
        stamp = stamps / f"catalogue-{_key(folder or DATA)}.checked" if stamps else None
        reading = _read(folder or DATA, check=stamp is None or not stamp.is_file())
        if reading.problems:
            shown = reading.problems[:SHOWN_PROBLEMS]
            more = len(reading.problems) - len(shown)
            tail = [f"... and {more} more; `originality catalogue check` lists them all"] if more else []
            raise CatalogueInvalid("\n".join([*shown, *tail]))
        if stamp:
            with suppress(OSError):  # where nothing can be written, the next start checks again
                stamp.parent.mkdir(parents=True, exist_ok=True)
                stamp.touch()
        return cls(
            entries=MappingProxyType(dict(sorted((e.id, e) for table in reading.entries.values() for e in table))),
            datasets=_table(reading, Dataset),
            techniques=_table(reading, Technique),
            tutorials=_table(reading, Tutorial),
            cliches=_table(reading, Cliche),
            alternatives=_table(reading, Alternative),
            version=reading.version,
            date=reading.date,
            sha256=reading.sha256,
        )

    def counts(self) -> dict[str, int]:
        """Count the entries of each kind."""
        return {
            "dataset": len(self.datasets),
            "technique": len(self.techniques),
            "tutorial": len(self.tutorials),
            "cliche": len(self.cliches),
            "alternative": len(self.alternatives),
        }


# --- what the other rooms look for -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class View:
    """One text that stands for an entry in the space of meanings.

    Attributes:
        entry: its id.
        name: ``name``, ``about``, ``columns``, ``typical`` or ``tell.N``.
    """

    entry: str
    kind: Kind
    name: str
    text: str


def normal_form(name: str) -> str:
    """Reduce a name to its words, so that ``Mall_Customers.csv`` and ``mall customers CSV`` are one."""
    if name.isascii():
        return " ".join(name.lower().translate(ASCII_WORDS).split())
    return NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()


def names(catalogue: Catalogue) -> list[Name]:
    """List every written form in the order of ids; a tutorial's title is no name, for publishers share titles."""
    return [
        Name(entry.id, entry.kind, form, sure)
        for entry in catalogue.entries.values()
        if entry.kind != "alternative"
        for form, _, sure in _forms(entry)
    ]


def views(catalogue: Catalogue) -> list[View]:
    """Write every entry's views, in the order of ids; alternatives have none, since nothing is matched with them."""
    return [
        View(entry.id, entry.kind, name, text)
        for entry in catalogue.entries.values()
        for name, text in _views_of(entry, catalogue)
        if text
    ]


def _forms(entry: Entry) -> Iterator[tuple[str, str, bool]]:
    """Give each written form, its normal form and whether it is sure."""
    doubtful = [normal_form(form) for form in entry.ambiguous]
    if entry.kind != "tutorial" and (normal := normal_form(entry.name)) not in doubtful:
        yield entry.name, normal, True
    for form in entry.aliases:
        yield form, normal_form(form), True
    for form, normal in zip(entry.ambiguous, doubtful, strict=True):
        yield form, normal, False


def _views_of(entry: Entry, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    card = _card(entry)
    if isinstance(entry, Dataset):
        yield "name", f"{card}: {entry.modality} data on {entry.domain} for {_series(entry.tasks)}"
        yield "about", entry.about
        if entry.columns:
            yield "columns", "columns: " + ", ".join(entry.columns)
    elif isinstance(entry, Technique):
        yield "name", f"{card}: {entry.family}, for {_series(entry.tasks)}"
        yield "about", entry.about
    elif isinstance(entry, Tutorial):
        yield "name", card
        yield "about", " ".join([entry.about, *_ingredients(entry, catalogue)])
    elif isinstance(entry, Cliche):
        yield "name", card
        yield "about", entry.about
        ingredients = _ingredients(entry, catalogue)
        if ingredients:
            yield "typical", " ".join([f"{entry.name}.", *ingredients])
    else:
        return
    for number, tell in enumerate(entry.tells, start=1):
        yield f"tell.{number}", tell


def _card(entry: Entry) -> str:
    # Loader calls and file names are found by their letters; a sentence vector only blurs on them.
    spoken = [alias for alias in entry.aliases if not re.search(r"[_.=(]", alias)][:4]
    return f"{entry.name} ({', '.join(spoken)})" if spoken else entry.name


def _ingredients(entry: Tutorial | Cliche, catalogue: Catalogue) -> list[str]:
    data = [catalogue.datasets[each].name for each in entry.datasets]
    methods = [catalogue.techniques[each].name for each in entry.techniques]
    return [f"{label}: {', '.join(parts)}." for label, parts in (("Data", data), ("Method", methods)) if parts]


def _series(words: tuple[str, ...]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# --- the field dictionary --------------------------------------------------------------------------------------------

Complaint = str | None
Check = Callable[[Any], Complaint]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    meaning: str
    type: str
    required: bool
    vocabulary: str
    to: str
    limits: tuple[int, int]
    values: tuple[object, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class _KindSpec:
    kind: Kind
    file: str
    meaning: str
    fields: Mapping[str, _Field]


@dataclass(frozen=True, slots=True)
class _Dictionary:
    kinds: tuple[_KindSpec, ...]
    vocabulary: Mapping[str, Mapping[Any, str]]


CLASSES: dict[Kind, Callable[..., Entry]] = {
    "dataset": Dataset,
    "technique": Technique,
    "tutorial": Tutorial,
    "cliche": Cliche,
    "alternative": Alternative,
}


def _dictionary(folder: Path) -> _Dictionary:
    fields, vocabulary = _yaml(folder / "fields.yaml"), _yaml(folder / "vocabulary.yaml")
    try:
        return _Dictionary(
            kinds=tuple(
                _KindSpec(
                    kind=kind,
                    file=spec["file"],
                    meaning=spec["meaning"],
                    fields={name: _field(name, kind, fields["fields"][name], vocabulary) for name in spec["fields"]},
                )
                for kind, spec in ((kind, fields["kinds"][kind]) for kind in CLASSES)
            ),
            vocabulary=vocabulary,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise CatalogueInvalid(
            f"{folder / 'fields.yaml'}: the field dictionary is broken at {error}; restore it from the release"
        ) from error


def _field(name: str, kind: Kind, spec: Mapping[str, Any], vocabulary: Mapping[str, Any]) -> _Field:
    low, high = spec.get("limits", (0, 0))
    allowed = vocabulary[spec["vocabulary"]] if "vocabulary" in spec else {}
    required = spec["required"]
    return _Field(
        name=name,
        meaning=spec["meaning"],
        type=spec["type"],
        required=required if isinstance(required, bool) else kind in required,
        vocabulary=spec.get("vocabulary", ""),
        to=spec.get("to", ""),
        limits=(low, high),
        values=tuple(allowed),
        check=_check(spec["type"], allowed, low, high),
    )


def _yaml(path: Path) -> dict[str, Any]:
    try:
        found = yaml.load(path.read_bytes(), Loader=YAML_LOADER)  # noqa: S506 - a safe loader in either form
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(getattr(error, "problem_mark", None), "line", None)
        line = f":{where + 1}" if where is not None else ""
        raise CatalogueInvalid(f"{path.name}{line}: not YAML; restore it from the release") from error
    except OSError as error:
        raise CatalogueInvalid(f"{path}: can't be read ({error.strerror}); restore it from the release") from error
    if not isinstance(found, dict):
        raise CatalogueInvalid(f"{path.name}: holds no table of fields; restore it from the release")
    return found


def _check(type_: str, allowed: Mapping[Any, str], low: int, high: int) -> Check:
    """Make the check of one type; a check says what was found and what is allowed, or nothing."""
    text, choice = partial(_not_text, low, high), partial(_not_listed, allowed)
    checks: dict[str, Check] = {
        "id": _not_id,
        "text": text,
        "texts": partial(_not_all, text),
        "url": _not_url,
        "boolean": _not_boolean,
        "integer": partial(_not_integer, low, high),
        "choice": choice,
        "choices": partial(_not_all, choice),
        "references": partial(_not_all, _not_id),
    }
    return checks[type_]


def _not_text(low: int, high: int, value: Any) -> Complaint:
    if not isinstance(value, str):
        return f"is {_show(value)}; allowed: a text"
    if not value or value != value.strip():
        return f"is {_show(value)}; allowed: a text that is not empty and has no space at its ends"
    if not value.isprintable():
        return f"is {_show(value)}; allowed: one line without control characters"
    if not low <= len(value) <= high:
        return f"has {len(value)} characters; allowed: {low} to {high}"
    return None


def _not_listed(allowed: Mapping[Any, str], value: Any) -> Complaint:
    # bool is an int for Python: true would pass as tier 1.
    if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
        return f"is {_show(value)}; allowed: {', '.join(map(str, allowed))}"
    return None


def _not_integer(low: int, high: int, value: Any) -> Complaint:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        return f"is {_show(value)}; allowed: a whole number from {low} to {high}"
    return None


def _not_boolean(value: Any) -> Complaint:
    return None if isinstance(value, bool) else f"is {_show(value)}; allowed: true, false"


def _not_url(value: Any) -> Complaint:
    if isinstance(value, str) and URL_FORM.fullmatch(value):
        return None
    return f"is {_show(value)}; allowed: an address that begins with http:// or https://"


def _not_id(value: Any) -> Complaint:
    if isinstance(value, str) and ID_FORM.fullmatch(value):
        return None
    return f"is {_show(value)}; allowed: lower-case letters and digits, joined by single hyphens"


def _not_all(check: Check, value: Any) -> Complaint:
    if not isinstance(value, list):
        return f"is {_show(value)}; allowed: a list"
    if not value:
        return "is an empty list; leave the field out where there is nothing to say"
    for item in value:
        if complaint := check(item):
            return f"has an item that {complaint}"
    return "names something twice; keep it once" if len(set(value)) < len(value) else None


def _show(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else shown[:57] + "..."


# --- reading and checking --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    entries: dict[Kind, list[Entry]]
    problems: list[str]
    version: str
    date: str
    sha256: str


def problems(folder: Path | None = None) -> list[str]:
    """List every fault of the entries, a sentence each: what was found, what is allowed, what to do.

    Raises:
        CatalogueInvalid: if the dictionary itself can't be read, for nothing can be checked without it.
    """
    return _read(folder or DATA).problems


def format_line(kind: Kind, row: Mapping[str, Any], folder: Path | None = None) -> str:
    """Write one entry in the only accepted form: the dictionary's order of fields, empty ones left out."""
    spec = next(spec for spec in _dictionary(folder or DATA).kinds if spec.kind == kind)
    kept = {name: row[name] for name in spec.fields if name in row and row[name] not in (None, "", [])}
    return json.dumps(kept, ensure_ascii=False)


def file_of(folder: Path, kind: Kind) -> str:
    """Name the file that holds a kind's entries."""
    return next(spec.file for spec in _dictionary(folder).kinds if spec.kind == kind)


def dictionary(folder: Path, kind: Kind) -> dict[str, tuple[bool, str]]:
    """Give a kind's fields in their order: whether an entry needs it, and what it means."""
    spec = next(spec for spec in _dictionary(folder).kinds if spec.kind == kind)
    return {name: (field.required, _reference_what(field)) for name, field in spec.fields.items()}


def _key(folder: Path) -> str:
    """Hash all that a check of the catalogue hangs on: every file of the folder that it reads, and this code."""
    digest = hashlib.sha256(inspect.getsource(sys.modules[__name__]).encode())
    for file in sorted([*folder.glob("*.jsonl"), *folder.glob("*.yaml")]):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(_bytes(file)).digest())
    return digest.hexdigest()[:24]


def _read(folder: Path, *, check: bool = True) -> _Reading:
    dictionary = _dictionary(folder)
    version, date = _edition(folder)
    faults: list[str] = []
    digest = hashlib.sha256()
    places: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    rows: list[tuple[_KindSpec, str, dict[str, Any]]] = []
    for spec in dictionary.kinds:
        data = _bytes(folder / spec.file)
        # A checkout with other line ends is still the same catalogue.
        digest.update(spec.file.encode() + b"\0" + data.replace(b"\r\n", b"\n") + b"\0")
        previous = ""
        for place, row in _rows(spec, data, faults, check=check):
            rows.append((spec, place, row))
            identifier = row.get("id")
            if not isinstance(identifier, str):
                continue
            if identifier in places:
                faults.append(f"{place}: id '{identifier}' is taken at {places[identifier]}; choose another")
            elif identifier < previous:
                faults.append(f"{place}: id '{identifier}' stands after '{previous}'; sort the file by id")
            else:
                previous = identifier
            places.setdefault(identifier, place)
            kinds.setdefault(identifier, spec.kind)
    entries: dict[Kind, list[Entry]] = {spec.kind: [] for spec in dictionary.kinds}
    owners: dict[tuple[Kind, str], tuple[str, str]] = {}
    for spec, place, row in rows:
        complaints = [*_row_faults(spec, row), *_dangling(spec, row, kinds)] if check else []
        if not complaints:
            entry = CLASSES[spec.kind](**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
            complaints = list(_name_faults(entry, place, owners)) if check else []
            entries[spec.kind].append(entry)
        faults.extend(f"{place}: {complaint}" for complaint in complaints)
    # Half a surrogate pair can be written in JSON but never shown; a fault must not break the terminal that tells it.
    told = [fault.encode("utf-8", "backslashreplace").decode("utf-8") for fault in faults]
    return _Reading(entries, told, version, date, digest.hexdigest())


def _edition(folder: Path) -> tuple[str, str]:
    edition = _yaml(folder / "catalogue.yaml")
    version, date = edition.get("version"), edition.get("date")
    if not isinstance(version, str) or not isinstance(date, str) or not DATE_FORM.fullmatch(date):
        raise CatalogueInvalid(
            'catalogue.yaml: needs a version and an ISO date, both in quotes, such as date: "2026-11-22"'
        )
    return version, date


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogueInvalid(f"{path}: can't be read ({error.strerror}); restore it from the release") from error


def _rows(spec: _KindSpec, data: bytes, faults: list[str], *, check: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    # Split on the line feed alone: a Unicode line separator inside a text must not move the numbers.
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), start=1):
        place = f"{spec.file}:{number}"
        try:
            row = json.loads(line.decode("utf-8"), object_pairs_hook=_no_twins if check else None)
        except UnicodeDecodeError as error:
            faults.append(f"{place}: not UTF-8 at byte {error.start + 1} of the line; save the file as UTF-8")
        except json.JSONDecodeError as error:
            faults.append(f"{place}: not JSON at column {error.colno} ({error.msg}); write one object a line")
        except RecursionError:
            faults.append(f"{place}: not JSON of a sane depth; write one object a line")
        except _Twin as error:
            faults.append(f"{place}: field '{error}' stands twice; keep it once")
        else:
            if isinstance(row, dict):
                yield place, row
            else:
                faults.append(f"{place}: is {_show(row)}; write one object a line")


class _Twin(Exception):
    """A field that stands twice in one object; Python's reader would keep the last in silence."""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        seen: set[str] = set()
        raise _Twin(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return row


def _row_faults(spec: _KindSpec, row: dict[str, Any]) -> Iterator[str]:
    expected = []
    for name, field in spec.fields.items():
        if name in row:
            expected.append(name)
            if complaint := field.check(row[name]):
                yield f"field '{name}' {complaint}"
        elif field.required:
            yield f"field '{name}' is missing; it means: {field.meaning}"
    found = list(row)
    if len(found) > len(expected):
        for name in sorted(row.keys() - spec.fields.keys()):
            yield f"field '{name}' is unknown; allowed for a {spec.kind}: {', '.join(spec.fields)}"
    elif found != expected:
        yield f"fields stand in the order {', '.join(found)}; write them as {', '.join(expected)}"
    if row.get("url_verified") is True and "url" not in row:
        yield "field 'url_verified' is true; allowed only beside 'url'"


def _dangling(spec: _KindSpec, row: dict[str, Any], kinds: Mapping[str, Kind]) -> Iterator[str]:
    for field in spec.fields.values():
        if field.to and isinstance(targets := row.get(field.name), list):
            for target in targets:
                if isinstance(target, str) and kinds.get(target) != field.to:
                    yield f"field '{field.name}' names '{target}', which is no {field.to}; add it or mend the id"


def _name_faults(entry: Entry, place: str, owners: dict[tuple[Kind, str], tuple[str, str]]) -> Iterator[str]:
    """Find a sure name that two entries of a kind claim, and a name that one entry writes twice."""
    own: dict[str, str] = {}
    for form, normal, sure in _forms(entry):
        if not normal:
            yield f"name '{form}' has no letter or digit; leave it out"
            continue
        if normal in own:
            yield f"name '{form}' repeats '{own[normal]}'; keep one of them"
            continue
        own[normal] = form
        if sure and entry.kind != "alternative":
            owner, where = owners.setdefault((entry.kind, normal), (entry.id, place))
            if owner != entry.id:
                yield (
                    f"name '{form}' is also a sure name of '{owner}' ({where}); leave it to the commoner one, "
                    "or move it to 'ambiguous' in both"
                )


EntryT = TypeVar("EntryT", bound=Entry)


def _table(reading: _Reading, class_: type[EntryT]) -> Mapping[str, EntryT]:
    kind = next(kind for kind, each in CLASSES.items() if each is class_)
    return MappingProxyType({entry.id: cast("EntryT", entry) for entry in reading.entries[kind]})


# --- the reference page ----------------------------------------------------------------------------------------------


def reference(folder: Path | None = None) -> str:
    """Write ``docs/CATALOGUE.md`` out of the field dictionary and the vocabularies."""
    dictionary = _dictionary(folder or DATA)
    lines = [
        "# The catalogue, field by field",
        "",
        "Written by `app.catalogue.reference()` from `app/data/fields.yaml` and `vocabulary.yaml`; edit those.",
        "One JSON object a line, sorted by `id`, UTF-8, fields in the order below, optional ones left out where empty.",
        "",
    ]
    for spec in dictionary.kinds:
        lines += [f"## {spec.kind}: `{spec.file}`", "", spec.meaning, "", "| field | type | required | meaning |"]
        lines += ["| --- | --- | --- | --- |", *map(_reference_row, spec.fields.values()), ""]
    lines += ["## Vocabularies", ""]
    for name, values in dictionary.vocabulary.items():
        lines += [f"### {name}", "", "| value | meaning |", "| --- | --- |"]
        lines += [*(f"| `{value}` | {meaning} |" for value, meaning in values.items()), ""]
    return "\n".join(lines)


def _reference_what(field: _Field) -> str:
    allowed = f" One of: {', '.join(map(str, field.values))}." if field.values else ""
    return field.meaning + allowed


def _reference_row(field: _Field) -> str:
    what = {
        "texts": "list of texts",
        "integer": f"whole number, {field.limits[0]} to {field.limits[1]}",
        "choice": f"one of [{field.vocabulary}](#{field.vocabulary})",
        "choices": f"list out of [{field.vocabulary}](#{field.vocabulary})",
        "references": f"list of {field.to} ids",
    }.get(field.type, field.type)
    return f"| `{field.name}` | {what} | {'yes' if field.required else 'no'} | {field.meaning} |"
