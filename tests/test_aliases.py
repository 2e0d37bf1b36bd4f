"""Finding names by their letters: exactly where they stand, however they are typed, and never inside other words."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import intake
from app.aliases import AliasFinder, Tables, fold
from app.catalogue import names
from app.encoder import weights
from app.errors import BadInput
from app.records import Name, Span

if TYPE_CHECKING:
    from app.catalogue import Catalogue
    from app.records import Mention

FINDER = AliasFinder(
    Tables.of(
        [
            Name("mnist", "dataset", "mnist", sure=True),
            Name("fashion-mnist", "dataset", "fashion mnist", sure=True),
            Name("mall", "dataset", "Mall_Customers.csv", sure=True),
            Name("lattice", "dataset", "lattice", sure=False),
            Name("penguins", "dataset", "palmer penguins", sure=True),
            Name("adder", "dataset", "audiences", sure=True),
            Name("forest", "technique", "random forest", sure=True),
            Name("smoke", "dataset", "smoke detection", sure=True),
            Name("wake", "dataset", "wakevision", sure=True),
            Name("optimiser", "technique", "optimiser", sure=True),
            Name("plus", "technique", "C++", sure=True),
            Name("birds", "dataset", "鸟类照片", sure=True),
        ],
        ["this dataset of ordinary words has an audience and a customer"],
        {"spike", "waste", "vision", "detect"},
    )
)
WORDS = st.lists(st.text("abcdexyz", min_size=1, max_size=7), max_size=12).map(" ".join)


def found(text: str) -> list[tuple[str, str]]:
    """Give each entry found in a text with the words that stand there."""
    mentions = FINDER.find(intake.read(text), fold(text))
    return [(m.entry, text[m.span.start : m.span.end]) for m in mentions]


# --- folding ---------------------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_folding_keeps_the_way_back(text: str) -> None:
    """Every folded character knows its place in the text, in order; both ends are blank and no two blanks meet."""
    folded = fold(text)
    assert len(folded.origin) == len(folded.text)
    assert list(folded.origin) == sorted(folded.origin)
    assert folded.origin[0] == 0
    assert all(0 <= at < len(text) for at in folded.origin[1:-1])
    assert folded.origin[-1] == len(text)
    assert (folded.text[0], folded.text[-1]) == (" ", " ")
    assert "  " not in folded.text[:-1]


@given(st.text(max_size=200))
def test_folding_twice_is_folding_once(text: str) -> None:
    """A folded text is already in its final form, but for blanks at its ends."""
    once = fold(text).text
    assert fold(once).text.split() == once.split()


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Fashion-MNIST", "fashion mnist"),
        ("fashion_mnist", "fashion mnist"),
        ("FASHION   mnist", "fashion mnist"),
        ("Ｆａｓｈｉｏｎ mnist", "fashion mnist"),
        ("f\u200bashion mni\u00adst", "fashion mnist"),
        ("fаshiоn mnist", "fashion mnist"),
        ("ﬁne C++", "fine c++"),
        ("Титаник", "титаник"),
        ("café", "café"),
    ],
)
def test_what_folds_together(typed: str, plain: str) -> None:
    """Case, separators, widths, invisible marks and look-alikes fold away; other scripts stay themselves."""
    assert fold(typed).text.strip() == plain


# --- finding ---------------------------------------------------------------------------------------------------------


@given(
    WORDS, WORDS, st.sampled_from(["mnist", "Palmer Penguins", "random-forest", "mall_customers.csv", "RandomForest"])
)
def test_a_name_is_found_at_exactly_its_place(before: str, after: str, name: str) -> None:
    """Whatever words stand around it, a name at word boundaries is found, and its span quotes it as typed."""
    text = f"{before} {name} {after}".strip()
    start = len(before) + 1 if before else 0
    mentions = FINDER.find(intake.read(text), fold(text))
    assert Span(start, start + len(name)) in [m.span for m in mentions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trained on fashion mnist", [("fashion-mnist", "fashion mnist")]),
        ("trained on mnist, then fashion_mnist", [("mnist", "mnist"), ("fashion-mnist", "fashion_mnist")]),
        ("MNIST.", [("mnist", "MNIST")]),
        ("(mnist)", [("mnist", "mnist")]),
        ("two MNISTs", [("mnist", "MNISTs")]),
        ("kmnist and mnistic", []),
        ("random forests", [("forest", "random forests")]),
        ("randomforest", [("forest", "randomforest")]),
        ("written in C++", [("plus", "C++")]),
        ("mnist在这里", [("mnist", "mnist")]),
        ("我用鸟类照片训练", [("birds", "鸟类照片")]),
        ("m\u200bn\u200bist", [("mnist", "m\u200bn\u200bist")]),
        ("ＭＮＩＳＴ", [("mnist", "ＭＮＩＳＴ")]),
        ("rаndom fоrest", [("forest", "rаndom fоrest")]),
        ("it is a lattice", [("lattice", "lattice")]),
    ],
)
def test_a_name_in_its_many_spellings(text: str, expected: list[tuple[str, str]]) -> None:
    """The longest name wins, plurals and scripts without blanks are let through, parts of words are not."""
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("palmer pengiuns study", "penguins"),
        ("plamer penguins study", "penguins"),
        ("random forst here", "forest"),
        ("rnadom forest here", "forest"),
        ("fashoin mnist", "fashion-mnist"),
        ("mall custmers csv", "mall"),
    ],
)
def test_slips_of_the_keyboard_are_forgiven(text: str, entry: str) -> None:
    """One edit from seven letters and two from eleven still find the name."""
    assert [e for e, _ in found(text)] == [entry]


@pytest.mark.parametrize(
    "text",
    [
        *("this dataset", "an audience", "mnits", "minst", "plmr pngns", "random flowers rest"),
        *("spike detection", "the wastevision workshop", "optimised", "random 4orest"),
    ],
)
def test_ordinary_and_far_words_are_no_typos(text: str) -> None:
    """Ordinary words, their forms and compounds, short names and names past the bound stay what they are."""
    assert found(text) == []


def test_a_doubtful_name_stays_doubtful() -> None:
    """A name that is also a word is reported as not sure."""
    text = "a lattice of mnist"
    assert [m.sure for m in FINDER.find(intake.read(text), fold(text))] == [False, True]


def test_a_mention_knows_its_sentence() -> None:
    """The sentence of a mention is the one whose span holds it."""
    text = "We count birds. Others use MNIST. We don't. Fashion-MNIST bores us."
    brief = intake.read(text)
    for mention in FINDER.find(brief, fold(text)):
        span = brief.sentences[mention.sentence].span
        assert span.start <= mention.span.start < mention.span.end <= span.end


@given(
    st.lists(st.sampled_from(["mnist", "fashion", "Fashion-MNIST", "random", "forest", "bird", ".", "\n"]), max_size=30)
)
def test_no_mention_lies_inside_another_of_its_kind(parts: list[str]) -> None:
    """Of overlapping names of one kind, one that another encloses is dropped."""
    text = " ".join(parts)
    try:
        mentions: list[Mention] = FINDER.find(intake.read(text), fold(text))
    except BadInput:
        return
    for one in mentions:
        for other in mentions:
            enclosed = other.span.start <= one.span.start and one.span.end <= other.span.end
            assert one is other or one.kind != other.kind or one.entry != other.entry or not enclosed
            assert one.span == other.span or one.kind != other.kind or not enclosed


# --- with the shipped names ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped_finder(shipped: Catalogue) -> AliasFinder:
    """Give a finder over every shipped name."""
    prose = (text for e in shipped.entries.values() for text in (e.about, *e.tells))
    known = (weights()[0] / "vocab.txt").read_text(encoding="utf-8").split()
    return AliasFinder(Tables.of(names(shipped), prose, (word for word in known if word.isalpha())))


def test_every_shipped_sure_name_is_found_by_itself(shipped: Catalogue, shipped_finder: AliasFinder) -> None:
    """Typed alone, a sure name gives its entry, whole."""
    missed = []
    for entry in [*shipped.datasets.values(), *shipped.techniques.values()]:
        if entry.name.casefold() in {form.casefold() for form in entry.ambiguous}:
            continue
        text = f"x {entry.name} y"
        mentions = shipped_finder.find(intake.read(text), fold(text))
        if entry.id not in {m.entry for m in mentions}:
            missed.append(entry.id)
    assert missed == []


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("fashion mnist", {"fashion-mnist"}),
        ("titanic survival w/ logistic regression", {"titanic", "logistic-regression"}),
        ("the audience liked this dataset", set()),
    ],
)
def test_shipped_names_in_a_sentence(text: str, entries: set[str], shipped_finder: AliasFinder) -> None:
    """What people type first is found, and ordinary words find no dataset and no technique."""
    mentions = shipped_finder.find(intake.read(text), fold(text))
    assert {m.entry for m in mentions if m.kind in {"dataset", "technique"} and m.sure} == entries


@pytest.mark.parametrize("unit", ["mnist iris ", "mnist\n", "tittanic minsit fashoin-mnsit ", "a ", "x-", "\ufdfa"])
def test_no_text_makes_finding_slow(unit: str, shipped_finder: AliasFinder) -> None:
    """Thousands of names or near names in one text are found in a moment; a quadratic walk takes far longer."""
    text = (unit * intake.MAX_CHARS)[: intake.MAX_CHARS // 4]
    brief, folded = intake.read(text), fold(text)
    started = time.process_time()
    shipped_finder.find(brief, folded)
    assert time.process_time() - started < 10
