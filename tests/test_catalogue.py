"""The catalogue's promises: what every entry holds, and that a fault is named and never skipped."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalogue import (
    DATA,
    NOT_WORDS,
    Catalogue,
    Entry,
    format_line,
    names,
    normal_form,
    problems,
    reference,
    views,
)
from app.errors import CatalogueInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = Path(__file__).parent.parent / "docs" / "CATALOGUE.md"
IDS = Path(__file__).parent / "catalogue" / "ids.txt"
FILES = ("datasets", "techniques", "tutorials", "cliches", "alternatives")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The shipped catalogue."""
    return Catalogue.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped data, to be broken."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def rows(folder: Path, file: str) -> list[Row]:
    """Read a file of entries."""
    return [json.loads(line) for line in (folder / f"{file}.jsonl").read_text(encoding="utf-8").split("\n") if line]


def write(folder: Path, file: str, entries: list[Row]) -> None:
    """Write a file of entries as it should be, apart from what is wrong in them."""
    lines = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    (folder / f"{file}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def change(folder: Path, file: str, number: int, edit: Callable[[Row], object]) -> None:
    """Change the entry on one line, counted from 1, in place."""
    entries = rows(folder, file)
    edit(entries[number - 1])
    write(folder, file, entries)


def only(found: list[str]) -> str:
    """Give the one fault there is."""
    assert len(found) == 1, found
    return found[0]


# --- the shipped entries ---------------------------------------------------------------------------------------------


def test_the_shipped_catalogue_has_no_fault() -> None:
    """Every entry keeps the field dictionary."""
    assert problems() == []


def test_there_are_as_many_entries_as_lines(catalogue: Catalogue) -> None:
    """No line is lost, and the counts by kind are those of the files."""
    lines = [len((DATA / f"{file}.jsonl").read_bytes().splitlines()) for file in FILES]
    assert list(catalogue.counts().values()) == lines
    assert len(catalogue.entries) == sum(lines)


def test_entries_come_in_the_order_of_ids(catalogue: Catalogue) -> None:
    """Whoever walks a mapping meets the ids in order, so that built indexes are the same every time."""
    for table in (
        catalogue.entries,
        catalogue.datasets,
        catalogue.techniques,
        catalogue.tutorials,
        catalogue.cliches,
        catalogue.alternatives,
    ):
        assert list(table) == sorted(table)


def test_every_line_is_in_the_only_accepted_form() -> None:
    """Writing an entry again changes no byte, so that a change shows as that change alone."""
    for kind, file in zip(("dataset", "technique", "tutorial", "cliche", "alternative"), FILES, strict=True):
        lines = (DATA / f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [line for line in lines[:40] if format_line(kind, json.loads(line)) != line] == []  # type: ignore[arg-type]


def test_no_id_was_ever_renamed_or_removed(catalogue: Catalogue) -> None:
    """Every id that was shipped once is still there: reports, cases and other people's notes name them.

    tests/catalogue/ids.txt only grows; an entry that turns out to be two keeps its id as the commoner one.
    """
    shipped = IDS.read_text(encoding="utf-8").split()
    assert len(shipped) > 2_000
    assert [each for each in shipped if each not in catalogue.entries] == []


def test_everyones_first_datasets_have_four_names(catalogue: Catalogue) -> None:
    """A tier-1 dataset is found under at least four written forms."""
    poor = [d.id for d in catalogue.datasets.values() if d.tier == 1 and 1 + len(d.aliases) + len(d.ambiguous) < 5]
    assert poor == []


def test_a_description_never_says_the_name(catalogue: Catalogue) -> None:
    """What stands for an unnamed dataset holds neither its name nor a sure name of two words and more."""
    told = [
        (dataset.id, form, text)
        for dataset in catalogue.datasets.values()
        for form in (dataset.name, *(alias for alias in dataset.aliases if " " in alias and "_" not in alias))
        for text in (dataset.about, *dataset.tells)
        if f" {normal_form(form)} " in f" {normal_form(text)} "
    ]
    assert told == []


@pytest.mark.parametrize(
    "word",
    [
        "iris",
        "adult",
        "wine",
        "boston",
        "cora",
        "pets",
        "digits",
        "diamonds",
        "tips",
        "flowers",
        "spam",
        "penguins",
        "planets",
        "coco",
        "glue",
        "math",
        "race",
        "fever",
        "liar",
        "mind",
        "attention",
        "lime",
        "flower",
        "rocket",
    ],
)
def test_an_ordinary_word_is_never_sure(catalogue: Catalogue, word: str) -> None:
    """A name that is also a common word counts only with support from the text around it."""
    sure = [(n.kind, n.entry) for n in names(catalogue) if n.sure and normal_form(n.text) == word]
    assert sure == []


@pytest.mark.parametrize(
    ("written", "entry"),
    [
        ("load_iris", "iris"),
        ("Titanic", "titanic"),
        ("fetch_california_housing", "california-housing"),
        ("torchvision.datasets.MNIST", "mnist"),
        ('tfds.load("mnist")', "mnist"),
        ('sns.load_dataset("titanic")', "titanic"),
        ("creditcard.csv", "credit-card-fraud-ulb"),
        ("train_FD001.txt", "nasa-turbofan"),
        ("Mall_Customers.csv", "mall-customers"),
        ("MS-COCO", "coco"),
        ("Boston Housing", "boston-housing"),
        ("wine quality", "wine-quality"),
        ("K-NN", "knn"),
        ("LogisticRegression", "logistic-regression"),
    ],
)
def test_people_and_programs_names_are_sure(catalogue: Catalogue, written: str, entry: str) -> None:
    """Names, loader calls and file names lead to their entry alone."""
    owners = {n.entry for n in names(catalogue) if n.sure and normal_form(n.text) == normal_form(written)}
    assert owners == {entry}


def test_a_sure_name_has_one_owner(catalogue: Catalogue) -> None:
    """No two entries of a kind share a sure name."""
    owners: dict[tuple[str, str], set[str]] = {}
    for name in names(catalogue):
        if name.sure:
            owners.setdefault((name.kind, normal_form(name.text)), set()).add(name.entry)
    assert [form for form, ids in owners.items() if len(ids) > 1] == []


def test_an_unseen_address_is_not_called_verified(catalogue: Catalogue) -> None:
    """An entry without an address claims no verified one; both sorts exist, so the field says something."""
    assert not [e.id for e in catalogue.entries.values() if e.url_verified and e.url is None]
    assert {e.url_verified for e in catalogue.entries.values() if e.url} == {True, False}


def test_loading_is_quick() -> None:
    """Reading and checking all entries takes well under a second of the processor."""
    start = time.process_time()
    Catalogue.load()
    assert time.process_time() - start < 0.8


# --- views -----------------------------------------------------------------------------------------------------------


def test_views_are_the_same_every_time(catalogue: Catalogue) -> None:
    """The order and text of the views depend on the entries alone."""
    assert views(catalogue) == views(Catalogue.load())


def test_views_have_one_place_each(catalogue: Catalogue) -> None:
    """No entry has two views of one name, and none is empty or longer than a model reads."""
    all_views = views(catalogue)
    assert len({(v.entry, v.name) for v in all_views}) == len(all_views)
    assert all(v.text.strip() and len(v.text) < 1_200 for v in all_views)


def test_everything_but_alternatives_has_a_name_view(catalogue: Catalogue) -> None:
    """Each dataset, technique, tutorial and cliché can be found by its name; alternatives are for advice alone."""
    named = {v.entry for v in views(catalogue) if v.name == "name"}
    assert named == set(catalogue.entries) - set(catalogue.alternatives)


def test_a_dataset_is_seen_from_all_sides(catalogue: Catalogue) -> None:
    """Iris has its card, its description, its columns and what learners tell of it."""
    iris = {v.name: v.text for v in views(catalogue) if v.entry == "iris"}
    assert {"name", "about", "columns", "tell.1"} <= set(iris)
    assert iris["columns"].startswith("columns: sepal length, sepal width")
    assert "load_iris" not in iris["name"]
    assert "iris" not in iris["about"].casefold()


def test_a_tutorial_names_what_it_joins(catalogue: Catalogue) -> None:
    """A tutorial's description ends with the names of its data and its methods."""
    tutorial = next(t for t in catalogue.tutorials.values() if t.datasets and t.techniques)
    about = next(v.text for v in views(catalogue) if v.entry == tutorial.id and v.name == "about")
    assert catalogue.datasets[tutorial.datasets[0]].name in about
    assert catalogue.techniques[tutorial.techniques[0]].name in about


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_of_normal_form_is_the_long_one(name: str) -> None:
    """For ASCII the table gives what the expression for all scripts gives."""
    assert normal_form(name) == NOT_WORDS.sub(" ", name.casefold()).strip()


def test_normal_form_joins_spellings() -> None:
    """Case, separators and compatibility forms don't make a new name; plus and hash do."""
    assert normal_form("Mall_Customers.csv") == normal_form("mall customers CSV") == "mall customers csv"
    assert normal_form("\uff2d\uff2e\uff29\uff33\uff34") == "mnist"
    assert normal_form("CK+") != normal_form("CK")


# --- the hash --------------------------------------------------------------------------------------------------------


def test_the_hash_follows_the_entries(folder: Path, catalogue: Catalogue) -> None:
    """The same entries give the same hash wherever they lie; one changed word gives another."""
    assert Catalogue.load(folder).sha256 == catalogue.sha256
    change(folder, "datasets", 1, lambda row: row.update(about="Another description of the same thing."))
    assert Catalogue.load(folder).sha256 != catalogue.sha256


def test_the_hash_ignores_line_ends(folder: Path, catalogue: Catalogue) -> None:
    """A checkout with carriage returns is the same catalogue."""
    path = folder / "cliches.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Catalogue.load(folder).sha256 == catalogue.sha256


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda r: r.update(tier=7), "field 'tier' is 7; allowed: 1, 2, 3"),
        (lambda r: r.update(tier=True), "field 'tier' is true; allowed: 1, 2, 3"),
        (lambda r: r.update(tier="1"), "field 'tier' is \"1\"; allowed: 1, 2, 3"),
        (lambda r: r.update(year=1.5), "field 'year' is 1.5; allowed: a whole number from 1700 to 2100"),
        (lambda r: r.update(modality="tables"), "field 'modality' is \"tables\"; allowed: 3d, audio"),
        (lambda r: r.update(tasks=["classifying"]), "field 'tasks' has an item that is \"classifying\"; allowed:"),
        (lambda r: r.update(tasks="classification"), "field 'tasks' is \"classification\"; allowed: a list"),
        (lambda r: r.update(tasks=[]), "field 'tasks' is an empty list; leave the field out"),
        (lambda r: r.update(aliases=["ok", ""]), "'aliases' has an item that is \"\"; allowed: a text that is not"),
        (lambda r: r.update(aliases=["ok", " x"]), "has no space at its ends"),
        (lambda r: r.update(aliases=["ok one", "ok one"]), "field 'aliases' names something twice; keep it once"),
        (lambda r: r.update(aliases=["ok one", "OK-one"]), "name 'OK-one' repeats 'ok one'; keep one of them"),
        (lambda r: r.update(aliases=["..."]), "name '...' has no letter or digit; leave it out"),
        (lambda r: r.update(about="two\nlines of text"), "allowed: one line without control characters"),
        (lambda r: r.update(about="short"), "field 'about' has 5 characters; allowed: 10 to 600"),
        (lambda r: r.update(about=None), "field 'about' is null; allowed: a text"),
        (lambda r: r.update(url="ftp://example.org/x"), "allowed: an address that begins with http:// or https://"),
        (lambda r: r.update(url="https://no spaces.org"), "allowed: an address that begins with http:// or https://"),
        (lambda r: r.update(url_verified="yes"), "field 'url_verified' is \"yes\"; allowed: true, false"),
        (lambda r: (r.pop("url"), r.update(url_verified=True)), "'url_verified' is true; allowed only beside 'url'"),
        (lambda r: r.pop("about"), "field 'about' is missing; it means: What it is"),
    ],
)
def test_a_bad_field_is_named(folder: Path, edit: Callable[[Row], object], said: str) -> None:
    """A fault names file, line and field, what was found and what is allowed."""
    change(folder, "datasets", 3, edit)
    fault = only(problems(folder))
    assert fault.startswith("datasets.jsonl:3: ")
    assert said in fault


def test_an_unknown_field_is_named(folder: Path) -> None:
    """A misspelt field isn't passed over in silence."""
    change(folder, "techniques", 2, lambda row: row.update(famly="linear models"))
    assert only(problems(folder)).startswith(
        "techniques.jsonl:2: field 'famly' is unknown; allowed for a technique: id, name, aliases,"
    )


def test_a_field_that_stands_twice_is_named(folder: Path) -> None:
    """Two values for one field are a fault, not a choice of the reader's."""
    path = folder / "cliches.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"tier": ', '"tier": 3, "tier": ', 1), encoding="utf-8")
    assert "cliches.jsonl:1: field 'tier' stands twice; keep it once" in problems(folder)


def test_fields_out_of_order_are_named(folder: Path) -> None:
    """Fields stand in the order of the dictionary."""
    entries = rows(folder, "alternatives")
    entries[0] = dict(reversed(entries[0].items()))
    write(folder, "alternatives", entries)
    assert only(problems(folder)).startswith("alternatives.jsonl:1: fields stand in the order url_verified, url")


@pytest.mark.parametrize("bad", ["Iris", "iris_2", "-iris", "iris--2", "", "ïris"])
def test_a_bad_id_is_named(folder: Path, bad: str) -> None:
    """An id is lower-case words and digits, joined by single hyphens."""
    change(folder, "alternatives", 1, lambda row: row.update(id=bad))
    said = f"alternatives.jsonl:1: field 'id' is {json.dumps(bad, ensure_ascii=False)}"
    assert any(fault.startswith(said) for fault in problems(folder))


def test_a_taken_id_is_named_with_its_owner(folder: Path) -> None:
    """An id is unique over all kinds."""
    change(folder, "alternatives", 1, lambda row: row.update(id="iris"))
    faults = [fault for fault in problems(folder) if "is taken" in fault]
    place = 1 + [row["id"] for row in rows(folder, "datasets")].index("iris")
    assert only(faults) == f"alternatives.jsonl:1: id 'iris' is taken at datasets.jsonl:{place}; choose another"


def test_a_file_out_of_order_is_named(folder: Path) -> None:
    """A file is sorted by id."""
    entries = rows(folder, "cliches")
    first, second = entries[0]["id"], entries[1]["id"]
    write(folder, "cliches", [entries[1], entries[0], *entries[2:]])
    assert only(problems(folder)) == f"cliches.jsonl:2: id '{first}' stands after '{second}'; sort the file by id"


@pytest.mark.parametrize(
    ("file", "field", "kind"),
    [
        ("tutorials", "datasets", "dataset"),
        ("tutorials", "techniques", "technique"),
        ("cliches", "alternatives", "alternative"),
        ("alternatives", "replaces_datasets", "dataset"),
        ("alternatives", "replaces_cliches", "cliche"),
    ],
)
def test_a_dangling_reference_is_named(folder: Path, file: str, field: str, kind: str) -> None:
    """A reference leads to an entry of the right kind."""
    number = 1 + next(n for n, row in enumerate(rows(folder, file)) if field in row)
    change(folder, file, number, lambda row: row[field].append("nowhere"))
    fault = only(problems(folder))
    assert fault == f"{file}.jsonl:{number}: field '{field}' names 'nowhere', which is no {kind}; add it or mend the id"


def test_a_reference_to_another_kind_is_dangling(folder: Path) -> None:
    """A dataset's id among the techniques is a fault."""
    number = 1 + next(n for n, row in enumerate(rows(folder, "tutorials")) if "techniques" in row)
    change(folder, "tutorials", number, lambda row: row["techniques"].append("iris"))
    assert "names 'iris', which is no technique" in only(problems(folder))


def test_a_shared_sure_name_is_named_with_its_owner(folder: Path) -> None:
    """Two datasets can't both be surely meant by one name."""
    change(folder, "datasets", 1, lambda row: row["aliases"].append("Load-Iris"))
    fault = only(problems(folder))
    assert "name 'load_iris' is also a sure name of '20newsgroups' (datasets.jsonl:1); leave it to" in fault


def test_a_shared_ambiguous_name_is_allowed(folder: Path) -> None:
    """Two datasets may both be perhaps meant by one name."""
    change(folder, "datasets", 2, lambda row: row.update(ambiguous=["iris"]))
    entries = rows(folder, "datasets")
    order = list(rows(folder, "datasets")[[row["id"] for row in entries].index("iris")])
    entries[1] = {name: entries[1][name] for name in order if name in entries[1]} | entries[1]
    entries[1] = json.loads(format_line("dataset", entries[1]))
    write(folder, "datasets", entries)
    assert problems(folder) == []


def test_broken_json_is_named_with_its_column(folder: Path) -> None:
    """A line that is no JSON names where it breaks; the other lines are still checked."""
    path = folder / "alternatives.jsonl"
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[4] = lines[4][:-1]
    path.write_text("\n".join(lines), encoding="utf-8")
    said = re.compile(r"alternatives\.jsonl:5: not JSON at column \d+ \(.+\); write one object a line")
    assert any(said.fullmatch(fault) for fault in problems(folder))


@pytest.mark.parametrize("line", ["[]", '"text"', "7", "null"])
def test_a_line_that_is_no_object_is_named(folder: Path, line: str) -> None:
    """JSON of another shape is refused by its place."""
    path = folder / "techniques.jsonl"
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    number = len(path.read_bytes().splitlines())
    assert only(problems(folder)) == f"techniques.jsonl:{number}: is {line}; write one object a line"


def test_a_line_nested_without_end_is_named(folder: Path) -> None:
    """Brackets by the hundred thousand are a fault like any other."""
    path = folder / "techniques.jsonl"
    path.write_bytes(path.read_bytes() + b"[" * 200_000 + b"\n")
    assert "not JSON" in only(problems(folder))


def test_a_fault_can_always_be_shown(folder: Path) -> None:
    """Half a surrogate pair is a fault, and the message that says so is clean text."""
    path = folder / "datasets.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"about": "', b'"about": "\\ud800', 1))
    fault = only(problems(folder))
    assert fault.startswith("datasets.jsonl:1: field 'about' is")
    assert fault.encode("utf-8")


def test_an_empty_line_is_named(folder: Path) -> None:
    """A blank line is a fault, since every line is an entry."""
    path = folder / "techniques.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    assert ": not JSON at column 1" in only(problems(folder))


def test_bytes_that_are_no_text_are_named(folder: Path) -> None:
    """A file in another encoding names the line and the byte."""
    path = folder / "datasets.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[1] = b"\xff" + lines[1]
    path.write_bytes(b"\n".join(lines))
    assert problems(folder)[0] == "datasets.jsonl:2: not UTF-8 at byte 1 of the line; save the file as UTF-8"


def test_loading_tells_the_first_few_faults_and_how_many_more(folder: Path) -> None:
    """A badly broken catalogue is refused in a message of a readable length."""
    entries = rows(folder, "tutorials")
    write(folder, "tutorials", [entry | {"tier": 9} for entry in entries])
    with pytest.raises(CatalogueInvalid) as caught:
        Catalogue.load(folder)
    shown = str(caught.value).split("\n")
    assert shown[0] == "tutorials.jsonl:1: field 'tier' is 9; allowed: 1, 2, 3"
    assert shown[-1] == f"... and {len(entries) - 5} more; `originality catalogue check` lists them all"


def test_a_missing_file_is_named(folder: Path) -> None:
    """A file that isn't there is told with its path and the mend."""
    (folder / "cliches.jsonl").unlink()
    with pytest.raises(CatalogueInvalid, match=r"cliches\.jsonl: can't be read .+; restore it from the release"):
        Catalogue.load(folder)


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "kinds: {}\n"])
def test_a_broken_dictionary_is_told(folder: Path, text: str) -> None:
    """Without its dictionary nothing can be checked, and that is said."""
    (folder / "fields.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=r"fields\.yaml.+restore it from the release"):
        problems(folder)


@pytest.mark.parametrize("text", ["version: 1.0\n", 'version: "1.0.0"\ndate: "yesterday"\n', 'date: "2026-11-22"\n'])
def test_an_edition_without_version_or_date_is_told(folder: Path, text: str) -> None:
    """Every catalogue says which edition it is."""
    (folder / "catalogue.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match="needs a version and an ISO date"):
        Catalogue.load(folder)


# --- the field dictionary and its page -------------------------------------------------------------------------------


def test_the_reference_page_is_that_of_the_dictionary() -> None:
    """docs/CATALOGUE.md is written from the dictionary and hasn't drifted."""
    mend = "python -c 'from app.catalogue import reference; print(reference(), end=\"\")' > docs/CATALOGUE.md"
    assert REFERENCE.read_text(encoding="utf-8") == reference(), mend


def test_every_field_is_an_attribute(catalogue: Catalogue) -> None:
    """What the dictionary explains is what an entry has."""
    for entry in first_of_each_kind(catalogue):
        section = reference().split(f"## {entry.kind}: ")[1].split("\n## ")[0]
        fields = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert [field for field in fields if not hasattr(entry, field)] == []


def test_every_word_of_the_vocabularies_is_used(catalogue: Catalogue) -> None:
    """A closed list holds no word that no entry needs."""
    used: set[str] = set()
    for entry in catalogue.entries.values():
        for name in (
            "modality",
            "modalities",
            "domain",
            "tasks",
            "family",
            "genre",
            "level",
            "access",
            "region",
            "tier",
        ):
            value = getattr(entry, name, ())
            used.update(value if isinstance(value, tuple) else [str(value)])
    listed = re.findall(r"^\| `([^`]+)` \|", reference().split("## Vocabularies")[1], re.MULTILINE)
    assert [word for word in listed if word not in used] == []


def first_of_each_kind(catalogue: Catalogue) -> list[Entry]:
    """Give one entry of each kind."""
    return [next(e for e in catalogue.entries.values() if e.kind == kind) for kind in catalogue.counts()]


# --- stamps ----------------------------------------------------------------------------------------------------------


def test_a_checked_catalogue_is_not_checked_again(folder: Path, tmp_path: Path, catalogue: Catalogue) -> None:
    """It reads the same with its stamp, and a changed byte is checked whatever stamps there are."""
    stamps = tmp_path / "stamps"
    assert Catalogue.load(folder, stamps) == catalogue
    (stamp,) = stamps.iterdir()
    assert stamp.read_bytes() == b""
    assert Catalogue.load(folder, stamps) == catalogue
    change(folder, "datasets", 1, lambda row: row.update(tier=9))
    with pytest.raises(CatalogueInvalid, match=r"datasets.jsonl:1: .*tier"):
        Catalogue.load(folder, stamps)
    assert list(stamps.iterdir()) == [stamp]


def test_a_stamp_that_cannot_be_kept_is_done_without(folder: Path, tmp_path: Path, catalogue: Catalogue) -> None:
    """A folder that can't be written costs the next start its time, no more."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert Catalogue.load(folder, tmp_path / "taken") == catalogue
