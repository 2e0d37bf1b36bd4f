"""Texts of other languages put into English word by word, and the way back to the received text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import gloss, intake
from app.gloss import Glossary, Letters, Words

SPANISH = Glossary(
    Words(
        {
            "el": "the",
            "precio": "price",
            "a partir de": "from",
            "de": "of",
            "regresión": "regression",
            "regresión lineal": "linear regression",
            "grabamos": "we recorded",
        },
        lambda word: word.rstrip("s"),
    )
)
CHINESE = Glossary(Letters({"随机森林": "random forest", "森林": "forest", "我": "I"}))


def test_the_longest_phrase_wins() -> None:
    """A phrase goes before its words, also over a line's end, and what isn't known stays."""
    text = "Precios a partir\nde REGRESIÓN lineal, regresión de Ixtapa."
    assert SPANISH.read(text).text == "price from linear regression, regression of Ixtapa."


def test_a_phrase_does_not_reach_over_a_stop() -> None:
    """Words that a stop or a comma parts are no phrase."""
    assert SPANISH.read("regresión. Lineal").text == "regression. Lineal"


def test_languages_without_blanks_get_some() -> None:
    """English words don't touch what stands beside them."""
    assert CHINESE.read("我用随机森林,好").text == "I 用 random forest,好"


def test_places_lead_back() -> None:
    """A stretch of the glossed text gives the words that it stands for."""
    text = "¡El precio con regresión lineal de Ixtapa!"
    glossed = SPANISH.read(text)
    for english, written in (("linear regression", "regresión lineal"), ("Ixtapa", "Ixtapa"), ("price", "precio")):
        at = glossed.text.index(english)
        start, end = glossed.origin(at, at + len(english))
        assert text[start:end] == written


@pytest.mark.parametrize("glossary", [SPANISH, CHINESE], ids=["spaced", "unspaced"])
@given(st.text(st.sampled_from("elprciod gsnaóREm,.\n'’我随机森林用İß"), max_size=60))
def test_every_stretch_has_a_place(glossary: Glossary, text: str) -> None:
    """Whatever is read, places lie inside it, in order, and all of it is stood for."""
    glossed = glossary.read(text)
    spans = [glossed.origin(at, at + 1) for at in range(len(glossed.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert {at for start, end in spans for at in range(start, end)} == set(range(len(text)))
    assert 0 <= glossary.share(text) <= 1


@given(st.text(max_size=80))
def test_what_no_table_knows_stays(text: str) -> None:
    """An empty table changes nothing."""
    assert Glossary(Words({}, str)).read(text).text == text


@pytest.mark.parametrize("language", sorted([*gloss.STEMMERS, *gloss.UNSPACED]))
def test_shipped_tables_are_well_formed(language: str) -> None:
    """Every line has a form and its English, no form stands twice, none is longer than what is looked for."""
    lines = (gloss.FOLDER / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 2 and all(part and part == part.strip() for part in row) for row in rows)
    forms = [form.casefold() for form, _ in rows]
    assert len(forms) == len(set(forms))
    assert max(len(form.split()) for form in forms) <= gloss.LONGEST_FORM
    assert all(re.fullmatch(r"[ -~]+", english) for _, english in rows)
    glossary = gloss.of(language)
    assert glossary
    assert sum(glossary.read(form).text.strip() == english for form, english in rows) >= 0.97 * len(rows)


def test_a_sentence_is_read_in_english_and_keeps_its_place() -> None:
    """The brief's words are glossed, its spans are the author's."""
    text = "Predicción del precio de casas con regresión lineal.\n\n## Instalación\n\n- pip install x"
    brief = intake.read(text)
    first = brief.sentences[0]
    assert text[first.span.start : first.span.end] == "Predicción del precio de casas con regresión lineal."
    assert "linear regression" in first.text
    assert "price" in first.text
    assert not brief.sentences[-1].counted
    assert brief.language == "es"
    assert brief.words == 8


def test_english_is_left_alone() -> None:
    """English texts, and those whose language has no table, are read as they are."""
    assert gloss.of("en") is None
    assert gloss.of("und") is None
    assert (
        intake.read("I use a random forest on de facto data.").sentences[0].text.startswith("I use a random forest on")
    )
