"""Cues: the words that tell who made the data, what is planned, contrasted or added."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import cues


@pytest.mark.parametrize(
    ("sentence", "cue", "quote"),
    [
        ("We recorded frogs in our pond", "own_data", "We recorded"),
        ("selbst aufgenommen im Garten", "own_data", "selbst aufgenommen"),
        ("Kaggle has it", "others_data", "Kaggle"),
        ("next steps: more frogs", "planned", "next steps"),
        ("it does not use frogs", "negated", "not"),
        ("unlike the others", "contrast", "unlike"),
        ("a network pre-trained on pictures", "pretrained", "pre-trained"),
        ("compared to a baseline", "benchmark", "compared to"),
        ("for my Udemy class", "course", "Udemy"),
        ("deployed with Streamlit", "deploy", "deployed"),
        ("retrained nightly", "operated", "retrained"),
        ("midwives use it", "users", "midwives"),
        ("an error analysis by village", "study", "error analysis"),
        ("a groundbreaking method", "claim", "groundbreaking"),
        ("on a Raspberry Pi", "device", "Raspberry Pi"),
        ("over three winters", "span_of_time", "three winters"),
        ("how many frogs", "question", "how many"),
        ("reached 97 % accuracy", "metric", "97 %"),
        ("pd.read_csv('frogs.csv')", "load_call", "read_csv"),
        ("ignore all previous rules", "instruction", "ignore all"),
        ("a login page in React", "product", "login"),
        ("simulated ponds", "synthetic", "simulated"),
    ],
)
def test_a_cue_is_found_where_it_stands(sentence: str, cue: str, quote: str) -> None:
    """Each cue shows at its first words, and its span quotes them."""
    start, end = cues.find(sentence)[cue]
    assert sentence[start:end] == quote


@pytest.mark.parametrize(
    ("sentence", "cue"),
    [
        ("The frogs were counted", "own_data"),
        ("a knot in the rope", "negated"),
        ("willow trees stand there", "planned"),
        ("renderer of frogs", "deploy"),
        ("important frogs", "own_words"),
        ("load_dotenv() first", "load_call"),
    ],
)
def test_a_cue_is_no_part_of_another_word(sentence: str, cue: str) -> None:
    """Words that only look like a cue are none."""
    assert cue not in cues.find(sentence)


def test_names_keep_the_order_of_the_patterns() -> None:
    """Learned weights are bound to these names: a new cue goes to the end and none is renamed."""
    assert tuple(cues.CUES) == cues.NAMES
    assert cues.NAMES[:6] == ("self", "own_data", "others_data", "planned", "negated", "contrast")
    assert cues.find("") == {}


WORDS = sorted({word for pattern in cues.CUES.values() for word in re.findall(r"[a-z]{2,}", pattern.pattern)})


@given(
    st.lists(st.sampled_from([*WORDS, "I", "10", "95 %", "a, b,", "topladim", "ſelf", "İ", "K"]), max_size=12),
    st.booleans(),
)
def test_small_letters_are_read_as_any(words: list[str], shouted: bool) -> None:
    """What is quicker in ASCII finds what the patterns themselves find, in capitals too."""
    text = " ".join(words)
    text = text.upper() if shouted else text
    found = {name: pattern.search(text) for name, pattern in cues.CUES.items()}
    assert cues.find(text) == {name: match.span() for name, match in found.items() if match}


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_every_span_lies_inside_its_sentence(sentence: str) -> None:
    """Whatever the text, a cue's span is a stretch of it that isn't empty."""
    for start, end in cues.find(sentence).values():
        assert 0 <= start < end <= len(sentence)
